"""`slipmap check` sees by itself what the deformation stage would stumble over, by the readers of the run."""

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine

from helpers.interferogram_samples import DAYS, PAIRS, PLACE, SHAPE, hyp3, licsar, name, phase, tif
from slipmap.cli import main
from slipmap.config.run import AreaSettings
from slipmap.deformation.check import check
from slipmap.io.grid import Grid

GRID = {"crs": "EPSG:32632", "resolution": 50, "bounds": [500000, 4999400, 500800, 5000000]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, level="unwrapped", path="ifg", deformation=None, **sentinel1):
    """What `slipmap check` says of an area with these data; "" if it passes."""
    inputs = {"sentinel1": {"level": level, "path": path} | sentinel1}
    area = {"grid": GRID, "inputs": inputs, "deformation": deformation or {}}
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area}}, file)
    status = main(["check", "my.yaml"])
    text = capsys.readouterr().err.strip()
    assert (status == 0) == (text == "") and "\n" not in text and "Traceback" not in text
    return text.removeprefix("slipmap: ")


def test_a_stack_in_order_passes(capsys):
    licsar("ifg")
    assert said(capsys) == ""


def replace(days, array=None, **options):
    path = f"ifg/{name(*days)}/{name(*days)}.geo.unw.tif"
    tif(path, phase(*days) if array is None else array, **options)


FAULTS = {
    "another zone": (lambda: replace(PAIRS[2], crs="EPSG:32633"), "EPSG:32633, the other files in EPSG:32632"),
    "all in radar coordinates": (
        lambda: [replace(days, place=Affine.identity(), crs=None) for days in PAIRS], "it is in radar coordinates"
    ),
    "all without data": (
        lambda: [replace(days, np.full(SHAPE, -9999, np.float32)) for days in PAIRS], "empty, no pixel has data"
    ),
    "beside the area": (
        lambda: [tif(p, phase(*PAIRS[0]) / 9, place=PLACE @ Affine.translation(900, 0)) for p in rasters()],
        "does not overlap the area",
    ),
    "a pair twice": (
        lambda: tif(f"ifg/again/{name(*PAIRS[0])}.geo.unw.tif", phase(*PAIRS[0])), "has the same dates as"
    ),
    "metadata that cannot be": (lambda: note("metadata.txt", "heading=south\n"), "metadata.txt: 'heading"),
    "baselines that cannot be": (
        lambda: note("baselines", f"{DAYS[0]:%Y%m%d} {DAYS[1]:%Y%m%d} far 12\n"), "baselines: "
    ),
    "a network in two parts": (lambda: [drop(days) for days in PAIRS if days not in (PAIRS[0], PAIRS[3])], "subsets"),
}  # fmt: skip


def rasters():
    return [f"ifg/{name(*days)}/{name(*days)}.geo.{role}.tif" for days in PAIRS for role in ("unw", "cc")]


def note(file, text):
    with open(f"ifg/{file}", "w") as out:
        out.write(text)


def drop(days):
    import shutil

    shutil.rmtree(f"ifg/{name(*days)}")


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_interferograms_are_seen(capsys, fault):
    licsar("ifg", [*PAIRS, (DAYS[0], DAYS[1])])
    change, words = FAULTS[fault]
    change()
    text = said(capsys)
    assert text.startswith("areas.valley.inputs.sentinel1.path: ") and words in text


def test_all_faults_are_told_at_once(capsys):
    licsar("ifg", [*PAIRS, (DAYS[0], DAYS[1])])
    for fault in ("metadata that cannot be", "baselines that cannot be", "beside the area"):
        FAULTS[fault][0]()
    area = {"grid": GRID, "inputs": {"sentinel1": {"level": "unwrapped", "path": "ifg"}}}
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area}}, file)
    assert main(["check", "my.yaml"]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert all(line.startswith("slipmap: areas.valley.inputs.sentinel1.path: ") for line in lines)
    for fault in ("metadata that cannot be", "baselines that cannot be"):
        assert sum(FAULTS[fault][1] in line for line in lines) == 1, lines


def test_network_model_and_place_are_told_at_once(capsys):
    licsar("ifg", [(DAYS[0], DAYS[1]), (DAYS[3], DAYS[4])])
    FAULTS["beside the area"][0]()
    for days in (PAIRS[1], PAIRS[2], PAIRS[4], PAIRS[5], PAIRS[6]):
        drop(days)
    area = {
        "grid": GRID,
        "inputs": {"sentinel1": {"level": "unwrapped", "path": "ifg"}},
        "deformation": {"annual": True},
    }
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area}}, file)
    assert main(["check", "my.yaml"]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    for words in ("subsets", "deformation.annual", "does not overlap the area"):
        assert [words in line for line in said].count(True) == 1, said


@pytest.mark.parametrize(
    ("options", "words"),
    [({"annual": True}, "deformation.annual"), ({"steps": ["2021-01-15"]}, "deformation.steps")],
)
def test_models_that_the_dates_do_not_carry_are_seen(capsys, options, words):
    licsar("ifg", PAIRS[:1])
    assert words in said(capsys, deformation=options)
    assert said(capsys) == ""


def test_two_tracks_of_hyp3_are_seen(capsys):
    for track, pairs in (("064", PAIRS[:4]), ("071", PAIRS[4:])):
        hyp3(f"ifg/{track}", lambda a, b, n, t=track: f"S1_{t}_000000s1n00-136231s2n02-000000s3n00_IW_{a:%Y%m%d}_"
             f"{b:%Y%m%d}_VV_INT80_77{n:02d}", pairs)  # fmt: skip
    assert "its track is 71, the other files' is 64" in said(capsys)


@pytest.mark.parametrize(
    ("file", "options", "words"),
    [
        ("v.tif", {}, "v.tif: it does not say its units; set inputs.sentinel1.units"),
        ("v.tif", {"units": ("knots",)}, "its units are 'knots'"),
        ("v.tif", {"units": ("m/yr",), "value": 60.0}, "a velocity of 60000 mm/yr is impossible"),
        ("v.tif", {"units": ("mm/yr",), "place": PLACE @ Affine.translation(900, 0)}, "does not overlap the area"),
        ("v.tif", {"units": ("mm/yr",), "crs": None}, "no coordinate reference system"),
        ("v.txt", {}, "no velocity of a known format"),
    ],
)
def test_faults_of_velocities_are_seen(capsys, file, options, words):
    value = options.pop("value", -12.0)
    if file.endswith("txt"):
        open(file, "w").close()
    else:
        tif(file, np.full(SHAPE, value, np.float32), **options)
    text = said(capsys, "velocity", file)
    assert text.startswith("areas.valley.inputs.sentinel1.path: ") and words in text


def test_what_will_be_left_out_is_told(capsys):
    licsar("ifg")
    replace(PAIRS[6], np.zeros(SHAPE, np.float32))
    area = AreaSettings.model_validate(
        {"grid": GRID, "inputs": {"sentinel1": {"level": "unwrapped", "path": "ifg"}}}
    )  # fmt: skip
    with rasterio.open(f"ifg/{name(*PAIRS[0])}/{name(*PAIRS[0])}.geo.unw.tif"):
        found = check(area, "areas.a.inputs.sentinel1.path", Grid.from_bounds("EPSG:32632", 50, GRID["bounds"]))
        (sentence,) = found.left_out
    assert name(*PAIRS[6]) in sentence and sentence.endswith("left out")
    assert said(capsys) == ""
    main(["check", "my.yaml"])
    assert f"  left out: {sentence}\n" in capsys.readouterr().out
