"""Outlines of a class map: areas, blocks' edges, attributes, against shapes that are known."""

import geopandas as gpd
import numpy as np
import pytest
from scipy import ndimage

from slipmap.config.prediction import PredictionSettings
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid
from slipmap.prediction import polygons
from slipmap.prediction.outlines import outlines


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    folder = tmp_path_factory.mktemp("polygons")
    grid = Grid.from_bounds(
        "EPSG:32632", 10, (500000, 5000000, 500000 + 10 * (BLOCK + 90), 5000000 + 10 * (BLOCK + 70))
    )
    hits = np.zeros(grid.shape, np.uint8)
    hits[BLOCK - 20 : BLOCK + 30, BLOCK - 10 : BLOCK + 25] = 1  # across four blocks
    hits[100:140, 200:230] = 1
    hits[110:120, 210:215] = 0  # a hole
    hits[300:302, 10:13] = 1  # too small
    hits[: BLOCK + 5, 400:403] = 1  # along a block's edge in one direction only
    hits[0:4, 0:4] = raster.CLASS_NODATA
    path = folder / "class.tif"
    raster.write(path, grid, hits, bands=["class"], units="1", long_name="class", dtype="uint8")
    ramp = np.broadcast_to(np.arange(grid.height, dtype=np.float32)[:, None], grid.shape)
    raster.write(folder / "slope.tif", grid, ramp, bands=["slope"], units="degrees", long_name="slope")
    inventory = np.zeros(grid.shape, np.uint8)
    inventory[105, 205] = 1
    raster.write(folder / "inventory.tif", grid, inventory, bands=["i"], units="1", long_name="i", dtype="uint8")
    return folder, grid, hits


def test_outlines_are_the_connected_components(area):
    folder, grid, hits = area
    frame = outlines(folder / "class.tif", grid, min_area=0)
    labels, count = ndimage.label(hits == 1)
    expected = sorted(ndimage.sum_labels(np.full(hits.shape, 100), labels, range(1, count + 1)))
    assert sorted(frame["area_m2"]) == pytest.approx(expected)
    assert list(frame["landslide"]) == list(range(1, count + 1))
    assert (frame.geom_type == "Polygon").all()


def test_small_ones_are_left_out_and_holes_kept(area):
    folder, grid, _ = area
    frame = outlines(folder / "class.tif", grid, min_area=601)
    assert (frame["area_m2"] >= 601).all() and len(frame) == 3
    every = outlines(folder / "class.tif", grid, min_area=0)
    kept = every[every["area_m2"] >= 601]
    assert list(frame["landslide"]) == list(kept["landslide"]) != list(range(1, 4))
    assert sum(len(polygon.interiors) for polygon in frame.geometry) == 1


def test_attributes_and_inventory(area, tmp_path):
    folder, _, hits = area
    output = tmp_path / "landslides.gpkg"
    settings = PredictionSettings(min_area=601)
    layers = {"slope": folder / "slope.tif"}
    polygons.run(folder / "class.tif", layers, folder / "inventory.tif", settings, output)
    frame = gpd.read_file(output, layer="landslides")
    assert frame.crs.to_epsg() == 32632
    holed = frame[frame.geometry.apply(lambda polygon: len(polygon.interiors) == 1)].iloc[0]
    rows = np.nonzero(hits[100:140, 200:230])[0] + 100
    assert holed["slope_mean"] == pytest.approx(rows.mean())
    assert holed["inventory"] == "matched"
    assert (frame["inventory"] == "new").sum() == len(frame) - 1


def test_corners_are_cut_where_that_is_asked_for(area, tmp_path):
    """Half a pixel is cut from an outline, and half a pixel filled in a hole."""
    folder, _, _ = area
    for smooth, cut in ((True, 50), (False, 0)):
        settings = PredictionSettings(min_area=601, smooth=smooth)
        polygons.run(folder / "class.tif", {}, None, settings, tmp_path / "l.gpkg")
        frame = gpd.read_file(tmp_path / "l.gpkg")
        holes = frame.geometry.apply(lambda polygon: len(polygon.interiors))
        np.testing.assert_allclose(frame["area_m2"] - frame.area, cut * (1 - holes), atol=1e-6)


def test_a_landslide_in_the_hole_of_another_does_not_match_it(area, tmp_path):
    folder, grid, hits = area
    inside = np.zeros(grid.shape, np.uint8)
    inside[112, 212] = 1
    assert hits[112, 212] == 0
    path = tmp_path / "inventory.tif"
    raster.write(path, grid, inside, bands=["i"], units="1", long_name="i", dtype="uint8")
    polygons.run(folder / "class.tif", {}, path, PredictionSettings(), tmp_path / "l.gpkg")
    assert set(gpd.read_file(tmp_path / "l.gpkg")["inventory"]) == {"new"}


def test_each_attribute_is_the_statistic_of_its_own_layer(area, tmp_path):
    """Against NumPy over the landslide's pixels, each layer other random numbers."""
    folder, grid, hits = area
    rng = np.random.default_rng(6)
    layers, fields = {}, {}
    for name in ("probability", "uncertainty", "slope", "elevation", "ndvi", "ndvi_after", "ndvi_change", "velocity"):
        fields[name] = rng.normal(0.5, 0.1, grid.shape).astype(np.float32)
        layers[name] = tmp_path / f"{name}.tif"
        raster.write(layers[name], grid, fields[name], bands=[name], units="1", long_name=name)
    polygons.run(folder / "class.tif", layers, None, PredictionSettings(min_area=601), tmp_path / "l.gpkg")
    frame = gpd.read_file(tmp_path / "l.gpkg")
    holed = frame[frame.geometry.apply(lambda polygon: len(polygon.interiors) == 1)].iloc[0]
    inside = np.zeros(grid.shape, bool)
    inside[100:140, 200:230] = hits[100:140, 200:230] == 1
    statistics = {"mean": np.mean, "min": np.min, "max": np.max}
    wanted = {f"{name}_mean": (name, "mean") for name in fields if name != "elevation"}
    wanted |= {"probability_max": ("probability", "max"), "elevation_min": ("elevation", "min")}
    wanted |= {"elevation_max": ("elevation", "max")}
    wanted |= {"velocity_min": ("velocity", "min"), "velocity_max": ("velocity", "max")}
    assert set(wanted) == {name for name in frame if name.endswith(("_mean", "_min", "_max"))}
    for column, (name, statistic) in wanted.items():
        assert holed[column] == pytest.approx(statistics[statistic](fields[name][inside]), rel=1e-5), column
    assert holed["area_m2"] == 100 * inside.sum()


def test_no_landslide_gives_an_empty_layer(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 300, 300))
    path = tmp_path / "class.tif"
    raster.write(path, grid, np.zeros(grid.shape, np.uint8), bands=["c"], units="1", long_name="c", dtype="uint8")
    polygons.run(path, {}, None, PredictionSettings(), tmp_path / "landslides.gpkg")
    assert len(gpd.read_file(tmp_path / "landslides.gpkg")) == 0
