"""Weights go out with a card and checksums, come back whole or not at all, and are listed by nearness."""

import hashlib
import json
import math
import shutil
import zipfile

import pytest
from pyproj import Geod

from slipmap import cli
from slipmap.errors import InputError
from slipmap.sharing import fetch, listing, publish
from slipmap.sharing.card import Card, describe, read_card

METRICS = (
    "pooling,score,mean,std,min,max,seeds,test_distance,independence\n"
    "pooled_over_pixels,f1,0.4576,,0.4576,0.4576,1,400,blocks\n"
    "mean_over_images,f1,0.1,,0.1,0.1,1,400,blocks\n"
)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """An experiment as a run leaves it, on a square of UTM 32 round 9° E, 45.2° N."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/valley/experiments/unet"
    (folder / "seed_0").mkdir(parents=True)
    record = {
        "model": {"name": "unet", "in_channels": 2, "classes": 1, "options": {}},
        "bands": ["slope", "B4"],
        "statistics": {},
        "threshold": 0.5,
        "pixel_size": [12.5, 12.5],
        "ground": [{"area": "valley", "crs": "EPSG:32632", "bounds": [[500000, 5000000, 501200, 5001200]]}],
        "provenance": {"slipmap": "0.2.0"},
    }
    (folder / "seed_0/model.json").write_text(json.dumps(record))
    (folder / "seed_0/weights.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (folder / "seed_0/last.safetensors").write_bytes(b"not for others")
    (folder / "metrics.csv").write_text(METRICS)
    (tmp_path / "resources/valley").mkdir(parents=True)
    (tmp_path / "resources/valley/SIMULATED.txt").touch()
    return folder


def test_the_card_says_what_was_trained_where_and_how_well(trained):
    card = describe(trained)
    assert (card.model, card.bands, card.scores, card.test_distance) == ("unet", ["slope", "B4"], {"f1": 0.4576}, 400)
    west, south, east, north = card.areas[0]["bounds"]
    assert west == pytest.approx(9.0, abs=1e-6)  # the central meridian of the zone
    assert Geod(ellps="WGS84").inv(west, south, east, south)[2] == pytest.approx(1200, rel=1e-3)
    assert 45 < south < north < 45.2


def test_published_weights_come_back_byte_for_byte(trained, tmp_path, capsys):
    assert cli.main(["weights", "publish", str(trained), "--licence", "CC-BY-4.0"]) == 0
    said = capsys.readouterr().out
    assert "Simulated data" in said and "CC-BY-4.0" in said
    archive = tmp_path / "published/unet.zip"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in (tmp_path / "published/unet.zip.sha256").read_text()
    assert cli.main(["weights", "fetch", str(archive)]) == 0
    place = tmp_path / "weights/unet"
    assert (place / "seed_0/weights.safetensors").read_bytes() == (trained / "seed_0/weights.safetensors").read_bytes()
    assert not (place / "seed_0/last.safetensors").exists()
    assert read_card(place).simulated and read_card(place).licence == "CC-BY-4.0"
    assert list((tmp_path / "weights").iterdir()) == [place]


def test_the_same_weights_give_the_same_zip(trained, tmp_path):
    for name in "ab":
        publish.run(trained, tmp_path / name, licence="CC0-1.0")
    assert (tmp_path / "a/unet.zip").read_bytes() == (tmp_path / "b/unet.zip").read_bytes()


def test_where_no_file_says_whether_data_are_simulated_it_is_asked(trained, tmp_path):
    (tmp_path / "resources/valley/SIMULATED.txt").unlink()
    with pytest.raises(InputError, match="--data real or simulated"):
        publish.run(trained, tmp_path / "out", licence="CC0-1.0")
    assert not publish.run(trained, tmp_path / "out", licence="CC0-1.0", data="real")[0].simulated


def test_another_file_than_the_published_one_is_thrown_away(trained, tmp_path):
    _, archive = publish.run(trained, tmp_path / "out", licence="CC0-1.0")
    with zipfile.ZipFile(archive, "a") as other:
        other.writestr("unet/more.txt", "something")
    with pytest.raises(InputError, match="thrown away"):
        fetch.run(str(archive), tmp_path / "weights")
    sum_of_it = hashlib.sha256(archive.read_bytes()).hexdigest()
    with pytest.raises(InputError, match="are not those of its SHA256SUMS"):
        fetch.run(str(archive), tmp_path / "weights", sum_of_it)
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_zip_without_a_checksum_is_refused(trained, tmp_path):
    _, archive = publish.run(trained, tmp_path / "out", licence="CC0-1.0")
    archive.with_name("unet.zip.sha256").unlink()
    with pytest.raises(InputError, match="give --sha256"):
        fetch.run(str(archive), tmp_path / "weights")
    fetch.run(str(archive), tmp_path / "weights", hashlib.sha256(archive.read_bytes()).hexdigest())
    with pytest.raises(InputError, match="is there already"):
        fetch.run(str(archive), tmp_path / "weights", hashlib.sha256(archive.read_bytes()).hexdigest())


def test_what_is_not_published_weights_is_refused(tmp_path):
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="holds no published weights"):
        fetch.run(str(archive), tmp_path / "weights", hashlib.sha256(archive.read_bytes()).hexdigest())
    with pytest.raises(InputError, match="no SHA-256"):
        fetch.run(str(archive), tmp_path / "weights", "1234")


def card(*bounds):
    areas = [{"area": "a", "bounds": list(b)} for b in bounds]
    return Card("n", "unet", ["slope"], [10.0], 1, areas, {}, None, "x", False, "0.2.0")


@pytest.mark.parametrize(
    ("box", "place", "nearest"),
    [
        ((9, 45, 10, 46), (9.5, 45.5), (9.5, 45.5)),  # inside
        ((9, 45, 10, 46), (9.5, 44.0), (9.5, 45.0)),
        ((9, 45, 10, 46), (12.0, 45.5), (10.0, 45.5)),
        ((179, -17, 180, -16), (-179.5, -16.5), (180.0, -16.5)),  # across the date line
    ],
)
def test_distance_is_that_on_the_globe(box, place, nearest):
    sphere = Geod(a=6371000, b=6371000)
    assert listing.distance(card(box), place) == pytest.approx(sphere.inv(*place, *nearest)[2] / 1000, abs=0.5)


def test_the_nearest_comes_first_and_one_without_ground_last(trained):
    cards = {"far": card((100, 0, 101, 1)), "near": card((9, 45, 10, 46)), "nowhere": card()}
    names = [line.split()[2] for line in listing.table(cards, (9.5, 45.5)).splitlines()[:-1] if "bands:" not in line]
    assert names == ["near", "far", "nowhere"]
    assert math.isinf(listing.distance(cards["nowhere"], (0, 0)))


def test_what_is_at_hand_is_listed(trained, tmp_path, capsys):
    shutil.copytree(
        publish.run(trained, tmp_path / "out", licence="CC0-1.0")[1].with_suffix(""), tmp_path / "weights/mine"
    )
    assert cli.main(["weights", "--near", "9.0", "45.2"]) == 0
    said = capsys.readouterr().out
    assert (
        "results/valley/experiments/unet" in said
        and "weights/mine" in said
        and "network F1 0.46" in said
        and "single networks on test patches, before calibration" in said
    )


def test_a_place_that_is_none_is_said(trained):
    with pytest.raises(InputError, match="no place on Earth"):
        listing.place_of(["45", "145"])
    with pytest.raises(InputError, match="give LON LAT"):
        listing.place_of(["a", "b"])


def test_an_empty_folder_says_what_to_do(tmp_path):
    assert "slipmap weights fetch" in listing.table(listing.find(tmp_path))
