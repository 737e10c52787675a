"""Faults of the machine under the whole workflow (`make test-faults`): a clear sentence, then the same results.

Minutes each, so not part of `make test`, which kills some of the rules (test_workflow_resume.py).
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import fault_table
from workflow_kills import digests, scripts_at_work, start, wait_for
from workflow_runs import kill_group, small_config, snakemake, write_config

pytestmark = pytest.mark.faults

MOUNTS = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted as root")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, str]:
    """Digests of the rasters of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_config(folder, small_config())
    answer = snakemake(folder)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return digests(folder)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int):
    """A file system of its own at `folder`, in memory; yields a function that gives it another size."""
    mount = ["mount", "-t", "tmpfs", "-o"]
    subprocess.run([*mount, f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield lambda size: subprocess.run([*mount, f"remount,size={size}m", "tmpfs", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def sentences(output: str) -> str:
    """What slipmap itself said of the fault: the lines that a user is meant to read, without paths of the test."""
    lines = [line.strip() for line in output.splitlines()]
    said = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line.startswith("slipmap:") or before.startswith("slipmap, ")
    ]
    assert said, output[-3000:]
    return re.sub(r"/tmp/\S*?/(?=results|resources)|/tmp/\S*/", "", said[0])


def test_killed_at_every_rule_in_turn(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    killed: set[str] = set()
    end = time.monotonic() + 1500
    while time.monotonic() < end:
        process = start(tmp_path, [])
        struck = ""
        while process.poll() is None:
            fresh = [script for _, script in scripts_at_work(process) if script not in killed]
            if fresh:
                struck = fresh[0]
                os.kill(process.pid, 9)
                process.wait()
        if not struck:
            break
        killed.add(struck)
    assert process.returncode == 0, (tmp_path / "run.log").read_text()[-3000:]
    assert digests(tmp_path) == undisturbed
    rules = {
        "simulate",
        "interferogram",
        "unwrap",
        "invert_network",
        "terrain",
        "screening",
        "patches",
        "train",
        "report",
    }
    assert rules <= killed, f"never seen at work: {rules - killed}"
    fault_table.record(
        f"Snakemake killed (kill -9) at every rule in turn, {len(killed)} times",
        "nothing: the shell's prompt; the same command went on each time",
        "nothing but the job at work",
    )


@MOUNTS
def test_full_disk(tmp_path, undisturbed):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 45) as resize:
        write_config(disk, small_config())
        answer = snakemake(disk)
        assert answer.returncode != 0
        seen = sentences(answer.stdout)
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
        seen = sentences(answer.stdout)
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
        seen = sentences(second.stdout)
        assert first.wait(timeout=600) == 0, (tmp_path / "run.log").read_text()[-3000:]
    finally:
        if first.poll() is None:
            kill_group(first)
    assert digests(tmp_path) == undisturbed
    fault_table.record(
        "Two runs are started in one folder",
        re.sub(r"process \d+ on \S+\)", "process 4711 on host)", seen),
        "nothing; the first goes on",
    )


def test_a_result_that_was_damaged_or_lost_is_made_again(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    assert snakemake(tmp_path).returncode == 0
    shutil.rmtree(tmp_path / "results/valley/factors")
    assert snakemake(tmp_path).returncode == 0
    assert digests(tmp_path) == undisturbed
    fault_table.record("A folder of results is deleted", "the jobs that make it, and what follows from it", "nothing")
