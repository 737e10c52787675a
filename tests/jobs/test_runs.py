"""Run ownership: a second run is refused, a dead run's locks are cleared, an orphan dies before it can rename."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from slipmap.errors import SupersededError
from slipmap.io import atomic
from slipmap.jobs import disk, runs


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
from slipmap.jobs import runs
runs.join()
print("job", flush=True)
time.sleep(60)
"""
OWNER = f"""
import subprocess, sys, time
from slipmap.jobs import runs
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
    process.communicate()


def claim(folder):
    process = python(
        "from slipmap.jobs import runs\n"
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


def test_a_full_disk_is_told_though_what_was_written_aside_is_gone(tmp_path, monkeypatch):
    """GDAL says "Write failed" and no more; the file aside, whose removal makes room, is gone when a job tells why."""

    def usage(folder):
        return shutil._ntuple_diskusage(10**9, 10**9, 0 if list(tmp_path.glob(".a.*")) else 10**8)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(RuntimeError) as error, atomic.write_aside(tmp_path / "a.tif") as aside:
        aside.write_bytes(b"x")
        raise RuntimeError("Write failed")
    assert not list(tmp_path.iterdir())
    told = disk.trouble(error.value, [tmp_path / "a.tif"])
    assert told is not None and told.startswith(f"The disk that holds {tmp_path} is full")
    assert disk.trouble(RuntimeError("Write failed"), [tmp_path / "a.tif"]) is None
