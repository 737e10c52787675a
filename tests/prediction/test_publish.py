"""What others open: QGIS styles, the STAC item, GDAL's own tools on every product."""

import json
import shutil
import subprocess
from datetime import date
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.warp import transform
from shapely.geometry import box, shape

from helpers.qgis import PYTHON_QGIS, needs_qgis
from slipmap.config.prediction import PredictionSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction import polygons, stac, styles
from slipmap.prediction.dates import dates_of, interval_tags

OPEN_IN_QGIS = """
import os, sys
from qgis.core import QgsApplication, QgsRasterLayer, QgsVectorLayer
app = QgsApplication([], False); app.initQgis()
for path in sys.argv[1:]:
    vector = path.endswith(".gpkg")
    layer = QgsVectorLayer(path + "|layername=landslides", "x", "ogr") if vector else QgsRasterLayer(path, "x")
    text, ok = layer.loadDefaultStyle()
    renderer = layer.renderer()
    found = [c.label() for c in renderer.categories()] if vector else renderer.type()
    if renderer.type() == "paletted":
        found = [c.label for c in renderer.classes()]
    if renderer.type() == "singlebandpseudocolor":
        found = [renderer.classificationMin(), renderer.classificationMax()]
    print(layer.isValid(), ok, renderer.type(), found, layer.crs().authid(), sep="|", flush=True)
os._exit(0)  # its own end crashes while layers live
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A map of one landslide that is not observable, with styles and item."""
    folder = tmp_path_factory.mktemp("map")
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 500000 + 12.5 * 90, 5000000 + 12.5 * 70))
    hits = np.zeros(grid.shape, np.uint8)
    hits[20:40, 30:50] = 1
    p = (0.1 + 0.8 * hits).astype(np.float32)
    tags = {"model": "unet", "threshold": "0.4", "FIRST_DATE": "2021-02-23", "LAST_DATE": "2022-09-16"}
    for name, values in (("probability", p), ("uncertainty", 0.2 * p)):
        raster.write(folder / f"{name}.tif", grid, values, bands=[name], units="1", long_name=name, tags=tags)
    for name, values, names in (
        ("class", hits, {0: "no landslide", 1: "landslide"}),
        ("probability_class", 1 + 2 * hits, {1: "low", 2: "medium", 3: "high"}),
    ):
        raster.write(
            folder / f"{name}.tif", grid, values.astype(np.uint8), bands=[name], units="1", long_name=name,
            dtype="uint8", categories=names,
        )  # fmt: skip
    layers = {"probability": folder / "probability.tif"}
    polygons.run(folder / "class.tif", layers, None, PredictionSettings(), folder / "landslides.gpkg")
    frame = gpd.read_file(folder / "landslides.gpkg").assign(motion="not observable")
    frame.to_file(folder / "landslides.gpkg", layer="landslides", driver="GPKG")
    names = ("probability", "uncertainty", "class", "probability_class", "landslides")
    styles.write_styles(
        folder / "uncertainty.tif", folder / "probability_class.tif", True, {n: folder / f"{n}.qml" for n in names}
    )
    assets = {n: folder / (f"{n}.gpkg" if n == "landslides" else f"{n}.tif") for n in names}
    stac.run("demo-rs", assets, folder / "item.json", simulated=True)
    return folder


def test_styles_are_xml_that_names_every_class(folder):
    for path in folder.glob("*.qml"):
        assert ElementTree.fromstring(path.read_text().partition("\n")[2]).tag == "qgis"
    entries = ElementTree.fromstring((folder / "probability_class.qml").read_text()).iter("paletteEntry")
    assert [(e.get("value"), e.get("label")) for e in entries] == [("1", "low"), ("2", "medium"), ("3", "high")]
    ramp = ElementTree.fromstring((folder / "probability.qml").read_text()).find(".//colorrampshader")
    assert (ramp.get("minimumValue"), ramp.get("maximumValue")) == ("0", "1")
    motion = ElementTree.fromstring((folder / "landslides.qml").read_text()).find(".//renderer-v2")
    kinds = [
        "moving",
        "moves in part",
        "moves, not downslope",
        "moves slowly",
        "no movement detected",
        "not observable",
    ]
    assert motion.get("attr") == "motion" and [c.get("value") for c in motion.findall(".//category")] == kinds


def test_every_style_stands_beside_a_product_of_its_name(folder):
    for path in folder.glob("*.qml"):
        assert any((folder / f"{path.stem}{suffix}").exists() for suffix in (".tif", ".gpkg"))


