"""Faults of the machine under the whole workflow (`make test-faults`): a clear sentence, then the same results.

Minutes each, so not part of `make test`, which kills some of the rules (test_workflow_resume.py).
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

import fault_table
from workflow_kills import digests, scripts_at_work, start, wait_for
from workflow_runs import kill_group, small_config, write_config
from workflow_runs import snakemake as run_snakemake

pytestmark = pytest.mark.faults

HOUR_S = 3600  # a run takes two minutes on two idle cores
snakemake = partial(run_snakemake, timeout=HOUR_S)
MOUNTS = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted as root")


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_config(folder, small_config())
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


def scripts_of(folder: Path) -> set[str]:
    """Names of the scripts that the run in `folder` ran, by the rules that it finished."""
    rules = set()
    for log in (folder / ".snakemake/log").glob("*.log"):
        rules |= set(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", log.read_text(), re.MULTILINE))
    others = {"coverage": "coverage_report", "simulate_without_inventory": "simulate"}
    return {others.get(rule, "optical" if rule.startswith("optical_") else rule) for rule in rules - {"all"}}


def test_killed_at_every_rule_in_turn(tmp_path, whole_run, undisturbed):
    write_config(tmp_path, small_config())
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
    fault_table.record(
        f"Snakemake is killed (kill -9) at every rule in turn: {len(killed)} times",
        "nothing but the shell's prompt; the same command went on each time",
        "nothing but the jobs at work",
    )


@MOUNTS
@pytest.mark.parametrize("share", [0.3, 0.75])
def test_full_disk(tmp_path, whole_run, undisturbed, share):
    """A disk that holds `share` of what the run needs: it is full while inputs are made, or late in the run."""
    need = sum(path.stat().st_size for path in whole_run.rglob("*") if path.is_file())
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, round(share * need / 2**20)) as resize:
        write_config(disk, small_config())
        answer = snakemake(disk)
        assert answer.returncode != 0
        seen = fault_table.sentence(answer.stdout)
        assert "is full" in seen
        resize(2000)
        again = snakemake(disk)
        assert again.returncode == 0, again.stdout[-3000:]
        assert digests(disk) == undisturbed
    fault_table.record("The disk is full", seen, "nothing")


@MOUNTS
def test_results_that_cannot_be_written(tmp_path, undisturbed):
    (tmp_path / "results").mkdir()
    write_config(tmp_path, small_config())
    with small_disk(tmp_path / "results", 10):
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "results"], check=True)
        answer = snakemake(tmp_path)
        assert answer.returncode != 0
        seen = fault_table.sentence(answer.stdout)
        assert "cannot be written" in seen and not (tmp_path / "resources").exists()
    again = snakemake(tmp_path)
    assert again.returncode == 0, again.stdout[-3000:]
    assert digests(tmp_path) == undisturbed
    fault_table.record("The results folder is read-only", seen, "nothing; no work began")


def test_two_runs_in_one_folder(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    first = start(tmp_path, [])
    try:
        wait_for(lambda: scripts_at_work(first), "job")
        second = snakemake(tmp_path)
        assert second.returncode != 0
        seen = fault_table.sentence(second.stdout)
        assert first.wait(timeout=HOUR_S) == 0, (tmp_path / "run.log").read_text()[-3000:]
    finally:
        if first.poll() is None:
            kill_group(first)
    assert digests(tmp_path) == undisturbed
    fault_table.record("Two runs are started in one folder", seen, "nothing; the first goes on")


def test_a_result_that_was_damaged_or_lost_is_made_again(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    assert snakemake(tmp_path).returncode == 0
    shutil.rmtree(tmp_path / "results/valley/factors")
    assert snakemake(tmp_path).returncode == 0
    assert digests(tmp_path) == undisturbed
    fault_table.record(
        "A folder of results is deleted", "its jobs ran again, and those that follow from them", "nothing"
    )
