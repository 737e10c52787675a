"""Exports, each opened by a program that it is for: pandas, geopandas, a KML parser, GDAL."""

import json
import shutil
import subprocess
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

import geopandas as gpd
import h5netcdf
import matplotlib.image
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
from shapely.geometry import MultiPolygon, box

from slipmap.deformation import timeseries
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion import export
from slipmap.motion.kinematics import BANDS

GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 503000, 5000200))  # two blocks
DATES = [date(2021, 1, 9) + timedelta(days=24 * k) for k in range(5)]
KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    rng = np.random.default_rng(0)
    velocity = np.linspace(-30, 30, GRID.width)[None] * np.ones((GRID.height, 1))
    bands = {"velocity": ["velocity"], "velocity_std": ["velocity_std"], "temporal_coherence": ["temporal_coherence"]}
    bands["kinematics"] = list(BANDS)
    for name, names in bands.items():
        values = velocity[None] if name == "velocity" else rng.uniform(0.5, 1, (len(names), *GRID.shape))
        raster.write(folder / f"{name}.tif", GRID, values.astype("f4"), bands=names, units="1", long_name=name)
    mask = rng.random(GRID.shape) < 0.3
    raster.write(
        folder / "mask.tif", GRID, mask.astype("u1"), bands=["mask"], units="1", long_name="mask", dtype="uint8"
    )
    series = rng.normal(0, 5, (len(DATES), *GRID.shape)).astype("f4")
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", GRID, DATES, baselines=None, attributes={}, maps=maps) as file:
        for window in GRID.blocks():
            rows, cols = window.toslices()
            file.write(series[:, rows, cols], window)
    hole = box(500100, 5000050, 500200, 5000150).difference(box(500140, 5000090, 500160, 5000110))
    frame = gpd.GeoDataFrame(
        {"area": [1], "area_m2": [hole.area], "velocity_mean": [-25.0], "velocity_mean_std": [1.5], "quality": [1]},
        geometry=[MultiPolygon([hole])],
        crs=GRID.crs,
    )
    frame.to_file(folder / "a.gpkg", layer="active_areas")
    files = {name: folder / f"{name}.tif" for name in (*bands, "mask")} | {"timeseries": folder / "t.nc"}
    export.points(files, folder / "p.csv", folder / "p.parquet", folder / "p.csv-metadata.json")
    export.kmz(files, folder / "a.gpkg", folder / "m.kmz")
    return folder, mask, series, velocity, frame


def test_the_csv_has_a_row_of_every_reliable_pixel_and_a_column_of_every_date(made):
    folder, mask, series, velocity, _ = made
    table = pd.read_csv(folder / "p.csv")
    assert len(table) == mask.sum() and table["pid"].is_unique
    rows, cols = np.divmod(table["pid"].to_numpy(), GRID.width)
    assert mask[rows, cols].all()
    np.testing.assert_allclose(table["mean_velocity"], velocity[rows, cols], rtol=1e-5)
    for k, day in enumerate(DATES):
        np.testing.assert_allclose(table[f"{day:%Y%m%d}"], series[k][rows, cols], rtol=1e-4)
    assert {"mean_velocity_std", "acceleration", "acceleration_std", "seasonality"} <= set(table)


def test_geopandas_opens_the_geoparquet_where_the_pixels_are(made):
    folder, mask, _, velocity, _ = made
    frame = gpd.read_parquet(folder / "p.parquet")
    assert len(frame) == mask.sum() and frame.crs.to_authority() == ("OGC", "CRS84")
    there = frame.to_crs(GRID.crs)
    cols, rows = ~GRID.transform @ (there.geometry.x.to_numpy(), there.geometry.y.to_numpy())
    assert np.abs(cols % 1 - 0.5).max() < 1e-4 and np.abs(rows % 1 - 0.5).max() < 1e-4
    np.testing.assert_allclose(frame["mean_velocity"], velocity[rows.astype(int), cols.astype(int)], rtol=1e-5)
    about = json.loads(pq.read_schema(folder / "p.parquet").metadata[b"slipmap"])
    assert about["sign"] == "positive towards the satellite" and about["units"]["velocities"] == "mm/yr"


