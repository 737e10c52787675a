"""The site builds without a warning, its links lead somewhere, and it loads nothing from elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site") / "site"
    answer = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0 and "WARNING" not in answer.stderr, answer.stderr[-3000:]
    return place


def links(site):
    command = [sys.executable, str(REPOSITORY / "docs/tools/links.py"), str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_link_leads_somewhere(site):
    answer = links(site)
    assert answer.returncode == 0, answer.stdout


def test_the_check_of_links_sees_faults(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html">b</a><a href="#there">c</a><a id="here" href="#here">d</a><script src="https://cdn.example/x.js">'
    )
    answer = links(tmp_path)
    assert answer.returncode == 1
    assert len(answer.stdout.splitlines()) == 3
    for fault in ("b.html, which is not there", "no such anchor", "loads https://cdn.example/x.js"):
        assert fault in answer.stdout


def test_the_search_needs_no_server(site):
    """The index is a script beside the pages, and holds what a user would look for."""
    text = (site / "search/search_index.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("var __index = "))
    titles = {entry["title"] for entry in index["docs"]}
    assert {"Questions and answers", "Config reference", "Commands", "Trained weights"} <= titles
    assert (site / "assets/iframe-worker.js").is_file()


def test_pages_made_from_the_code_hold_what_the_code_says(site):
    reference = (site / "config_reference.html").read_text(encoding="utf-8")
    for key in ("reference_point", "goldstein_alpha", "false_alarms", "areas.NAME.grid", "experiments.NAME.training"):
        assert key in reference
    assert "--sentinel1-level" in (site / "commands.html").read_text(encoding="utf-8")
    assert "<math" in (site / "methods.html").read_text(encoding="utf-8")
    assert "invert_stack" in (site / "api.html").read_text(encoding="utf-8")
