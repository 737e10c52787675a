"""Rasters and vectors in the unit, layer and shape that they say: against truths that need no reader."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Geod
from shapely.geometry import Polygon

from helpers.input_writers import BOUNDS, CRS, TRANSFORM, heights, square, tif, vector
from slipmap.errors import InputError
from slipmap.inputs.contract import FEET, US_FEET
from slipmap.inputs.crs import point_scales
from slipmap.inputs.outlines import burner
from slipmap.inputs.rasters import elevation, sample
from slipmap.inputs.vectors import names_of, read_features
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid.from_bounds(CRS, 10, BOUNDS)


@pytest.mark.parametrize(
    ("factor", "options"),
    [
        (FEET, {"units": ("ft",)}),
        (FEET, {"units": ("Foot",)}),
        (FEET, {"units": ("feet",)}),
        *[(US_FEET, {"units": (unit,)}) for unit in ("US survey foot", "us-ft", "ftUS", "US_Survey_Feet", "US ft")],
        (0.01, {"units": ("cm",)}),
        (1000.0, {"units": ("km",)}),
        (FEET, {"crs": "EPSG:32632+8228"}),
        (0.1, {"scales": (0.1,)}),
        (0.1 * FEET, {"scales": (0.1,), "units": ("ft",)}),
    ],
)
def test_heights_are_metres_whatever_the_file_says(factor, options, tmp_path):
    truth = heights()
    stored = truth / factor
    path = tif(tmp_path / "d.tif", stored, dtype="float64", **options)
    values, whole = sample(elevation(path, GRID, "inputs.dem"), GRID)
    assert whole
    np.testing.assert_allclose(values, truth, rtol=2e-6)


def test_offset_and_nodata_before_the_scale(tmp_path):
    stored = np.full((160, 160), 100, np.int16)
    stored[0, 0] = -1
    path = tif(tmp_path / "d.tif", stored, nodata=-1, scales=(0.5,), offsets=(200.0,))
    values, _ = sample(elevation(path, GRID, "inputs.dem"), GRID)
    assert np.isnan(values[0, 0]) and (values.ravel()[1:] == 250).all()


def test_a_raster_stored_south_up_is_the_same_raster(tmp_path):
    north = tif(tmp_path / "n.tif", heights())
    south = tif(
        tmp_path / "s.tif", heights()[::-1], transform=TRANSFORM @ Affine.translation(0, 160) @ Affine.scale(1, -1)
    )
    np.testing.assert_array_equal(*(sample(elevation(path, GRID, "inputs.dem"), GRID)[0] for path in (north, south)))


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [("EPSG:3857", 1e6, 5.46e6), ("EPSG:32632", 7e5, 5e6), ("EPSG:2154", 7e5, 6.6e6), ("EPSG:3035", 4e6, 2e6)],
)
def test_scale_against_geodesics(crs, x, y):
    """A metre of the map each way, measured on the ellipsoid."""
    from pyproj import Transformer

    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    step = 100.0
    east = Geod(ellps="WGS84").inv(*back.transform(x - step, y), *back.transform(x + step, y))[2]
    north = Geod(ellps="WGS84").inv(*back.transform(x, y - step), *back.transform(x, y + step))[2]
    low, high = sorted(point_scales(crs, x, y))
    for length in (east, north):
        assert low * (1 - 2e-3) <= 2 * step / length <= high * (1 + 2e-3)


@pytest.mark.parametrize(
    ("outline", "area"),
    [
        ([(0, 0), (90, 0), (90, 90), (45, 90), (45, 98), (45, 90), (0, 90)], 8100.0),  # a spike without width
        ([(0, 0), (60, 60), (60, 0), (0, 60)], 1800.0),  # a bow tie: two triangles
        (
            [(0, 0), (90, 0), (90, 90), (0, 90), (0, 0), (30, 30), (60, 30), (60, 60), (30, 60), (30, 30)],
            7200.0,
        ),  # a ring
    ],
)
def test_outlines_that_cross_themselves_keep_their_ground(outline, area, tmp_path):
    shape = Polygon([(BOUNDS[0] + 200 + x, BOUNDS[1] + 200 + y) for x, y in outline])
    assert not shape.is_valid
    frame = read_features(vector(tmp_path / "v.gpkg", [shape]), GRID, "inputs.x", shapes=("polygon",))
    assert frame.geometry.is_valid.all() and frame.geometry.area.sum() == pytest.approx(area)


@pytest.mark.parametrize("sides", [(6, 6), (3, 40), (12, 4), (9, 9)])
def test_outlines_finer_than_a_pixel_have_about_their_own_area(sides):
    """Each keeps a pixel at least, and all together no more than their area or a pixel each."""
    rng = np.random.default_rng(2)
    wide, high = sides
    corners = [(60 * (n % 25) + rng.uniform(0, 15), 60 * (n // 25) + rng.uniform(0, 15)) for n in range(600)]
    shapes = np.array([square(x, y, wide, high) for x, y in corners], object)
    found = burner(shapes, GRID)(rasterio.windows.Window(0, 0, 160, 160)).sum() * 100
    truth = 600 * max(wide * high, 100)
    assert 0.8 * truth <= found <= 1.2 * truth


def test_whole_numbers_with_gaps_and_odd_names_come_back_whole(tmp_path):
    shapes = [square(300 * n, 0, 200) for n in range(4)]
    path = vector(tmp_path / "n.gpkg", shapes, code=gpd.pd.array([3, None, 12, 3], "Int64"),
                  rock=["marl; clay", " grès\nfin ", "砂岩", "50 % = sand, silt"])  # fmt: skip
    frame = read_features(path, GRID, "inputs.x", shapes=("polygon",))
    codes = names_of(frame["code"], path, "inputs.x")
    assert [None if c is None or c != c else c for c in codes] == ["3", None, "12", "3"]
    names = list(names_of(frame["rock"], path, "inputs.x"))
    assert names == ["marl; clay", "grès fin", "砂岩", "50 % = sand, silt"]
    out, classes = tmp_path / "c.tif", dict(enumerate(names, start=1))
    ones = np.ones(GRID.shape, np.uint8)
    raster.write(out, GRID, ones, bands=["c"], units="class", long_name="c", dtype="uint8", categories=classes)
    assert raster.read_classes(out) == classes


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb", "zip"])
def test_every_format_of_vectors(suffix, tmp_path):
    shape = square(100, 100)
    if suffix == "zip":
        import zipfile

        vector(tmp_path / "v.shp", [shape])
        with zipfile.ZipFile(tmp_path / "v.zip", "w") as archive:
            for file in sorted(tmp_path.glob("v.*")):
                if file.suffix != ".zip":
                    archive.write(file, file.name)
    else:
        frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shape], crs=CRS)
        (frame.to_crs(4326) if suffix == "geojson" else frame).to_file(tmp_path / f"v.{suffix}")
    found = read_features(tmp_path / f"v.{suffix}", GRID, "inputs.x", shapes=("polygon",))
    assert shapely.area(found.geometry).sum() == pytest.approx(40000, rel=1e-4)


def test_a_shapefile_that_does_not_say_its_encoding_is_asked_about(tmp_path):
    gpd.GeoDataFrame({"rock": ["grès"]}, geometry=[square(0, 0)], crs=CRS).to_file(tmp_path / "l.shp", encoding="CP850")
    (tmp_path / "l.cpg").unlink()
    options = {"shapes": ("polygon",), "columns": ["rock"]}
    with pytest.raises(InputError, match=r"does not say their encoding .*; set inputs.lithology.encoding"):
        read_features(tmp_path / "l.shp", GRID, "inputs.lithology", **options)
    frame = read_features(tmp_path / "l.shp", GRID, "inputs.lithology", encoding="CP850", **options)
    assert frame["rock"].tolist() == ["grès"]
