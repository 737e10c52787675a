"""Run ownership: a second run is refused, a dead run's locks are cleared, an orphan dies before it can rename."""

import base64
import os
import signal
import subprocess
import sys
import time

import pytest

from slipmap import atomic, runs
from slipmap.errors import SupersededError


def python(code, folder, **variables):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
    )


JOB = """
import time
from slipmap import runs
runs.join()
print("job", flush=True)
time.sleep(60)
"""
OWNER = f"""
import subprocess, sys, time
from slipmap import runs
runs.claim(".")
job = subprocess.Popen([sys.executable, "-c", {JOB!r}])
print("claimed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    process = python(OWNER, tmp_path)
    lines = {process.stdout.readline().strip() for _ in range(2)}
    assert lines == {"claimed", "job"}
    yield process
    process.kill()


def claim(folder):
    process = python(
        "from slipmap import runs\n"
        "from slipmap.errors import InputError\n"
        "try: print(runs.claim('.'))\n"
        "except InputError as error: print(error)\n",
        folder,
    )
    return process.communicate(timeout=60)[0].strip()


def test_a_second_run_in_the_same_folder_is_refused(owner, tmp_path):
    answer = claim(tmp_path)
    assert answer.startswith("Another slipmap run") and str(owner.pid) in answer


def test_after_kill_the_next_run_waits_for_orphans_and_clears_what_they_left(owner, tmp_path):
    (tmp_path / ".snakemake/locks").mkdir()
    (tmp_path / ".snakemake/locks/0.input.lock").write_text("results/a.tif")
    (tmp_path / ".snakemake/incomplete").mkdir()
    half, whole = tmp_path / "results/half.tif", tmp_path / "results/whole.tif"
    half.parent.mkdir()
    half.write_text("half")
    whole.write_text("whole")
    marker = base64.urlsafe_b64encode(b"results/half.tif").decode()
    (tmp_path / ".snakemake/incomplete" / marker).write_text("{}")
    os.kill(owner.pid, signal.SIGKILL)
    assert claim(tmp_path) == "True"
    assert not list((tmp_path / ".snakemake/locks").iterdir())
    assert not half.exists() and whole.read_text() == "whole"
    jobs = subprocess.run(["pgrep", "-f", "runs.join()"], capture_output=True, text=True).stdout.split()
    assert not [pid for pid in jobs if os.path.realpath(f"/proc/{pid}/cwd") == str(tmp_path)]


def test_a_run_that_ended_well_leaves_nothing_to_clear(tmp_path):
    assert claim(tmp_path) == "False"
    assert claim(tmp_path) == "False"


def test_a_superseded_job_cannot_rename_into_results(tmp_path, monkeypatch):
    """A job on another node cannot see its owner die; its token is out of date, and that stops it."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "run.json").write_text('{"token": "new"}')
    monkeypatch.setenv(runs.TOKEN, "old")
    monkeypatch.setenv(runs.FOLDER, str(state))
    target = tmp_path / "velocity.tif"
    target.write_text("the new run's")
    with pytest.raises(SupersededError):
        atomic.write_text(target, "the orphan's")
    assert target.read_text() == "the new run's"
    monkeypatch.setenv(runs.TOKEN, "new")
    atomic.write_text(target, "current")
    assert target.read_text() == "current"


def test_a_job_dies_with_its_owner(owner):
    children = subprocess.run(["pgrep", "-P", str(owner.pid)], capture_output=True, text=True).stdout.split()
    assert children
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    end = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") and runs._start_time(int(pid)) for pid in children):
        assert time.monotonic() < end
        time.sleep(0.1)
