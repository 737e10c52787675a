"""The inventory on the area's grid: every landslide counts, and what is not known stays so."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.windows import Window
from shapely.affinity import rotate, translate
from shapely.geometry import MultiPolygon, Point, box

from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError
from slipmap.inputs import inventory
from slipmap.inputs.outlines import burner
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid.from_bounds("EPSG:32632", 10.0, (500000, 5000000, 506000, 5006000))  # 600 pixels: four blocks


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def burnt(*shapes):
    gpd.GeoDataFrame(geometry=list(shapes), crs=GRID.crs).to_file("slides.gpkg")
    inventory.run("slides.gpkg", GRID, "inventory.tif")
    return raster.read("inventory.tif", bands=1)


def test_a_pixel_is_landslide_when_its_centre_lies_in_a_polygon():
    found = burnt(box(500100, 5005700, 500144, 5005850))  # 4.4 pixels wide, 15 high
    assert (found[15:30, 10:14] == 1).all() and found.sum() == 60


def test_polygon_within_a_pixel_burns_that_pixel():
    found = burnt(box(500011, 5005981, 500013, 5005983), box(500100, 5005700, 500140, 5005850))
    assert found[1, 1] == 1 and found.sum() == 61


def test_polygon_over_the_corner_of_four_blocks_burns_one_pixel():
    x, y = 500000 + 5120, 5006000 - 5120
    found = burnt(box(x - 2, y - 2, x + 2, y + 2))
    assert found[511:513, 511:513].sum() == 1 and found.sum() == 1  # 16 m2 of pixels of 100


def test_slim_polygon_of_any_length_counts():
    found = burnt(box(500000, 5003001, 506000, 5003003))  # 6 km long, 2 m wide, beside the centres
    assert found[299].sum() == found.sum() == 120  # 12,000 m2
    assert np.diff(np.flatnonzero(found[299])).max() == 5  # along all of it


def test_slim_polygon_that_holds_centres_is_not_widened():
    found = burnt(box(500000, 5003004, 506000, 5003006))
    assert found[299].sum() == found.sum() == 120  # 12,000 m2
    one = burnt(box(500018, 5005970, 500026, 5005989))  # 0.8 pixels wide: one centre, and it touches six pixels
    assert one[1:3, 2].sum() == one.sum() > 0


def test_every_small_landslide_counts():
    """Simulated landslides of a fifth of a pixel to two pixels, each in a cell of its own."""
    rng = np.random.default_rng(3)
    centres = np.stack(np.meshgrid(np.arange(20), np.arange(20)), -1).reshape(-1, 2) * 100 + rng.uniform(
        30, 70, (400, 2)
    )
    shapes = [
        Point(500000 + x, 5000000 + y).buffer(r) for (x, y), r in zip(centres, rng.uniform(1, 10, 400), strict=True)
    ]
    found = burnt(*shapes)
    cells = found[400:, :200].reshape(20, 10, 20, 10).sum(axis=(1, 3))
    assert (cells >= 1).all() and found.sum() == cells.sum()


def test_multipolygon_and_point():
    parts = MultiPolygon([box(500101, 5005901, 500102, 5005902), box(500201, 5005901, 500202, 5005902)])
    assert burnt(parts).sum() == 2
    assert burnt(Point(500105, 5005905)).sum() == 1


def mask(values, nodata, dtype="uint8", path="mask.tif"):
    profile = dict(driver="GTiff", count=1, dtype=dtype, crs=GRID.crs, nodata=nodata)
    half = GRID.window_grid(rasterio.windows.Window(0, 0, 300, 600))  # the western half of the area
    with rasterio.open(path, "w", width=300, height=600, transform=half.transform, **profile) as out:
        out.write(values.astype(dtype), 1)
    return path


@pytest.mark.parametrize(
    ("nodata", "dtype"), [(0, "uint8"), (None, "uint8"), (255, "uint8"), (0, "float32"), (0, "int8")]
)
def test_raster_in_which_zero_is_none(nodata, dtype):
    values = np.zeros((600, 300))
    values[100:120, 50:60] = 1
    path = mask(values, nodata, dtype)
    inventory.check(path, GRID)
    inventory.run(path, GRID, "inventory.tif")
    found = raster.read("inventory.tif", bands=1)
    np.testing.assert_array_equal(found[:, :300], values)
    assert np.isnan(found[:, 300:]).all()  # beyond the mapped ground nothing is known


def test_unknown_ground_stays_unknown():
    values = np.zeros((600, 300))
    values[100:120, 50:60] = 1
    values[400:] = 255
    for nodata in (0, 255):
        inventory.run(mask(values, nodata), GRID, "inventory.tif")
        assert np.isnan(raster.read("inventory.tif", bands=1)[400:]).all()


@pytest.mark.parametrize("look", [inventory.check, lambda path, grid: inventory.run(path, grid, "out.tif")])
def test_raster_of_other_values(look):
    values = np.zeros((600, 300))
    values[100:120, 50:60] = 1
    values[500, 200] = 7
    with pytest.raises(InputError, match=r"mask\.tif has the value 7 beside 0 and 1; reclassify it"):
        look(mask(values, None), GRID)


@pytest.mark.parametrize("look", [inventory.check, lambda path, grid: inventory.run(path, grid, "out.tif")])
def test_neither_raster_nor_vector(look, folder):
    (folder / "slides.txt").write_text("500100 5000100\n")
    with pytest.raises(InputError, match=r"slides\.txt is neither a raster that GDAL can open nor a vector file"):
        look("slides.txt", GRID)


def test_tables(folder):
    (folder / "slides.csv").write_text("x,y,slide\n500100,5000100,1\nabout there,5000200,0\n")
    with pytest.raises(InputError, match=r"slides\.csv is a table without geometries"):
        inventory.check("slides.csv", GRID)
    with pytest.raises(InputError, match=r"slides\.csv has 'about there' in its column x; coordinates are numbers"):
        inventory.check("slides.csv", GRID, points=PointSettings(label="slide"))
    with pytest.raises(
        InputError, match=r"inventory_points\.crs is \"EPSG:0\", which is no coordinate reference system"
    ):
        (folder / "slides.csv").write_text("x,y,slide\n500100,5000100,1\n500100,5000200,0\n")
        inventory.check("slides.csv", GRID, points=PointSettings(label="slide", crs="EPSG:0"))


def test_slim_landslides_keep_their_area_together():
    """Six hundred outlines of 1.2 pixels each: rounded one by one they would lose a sixth of their ground."""
    rng = np.random.default_rng(0)
    for wide, long in ((3, 40), (2, 60), (15, 15), (8, 60)):
        slides = [
            translate(
                rotate(box(-long / 2, -wide / 2, long / 2, wide / 2), rng.uniform(0, 180)),
                500100 + 230 * (k % 25) + rng.uniform(0, 10),
                5000100 + 230 * (k // 25) + rng.uniform(0, 10),
            )
            for k in range(600)
        ]
        pixels = burner(np.array(slides, object), GRID)(Window(0, 0, 600, 600)).sum()
        assert pixels * 100 == pytest.approx(600 * wide * long, rel=0.05)
