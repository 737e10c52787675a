"""Where weights are looked for; the config under every stage."""

import ast

import pytest

from slipmap.config.layout import weights_folders
from slipmap.config.run import ExperimentSettings
from slipmap.jobs.provenance import LIBRARY


def test_weights_trained_here_are_under_the_first_training_area():
    experiment = ExperimentSettings(dataset="p", train_areas=["a", "b"], training={"seeds": [0, 3]})
    assert weights_folders("rs", experiment) == ["results/a/experiments/rs/seed_0", "results/a/experiments/rs/seed_3"]


def test_weights_from_elsewhere_are_its_seeds_by_number_and_nothing_else(tmp_path):
    for name in ("seed_10", "seed_2", "seed_2.resume", "seed_0.logs", "notes"):
        (tmp_path / name).mkdir()
    experiment = ExperimentSettings(weights=str(tmp_path))
    assert weights_folders("rs", experiment) == [str(tmp_path / "seed_2"), str(tmp_path / "seed_10")]


def test_a_single_folder_of_weights(tmp_path):
    assert weights_folders("rs", ExperimentSettings(weights=str(tmp_path))) == [str(tmp_path)]


@pytest.mark.parametrize("path", sorted((LIBRARY / "config").glob("*.py")), ids=lambda path: path.name)
def test_settings_import_no_stage(path):
    """Every stage imports its settings: what they imported of a stage would go round in a circle."""
    packages = {folder.name for folder in LIBRARY.iterdir() if (folder / "__init__.py").exists()}
    stages = packages - {"config", "io", "jobs"}
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    named = {f"{node.module}.{alias.name}".split(".")[1] for node in nodes for alias in node.names}
    assert "deformation" in stages and not named & stages
