"""What factors of motion add to a score: which experiments are compared, and the difference seed by seed."""

from types import SimpleNamespace

import numpy as np
import pytest

from slipmap.config.run import ExperimentSettings
from slipmap.report import scores
from slipmap.training.summary import GROUPS, over_seeds

TERRAIN = ["slope", "twi"]
KINEMATICS = ["acceleration", "annual_amplitude", "step"]


def experiment(bands, f1, **training):
    """An experiment whose seeds have these scores."""
    empty = {key: {} for key in GROUPS} | {"independence": ["blocks"], "test_distance": None}
    tests = [empty | {"pooled_over_pixels": {"f1": v}, "seed": k, "bands": bands} for k, v in enumerate(f1)]
    settings = ExperimentSettings(
        dataset="d", train_areas=["a"], test_areas=["a"], model={"name": "unet"}, training=training
    )
    return SimpleNamespace(tests=tests, settings=settings, metrics=over_seeds(tests))


def test_the_difference_is_that_of_each_seed_with_its_spread():
    """Seeds differ far more from one another than the two experiments do."""
    found = {
        "velocity": experiment(["velocity"], [0.40, 0.60, 0.50]),
        "more": experiment(["velocity", *KINEMATICS], [0.42, 0.61, 0.53]),
    }
    table = scores.side_by_side(found).set_index(["pooling", "score"])
    row = table.loc[("pooled_over_pixels", "f1")]
    apart = [0.02, 0.01, 0.03]
    assert row["difference"] == pytest.approx(np.mean(apart))
    assert row["difference_std"] == pytest.approx(np.std(apart, ddof=1))
    (shown,) = scores.shown_rows(table.reset_index(), list(found), ["difference"])
    assert shown["differences"] == ["+0.020 ± 0.010"]
    worse = scores.side_by_side(dict(reversed(found.items())) | {"more": experiment(["velocity", "step"], [0.3] * 3)})
    (shown,) = scores.shown_rows(worse, ["velocity"], ["difference"])
    assert shown["differences"] == ["−0.200 ± 0.100"]


def test_steps_of_a_ladder_are_compared_one_by_one_the_rate_first():
    ladder = {
        "kinematics": experiment([*TERRAIN, "velocity", *KINEMATICS], [0.6]),
        "rs": experiment(TERRAIN, [0.4]),
        "rs_dr": experiment([*TERRAIN, "velocity"], [0.5]),
    }
    assert scores.motion_pairs(ladder) == {("rs", "rs_dr"): ["velocity"], ("rs_dr", "kinematics"): KINEMATICS}
    assert scores.difference_columns(ladder)["rs_dr", "kinematics"] == "difference_kinematics_rs_dr"
    table = scores.side_by_side(ladder)
    assert table["difference"].iloc[0] == pytest.approx(0.1) and "difference_std" not in table
    assert table["difference_kinematics_rs_dr"].iloc[0] == pytest.approx(0.1)
    assert scores.in_words(KINEMATICS) == "the acceleration, annual amplitude and step"


@pytest.mark.parametrize(
    "other",
    [
        experiment([*TERRAIN, "velocity", "ndvi"], [0.5]),
        experiment(["velocity"], [0.5]),
        experiment([*TERRAIN, "velocity"], [0.5], epochs=3),
    ],
)
def test_experiments_that_differ_in_more_than_motion_are_no_pair(other):
    assert scores.motion_pairs({"rs": experiment(TERRAIN, [0.4]), "other": other}) == {}
