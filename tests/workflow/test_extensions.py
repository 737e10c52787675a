"""A factor of another package, from a config to its raster and through screening."""

import json
import os

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box

from helpers import plugin
from helpers.workflow_runs import snakemake, write_config
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid("EPSG:32632", Affine(12.5, 0, 500000, 0, -12.5, 5001200), 96, 96)
FACTOR = "results/valley/factors/example_northness.tif"
SCREENED = "results/valley/screening/selection.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a DEM, landslides, the package, and a config that names its factors."""
    folder = tmp_path_factory.mktemp("extensions")
    rows, cols = np.indices(GRID.shape)
    z = 800 + 60 * np.sin(rows / 9) * np.cos(cols / 7) + 3 * rows
    raster.write(folder / "dem.tif", GRID, z.astype(np.float32), bands=["elevation"], units="m", long_name="elevation")
    corners = [(500020 + 110 * i, 5000030 + 110 * j) for i in range(10) for j in range(10) if (i + j) % 2]
    slides = [box(x, y, x + 50, y + 50) for x, y in corners]
    gpd.GeoDataFrame(geometry=slides, crs=GRID.crs).to_file(folder / "inventory.gpkg")
    area = {
        "grid": {"crs": GRID.crs, "resolution": 12.5, "bounds": list(GRID.bounds)},
        "inputs": {"dem": "dem.tif", "inventory": "inventory.gpkg"},
        "factors": {"include": ["elevation", "slope"], "extra": ["example_northness", "steeper_than_20"]},
        "split": {"block": 16, "buffer": 0},
    }
    write_config(folder, {"areas": {"valley": area}})
    (folder / "site").mkdir()
    plugin.install(folder / "site")
    return folder


@pytest.fixture
def installed(folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(folder / "site"), prepend=os.pathsep)
    return folder


def test_it_is_made_screened_and_made_again_when_its_package_changes(installed):
    answer = snakemake(installed, SCREENED)
    assert answer.returncode == 0, answer.stdout[-4000:]
    with rasterio.open(installed / FACTOR) as src:
        assert (src.units, src.descriptions) == (("1",), ("example_northness",))
        assert src.tags()["long_name"].startswith("northness: cosine of aspect times sine of slope")
        found = src.read(1)
    # from the central differences of the same surface
    z = raster.read(installed / "dem.tif", bands=1).astype(float)
    east, north = (z[1:-1, 2:] - z[1:-1, :-2]) / 25, (z[:-2, 1:-1] - z[2:, 1:-1]) / 25
    np.testing.assert_allclose(found[1:-1, 1:-1], -north / np.sqrt(1 + east**2 + north**2), atol=1e-5)
    decision = pd.read_csv(installed / "results/valley/screening/decision.csv")
    assert set(decision.factor) == {"elevation", "slope", "example_northness", "steeper_than_20"}
    assert "example_northness" in json.dumps(json.loads((installed / SCREENED).read_text()))

    code = installed / "site/slipmap_example/ground.py"
    code.write_text(code.read_text() + "\n# another version\n")
    answer = snakemake(installed, "-n", SCREENED)
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert "Derive example_northness of valley." in answer.stdout and "Screen the factors of valley." in answer.stdout
    assert "Derive slope, aspect and curvature" not in answer.stdout  # slipmap's own factors are as they were


def test_without_the_package_the_config_is_refused(folder):
    answer = snakemake(folder, "-n", FACTOR)
    assert answer.returncode == 1 and "Traceback" not in answer.stdout
    said = "areas.valley.factors.extra names 'example_northness', which is no factor"
    assert said in " ".join(answer.stdout.split()), answer.stdout[-2000:]
