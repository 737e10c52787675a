"""What Snakemake was asked for: questions leave a run alone, work does not; odd paths of Python are quoted."""

import os
import shlex
import subprocess
import sys

import pytest

from slipmap import cli
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


def test_a_closed_pipe_is_one_sentence():
    """`slipmap models | head -1` of a reader that is gone before anything was written."""
    reader, writer = os.pipe()
    os.close(reader)
    run = [sys.executable, "-m", "slipmap.cli", "models"]
    answer = subprocess.run(run, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert answer.returncode == 141
    assert answer.stderr.count("\n") == 1 and answer.stderr.startswith("slipmap: "), answer.stderr


def test_ctrl_c_is_one_sentence(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("slipmap.models.listing.table", interrupted)
    assert cli.main(["models"]) == 130
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "same command again" in said


def test_pandas_is_not_imported_to_look_at_parameters():
    """Snakemake's own question would import it; a parameter that is a table is still taken for one."""
    code = (
        "import sys; from slipmap.jobs.command import spare_pandas;"
        "from snakemake.persistence import PersistenceBase as P; spare_pandas();"
        "one = type('One', (), {'_serialize_param_builtin': P._serialize_param_builtin})();"
        "print(P._serialize_param_pandas(one, 'a'), 'pandas' in sys.modules);"
        "import pandas; print(P._serialize_param_pandas(one, pandas.Series([1])).startswith('['))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout.split() == ["'a'", "False", "True"], answer.stdout + answer.stderr[-1500:]


@pytest.mark.parametrize("ours", [True, False])
def test_a_job_that_ends_adds_no_looks_for_ready_jobs(tmp_path, ours):
    """Snakemake's own way looks more often with each job; the limit of starts holds in both."""
    (tmp_path / "Snakefile").write_text(
        "import time\n"
        "from snakemake.scheduling.job_scheduler import JobScheduler\n"
        "from slipmap.jobs.command import look_once_a_second\n"
        f"if {ours}:\n    look_once_a_second()\n"
        "finish, looks, start = JobScheduler._finish_jobs, [], time.monotonic()\n"
        "JobScheduler._finish_jobs = lambda self: looks.append(0) or finish(self)\n"
        "onsuccess:\n    print('LOOKS', len(looks), time.monotonic() - start)\n"
        'rule all:\n    input: expand("{k}", k=range(12))\n'
        'rule one:\n    output: "{k}"\n    shell: "touch {output}; sleep 0.4"\n'
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--max-jobs-per-timespan", "100/1s"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    looks, seconds = done.stdout.partition("LOOKS ")[2].split()[:2]
    assert (int(looks) <= 14 + 1.5 * float(seconds)) == ours, (looks, seconds)
