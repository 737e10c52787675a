"""The run of the small config that several files of tests look at: made once, whatever the number of workers."""

import fcntl
import os
from pathlib import Path

import pytest

from helpers.workflow_runs import small_config, snakemake, write_config


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """The folder of a whole run of `small_config`: to be copied, not changed."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "finished_run"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run, ended = folder / "run", folder / "ended"
        if not ended.exists():
            run.mkdir()
            write_config(run, small_config())
            answer = snakemake(run)
            ended.write_text("" if answer.returncode == 0 else answer.stdout[-6000:] or "no output")
    assert not ended.read_text(), ended.read_text()
    return run
