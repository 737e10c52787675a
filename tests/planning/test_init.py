"""`slipmap init`: a short config from files, in the right place, that runs; what cannot be known is asked."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from rasterio.warp import transform_bounds
from shapely.geometry import box

from slipmap import cli
from slipmap.errors import InputError
from slipmap.planning import init

UTM = "EPSG:32632"


def tif(path, values, pixel=10.0, corner=(500_000.0, 5_006_400.0), crs=UTM, names=()):
    bands = np.atleast_3d(values.T).T.astype("float32")
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=len(bands), crs=crs, height=bands.shape[1],
        width=bands.shape[2], transform=Affine(pixel, 0, corner[0], 0, -pixel, corner[1]),
    ) as out:  # fmt: skip
        out.write(bands)
        if names:
            out.descriptions = names
    return str(path)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A DEM of 6.4 km, a Sentinel-2 image of its western 5 km and three landslides, in the current folder."""
    monkeypatch.chdir(tmp_path)
    rows, cols = np.mgrid[:640, :640]
    rng = np.random.default_rng(5)
    tif(tmp_path / "dem.tif", 400 + 0.8 * rows + 40 * np.sin(cols / 30) + rng.normal(0, 0.05, rows.shape))
    optical = 100 + rng.integers(0, 2000, (4, 640, 500))
    tif(tmp_path / "s2_20230514.tif", optical, names=("B2", "B3", "B4", "B8"))
    slides = [box(500_500 + k * 1200, 5_002_000, 500_700 + k * 1200, 5_002_300) for k in range(3)]
    gpd.GeoDataFrame(geometry=slides, crs=UTM).to_file(tmp_path / "slides.gpkg")
    return tmp_path


def run(capsys, *arguments):
    status = cli.main(["init", *arguments])
    return status, capsys.readouterr()


def test_three_files_become_a_short_config_on_the_ground_that_they_share(files, capsys):
    status, said = run(
        capsys, "valley", "--dem", "dem.tif", "--sentinel2", "s2_20230514.tif", "--inventory", "slides.gpkg"
    )
    text = (files / "valley.yaml").read_text()
    assert len(text.splitlines()) <= 26
    area = yaml.safe_load(text)["areas"]["valley"]
    assert area["grid"] == {
        "crs": UTM, "resolution": 10.0, "bounds": [500_000.0, 5_000_000.0, 505_000.0, 5_006_400.0]
    }  # fmt: skip
    assert "next: slipmap check valley.yaml, then slipmap run valley.yaml" in said.out and status == 0, said.out
    assert "will be made: landslides" in said.out


def test_without_inventory_it_says_that_no_landslides_are_mapped(files, capsys):
    status, said = run(capsys, "valley", "--dem", "dem.tif")
    assert status == 0 and "will not be made: landslides: there is no inventory" in said.out
    assert "experiments" not in yaml.safe_load((files / "valley.yaml").read_text())


def test_a_dem_in_degrees_gets_its_utm_zone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", np.random.default_rng(1).normal(500, 50, (200, 200)), 1 / 3600, (11.2, 44.2), "EPSG:4326")
    init.begin("valley", {"dem": "dem.tif"}, output="valley.yaml")
    grid = yaml.safe_load(open("valley.yaml"))["areas"]["valley"]["grid"]
    assert grid["crs"] == "EPSG:32632" and grid["resolution"] == 30
    # 200 seconds of arc are 6.17 km of latitude, 4.43 km of longitude at 44.2 N; north is turned by 1.5 degrees
    left, bottom, right, top = grid["bounds"]
    assert 4200 < right - left <= 4430 and 6000 < top - bottom <= 6170
    west, _south, east, _north = transform_bounds(UTM, "EPSG:4326", left, bottom, right, top)
    assert 11.2 - 1e-3 <= west and east <= 11.2 + 200 / 3600 + 1e-3


