"""Where results and weights are; the config under every stage."""

import ast
import re

import pytest

from helpers.layout import is_one_of, templates
from slipmap.config.inputs import Sentinel1Settings
from slipmap.config.layout import Results, geocoded_stack, weights_folders
from slipmap.config.run import ExperimentSettings
from slipmap.jobs.provenance import LIBRARY


def test_every_path_that_the_page_of_results_names_is_in_the_layout(repository):
    """The table of results: a file named alone lies beside the one before it."""
    table = (repository / "docs/results.md").read_text().partition("| path | what it is |")[2].partition("\n\n")[0]
    folder, paths = "", []
    for cell in (line.split("|")[1] for line in table.splitlines() if line.startswith("| `")):
        for name in re.findall(r"`([^`]+)`", cell):
            folder = name.rpartition("/")[0] if "/" in name else folder
            paths.append((name if "/" in name or name in templates() else f"{folder}/{name}").rstrip("/"))
    beside = Results("x", beside="sbas").velocity.removeprefix("results/x/")
    known = {*templates(), "report/tables/{}.csv", beside}
    assert len(paths) > 30 and [path for path in paths if not is_one_of(re.sub(r"{\w+}|\*", "x", path), known)] == []


def test_geocoded_slcs_are_a_stack_of_their_own():
    """What the user said of the products stays; where the geocoded SLCs lie and how they are written is ours."""
    products = Sentinel1Settings(level="safe", path="raw", orbits="eof")
    stack = geocoded_stack("valley", products)
    assert (stack.level, stack.format, stack.path) == ("slc", "opera", "results/valley/sentinel1/slc")
    assert stack.path == Results("valley").slc("20210109").rpartition("/")[0]
    assert stack.orbits == "eof" and products.level == "safe"


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