def test_a_kml_parser_and_gdal_open_the_kmz(made):
    folder, _, _, _, frame = made
    with zipfile.ZipFile(folder / "m.kmz") as archive:
        root = ElementTree.fromstring(archive.read("doc.kml"))
        picture = matplotlib.image.imread(archive.open("velocity.png"))
    assert picture.shape[2] == 4
    middle = picture[picture.shape[0] // 2]
    seen = middle[middle[:, 3] > 0]
    assert seen[0, 0] > seen[0, 2] and seen[-1, 2] > seen[-1, 0], "red away in the west, blue towards in the east"
    bounds = [float(root.find(f".//{KML}{side}").text) for side in ("west", "south", "east", "north")]
    true = gpd.GeoSeries([box(*GRID.bounds)], crs=GRID.crs).to_crs(4326).total_bounds
    np.testing.assert_allclose(bounds, true, atol=3e-4)
    assert "−25.0" in (text := root.find(f".//{KML}Placemark/{KML}description").text).replace("-", "−")
    assert "positive towards the satellite" in text and "± 1.5" in text
    with rasterio.open(folder / "velocity_std.tif") as deviation, rasterio.open(folder / "mask.tif") as mask:
        usual = np.median(deviation.read(1)[mask.read(1) == 1])
    assert f"± {usual:.1f} mm/yr" in root.find(f".//{KML}GroundOverlay/{KML}name").text
    layers = [name for name, kind in pyogrio.list_layers(folder / "m.kmz") if kind]
    read = pd.concat([pyogrio.read_dataframe(folder / "m.kmz", layer=name) for name in layers])
    area = read[read["Name"] == "Active area 1"].to_crs(GRID.crs)
    assert len(area) == 1 and area.area.iloc[0] == pytest.approx(frame.area[0], rel=1e-3)


def test_every_column_of_the_csv_says_its_units_and_sign(made):
    folder, *_ = made
    about = json.loads((folder / "p.csv-metadata.json").read_text())
    assert about["@context"] == "http://www.w3.org/ns/csvw" and about["url"] == "p.csv"
    columns = {one["titles"]: one for one in about["tableSchema"]["columns"]}
    assert list(columns) == list(pd.read_csv(folder / "p.csv", nrows=1).columns)
    for name, unit in (("mean_velocity", "mm/yr"), ("acceleration", "mm/yr2"), (f"{DATES[1]:%Y%m%d}", "mm")):
        assert columns[name]["schema:unitText"] == unit
        assert "positive towards the satellite" in columns[name]["dc:description"]
    assert "positive" not in columns["mean_velocity_std"]["dc:description"]


def converted(source, out, layer=None, **options):
    """A file through ogr2ogr, or through the GDAL in pyogrio where the program is not installed."""
    program = shutil.which("ogr2ogr")
    if program:
        opened = [word for key, value in options.items() for word in ("-oo", f"{key}={value}")]
        command = [program, "-f", "GeoJSON", *opened, str(out), str(source), *([layer] if layer else [])]
        subprocess.run([*command, "-nln", "x"], check=True, capture_output=True)
    else:
        frame = pyogrio.read_dataframe(source, layer=layer, **options)
        pyogrio.write_dataframe(frame if frame.crs else frame.set_crs(4326), out, driver="GeoJSON")
    return json.loads(out.read_text())["features"]


def test_ogr2ogr_converts_the_areas_and_the_points(made, tmp_path):
    folder, mask, _, velocity, frame = made
    (area,) = converted(folder / "a.gpkg", tmp_path / "a.geojson", "active_areas")
    assert area["properties"]["velocity_mean"] == frame.velocity_mean[0]
    # HEADERS: names of columns that are dates look like values to GDAL
    options = {"HEADERS": "YES", "X_POSSIBLE_NAMES": "longitude", "Y_POSSIBLE_NAMES": "latitude"}
    rows = converted(folder / "p.csv", tmp_path / "p.geojson", AUTODETECT_TYPE="YES", **options)
    assert len(rows) == mask.sum() and f"{DATES[0]:%Y%m%d}" in rows[0]["properties"]
    at = [row["properties"]["pid"] for row in rows]
    np.testing.assert_allclose([row["properties"]["mean_velocity"] for row in rows], velocity.ravel()[at], rtol=1e-5)
    assert all(row["geometry"]["type"] == "Point" for row in rows)


def test_nothing_reliable_is_a_table_without_rows(made, tmp_path):
    folder, *_ = made
    none = np.zeros(GRID.shape, np.uint8)
    raster.write(tmp_path / "m.tif", GRID, none, bands=["mask"], units="1", long_name="mask", dtype="uint8")
    names = ("velocity", "velocity_std", "temporal_coherence", "kinematics")
    files = {name: folder / f"{name}.tif" for name in names} | {
        "timeseries": folder / "t.nc",
        "mask": tmp_path / "m.tif",
    }
    export.points(files, tmp_path / "p.csv", tmp_path / "p.parquet", tmp_path / "u.json")
    assert len(pd.read_csv(tmp_path / "p.csv")) == 0 and len(gpd.read_parquet(tmp_path / "p.parquet")) == 0
    with h5netcdf.File(folder / "t.nc", "r") as file:
        assert file.dimensions["time"].size == len(DATES)