def test_web_mercator_is_not_taken_for_metres(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", np.random.default_rng(1).normal(500, 50, (300, 300)), 14, (1_250_000, 5_500_000), "EPSG:3857")
    init.begin("valley", {"dem": "dem.tif"}, output="valley.yaml")
    assert yaml.safe_load(open("valley.yaml"))["areas"]["valley"]["grid"]["crs"] == "EPSG:32632"


@pytest.mark.parametrize(
    ("names", "level"),
    [
        (["S1A_IW_SLC__1SDV_20210109T170530_20210109T170557_036064_043A1C_1234.SAFE"], "safe"),
        (
            ["S1AA_20210109T170530_20210121T170530_VVP012_INT80_G_ueF_1234_unw_phase.tif",
             "S1AA_20210109T170530_20210121T170530_VVP012_INT80_G_ueF_1234_corr.tif"],
            "unwrapped",
        ),
    ],
)  # fmt: skip
def test_a_level_that_file_names_tell_is_not_asked(tmp_path, names, level):
    for name in names:
        (tmp_path / name).mkdir() if name.endswith(".SAFE") else (tmp_path / name).touch()
    assert init.level_of(str(tmp_path)) == level


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no file is given"),
        (["--dem", "nowhere.tif"], "--dem nowhere.tif does not exist"),
        (["--inventory", "slides.gpkg"], "do not tell where the area is"),
        (["--dem", "dem.tif", "--sentinel1", "."], "give --sentinel1-level"),
        (["--dem", "dem.tif", "--sentinel1", ".", "--sentinel1-level", "unwraped"], "did you mean 'unwrapped'"),
        (["--dem", "dem.tif", "--lithology-attribute", "rock"], "--lithology-attribute is given without --lithology"),
        (["--dem", "slides.gpkg"], "--dem slides.gpkg: slides.gpkg is not a raster that GDAL can open"),
    ],
)
def test_what_cannot_be_known_is_asked_in_one_sentence(files, capsys, arguments, said):
    status, answer = run(capsys, "valley", *arguments)
    assert status == 1 and answer.err.startswith("slipmap: ") and said in answer.err
    assert answer.err.count("\n") == 1 and not (files / "valley.yaml").exists()


def test_rasters_apart_are_told(files, capsys):
    tif(
        "far_20230514.tif",
        np.full((4, 50, 50), 2000.0),
        corner=(700_000.0, 5_006_400.0),
        names=("B2", "B3", "B4", "B8"),
    )
    status, answer = run(capsys, "valley", "--dem", "dem.tif", "--sentinel2", "far_20230514.tif")
    assert status == 1 and "share no ground" in answer.err


def test_faults_of_the_files_are_listed_and_the_config_is_kept(files, capsys):
    tif("cm.tif", np.full((640, 640), 98_600.0))
    status, answer = run(capsys, "valley", "--dem", "cm.tif")
    assert status == 1 and "to be put right" in answer.out and "inputs.dem" in answer.out
    assert (files / "valley.yaml").exists()


def test_another_config_is_not_overwritten(files, capsys):
    (files / "valley.yaml").write_text("mine")
    status, _ = run(capsys, "valley", "--dem", "dem.tif")
    assert status == 1 and (files / "valley.yaml").read_text() == "mine"


@pytest.mark.parametrize("gpu", [True, False])
def test_the_network_is_small_only_where_there_is_no_gpu(files, capsys, monkeypatch, gpu):
    monkeypatch.setattr(init, "has_gpu", lambda: gpu)
    given = ["--dem", "dem.tif", "--sentinel2", "s2_20230514.tif", "--inventory", "slides.gpkg"]
    status, said = run(capsys, "valley", *given)
    model = yaml.safe_load((files / "valley.yaml").read_text())["experiments"]["unet"].get("model")
    assert model == (None if gpu else {"name": "unet", "options": {"width": init.SMALL}})
    assert ("no NVIDIA GPU" in said.out) != gpu and status == 0


def test_complex_rasters_with_the_date_of_one_acquisition_are_slcs(tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    profile = {
        "driver": "GTiff",
        "width": 8,
        "height": 8,
        "count": 1,
        "crs": UTM,
        "transform": Affine(5, 0, 0, 0, -5, 0),
    }
    with rasterio.open(folder / "20210109.tif", "w", dtype="complex64", **profile) as out:
        out.write(np.ones((1, 8, 8), "complex64"))
    with pytest.raises(InputError, match="do not tell the level of processing"):
        init.level_of(str(folder))
    with rasterio.open(folder / "20210109.tif", "r+") as out:
        out.update_tags(ACQUISITION_DATE="2021-01-09")
    assert init.level_of(str(folder)) == "slc"
