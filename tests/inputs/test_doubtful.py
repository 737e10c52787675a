"""Files that can be read and whose meaning is in doubt: asked about, not guessed."""

import zipfile

import numpy as np
import pytest
import rasterio
from shapely.geometry import GeometryCollection, LineString, Point, mapping

from helpers.input_writers import BOUNDS, CRS, TRANSFORM, heights, square, tif, vector
from slipmap.config.factors import LithologySettings
from slipmap.config.inputs import VectorSettings
from slipmap.errors import InputError
from slipmap.factors import lithology
from slipmap.inputs import inventory
from slipmap.inputs.rasters import elevation
from slipmap.inputs.vectors import names_of, read_features
from slipmap.io.grid import Grid

GRID = Grid.from_bounds(CRS, 10, BOUNDS)


def dug(value, pixels=1):
    """Heights with a square hole of `value`."""
    array = heights()
    array[70 : 70 + pixels, 60 : 60 + pixels] = value
    return array


@pytest.mark.parametrize(
    ("array", "options", "words"),
    [
        (heights() % 256, {"dtype": "uint8"}, "as a hillshade or another picture"),
        (np.stack([heights()] * 3), {}, "3 bands where one is wanted"),
        (np.stack([heights()] * 2), {}, "2 bands where one is wanted"),
        (heights().astype("complex64"), {"dtype": "complex64"}, "complex numbers"),
        (dug(0), {}, "the value 0 in 0.00% of the area"),
        (dug(-99), {}, "has the value -99 in 1 pixels"),
        (dug(8888, 4), {"dtype": "int16"}, "has the value 8888 in 16 pixels"),
    ],
)
def test_what_can_be_no_elevation(array, options, words, tmp_path):
    with pytest.raises(InputError, match=f"inputs.dem: .*d.tif .*{words}"):
        elevation(tif(tmp_path / "d.tif", array, **options), GRID, "inputs.dem")


def test_a_mask_beside_the_heights_is_no_second_band(tmp_path):
    profile = dict(
        driver="GTiff", width=160, height=160, count=2, dtype="uint16", crs=CRS, transform=TRANSFORM, alpha="YES"
    )
    with rasterio.open(tmp_path / "d.tif", "w", **profile) as out:
        out.write(np.stack([heights(), np.full((160, 160), 65535.0)]).astype("uint16"))
    assert elevation(tmp_path / "d.tif", GRID, "inputs.dem") == str(tmp_path / "d.tif")


@pytest.mark.parametrize(
    ("fill", "dtype"), [(-9999, "int16"), (-9999, "float32"), (255, "uint8"), (65535, "uint16"), (0, "uint8")]
)
def test_a_fill_value_is_no_rock(fill, dtype, tmp_path):
    classes = np.where(np.arange(160) < 40, fill, 3) * np.ones((160, 1))
    source = VectorSettings(path=tif(tmp_path / "l.tif", classes, dtype=dtype))
    with pytest.raises(InputError, match=f"l.tif has the value {fill} and does not say whether it is a class"):
        lithology.classes_of(source, GRID, LithologySettings())
    source = VectorSettings(path=tif(tmp_path / "l.tif", classes, dtype=dtype, nodata=fill))
    assert lithology.classes_of(source, GRID, LithologySettings()) == ["class 3"]


def test_a_picture_is_no_raster_of_classes(tmp_path):
    path = tif(tmp_path / "l.tif", np.ones((3, 160, 160)), dtype="uint8")
    for look in (
        lambda: lithology.classes_of(VectorSettings(path=path), GRID, LithologySettings()),
        lambda: inventory.check(path, GRID),
    ):
        with pytest.raises(InputError, match="3 bands where one is wanted"):
            look()


def test_metres_in_a_geojson(tmp_path):
    import json

    features = [{"type": "Feature", "properties": {}, "geometry": mapping(square(100, 100))}]
    (tmp_path / "i.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(InputError, match=r"i.geojson says that it is in longitude and latitude, and has coordinates"):
        inventory.check(tmp_path / "i.geojson", GRID)


def test_collections_are_looked_into(tmp_path):
    line = LineString([(500000, 5000000), (500800, 5000800)])
    path = vector(tmp_path / "a.gpkg", [GeometryCollection([square(100, 100), line])])
    with pytest.raises(InputError, match="has 1 line where polygons or points are wanted"):
        inventory.check(path, GRID)
    inner = GeometryCollection([Point(500905, 5000905), GeometryCollection([square(300, 300)])])
    path = vector(tmp_path / "b.gpkg", [square(100, 100), inner])
    found = read_features(path, GRID, "k", shapes=("polygon", "point"))
    assert found.geometry.area.sum() == 80000 and len(found) == 3


def test_zip_with_a_subfolder(tmp_path):
    vector(tmp_path / "i.shp", [square(100, 100)])
    with zipfile.ZipFile(tmp_path / "i.zip", "w") as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"i.{suffix}", f"data/2020/i.{suffix}")
    with pytest.raises(InputError, match=r"holds data/2020/i.shp in a subfolder; unzip it"):
        inventory.check(tmp_path / "i.zip", GRID)


def test_one_name_written_two_ways_is_one_name():
    import pandas as pd

    assert set(names_of(pd.Series(["Kalk ä", "Kalk a\u0308", " Kalk  ä "]), "l.gpkg", "k.path")) == {"Kalk ä"}
    assert list(names_of(pd.Series(["grès", "Ärger", "砂岩", "Ã"]), "l.shp", "k.path")) == [
        "grès",
        "Ärger",
        "砂岩",
        "Ã",
    ]
    with pytest.raises(InputError, match=r"has the name 'grÃ¨s', which is not in the encoding .* set k.encoding"):
        names_of(pd.Series(["grès".encode().decode("latin-1")]), "l.shp", "k.path")
