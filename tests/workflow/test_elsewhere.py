"""The workflow in other people's places: as a module of their workflow, asked while it runs, in odd folders."""

import fcntl

import pytest

from helpers.workflow_runs import REPOSITORY, SNAKEMAKE, run_and_kill, small_config, snakemake, write_config

IMPORTER = """
configfile: "run.yaml"


module slip:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from slip as slip_*


rule mine:
    default_target: True
    input:
        "results/valley/report/index.html",
"""


def test_as_a_module_the_dry_run_plans_the_report(tmp_path):
    write_config(tmp_path, small_config())
    (tmp_path / "Snakefile").write_text(IMPORTER.format(snakefile=REPOSITORY / "Snakefile"))
    answer = run_and_kill([SNAKEMAKE, "-n", "--cores", "1"], cwd=tmp_path, timeout=120)
    assert answer.returncode == 0, answer.stdout
    assert "slip_simulate" in answer.stdout and "slip_train" in answer.stdout


def test_a_prefix_that_would_also_stand_before_the_users_files_is_refused(tmp_path):
    write_config(tmp_path, small_config())
    text = IMPORTER.format(snakefile=REPOSITORY / "Snakefile")
    (tmp_path / "Snakefile").write_text(text.replace("module slip:\n", 'module slip:\n    prefix: "sub"\n'))
    answer = run_and_kill([SNAKEMAKE, "-n", "--cores", "1"], cwd=tmp_path, timeout=120)
    said = [line for line in answer.stdout.splitlines() if "slipmap: " in line]
    assert answer.returncode == 1 and len(said) == 1 and "take 'prefix:' out" in said[0], answer.stdout
    assert "Traceback" not in answer.stdout


@pytest.mark.parametrize("question", ["--summary", "--list-rules", "--rulegraph"])
def test_a_question_is_answered_while_another_run_owns_the_folder(question, tmp_path):
    write_config(tmp_path, small_config())
    state = tmp_path / ".snakemake" / "slipmap"
    state.mkdir(parents=True)
    with open(state / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert snakemake(tmp_path, question).returncode == 0
        refused = snakemake(tmp_path, "results/valley/grid.json")
    assert refused.returncode == 1 and "Another slipmap run" in refused.stdout
