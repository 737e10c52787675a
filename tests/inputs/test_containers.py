"""The same two landslides of 200 m x 200 m, in whatever file they are handed over: 800 pixels of 10 m."""

import sqlite3
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon

from helpers.input_writers import BOTTOM, BOUNDS, CRS, LEFT, square
from slipmap.inputs import inventory
from slipmap.io import raster
from slipmap.io.grid import Grid

TWO = [square(300, 300), square(900, 700)]


def frame(shapes=TWO, crs=CRS):
    return gpd.GeoDataFrame({"n": range(len(shapes))}, geometry=list(shapes), crs=crs)


def plain(folder, suffix, **options):
    path = folder / f"i.{suffix}"
    frame().to_crs(options.pop("crs", CRS)).to_file(path, **options)
    return path


def packed(folder, name, inside="", junk=False):
    """A Shapefile, or a KML, in a zip."""
    suffix = "kml" if name.endswith("kmz") else "shp"
    plain(folder, suffix, **({"driver": "KML", "crs": "EPSG:4326"} if suffix == "kml" else {}))
    with zipfile.ZipFile(folder / name, "w") as archive:
        for file in folder.glob("i.*"):
            if file.name != name:
                archive.write(file, inside + (("doc.kml") if suffix == "kml" else file.name))
        if junk:
            archive.writestr("__MACOSX/._i.shp", b"\0\5\26\7")
            archive.writestr("__MACOSX/._i.dbf", b"\0\5\26\7")
    return folder / name


def beside_a_table(folder):
    path = plain(folder, "gpkg")
    pyogrio.write_dataframe(pd.DataFrame({"note": ["x"]}), path, layer="notes")
    return path


def with_empty_rows(folder):
    frame([*TWO, None, Polygon()]).to_file(folder / "i.gpkg")
    return folder / "i.gpkg"


def of_capitals(folder):
    for file in [plain(folder, "shp"), *folder.glob("i.*")]:
        if file.exists():
            file.rename(file.with_name(file.name.upper()))
    return folder / "I.SHP"


def shaped(make):
    def write(folder):
        frame([make(shape) for shape in TWO]).to_file(folder / "i.gpkg")
        return folder / "i.gpkg"

    return write


def in_one(folder):
    frame([MultiPolygon(TWO)]).to_file(folder / "i.gpkg")
    return folder / "i.gpkg"


WRITERS = {
    "GeoPackage beside a table": beside_a_table,
    "GeoPackage with empty rows": with_empty_rows,
    "KML": lambda folder: plain(folder, "kml", driver="KML", crs="EPSG:4326"),
    "KMZ": lambda folder: packed(folder, "i.kmz"),
    "GML": lambda folder: plain(folder, "gml", driver="GML"),
    "FlatGeobuf": lambda folder: plain(folder, "fgb", driver="FlatGeobuf"),
    "file geodatabase": lambda folder: plain(folder, "gdb", driver="OpenFileGDB"),
    "GeoJSON in a foreign CRS": lambda folder: plain(folder, "geojson", driver="GeoJSON"),
    "Shapefile of an old datum": lambda folder: plain(folder, "shp", crs="EPSG:23032"),
    "Shapefile in capitals": of_capitals,
    "zip": lambda folder: packed(folder, "i.zip"),
    "zip of a Mac": lambda folder: packed(folder, "i.zip", junk=True),
    "3D": shaped(lambda shape: shapely.force_3d(shape, 500.0)),
    "turned the other way": shaped(shapely.reverse),
    "one feature": in_one,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_landslides_are_the_same(tmp_path, kind):
    assert burnt(WRITERS[kind](tmp_path), tmp_path) == 800


def burnt(path, folder):
    """Pixels of landslides that a run writes."""
    inventory.run(path, Grid.from_bounds(CRS, 10, BOUNDS), folder / "out.tif")
    return int(np.nansum(raster.read(folder / "out.tif", bands=1)))


@pytest.mark.filterwarnings("ignore:.*CURVEPOLYGON.*", "ignore:.*geometry type.*")
def test_a_circle_of_arcs_keeps_its_area(tmp_path):
    """A CurvePolygon, as surveyors draw them: an arc is a curve, not its chord."""
    path = tmp_path / "i.gpkg"
    frame(TWO[:1]).to_file(path, layer="slides")
    x, y, radius = LEFT + 800, BOTTOM + 800, 200
    ring = [(x - radius, y), (x, y + radius), (x + radius, y), (x, y - radius), (x - radius, y)]
    blob = b"GP" + bytes([0, 1]) + struct.pack("<i", 32632) + struct.pack("<BII", 1, 10, 1)
    blob += struct.pack("<BII", 1, 8, 5) + b"".join(struct.pack("<dd", *place) for place in ring)
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("select name from sqlite_master where type='trigger'").fetchall():
        connection.execute(f'drop trigger "{name}"')
    (column,) = connection.execute("select column_name from gpkg_geometry_columns").fetchone()
    connection.execute(f'update slides set "{column}"=?', (blob,))
    connection.execute("update gpkg_geometry_columns set geometry_type_name='CURVEPOLYGON'")
    connection.execute("delete from gpkg_extensions")
    connection.commit()
    connection.close()
    assert burnt(path, tmp_path) == pytest.approx(np.pi * 20**2, rel=0.01)


@pytest.mark.parametrize(
    ("shapes", "pixels"),
    [
        ([Polygon(square(300, 300, 300).exterior, [square(400, 400, 100).exterior])], 800),
        ([square(300, 300), square(400, 300)], 600),
        ([Polygon([(LEFT + 300, BOTTOM + 300), (LEFT + 500, BOTTOM + 500), (LEFT + 500, BOTTOM + 300),
                   (LEFT + 300, BOTTOM + 500)])], 200),
        ([square(300, 300), Point(LEFT + 1000, BOTTOM + 1000)], 401),
    ],
    ids=["a hole", "two that overlap", "crosses itself", "a point beside"],
)  # fmt: skip
def test_ground_of_odd_outlines(tmp_path, shapes, pixels):
    frame(shapes).to_file(Path(tmp_path) / "i.gpkg")
    assert burnt(tmp_path / "i.gpkg", tmp_path) == pixels
