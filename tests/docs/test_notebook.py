"""The notebook of the site runs, cell after cell, and is committed without what it printed."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def cells():
    return json.loads((Path(__file__).parents[2] / "docs/library.ipynb").read_text(encoding="utf-8"))["cells"]


def test_the_notebook_runs(cells, capsys):
    """Its own assertions hold: a known velocity is found again, a plane has its slope, a raster comes back."""
    names = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["velocity"].std() < 5
    assert "temporal coherence 0.9" in capsys.readouterr().out


def test_the_notebook_is_committed_without_outputs(cells):
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
