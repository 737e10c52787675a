"""kill -9 of a job or of Snakemake itself, then the same command again: the same bytes, nothing half-written."""

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from workflow_runs import command, environment, small_config, snakemake, write_config

TARGETS = ["results/valley/deformation/velocity.tif", "results/valley/factors/slope.tif", "results/valley/inventory.tif"]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every raster that a run made."""
    found = {}
    for path in sorted(folder.glob("re*/**/*.tif")):
        found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Digests of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_config(folder, small_config())
    answer = snakemake(folder, *TARGETS)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return digests(folder)


def start(folder: Path) -> subprocess.Popen:
    log = (folder / "first.log").open("w")
    return subprocess.Popen(
        command(folder, *TARGETS), stdout=log, stderr=subprocess.STDOUT, env=environment(), start_new_session=True
    )


def jobs_of(process: subprocess.Popen) -> list[int]:
    """Processes that run a script of the workflow on behalf of `process`."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True).stdout.splitlines()[1:]
    rows = [(int(a), int(b), c) for a, b, c in (line.split(None, 2) for line in listing)]
    family = {process.pid}
    for _ in range(5):
        family |= {pid for pid, parent, _ in rows if parent in family}
    return [pid for pid, _, args in rows if pid in family and ".snakemake/scripts" in args and "bash" not in args]


def wait_for(condition, what: str, seconds: float = 120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.05)
    return found


def at_work(process: subprocess.Popen, folder: Path, marker: str):
    """A job of the run once `marker` (a finished file) is there: so the kill hits the middle of the run."""

    def found():
        assert process.poll() is None, (folder / "first.log").read_text()[-3000:]
        return (folder / marker).exists() and jobs_of(process)

    return wait_for(found, "job at work")


@pytest.mark.parametrize("marker", ["results/valley/grid.json", "results/valley/deformation/network.csv"])
def test_killed_snakemake(tmp_path, undisturbed, marker):
    write_config(tmp_path, small_config())
    process = start(tmp_path)
    jobs = at_work(process, tmp_path, marker)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    answer = snakemake(tmp_path, *TARGETS)  # at once: the orphans may still be alive
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert digests(tmp_path) == undisturbed
    assert not [pid for pid in jobs if os.path.exists(f"/proc/{pid}")], "orphans outlived the next run's start"
    assert not list(tmp_path.glob("re*/**/.*partial*"))


def test_killed_job(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    process = start(tmp_path)
    for pid in at_work(process, tmp_path, "results/valley/deformation/network.csv"):
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=120) != 0
    answer = snakemake(tmp_path, *TARGETS)
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert digests(tmp_path) == undisturbed


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    write_config(tmp_path, small_config())
    process = start(tmp_path)
    try:
        at_work(process, tmp_path, "results/valley/grid.json")
        answer = snakemake(tmp_path, *TARGETS)
        assert answer.returncode != 0 and "slipmap: Another slipmap run" in answer.stdout
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
