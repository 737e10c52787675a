"""The QGIS project: every layer of the report that a file holds, by relative paths, opened by QGIS itself."""

import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from PIL import Image

from helpers.qgis import PYTHON_QGIS, needs_qgis
from slipmap.colours import MOTION

OPEN = """
import os, sys
from qgis.PyQt.QtCore import QSize
from qgis.core import QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject
app = QgsApplication([], False); app.initQgis()
project = QgsProject.instance()
print("read", project.read(sys.argv[1]), project.crs().authid(), project.title())
for layer in project.mapLayers().values():
    print("|".join([layer.name(), str(layer.isValid()), layer.renderer().type(), layer.crs().authid()]), flush=True)
nodes = project.layerTreeRoot().findLayers()
print("lost", [node.layerId() for node in nodes if node.layer() is None])
shown = [node.layer() for node in nodes if node.isVisible()]
print("shown", [layer.name() for layer in shown], flush=True)
for name, layers in (("hillshade", shown[-1:]), ("first", shown)):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(project.crs())
    settings.setExtent(shown[-1].extent())
    settings.setOutputSize(QSize(shown[-1].width(), shown[-1].height()))
    settings.setFlag(QgsMapSettings.Antialiasing, False)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors() and job.renderedImage().save(f"{sys.argv[2]}/{name}.png")
os._exit(0)  # its own end crashes while layers live
"""


@pytest.fixture
def project(valley):
    return valley / "results" / "valley" / "map.qgs"


def test_every_source_is_a_file_beside_the_project(project):
    tree = ElementTree.fromstring(project.read_text().partition("\n")[2])
    sources = [node.text for node in tree.iter("datasource")]
    assert len(sources) == len(set(sources)) >= 14
    for source in sources:
        assert source.startswith("./") and (project.parent / source.partition("|")[0]).is_file(), source
    listed = {node.get("id") for node in tree.iter("layer-tree-layer")}
    assert listed == {node.find("id").text for node in tree.iter("maplayer")}
    assert tree.find(".//Absolute").text == "false"


@needs_qgis
def test_qgis_opens_the_project_with_every_layer_and_draws_it_in_its_colours(project, tmp_path):
    said = subprocess.run(
        [PYTHON_QGIS, "-c", OPEN, project, tmp_path], capture_output=True, text=True, check=True, timeout=300,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    ).stdout.splitlines()  # fmt: skip
    assert "read True EPSG:32632 Simulated test valley" in said
    rows = [line.split("|") for line in said if line.count("|") == 3]
    kinds = {row[0]: row[2] for row in rows}
    assert len(rows) >= 14 and all(row[1] == "True" and row[3] == "EPSG:32632" for row in rows)
    assert kinds["Landslides by rs_dr"] == "categorizedSymbol" and kinds["Probability of landslide"] == (
        "singlebandpseudocolor"
    )
    assert "lost []" in said  # every entry of the list of layers has its layer
    assert "shown ['Landslides by rs_dr', 'Probability of landslide', 'Hillshade']" in said
    with rasterio.open(project.parent / "hillshade.tif") as source:
        expected = 255 * (source.read(1) + 0.45) / 1.45
    drawn, first = (np.asarray(Image.open(tmp_path / f"{n}.png").convert("RGB")) for n in ("hillshade", "first"))
    assert np.abs(drawn[..., 0] - expected).max() <= 4  # black at -0.45, white at 1
    blue = np.array([int(MOTION["no movement detected"][i : i + 2], 16) for i in (1, 3, 5)])
    rows, columns = np.nonzero(np.abs(first.astype(int) - blue).sum(axis=2) < 40)  # the outline of landslide 1
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((20, 40, 32, 42), abs=1)
    assert kinds["Training, validation and test ground"] == kinds["Landslides at the threshold"] == "paletted"
