"""Configs of several areas plan as they should: an experiment learns where it says, and is scored where it has not."""

import pytest

from workflow_runs import snakemake


@pytest.mark.parametrize(
    "name, trained, scored",
    [
        (
            "leave_one_area_out",
            {"valley_b/experiments/without_a", "valley_a/experiments/without_b", "valley_a/experiments/without_c"},
            {"valley_a/experiments/without_a", "valley_b/experiments/without_b", "valley_c/experiments/without_c"},
        ),
        (
            "second_county",
            {"first_county/experiments/carried"},
            {"first_county/experiments/carried", "second_county/experiments/carried"},
        ),
    ],
)
def test_examples_of_several_areas_plan(tmp_path, repository, name, trained, scored):
    (tmp_path / "config").mkdir()
    answer = snakemake(tmp_path, "-n", config=str(repository / f"config/examples/{name}.yaml"))
    assert answer.returncode == 0, answer.stdout[-3000:]
    made = {
        path.removeprefix("results/")
        for line in answer.stdout.splitlines()
        if line.startswith("Reason: Missing output files: ")
        for path in line.removeprefix("Reason: Missing output files: ").partition(";")[0].split(", ")
    }
    assert {path.partition("/seed_")[0] for path in made if path.endswith("weights.safetensors")} == trained
    assert {path.partition("/seed_")[0] for path in made if path.endswith("test_metrics.json")} == scored
    areas = {path.partition("/")[0] for path in made if path.endswith("report/index.html")}
    assert len(areas) == (3 if name == "leave_one_area_out" else 2)
