"""Faults of the machine under the whole workflow (`make test-faults`): a clear sentence, then the same results.

Minutes each, so not part of `make test`, which kills some of the rules (test_workflow_resume.py).
"""

import contextlib
import os
import re
import subprocess
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from helpers import fault_table
from helpers.workflow_kills import copy_without, digests, scripts_at_work, start, wait_for
from helpers.workflow_runs import kill_group, small_config, write_config
from helpers.workflow_runs import snakemake as run_snakemake

pytestmark = pytest.mark.faults

HOUR_S = 3600  # a run takes a minute or two on two idle cores
snakemake = partial(run_snakemake, timeout=HOUR_S)
EARLY = ["results/valley/deformation/velocity.tif", "results/valley/factors/slope.tif"]
MOUNTS = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted as root")


def fault_config() -> dict:
    """Every rule of one area and one experiment, and few jobs of each: they are run a dozen times."""
    config = small_config()
    del config["areas"]["ungauged"], config["experiments"]["rs"]
    config["areas"]["valley"]["simulate"]["dates"] = 4
    return config


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_config(folder, fault_config())
    answer = snakemake(folder)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder


@pytest.fixture(scope="module")
def undisturbed(whole_run) -> dict[str, str]:
    """Digests of the rasters of that run."""
    return digests(whole_run)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int):
    """A file system of its own at `folder`, in memory; yields a function that gives it another size."""
    mount = ["mount", "-t", "tmpfs", "-o"]
    subprocess.run([*mount, f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield lambda size: subprocess.run([*mount, f"remount,size={size}m", "tmpfs", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def finished(folder: Path) -> Counter[str]:
    """How many jobs of each rule the runs in `folder` finished, all runs together."""
    logs = (log.read_text() for log in (folder / ".snakemake/log").glob("*.log"))
    found = (re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", log, re.MULTILINE) for log in logs)
    return Counter(rule for rules in found for rule in rules)


def scripts_of(folder: Path) -> set[str]:
    """Names of the scripts that the run in `folder` ran, by the rules that it finished."""
    rules = set(finished(folder))
    others = {"coverage": "coverage_report", "simulate_without_inventory": "simulate"}
    return {others.get(rule, "optical" if rule.startswith("optical_") else rule) for rule in rules - {"all"}}


def test_killed_at_every_rule_in_turn(tmp_path, whole_run, undisturbed):
    write_config(tmp_path, fault_config())
    killed: set[str] = set()
    every = scripts_of(whole_run)
    assert {"simulate", "interferogram", "unwrap", "train", "report"} < every
    while True:
        process = start(tmp_path, [])
        struck = ""
        while process.poll() is None:
            fresh = [script for _, script in scripts_at_work(process) if script not in killed]
            if fresh:
                struck = fresh[0]
                os.kill(process.pid, 9)
                process.wait()
            time.sleep(0.05)
        if not struck:
            break
        killed.add(struck)
    assert process.returncode == 0, (tmp_path / "run.log").read_text()[-3000:]
    assert digests(tmp_path) == undisturbed
    assert killed == every
    assert finished(tmp_path) == finished(whole_run)  # no job that had finished ran again
    fault_table.record(
        f"Snakemake is killed (kill -9) at every rule in turn: {len(killed)} times",
        "nothing but the shell's prompt; the same command went on each time",
        "nothing but the jobs at work",
    )


def size_mb(*folders: Path) -> float:
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()) / 2**20


def same(folder: Path, undisturbed: dict[str, str]) -> bool:
    """Whether the rasters in `folder`, which may be a part of a run, are those of the undisturbed run."""
    found = digests(folder)
    return bool(found) and found.items() <= undisturbed.items()


@MOUNTS
@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
def test_full_disk(tmp_path, whole_run, undisturbed, late):
    """A disk with room for half of what is still to be made: by the simulator, or after the factors."""
    disk = tmp_path / "disk"
    disk.mkdir()
    area = whole_run / "results/valley"
    removed = [area / name for name in ("patches", "experiments", "maps", "report")]
    with small_disk(disk, 2000) as resize:
        if late:
            copy_without(whole_run, disk, *(folder.name for folder in removed))
            resize(round(size_mb(disk) + size_mb(*removed) / 2))
        else:
            resize(round(size_mb(whole_run / "resources", area / "deformation") / 2))
        write_config(disk, fault_config())
        targets = [] if late else EARLY
        answer = snakemake(disk, *targets)
        assert answer.returncode != 0
        seen = fault_table.sentence(answer.stdout)
        assert "is full" in seen, answer.stdout[-3000:]
        resize(2000)
        again = snakemake(disk, *targets)
        assert again.returncode == 0, again.stdout[-3000:]
        assert digests(disk) == undisturbed if late else same(disk, undisturbed)
    fault_table.record("The disk is full", seen, "nothing")


@MOUNTS
def test_results_that_cannot_be_written(tmp_path, undisturbed):
    (tmp_path / "results").mkdir()
    write_config(tmp_path, fault_config())
    with small_disk(tmp_path / "results", 10):
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "results"], check=True)
        answer = snakemake(tmp_path, *EARLY)
        assert answer.returncode != 0
        seen = fault_table.sentence(answer.stdout)
        assert "cannot be written" in seen and not (tmp_path / "resources").exists()
    again = snakemake(tmp_path, *EARLY)
    assert again.returncode == 0, again.stdout[-3000:]
    assert same(tmp_path, undisturbed)
    fault_table.record("The results folder is read-only", seen, "nothing; no work began")


def test_two_runs_in_one_folder(tmp_path, undisturbed):
    write_config(tmp_path, fault_config())
    first = start(tmp_path, EARLY)
    try:
        wait_for(lambda: scripts_at_work(first), "job")
        second = snakemake(tmp_path, *EARLY)
        assert second.returncode != 0
        seen = fault_table.sentence(second.stdout)
        assert first.wait(timeout=HOUR_S) == 0, (tmp_path / "run.log").read_text()[-3000:]
    finally:
        if first.poll() is None:
            kill_group(first)
    assert same(tmp_path, undisturbed)
    fault_table.record("Two runs are started in one folder", seen, "nothing; the first goes on")


def test_results_that_were_deleted_are_made_again(tmp_path, whole_run, undisturbed):
    copy_without(whole_run, tmp_path, "factors", "report")
    again = snakemake(tmp_path)
    assert again.returncode == 0, again.stdout[-3000:]
    assert digests(tmp_path) == undisturbed
    fault_table.record(
        "Folders of results are deleted (factors, report)",
        "their jobs, and what follows, ran again",
        "nothing",
    )
