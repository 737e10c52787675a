"""The QGIS project: every layer of the report that a file holds, by relative paths, opened by QGIS itself."""

import subprocess
from xml.etree import ElementTree

import pytest

from helpers.qgis import PYTHON_QGIS, needs_qgis

OPEN = """
import os, sys
from qgis.core import QgsApplication, QgsProject, QgsWkbTypes
app = QgsApplication([], False); app.initQgis()
project = QgsProject.instance()
print("read", project.read(sys.argv[1]), project.crs().authid(), project.title())
for layer in project.mapLayers().values():
    print("|".join([layer.name(), str(layer.isValid()), layer.renderer().type(), layer.crs().authid()]), flush=True)
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
def test_qgis_opens_the_project_with_every_layer_and_its_colours(project, tmp_path):
    said = subprocess.run(
        [PYTHON_QGIS, "-c", OPEN, project], capture_output=True, text=True, check=True, timeout=300,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    ).stdout.splitlines()  # fmt: skip
    assert "read True EPSG:32632 Simulated test valley" in said
    rows = [line.split("|") for line in said if line.count("|") == 3]
    kinds = {row[0]: row[2] for row in rows}
    assert len(rows) >= 14 and all(row[1] == "True" and row[3] == "EPSG:32632" for row in rows)
    assert kinds["Landslides by rs_dr"] == "categorizedSymbol" and kinds["Probability of landslide"] == (
        "singlebandpseudocolor"
    )
    assert kinds["Training, validation and test ground"] == kinds["Landslides at the threshold"] == "paletted"
