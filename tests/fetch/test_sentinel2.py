"""Sentinel-2 through pystac-client and odc-stac, against a local STAC API and its files."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
import rasterio
from rasterio.windows import from_bounds

from helpers.fetch_server import Answer, quick_web, service
from helpers.fetch_services import END, GRID, START, serve_stac, stac_scene, where
from slipmap.config.acquire import AcquireSentinel2Settings, AcquireSettings
from slipmap.config.factors import FactorSettings
from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors.scene import read_reflectance
from slipmap.factors.scenes import find_scenes
from slipmap.fetch import run
from slipmap.fetch.sources import sentinel2
from slipmap.fetch.web import TransferError

BANDS = ("B2", "B8", "B11", "SCL")
TILE = "12SXJ"


@pytest.fixture(scope="module")
def scenes():
    """Five scenes with little cloud, two of one date (processed twice), one cloudy, one of another tile."""
    with service() as server:
        made = [stac_scene(server, TILE, START + timedelta(days=5 * n), 5.0 + n) for n in range(4)]
        made += [stac_scene(server, TILE, START, 5.0, sequence=1), stac_scene(server, TILE, END, 90.0)]
        made += [stac_scene(server, "12SWJ", START + timedelta(days=1), 1.0)]
        yield server, made


@pytest.fixture
def catalogue(scenes):
    server, made = scenes
    serve_stac(server, [item for item, _ in made], page=2)
    server.asked.clear()
    return server


def asking(server, **changes):
    return AcquireSentinel2Settings(service=f"{server.url}/v1", **changes)


def test_the_least_cloudy_scenes_of_each_tile_are_taken_each_date_once(catalogue):
    found = sentinel2.search(where(), asking(catalogue, scenes=3), BANDS, quick_web()[0])
    assert [(p.properties["tile"], p.properties["cloud_cover"]) for p in found.products] == [
        ("12SWJ", 1.0), (TILE, 5.0), (TILE, 6.0), (TILE, 7.0)
    ]  # fmt: skip
    assert found.products[1].name.endswith("_L2A_1")  # the later processing of the first date
    assert found.notes == ("tile 12SWJ: 1 scenes, 1 taken", f"tile {TILE}: 4 scenes, 3 taken")
    searches = [asked for asked in catalogue.asked if asked.path == "/v1/search"]
    assert len(searches) == 3  # six scenes below the limit, two on a page
    file = found.products[0].files[0]
    assert (file.name[-7:], file.checksum[:7]) == ("_B2.tif", "sha256:")


def settings(server, **changes):
    return AcquireSettings(start=START, end=START, sentinel2=asking(server, **changes))


def made_by(server, tmp_path, **changes):
    chosen = settings(server, bands=["B2", "B8", "B11"], **changes)
    found = sentinel2.search(where(START, START), chosen.sentinel2, BANDS, quick_web()[0])
    output = tmp_path / "sentinel2"
    run.acquire(
        "sentinel2", "moab", chosen, FactorSettings(), GRID, found, output, web=quick_web()[0], store=tmp_path / "store"
    )
    return found, output


@pytest.mark.parametrize("extent", ["area", "tile"])
def test_the_optical_factors_read_what_the_service_holds(catalogue, scenes, tmp_path, extent):
    found, output = made_by(catalogue, tmp_path, extent=extent)
    (scene,) = find_scenes(output, Sentinel2Settings(path=str(output)), [3, 8, 9], "x")
    assert (scene.name, scene.date) == (found.products[0].name, START)
    assert sorted(scene.bands) == ["B11", "B2", "B8"]
    assert not scene.unusable(GRID).any()
    files = next(files for item, files in scenes[1] if item["id"] == scene.name)
    with rasterio.MemoryFile(files["B2"]) as memory, memory.open() as source:
        stored = source.read(1, window=from_bounds(*GRID.bounds, source.transform))
    truth = stored * 1e-4 - 0.1  # of the item's raster:bands
    with rasterio.open(scene.bands["B2"].path) as source:
        own = source.read(1, window=from_bounds(*GRID.bounds, source.transform))
        assert own.shape == stored.shape
        assert np.array_equal(own, stored)  # the scene's own pixels, nothing resampled
        assert source.nodata == 0
    fine = read_reflectance([scene.bands["B2"]], GRID, "nearest")
    assert np.nanmean(fine) == pytest.approx(truth.mean(), abs=2e-3)
    whole = sum(len(files[band]) for band in BANDS)
    sent = sum(path.stat().st_size for path in tmp_path.rglob("*.tif") if not path.is_symlink())
    assert sent == whole if extent == "tile" else sent < 0.6 * whole


def test_nothing_is_fetched_twice(catalogue, tmp_path):
    found, output = made_by(catalogue, tmp_path)
    count = len(catalogue.asked)
    run.acquire(
        "sentinel2", "moab", settings(catalogue), FactorSettings(), GRID, found, output, web=quick_web()[0],
        store=tmp_path / "store",
    )  # fmt: skip
    assert len(catalogue.asked) == count


def test_nobodys_password_is_sent(catalogue, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("default login maria password pa55word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    made_by(catalogue, tmp_path)
    assert len(catalogue.asked) > 5
    assert all("Authorization" not in asked.headers for asked in catalogue.asked)


def test_an_offset_that_has_been_taken_off_is_not_taken_off_again(tmp_path):
    with service() as server:
        item, _ = stac_scene(server, TILE, START, 1.0, applied=True)
        serve_stac(server, [item])
        _, output = made_by(server, tmp_path)
    (scene,) = find_scenes(output, Sentinel2Settings(path=str(output)), [3], "x")
    assert (scene.bands["B2"].scale, scene.bands["B2"].offset) == (1e-4, 0.0)


def test_a_band_that_cannot_be_read_leaves_nothing_and_says_what_to_do(tmp_path):
    with service() as server:
        item, files = stac_scene(server, TILE, START, 1.0)
        serve_stac(server, [item])
        server.route(r"/scenes/.*/blue\.tif", Answer(files["B2"][:3000]))  # half a file
        with pytest.raises(TransferError, match=r"blue\.tif cannot be read .*3 times; .*extent: tile whole files"):
            made_by(server, tmp_path)
    assert not [path for path in tmp_path.rglob("*B02*")]


def test_a_scene_without_a_wanted_band_is_named(catalogue):
    with pytest.raises(InputError, match=r"has no band B8A \(it has blue, green, nir, red, scl, swir16"):
        sentinel2.search(where(), asking(catalogue), ("B8A",), quick_web()[0])


def test_no_scene_says_why(catalogue):
    with pytest.raises(InputError, match=r"acquire\.sentinel2: no scene of the area .* with at most 0 % cloud"):
        sentinel2.search(where(), asking(catalogue, max_cloud=0.0), BANDS, quick_web()[0])


FILES = {  # a catalogue that is sound, and has no item search
    "type": "Catalog", "id": "files", "stac_version": "1.0.0", "description": "files", "links": [],
    "conformsTo": ["https://api.stacspec.org/v1.0.0/core"],
}  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>down</html>"),
        Answer(b"{}", 404),
        Answer(b'{"type": "Catalog"}'),
        Answer(json.dumps(FILES).encode()),
    ],
)
def test_a_service_that_is_no_stac_api_is_named(answer):
    with service() as server:
        server.route(".*", answer)
        with pytest.raises(TransferError, match=r"the search at http://127\.0\.0\.1:\d+/v1 failed .*check the address"):
            sentinel2.search(where(), asking(server), BANDS, quick_web()[0])


def test_bands_follow_from_the_factors():
    chosen = AcquireSettings(start=date(2023, 1, 1), end=date(2023, 2, 1), sentinel2=AcquireSentinel2Settings())
    factors = FactorSettings(optical={"bands": ["B4"], "indices": ["ndmi"]})
    assert run.wanted_bands(chosen, factors) == ["B11", "B4", "B8A", "SCL"]
