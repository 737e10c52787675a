"""Configs of several areas plan as they should: an experiment learns where it says, and is scored where it has not."""

from helpers.workflow_runs import snakemake
from slipmap.check.run import check_run
from slipmap.config import read_config
from slipmap.config.products import is_tested, mapped_areas
from slipmap.factors import catalogue


def test_leaving_one_area_out_scores_each_area_once_where_it_was_not_learnt(repository):
    run = read_config(repository / "config/examples/leave_one_area_out.yaml")
    check_run(run)
    scored = {name: [area for area in run.areas if is_tested(run, name, area)] for name in run.experiments}
    assert sorted(scored.values()) == [["valley_a"], ["valley_b"], ["valley_c"]]
    for name, experiment in run.experiments.items():
        assert set(experiment.train_areas) | set(scored[name]) == set(run.areas)
        assert not set(experiment.train_areas) & set(scored[name])
        assert mapped_areas(run, name) == list(run.areas)
    assert len({tuple(experiment.factors) for experiment in run.experiments.values()}) == 1
    assert len({area.simulate.seed for area in run.areas.values()}) == 3


def test_a_model_is_carried_to_a_second_county(tmp_path, repository):
    (tmp_path / "config").mkdir()
    answer = snakemake(tmp_path, "-n", config=str(repository / "config/examples/second_county.yaml"))
    assert answer.returncode == 0, answer.stdout[-3000:]
    made = {
        path.removeprefix("results/")
        for line in answer.stdout.splitlines()
        if line.startswith("Reason: Missing output files: ")
        for path in line.removeprefix("Reason: Missing output files: ").partition(";")[0].split(", ")
    }
    trained = {path.partition("/seed_")[0] for path in made if path.endswith("weights.safetensors")}
    scored = {path.partition("/seed_")[0] for path in made if path.endswith("test_metrics.json")}
    assert trained == {"first_county/experiments/carried"}
    assert scored == {"first_county/experiments/carried", "second_county/experiments/carried"}
    assert {"first_county/report/index.html", "second_county/report/index.html"} <= made


def test_what_kinematics_adds_is_asked_of_two_experiments_that_differ_in_nothing_else(repository):
    run = read_config(repository / "config/examples/nonlinear_motion.yaml")
    check_run(run)
    plain, more = (run.experiments[name] for name in ("velocity", "velocity_kinematics"))
    added = set(more.factors) - set(plain.factors)
    assert set(plain.factors) < set(more.factors) and "velocity" in plain.factors
    assert {catalogue.get(name).family for name in added} == {"motion"}
    assert plain.training == more.training and plain.model == more.model and len(plain.training.seeds) == 3
    assert run.areas["unsteady"].simulate.nonlinear > 0.5


def test_both_rates_are_asked_of_the_demo_and_of_nothing_else(repository):
    """Three experiments that differ in the deformation rate alone, on the demo as it is."""
    run, demo = (read_config(repository / f"config/{name}.yaml") for name in ("examples/estimators", "config"))
    check_run(run)
    ours, theirs = run.areas["demo"], demo.areas["demo"]
    assert (ours.grid, ours.simulate, ours.deformation) == (theirs.grid, theirs.simulate, theirs.deformation)
    rates = {"velocity", "sbas_velocity"}
    used = [rates - set(one.exclude) for one in run.experiments.values()]
    assert used == [set(), {"velocity"}, {"sbas_velocity"}]
    first = run.experiments["no_rate"]
    assert all(one.training == first.training and one.model == first.model for one in run.experiments.values())
