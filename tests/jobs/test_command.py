"""What Snakemake was asked for: questions leave a run alone, work does not; odd paths of Python are quoted."""

import shlex
import subprocess
import sys

import pytest

from slipmap.jobs import command


@pytest.mark.parametrize(
    "asked",
    [
        "--summary",
        "-S",
        "--detailed-summary",
        "--dag",
        "--rulegraph",
        "--filegraph",
        "--list-rules",
        "--list-target-rules",
        "--lint",
        "--report",
        "--report out.html",
        "--unlock",
        "--list-changes code",
        "--summary --configfile run.yaml --cores 2 --resources gpu=1",
        "results/demo/grid.json --rulegraph --cores 1",
    ],
)
def test_a_question_is_known_as_one(asked):
    assert command.only_asks(shlex.split(asked))


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "--cores 2 --resources gpu=1",
        "--configfile summary --cores 1",
        "report --cores 1",
        "--touch --cores 1",
        "--delete-all-output --cores 1",
        "--report-after-run --cores 1",
        "results/demo/report/index.html --cores 1",
    ],
)
def test_work_is_not_taken_for_a_question(asked):
    assert not command.only_asks(shlex.split(asked))


@pytest.mark.parametrize("folder", ["my maps", "l'aquila", "Überlingen", "plain"])
def test_a_shell_finds_the_quoted_interpreter(folder, tmp_path, monkeypatch):
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "ran $1"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    command.quote_interpreter()
    command.quote_interpreter()  # a module used twice reads the rules twice
    said = subprocess.run(f"{sys.executable} -m", shell=True, capture_output=True, text=True, check=True)
    assert said.stdout == "ran -m\n"
