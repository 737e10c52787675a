"""Everything that can be wrong with inputs is said in one sentence, before any work."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from shapely.geometry import Point, box

from slipmap.cli import main
from slipmap.io import raster
from slipmap.io.grid import Grid

BOUNDS = [500000, 5000000, 501600, 5001600]


@pytest.fixture
def area(tmp_path, monkeypatch):
    """A valid area with a DEM and an inventory, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    grid = Grid.from_bounds("EPSG:32632", 12.5, tuple(BOUNDS))
    raster.write("dem.tif", grid, np.ones(grid.shape, np.float32), bands=["z"], units="m", long_name="elevation")
    slide = gpd.GeoDataFrame(geometry=[box(500400, 5000400, 500700, 5000700)], crs="EPSG:32632")
    slide.to_file("slides.gpkg")
    return {
        "grid": {"crs": "EPSG:32632", "resolution": 12.5, "bounds": list(BOUNDS)},
        "inputs": {"dem": "dem.tif", "inventory": "slides.gpkg"},
    }


def check(area, capsys, **experiments):
    with open("my.yaml", "w") as file:
        yaml.safe_dump({"areas": {"valley": area}, "experiments": experiments}, file)
    status = main(["check", "my.yaml"])
    captured = capsys.readouterr()
    return status, captured.err.strip()


def complaint(area, capsys, **experiments):
    status, text = check(area, capsys, **experiments)
    assert status == 1 and text.startswith("slipmap: ") and "\n" not in text and "Traceback" not in text
    return text


def test_a_good_area_passes(area, capsys):
    assert check(area, capsys) == (0, "")


def test_unknown_key(area, capsys):
    area["inputs"]["demm"] = "dem.tif"
    assert "unknown key 'areas.valley.inputs.demm'; did you mean 'dem'?" in complaint(area, capsys)


def test_buffer_smaller_than_a_pixel_is_taken_for_pixels(area, capsys):
    area["split"] = {"buffer": "8 m"}
    assert "areas.valley.split.buffer is 8 m, less than a pixel (12.5 m)" in complaint(area, capsys)
    area["split"] = {"block": 8, "buffer": "100 m"}
    assert "leaves nothing of blocks of 8 pixels" in complaint(area, capsys)


def test_wrong_type(area, capsys):
    area["grid"]["bounds"] = [1, 2, 3]
    assert "areas.valley.grid.bounds" in complaint(area, capsys)


def test_missing_file(area, capsys):
    area["inputs"]["dem"] = "den.tif"
    assert "areas.valley.inputs.dem: den.tif does not exist" in complaint(area, capsys)


def test_raster_without_crs(area, capsys):
    profile = dict(driver="GTiff", width=8, height=8, count=1, dtype="float32")
    with rasterio.open("bare.tif", "w", transform=from_origin(500000, 5001600, 200, 200), **profile) as dst:
        dst.write(np.ones((1, 8, 8), np.float32))
    area["inputs"]["dem"] = "bare.tif"
    assert "areas.valley.inputs.dem: bare.tif has no coordinate reference system" in complaint(area, capsys)


def test_area_that_does_not_overlap_an_input(area, capsys):
    area["grid"]["bounds"] = [600000, 5000000, 601600, 5001600]
    status, text = check(area, capsys)
    dem, inventory = text.splitlines()  # every fault on a line of its own
    assert status == 1 and dem.startswith("slipmap: areas.valley.inputs.dem: dem.tif does not overlap the area")
    assert inventory.startswith("slipmap: areas.valley.inputs.inventory: slides.gpkg has no landslide in the area")


def test_raster_in_another_zone_does_not_overlap(area, capsys):
    grid = Grid.from_bounds("EPSG:32633", 12.5, tuple(BOUNDS))
    raster.write("zone33.tif", grid, np.ones(grid.shape, np.float32), bands=["z"], units="m", long_name="elevation")
    area["inputs"]["dem"] = "zone33.tif"
    assert "zone33.tif does not overlap the area" in complaint(area, capsys)


def test_truncated_geotiff(area, capsys):
    with open("dem.tif", "rb") as file:
        content = file.read()
    with open("half.tif", "wb") as file:
        file.write(content[: len(content) // 2])
    area["inputs"]["dem"] = "half.tif"
    assert "half.tif is truncated" in complaint(area, capsys)


def test_inventory_without_a_landslide_in_the_area(area, capsys):
    gpd.GeoDataFrame(geometry=[Point(400000, 5000000).buffer(50)], crs="EPSG:32632").to_file("far.gpkg")
    area["inputs"]["inventory"] = "far.gpkg"
    assert "far.gpkg has no landslide in the area" in complaint(area, capsys)


def test_inventory_raster_without_a_landslide(area, capsys):
    grid = Grid.from_bounds("EPSG:32632", 12.5, tuple(BOUNDS))
    mask = np.zeros(grid.shape, np.uint8)
    raster.write("mask.tif", grid, mask, bands=["m"], units="1", long_name="m", dtype="uint8")
    area["inputs"]["inventory"] = "mask.tif"
    assert "mask.tif has no landslide in the area" in complaint(area, capsys)
    mask[5, 5] = 1
    raster.write("mask.tif", grid, mask, bands=["m"], units="1", long_name="m", dtype="uint8")
    assert check(area, capsys) == (0, "")


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_inventory_without_crs(area, capsys):
    gpd.GeoDataFrame(geometry=[Point(500500, 5000500).buffer(50)]).to_file("bare.shp")
    area["inputs"]["inventory"] = "bare.shp"
    assert "has no coordinate reference system" in complaint(area, capsys)


def test_geographic_grid(area, capsys):
    area["grid"] = {"crs": "EPSG:4326", "resolution": 0.001, "bounds": [9.0, 45.0, 9.1, 45.1]}
    assert "EPSG:4326 is not projected in metres; use the UTM zone" in complaint(area, capsys)


def test_crs_that_does_not_exist(area, capsys):
    area["grid"]["crs"] = "EPSG:99999999"
    assert "which is no coordinate reference system" in complaint(area, capsys)


def test_grid_without_extent(area, capsys):
    del area["grid"]["bounds"]
    assert "has neither crs with bounds nor like" in complaint(area, capsys)


def test_swapped_bounds(area, capsys):
    area["grid"]["bounds"] = [501600, 5000000, 500000, 5001600]
    assert "right, bottom, left, top: give [500000, 5000000, 501600, 5001600]" in complaint(area, capsys)


def test_bounds_of_no_area_in_any_order(area, capsys):
    area["grid"]["bounds"] = [500000, 5000000, 500000, 5001600]
    assert "is empty; give [left, bottom, right, top]" in complaint(area, capsys)


def test_empty_sentinel1_folder(area, capsys, tmp_path):
    (tmp_path / "s1").mkdir()
    area["inputs"]["sentinel1"] = {"level": "slc", "path": "s1"}
    assert "areas.valley.inputs.sentinel1.path: the folder s1 is empty" in complaint(area, capsys)


def test_weights_that_are_not_there(area, capsys):
    text = complaint(area, capsys, rs={"weights": "results/demo/experiments/rs"})
    assert "experiments.rs.weights: results/demo/experiments/rs does not exist" in text
