"""Practice files are what a user may own: `slipmap init` takes them as they are."""

import numpy as np
import pytest
import rasterio
import yaml

from slipmap import cli
from slipmap.config.inputs import SimulateSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.simulator import practice


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("practice") / "my_data"
    grid = Grid.from_bounds("EPSG:32632", 10.0, (690_000, 4_890_000, 691_600, 4_891_600))
    practice.run(place, grid, SimulateSettings(seed=11, dates=4, landslides=8, scenes=2))
    return place


def test_the_files_have_what_the_tutorial_says(folder):
    (optical,) = folder.glob("sentinel2_*.tif")
    assert {path.name for path in folder.iterdir()} == {"dem.tif", optical.name, "landslides.tif", "sentinel1"}
    with rasterio.open(folder / "landslides.tif") as src:
        mask = src.read(1)
        assert src.tags()["SIMULATED"] == "yes"
    assert set(np.unique(mask)) == {0, 1} and 0.001 < mask.mean() < 0.3
    with rasterio.open(optical) as src:
        assert {"B2", "B3", "B4", "B8"} <= set(src.descriptions)
    assert len(list((folder / "sentinel1").glob("2*.tif"))) == 4


def test_init_takes_them_as_they_are(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    (optical,) = (path.relative_to(folder.parent) for path in folder.glob("sentinel2_*.tif"))
    files = ["--dem", "my_data/dem.tif", "--sentinel2", str(optical), "--inventory", "my_data/landslides.tif"]
    assert cli.main(["init", "valley", *files]) == 0
    said = capsys.readouterr().out
    assert "will be made: the factors" in said and "to be put right" not in said
    assert yaml.safe_load((folder.parent / "valley.yaml").read_text())["areas"]["valley"]["inputs"]["dem"]


def test_files_that_are_there_are_left_alone(folder):
    with pytest.raises(InputError, match="give the name of a new folder"):
        practice.run(folder)
