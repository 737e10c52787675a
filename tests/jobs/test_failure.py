"""A run that fails says why, in one sentence: Snakemake's own errors, a folder for results that is none, cores."""

import sys

import pytest

from helpers.workflow_runs import run_and_kill, small_config, write_config
from slipmap.errors import InputError
from slipmap.jobs import disk, launch
from slipmap.jobs.failure import sentence

NO_RULE = (
    "MissingRuleException:\nNo rule to produce results/valley/maps/unet/xx.tif (if you use input functions make sure "
    "that they don't raise unexpected exceptions)."
)
NO_FOLDER = (
    'WorkflowError in file "/somewhere/inputs.smk", line 12:\nFailed to create output directory results/valley.\n'
    "FileNotFoundError: [Errno 2] No such file or directory: 'results'\n"
    '  File "/somewhere/snakemake/io.py", line 831, in prepare'
)


def test_a_target_that_nothing_makes_is_named():
    said = sentence(NO_RULE)
    assert said.startswith("slipmap: results/valley/maps/unet/xx.tif is nothing that this config can make")
    assert "\n" not in said and "input functions" not in said


def test_any_other_error_is_one_line_with_the_log(tmp_path):
    for day in ("2026-01-02", "2026-01-01"):
        (tmp_path / ".snakemake/log").mkdir(parents=True, exist_ok=True)
        (tmp_path / f".snakemake/log/{day}.snakemake.log").touch()
    said = sentence(NO_FOLDER, tmp_path)
    assert "\n" not in said and "Failed to create output directory results/valley" in said and "io.py" not in said
    assert "No such file or directory" in said and "2026-01-02.snakemake.log" in said


def test_what_a_target_lacks_is_named():
    said = sentence(
        'MissingInputException in rule velocity_factor in file "/somewhere/factors.smk", line 9:\n'
        "Missing input files for rule velocity_factor:\n    output: results/valley/factors/velocity.tif\n"
        "    wildcards: area=valley\n    affected files:\n        results/valley/deformation/velocity.tif"
    )
    assert said.startswith(
        "slipmap: results/valley/factors/velocity.tif needs results/valley/deformation/velocity.tif, which is not there"
    )


@pytest.mark.parametrize("text", ["", "WorkflowError.", "ValueError:\n"])
def test_an_error_without_a_message_is_still_told(text, tmp_path):
    assert sentence(text, tmp_path).startswith("slipmap: the run cannot go on: ")


def test_a_job_that_failed_tells_by_itself():
    assert not sentence("WorkflowError:\nAt least one job did not complete successfully.")


def test_a_link_to_a_disk_that_is_not_there(tmp_path):
    (tmp_path / "results").symlink_to("/no/such/disk")
    with pytest.raises(InputError, match="is a link to /no/such/disk, which is not there"):
        disk.require_writable(tmp_path / "results")


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(InputError, match="is a file, and a run writes into a folder"):
        disk.require_writable(tmp_path / "results")


@pytest.mark.parametrize("cores", ["viele", "0", "-2", "1.5", ""])
def test_cores_that_are_no_number(cores, tmp_path):
    with pytest.raises(InputError, match=r"--cores .*give a whole number from 1, or all"):
        launch.snakemake_command(str(write_config(tmp_path, small_config())), cores=cores)


def test_a_run_without_a_rule_for_its_target_is_not_silent(tmp_path):
    """The whole way: `slipmap run`, Snakemake, its logger."""
    config = write_config(tmp_path, small_config())
    run = [sys.executable, "-m", "slipmap.cli", "run", config, "--target", "results/nothing.tif", "--cores", "1"]
    answer = run_and_kill(run, cwd=tmp_path, timeout=300)
    assert answer.returncode == 1
    assert "slipmap: results/nothing.tif is nothing that this config can make" in answer.stdout