def test_the_item_says_where_when_and_what(folder):
    item = json.loads((folder / "item.json").read_text())
    assert item["type"] == "Feature" and item["stac_version"] == "1.0.0" and item["links"] == []
    assert item["properties"]["start_datetime"] == "2021-02-23T00:00:00Z"
    assert item["properties"]["end_datetime"] == "2022-09-16T00:00:00Z" and item["properties"]["datetime"] is None
    assert item["properties"]["slipmap:simulated"] is True and item["properties"]["proj:code"] == "EPSG:32632"
    assert item["properties"]["proj:shape"] == [70, 90] and item["properties"]["slipmap:threshold"] == "0.4"
    outline = shape(item["geometry"])
    assert outline.is_valid and box(*item["bbox"]).buffer(1e-6).covers(outline)
    with rasterio.open(folder / "probability.tif") as source:
        lon, lat = transform(source.crs, "EPSG:4326", [source.bounds.left], [source.bounds.top])
    assert outline.exterior.distance(shape({"type": "Point", "coordinates": (lon[0], lat[0])})) < 1e-6
    for asset in item["assets"].values():
        assert (folder / asset["href"]).exists()


def test_dates_are_read_however_they_are_written(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 40, 40))
    for name, tags in (
        ("a", {"FIRST_DATE": "2021-01-09", "LAST_DATE": "2022-12-30"}),
        ("b", {"dem": "20200101.tif"}),
        ("c", {"period": "2022-12-01 to 2022-12-31"}),
    ):
        raster.write(
            tmp_path / f"{name}.tif", grid, np.zeros(grid.shape), bands=["a"], units="1", long_name="a", tags=tags
        )
    assert dates_of([tmp_path / "a.tif", tmp_path / "b.tif"]) == [date(2021, 1, 9), date(2022, 12, 30)]
    assert dates_of([tmp_path / "b.tif"]) == []
    last = {"FIRST_DATE": "2021-01-09", "LAST_DATE": "2022-12-31"}
    assert interval_tags([tmp_path / f"{name}.tif" for name in "abc"]) == last


def test_an_item_of_undated_data_says_that_the_dates_are_not_known(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 40, 40))
    path = tmp_path / "probability.tif"
    raster.write(path, grid, np.zeros(grid.shape), bands=["p"], units="1", long_name="p")
    properties = stac.item("undated", {"probability": path})["properties"]
    assert properties["slipmap:dates_known"] is False
    assert (properties["start_datetime"][:4], properties["end_datetime"][:4]) == ("1970", "9999")


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not installed (apt-get install gdal-bin)")
def test_gdalinfo_opens_every_raster(folder):
    for name in ("probability", "uncertainty", "class", "probability_class"):
        said = json.loads(subprocess.run(
            ["gdalinfo", "-json", "-stats", "--config", "GDAL_PAM_ENABLED", "NO", folder / f"{name}.tif"],
            check=True, capture_output=True, text=True,
        ).stdout)  # fmt: skip
        assert said["driverShortName"] == "GTiff" and said["size"] == [90, 70]
        assert said["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
        assert "UTM zone 32N" in said["coordinateSystem"]["wkt"]
        assert said["bands"][0]["description"] == name


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="ogrinfo is not installed (apt-get install gdal-bin)")
def test_ogrinfo_opens_the_polygons(folder):
    said = subprocess.run(
        ["ogrinfo", "-so", folder / "landslides.gpkg", "landslides"], check=True, capture_output=True, text=True
    ).stdout
    assert "Geometry: Polygon" in said and "Feature Count: 1" in said and "probability_mean: Real" in said


@needs_qgis
def test_qgis_opens_every_product_with_its_style(folder, tmp_path):
    names = ["probability.tif", "uncertainty.tif", "class.tif", "probability_class.tif", "landslides.gpkg"]
    said = subprocess.run(
        [PYTHON_QGIS, "-c", OPEN_IN_QGIS, *(folder / name for name in names)],
        capture_output=True, text=True, check=True, timeout=300,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    ).stdout.split("\n")  # fmt: skip
    rows = [line.split("|") for line in said if line.startswith(("True|", "False|"))]
    assert [row[:3] for row in rows] == [
        ["True", "True", kind]
        for kind in ("singlebandpseudocolor", "singlebandpseudocolor", "paletted", "paletted", "categorizedSymbol")
    ]
    assert rows[0][3] == "[0.0, 1.0]" and rows[3][3] == "['low', 'medium', 'high']"
    assert rows[4][3] == (
        "['moving', 'moves in part', 'moves, not downslope', 'moves slowly', 'no movement detected', 'not observable']"
    )
    assert {row[4] for row in rows} == {"EPSG:32632"}
