"""Kill a run of the workflow in its midst, and compare what the next run made."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from helpers.workflow_runs import command, environment


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every raster that a run made."""
    found = {}
    for path in sorted(folder.glob("re*/**/*.tif")):
        found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def copy_without(undisturbed: Path, folder: Path, *removed: str) -> Path:
    """A copy of the undisturbed run as it was before it made what is under `removed`."""
    shutil.copytree(undisturbed, folder, dirs_exist_ok=True)
    for name in removed:
        shutil.rmtree(folder / "results/valley" / name)
    return folder


def start(folder: Path, targets: list[str]) -> subprocess.Popen:
    with (folder / "run.log").open("w") as log:
        return subprocess.Popen(
            command(folder, *targets), stdout=log, stderr=subprocess.STDOUT, env=environment(), start_new_session=True
        )


def scripts_at_work(process: subprocess.Popen) -> list[tuple[int, str]]:
    """(process, rule's script) of the jobs that run on behalf of `process`."""
    listing = subprocess.check_output(["ps", "-ww", "-eo", "pid,ppid,args"], text=True).splitlines()[1:]
    rows = [(int(a), int(b), c) for a, b, c in (line.split(None, 2) for line in listing)]
    family = {process.pid}
    for _ in range(5):
        family |= {pid for pid, parent, _ in rows if parent in family}
    found = []
    for pid, _, arguments in rows:
        script = re.search(r"\.snakemake/scripts/\S*\.(\w+)\.py$", arguments)
        if pid in family and script and "bash" not in arguments:
            found.append((pid, script[1]))
    return found


def jobs_of(process: subprocess.Popen, script: str = "") -> list[int]:
    """Processes that run a script of the workflow (`script`, or any) on behalf of `process`."""
    return [pid for pid, name in scripts_at_work(process) if name == script or not script]


def wait_for(condition, what: str, seconds: float = 180):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.01)
    return found


def kill_snakemake(process: subprocess.Popen, jobs: list[int]) -> None:
    """Snakemake dies alone; its jobs are left to find out."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def kill_job(process: subprocess.Popen, jobs: list[int]) -> None:
    """The job dies; Snakemake notices and ends."""
    for pid in jobs:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=120) != 0
