"""Landslides that do not move steadily: their true displacement, what stays the same, and what kinematics tells."""

from datetime import date, timedelta

import numpy as np
import pytest

from slipmap.config.inputs import SimulateSettings
from slipmap.config.motion import KinematicsSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion import kinematics, trends
from slipmap.simulator import area, sentinel1
from slipmap.simulator.histories import ACCELERATING, KINDS, SEASONAL, STARTING, STEADY, STEPPING, histories

DATES = [date(2021, 1, 9) + timedelta(days=24 * k) for k in range(40)]
T = np.array([(day - DATES[0]).days for day in DATES]) / 365.25
RAIN = np.random.default_rng(0).gamma(0.3, 9, 1000)


def drawn(share=0.8, count=50):
    moving = np.arange(count) % 2 == 0
    return histories(7, share, moving, DATES, RAIN), moving


def test_the_stated_share_of_movers_and_no_other_moves_unsteadily():
    told, moving = drawn()
    unsteady = told.kinds != STEADY
    assert unsteady.sum() == round(0.8 * moving.sum()) and not unsteady[~moving].any()
    assert set(told.kinds) == set(KINDS)
    assert (drawn(0.0)[0].kinds == STEADY).all()
    assert (drawn()[0].kinds == told.kinds).all()


def test_every_history_starts_at_nothing_and_ends_where_steady_motion_does():
    told, _ = drawn()
    np.testing.assert_allclose(told.years[0], 0, atol=1e-12)
    np.testing.assert_allclose(told.years[-1], T[-1])
    np.testing.assert_allclose(told.years[:, told.kinds == STEADY], T[:, None] * np.ones((1, 30)))
    assert (told.years[T < 0.4 * T[-1]][:, told.kinds == STARTING] == 0).all()


def test_a_step_comes_after_the_wettest_days():
    told, _ = drawn()
    step = np.diff(told.years[:, told.kinds == STEPPING][:, 0])
    assert (step > 0.5 * T[-1]).sum() == 1
    end = (told.step - DATES[0]).days
    assert DATES[int(step.argmax())] < told.step <= DATES[int(step.argmax()) + 1]
    spells = np.array([RAIN[day - 9 : day + 1].sum() for day in range(200, 740)])
    assert RAIN[end - 9 : end + 1].sum() == pytest.approx(spells.max())


@pytest.mark.parametrize(
    ("kind", "classes"),
    [
        (STEADY, {trends.LINEAR}),
        (ACCELERATING, {trends.QUADRATIC, trends.BILINEAR}),
        (STARTING, {trends.BILINEAR, trends.STEPPED_BILINEAR}),
        (STEPPING, {trends.STEPPED, trends.STEPPED_BILINEAR}),
        (SEASONAL, {trends.LINEAR}),
    ],
)
def test_kinematics_tells_the_kind_of_motion(kind, classes):
    told, _ = drawn()
    history = told.years[:, told.kinds == kind][:, :1]
    rng = np.random.default_rng(1)
    still = rng.normal(0, 1.5, (len(T), 2000))
    models = kinematics.prepare(DATES, still, KinematicsSettings())
    values, found = models.fit(-50 * history + rng.normal(0, 1.5, (len(T), 300)))
    assert np.isin(found, list(classes)).mean() > 0.8
    if kind == SEASONAL:
        assert np.median(values["annual_amplitude"]) == pytest.approx(0.12 * 50, rel=0.1)


def test_steady_motion_is_the_same_to_the_last_bit_with_and_without_histories():
    """The default demo stays as it is, and a landslide that moves steadily lies in the same phases."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 500400, 5000400))
    settings = SimulateSettings(dates=4)
    velocity = np.full(grid.shape, -30.0)
    given = (settings, grid, velocity, np.zeros(grid.shape), np.zeros(grid.shape))
    days = sentinel1.acquisition_dates(settings)
    steady = histories(7, 0.0, [True], days, np.ones(400))
    number = np.ones(grid.shape, int)
    for plain, told in zip(
        sentinel1.displacement(*given),
        sentinel1.displacement(*given, lambda k: steady.at(k, number)),
        strict=True,
    ):
        assert np.array_equal(plain, told)


def test_an_area_with_histories_says_what_is_true_of_them(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 501750, 5001750))
    settings = SimulateSettings(seed=3, dates=6, landslides=20, moving=0.9, nonlinear=0.8, scenes=1)
    area.run(settings, grid, tmp_path)
    velocity = raster.read(tmp_path / "truth/velocity_los.tif", bands=1)
    moved, kind = raster.read(tmp_path / "truth/displacement_los.tif"), raster.read(tmp_path / "truth/motion_kind.tif")
    days = area.simulated_dates(settings)
    span = (days[-1] - days[0]).days / 365.25
    np.testing.assert_allclose(moved[-1], velocity * span, rtol=1e-5, atol=1e-5)
    steady = np.isnan(kind[0]) | (kind[0] == STEADY)
    half = (days[3] - days[0]).days / 365.25
    np.testing.assert_allclose(moved[3][steady], (velocity * half)[steady], rtol=1e-5, atol=1e-5)
    bent = ~steady & (np.abs(velocity) > 5)
    assert bent.any() and not np.allclose(moved[3][bent], (velocity * half)[bent], atol=0.5)
    assert '"nonlinear":0.8' in (tmp_path / "SIMULATED.txt").read_text()
    area.run(settings.model_copy(update={"nonlinear": 0.0}), grid, tmp_path)
    assert not (tmp_path / "truth/displacement_los.tif").exists()
    assert "nonlinear" not in (tmp_path / "SIMULATED.txt").read_text()
