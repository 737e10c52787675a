"""The tutorials of the site, done as they say, from practice files to the report."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from helpers import doc_commands
from helpers.doc_commands import REPOSITORY
from helpers.workflow_runs import run_and_kill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tutorials")
    subprocess.run([sys.executable, "-m", "slipmap.cli", "practice", "my_data"], cwd=place, check=True)
    return place


@pytest.mark.parametrize(
    ("page", "area", "made"),
    [
        ("my_valley.md", "valley", "maps/unet/landslides.gpkg"),
        ("sentinel1_to_active_areas.md", "slope", "deformation/active_areas.gpkg"),
    ],
)
def test_the_tutorial_ends_with_its_report(folder, page, area, made):
    """Every command of the page up to `slipmap run`, in order; the files that the page names are there then."""
    for command in doc_commands.commands(REPOSITORY / "docs" / page):
        words = shlex.split(command)
        if words[:2] == ["slipmap", "practice"]:
            continue
        extra = ["--cores", "2"] if words[1] == "run" else []
        answer = run_and_kill(
            [sys.executable, "-m", "slipmap.cli", *words[1:], *extra], cwd=folder, timeout=3000
        )  # a hang, not a measure
        assert answer.returncode == 0, (command, answer.stdout[-3000:])
        if words[1] == "run":
            break
    assert f"report: results/{area}/report/index.html" in answer.stdout
    assert (folder / "results" / area / made).is_file()
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    for path in re.findall(rf"`(results/{area}/[^`{{]+\.(?:tif|gpkg|html))`", text):
        assert os.path.exists(folder / path), path
