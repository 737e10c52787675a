"""The recipes of CONTRIBUTING.md, done as they say."""

import re

import numpy as np

from helpers.ground_samples import GRID
from slipmap.factors import catalogue, relief, terrain
from slipmap.io import raster


def test_the_recipe_for_a_terrain_factor(repository, tmp_path, monkeypatch):
    """Its function and record, put where it says, give the northness of a plane that falls 1 m in 10 m to the north."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## Add a terrain factor") :]
    function, record = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    there = dict(vars(relief))
    exec(function, there)
    factor = eval(record, dict(vars(catalogue)))
    assert factor.compute == "slipmap.factors.relief:northness_of"
    monkeypatch.setattr(relief, "northness_of", there["northness_of"], raising=False)
    monkeypatch.setattr(catalogue, "OWN", (*catalogue.OWN, factor))
    catalogue.forget()
    try:
        z = 500 + np.arange(GRID.height)[:, None] + np.zeros(GRID.width)
        dem, out = tmp_path / "dem.tif", tmp_path / "northness.tif"
        raster.write(dem, GRID, z.astype(np.float32), bands=["elevation"], units="m", long_name="elevation")
        terrain.run(dem, GRID, {"northness": out}, threads=1)
        assert "northness" in catalogue.regex(catalogue.of_family("terrain", default=False)).split("|")
    finally:
        monkeypatch.undo()
        catalogue.forget()
    np.testing.assert_allclose(raster.read(out, bands=1), np.sin(np.arctan(0.1)), rtol=1e-4)
