"""The recipes of CONTRIBUTING.md, done as they say."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss

from helpers.ground_samples import GRID
from helpers.models_functional import built, same
from slipmap.config.factors import TerrainSettings
from slipmap.deformation import readers
from slipmap.errors import InputError
from slipmap.factors import catalogue, relief, terrain
from slipmap.factors.block import DEM, Block
from slipmap.io import raster
from slipmap.models import create_model, index, list_models
from slipmap.patches import importers
from slipmap.training import losses


def test_the_recipe_for_a_terrain_factor(repository, tmp_path, monkeypatch):
    """Its function and record, put where it says, give the northness of a plane that falls 1 m in 10 m to the north."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## Add a terrain factor") :]
    function, record, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:3]
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
    own = {"np": np, "Block": Block, "DEM": DEM, "TerrainSettings": TerrainSettings, "relief": SimpleNamespace(**there)}
    exec(test, own)
    own["test_northness_of_a_plane"]()


def test_the_recipe_for_a_model(repository, tmp_path, monkeypatch):
    """Its one file is found, checked and built; from another package, whose modules are written alike."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code, test = re.findall(
        r"```python\n(.*?)```", text[text.index("## Add a model\n") : text.index("## Add a model without")], re.DOTALL
    )
    (tmp_path / "plainnet.py").write_text(code, encoding="utf-8")
    note = tmp_path / "plain-1.0.dist-info"
    note.mkdir()
    (note / "METADATA").write_text("Metadata-Version: 2.1\nName: plain\nVersion: 1.0\n")
    (note / "entry_points.txt").write_text("[slipmap.models]\nplainnet = plainnet\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "plainnet" in list_models()
    with pytest.raises(InputError, match="no model 'planenet'; did you mean 'plainnet'"):
        index.check("planenet", {}, "experiments.a.model")
    with pytest.raises(InputError, match="'layers' of the model plainnet is 0; give a whole number at least 1"):
        index.check("plainnet", {"layers": 0}, "experiments.a.model")
    try:
        assert create_model("plainnet", 3, 1).parameter_count() == index.find("plainnet").parameters
        model = create_model("plainnet", 4, 2, width=0.5, dilated=True)
        assert model(torch.zeros(1, 4, 5, 9)).shape == (1, 2, 5, 9)
        there = {"built": built, "same": same}
        exec(test, there)
        there["test_plainnet"]()
    finally:
        sys.modules.pop("plainnet", None)


def test_the_recipe_for_a_reader(repository, tmp_path, monkeypatch):
    """Its module, put into a folder of readers under the name that it says, passes its own test."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## Add a reader of a format") :]
    module, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers/laboratory.py").write_text(module)
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path / "readers")])
    there = {}
    exec(test, there)
    there["test_turns_and_per_cent"](tmp_path / "data")
    monkeypatch.undo()
    sys.modules.pop("slipmap.deformation.readers.laboratory")


def test_the_recipe_for_a_loss(repository, monkeypatch):
    """Its function and entry give the Brier score that scikit-learn computes."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    function, entry = re.findall(r"```python\n(.*?)```", text[text.index("## Add a loss") :], re.DOTALL)[:2]
    there = dict(vars(losses))
    exec(function, there)
    (term,) = eval(entry, there).values()
    rng = np.random.default_rng(0)
    logit = torch.from_numpy(rng.normal(0, 2, (2, 7, 9)))
    target = torch.from_numpy(rng.choice([0, 1, 255], (2, 7, 9)).astype(np.uint8))
    known = target != 255
    expected = brier_score_loss(target[known].numpy(), torch.sigmoid(logit[known]).numpy())
    assert float(term(logit, target, None, (1, 1))) == pytest.approx(expected, rel=1e-6)


def test_the_recipe_for_a_rule(repository, tmp_path):
    """Snakemake takes the rule, and `complete_rules` gives it what the recipe says."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rule, script = re.findall(r"```python\n(.*?)```", text[text.index("## Add a rule") :], re.DOTALL)[:2]
    compile(script, "landslide_share.py", "exec")
    head = """
from pathlib import Path
from slipmap.jobs import rules as completing

class HERE:
    inventory = "inventory.tif"

completing.CHECKOUT = Path(workflow.basedir).parents[1]
completing._digest_of = lambda script: script.name
"""
    tail = """
completing.complete_rules(workflow.rules, workflow.current_basedir)
print(*((rule.log, rule.benchmark, rule.params) for rule in workflow.rules))
"""
    for name, code in (("rules/own.smk", head + rule + tail), ("scripts/landslide_share.py", script)):
        path = tmp_path / "workflow" / name
        path.parent.mkdir(parents=True)
        path.write_text(code)
    (tmp_path / "inventory.tif").touch()
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "-s",
        "workflow/rules/own.smk",
        "results/valley/inputs/landslide_share.txt",
    ]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = answer.stdout + answer.stderr
    assert answer.returncode == 0, said
    for expected in ("results/{area}/logs/landslide_share.log", "results/{area}/benchmarks/landslide_share.tsv"):
        assert expected in said
    assert "landslide_share.py" in said and "Count the landslide pixels of valley." in said


def test_the_recipe_for_an_importer(repository, tmp_path, monkeypatch):
    """Its module, put into a folder of importers under the name that it says, passes its own test."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## Add an importer of a patch data set") :]
    module, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "importers").mkdir()
    (tmp_path / "importers/tiles.py").write_text(module)
    monkeypatch.setattr(importers, "__path__", [*importers.__path__, str(tmp_path / "importers")])
    there = {}
    exec(test, there)
    (tmp_path / "data").mkdir()
    there["test_tiles_in_per_cent"](tmp_path / "data")
    monkeypatch.undo()
    sys.modules.pop("slipmap.patches.importers.tiles")
