"""Several steps in one series: found at their dates with their sizes; none on noise, beyond the stated share."""

from datetime import date, timedelta

import numpy as np
import pytest

from slipmap.config.motion import KinematicsSettings
from slipmap.motion import kinematics
from slipmap.motion.changepoints import changes

DATES = [date(2019, 1, 5) + timedelta(days=12 * k) for k in range(120)]
T = np.array([(day - DATES[0]).days for day in DATES]) / 365.25


@pytest.fixture(scope="module")
def model():
    return kinematics.prepare(DATES, np.empty((len(DATES), 0)), KinematicsSettings()).model(DATES)


def test_three_changes_are_found_at_their_dates_with_their_sizes(model):
    rng = np.random.default_rng(2)
    series = -10 * T + 4 * np.cos(2 * np.pi * T) + 25 * (T >= T[30]) - 30 * (T >= T[60]) - 40 * np.maximum(T - T[90], 0)
    hits = []
    for _ in range(20):
        found = changes(model, DATES, series + rng.normal(0, 2.5, len(T)))
        assert 2 <= len(found) <= 4
        hits.append(
            [any(abs((one.date - DATES[k]).days) <= near for one in found) for k, near in ((30, 0), (60, 0), (90, 80))]
        )
        steps = {one.date: one.step for one in found}
        if DATES[30] in steps and DATES[60] in steps:
            assert steps[DATES[30]] == pytest.approx(25, abs=6) and steps[DATES[60]] == pytest.approx(-30, abs=6)
    assert np.mean(hits, axis=0) == pytest.approx([1, 1, 1], abs=0.15)


def test_a_steady_series_keeps_one_part_but_for_the_stated_share(model):
    rng = np.random.default_rng(5)
    told = [bool(changes(model, DATES, -30 * T + rng.normal(0, 3, len(T)))) for _ in range(150)]
    assert np.mean(told) <= 0.03
