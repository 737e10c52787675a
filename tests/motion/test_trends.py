"""Kinematics against simulated series of which every parameter is known, against noise, and against least squares."""

import tracemalloc
from datetime import date, timedelta

import numpy as np
import pytest

from slipmap.config.motion import KinematicsSettings
from slipmap.deformation import timeseries
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion import kinematics, trends

SETTINGS = KinematicsSettings()
DATES = [date(2021, 3, 2) + timedelta(days=18 * k) for k in range(48)]
T = np.array([(day - DATES[0]).days / 365.25 for day in DATES])
N = 2000


def noise(seed, sigma=3.0, correlation=0.0, pixels=N):
    rng = np.random.default_rng(seed)
    white = rng.normal(0, 1, (len(T), pixels))
    for k in range(1, len(T)):
        white[k] = correlation * white[k - 1] + np.sqrt(1 - correlation**2) * white[k]
    return sigma * white


@pytest.fixture(scope="module")
def models():
    return kinematics.prepare(DATES, noise(99), SETTINGS)


def coverage(values, name, truth):
    return np.mean(np.abs(values[name] - truth) <= 1.96 * values[f"{name}_std"])


def test_acceleration_and_season_lie_in_their_intervals_as_often_as_stated(models):
    turn = 2 * np.pi * (T * 365.25 + DATES[0].timetuple().tm_yday - 152) / 365.25
    series = (-20 * T + 0.5 * 14 * T**2 + 6 * np.cos(turn))[:, None] + noise(1)
    values, classes = models.fit(series)
    assert 0.92 <= coverage(values, "acceleration", 14) <= 0.97
    assert np.mean(classes == trends.QUADRATIC) > 0.8
    calm, _ = models.fit((-20 * T + 6 * np.cos(turn))[:, None] + noise(2))
    assert 0.92 <= coverage(calm, "annual_amplitude", 6) <= 0.97
    assert 0.92 <= coverage(calm, "annual_phase", 152) <= 0.97


def test_a_step_and_a_change_of_velocity_lie_in_their_intervals(models):
    values, classes = models.fit((-5 * T + 25.0 * (T >= T[20]))[:, None] + noise(3))
    assert 0.92 <= coverage(values, "step", 25) <= 0.97
    assert np.mean(classes == trends.STEPPED) > 0.85
    when = DATES[20].year + (DATES[20].timetuple().tm_yday - 1) / 365.25
    assert np.mean(np.abs(values["step_date"] - when) < 0.001) > 0.95
    bent, classes = models.fit((-5 * T - 60.0 * np.maximum(T - T[24], 0))[:, None] + noise(4))
    assert np.mean(classes == trends.BILINEAR) > 0.7
    assert np.mean(np.abs(bent["velocity_change"] + 60) < 10) > 0.9


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_noise_and_steady_motion_raise_no_more_alarms_than_stated(correlation):
    for velocity, seed in ((0.0, 5), (-30.0, 6)):
        series = velocity * T[:, None] + noise(seed, correlation=correlation, pixels=6000)
        models = kinematics.prepare(DATES, series[:, :1500], SETTINGS)
        assert models.correlation == pytest.approx(correlation, abs=0.05)
        _, classes = models.fit(series)
        alarms = np.mean(classes >= trends.QUADRATIC)
        assert 0.2 * SETTINGS.false_alarms < alarms < 1.5 * SETTINGS.false_alarms
        if velocity == 0:
            assert np.mean(classes == trends.LINEAR) < 2 * SETTINGS.false_alarms
        else:
            assert np.mean(classes == trends.LINEAR) > 0.95


def test_values_are_those_of_least_squares(models):
    series = noise(7, pixels=3) + 10 * T[:, None]
    base = np.stack([np.ones_like(T), T, np.cos(2 * np.pi * T), np.sin(2 * np.pi * T)], axis=1)
    white, _ = kinematics.Kinematics(DATES, SETTINGS, 0.0, models.limits, dict.fromkeys(models.excess, 1.0)).fit(series)
    design = np.column_stack([base, 0.5 * T**2])
    found, rest, _, _ = np.linalg.lstsq(design, series, rcond=None)
    inverse = np.linalg.inv(design.T @ design)
    np.testing.assert_allclose(white["acceleration"], found[4], rtol=1e-8)
    np.testing.assert_allclose(white["acceleration_std"], np.sqrt(rest / (len(T) - 5) * inverse[4, 4]), rtol=1e-8)
    steps = {k: np.column_stack([base, T >= T[k]]) for k in range(4, len(T) - 3)}
    solved = {k: np.linalg.lstsq(one, series, rcond=None) for k, one in steps.items()}
    for pixel in range(3):
        best = min(solved, key=lambda k: solved[k][1][pixel])
        assert white["step"][pixel] == pytest.approx(solved[best][0][4, pixel], rel=1e-8)
    np.testing.assert_allclose(white["annual_amplitude"], np.hypot(*np.linalg.lstsq(base, series, rcond=None)[0][2:]))


def test_gaps_leave_a_series_what_its_dates_say(models):
    series = (-20 * T + 7 * T**2)[:, None] + noise(8, pixels=4)
    series[5:9, 0] = series[30, 1] = series[9:, 2] = np.nan
    values, classes = models.fit(series)
    kept = np.isfinite(series[:, 0])
    days = [day for day, there in zip(DATES, kept, strict=True) if there]
    alone = kinematics.Kinematics(days, SETTINGS, models.correlation, models.limits, models.excess).fit(
        series[kept][:, :1]
    )
    assert values["acceleration"][0] == pytest.approx(alone[0]["acceleration"][0])
    assert classes[2] == 255 and np.isnan(values["acceleration"][2]), "nine dates are too few"
    assert np.isfinite(values["acceleration"][[0, 1, 3]]).all()


def test_less_than_a_year_has_no_annual_cycle():
    days = DATES[:20]
    models = kinematics.prepare(days, noise(9)[:20], SETTINGS)
    values, classes = models.fit((-20 * T[:20])[:, None] + noise(10)[:20])
    assert np.isnan(values["annual_amplitude"]).all() and np.isfinite(values["acceleration"]).all()
    assert np.mean(classes >= trends.QUADRATIC) < 0.02


def stack(folder, days, series, reliable):
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500200, 5000100))
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", grid, days, baselines=None, attributes={}, maps=maps) as file:
        file.write(series.reshape(len(days), *grid.shape).astype(np.float32), next(grid.blocks()))
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(folder / "m.tif", grid, reliable.reshape(grid.shape).astype(np.uint8), **about)
    return folder / "t.nc", folder / "m.tif", SETTINGS, folder / "k.tif", folder / "trend.tif", {}


def test_maps_hold_what_the_series_say_where_they_are_reliable(tmp_path):
    reliable, faster = np.arange(200) % 5 > 0, np.arange(200) < 40
    series = -20 * T[:, None] + np.outer(0.5 * 25 * T**2, faster) + noise(11, pixels=200)
    kinematics.run(*stack(tmp_path, DATES, series, reliable))
    found = raster.read(tmp_path / "k.tif", None, raster.band_index(tmp_path / "k.tif", "acceleration")).ravel()
    assert np.isnan(found[~reliable]).all() and np.mean(found[reliable & faster]) == pytest.approx(25, abs=2)
    assert np.mean(found[reliable & ~faster]) == pytest.approx(0, abs=2)
    classes = raster.read(tmp_path / "trend.tif", None, 1).ravel()
    assert np.isnan(classes[~reliable]).all() and np.mean(classes[reliable & faster] == trends.QUADRATIC) > 0.8
    assert np.mean(classes[reliable & ~faster] == trends.LINEAR) > 0.95
    assert raster.read_classes(tmp_path / "trend.tif") == trends.CLASSES


@pytest.mark.parametrize("dates", [5, 9])
def test_few_dates_and_nothing_reliable_leave_maps_without_values(tmp_path, dates, capsys):
    series = noise(12, pixels=200)[:dates]
    kinematics.run(*stack(tmp_path, DATES[:dates], series, np.ones(200)))
    assert np.isnan(raster.read(tmp_path / "k.tif")).all()
    assert f"the series has {dates} dates, and kinematics takes 10 at least" in capsys.readouterr().out
    kinematics.run(*stack(tmp_path, DATES, noise(12, pixels=200), np.zeros(200)))
    assert np.isnan(raster.read(tmp_path / "trend.tif", None, 1)).all()


def test_noise_that_all_pixels_share_raises_fewer_alarms_than_its_own_spread_would():
    """Half of every pixel's noise on a date is the same everywhere, as the atmosphere's over a hillside."""
    for seed in range(20, 24):
        series = noise(seed, sigma=4.0, pixels=1) + noise(seed + 100, sigma=1.5, pixels=1500)
        models = kinematics.prepare(DATES, series[:, :700], SETTINGS)
        blind = kinematics.Kinematics(
            DATES, SETTINGS, models.correlation, models.limits, dict.fromkeys(models.excess, 1.0)
        )
        alarms, more = (np.mean(one.fit(series)[1] >= trends.QUADRATIC) for one in (models, blind))
        assert alarms < 0.02 and alarms <= more


def cube(folder, series):
    """Series (dates, rows, cols) of reliable pixels of 25 m as `kinematics.run` takes them."""
    grid = Grid.from_bounds(
        "EPSG:32632", 25, (500000, 5000000, 500000 + 25 * series.shape[2], 5000000 + 25 * series.shape[1])
    )
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", grid, DATES, baselines=None, attributes={}, maps=maps) as file:
        for window in grid.blocks():
            file.write(series[(slice(None), *window.toslices())].astype(np.float32), window)
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(folder / "m.tif", grid, np.ones(grid.shape, np.uint8), **about)
    kinematics.run(folder / "t.nc", folder / "m.tif", SETTINGS, folder / "k.tif", folder / "trend.tif", {})
    return raster.read(folder / "trend.tif", None, 1)


def test_a_hillside_whose_noise_follows_a_slow_course_raises_no_more_alarms_than_stated(tmp_path):
    """As stable ground of Mexico City does near its reference, where a season left over is most of the noise."""
    rng = np.random.default_rng(31)
    series = rng.normal(0, 3, (len(T), 180, 180))
    series[:, :60, :60] = rng.normal(0, 1, (len(T), 60, 60)) + 2.5 * np.cos(2 * np.pi * T / (2 * T[-1]))[:, None, None]
    slide = np.s_[100:112, 100:112]
    series[:, *slide] += (25 * T**2)[:, None, None]
    classes = cube(tmp_path, series)
    alarms = classes >= trends.QUADRATIC
    assert alarms[:60, :60].mean() < 0.015
    assert alarms[slide].mean() > 0.9, "what accelerates is told all the same"
    alarms[slide] = alarms[:60, :60] = False
    assert 0.001 < alarms.mean() < 0.015


class Blocks:
    """A series of 16 blocks of 256 x 256 pixels, made when they are read."""

    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 510240, 5010240))

    def read(self, window):
        return np.ones((12, int(window.height), int(window.width)), np.float32)


def test_what_is_sampled_does_not_hold_the_blocks_that_it_is_taken_from(tmp_path):
    """A view of every tenth series holds all of a block: with it memory grew with the area."""
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(tmp_path / "m.tif", Blocks.grid, np.ones(Blocks.grid.shape, np.uint8), **about)
    tracemalloc.start()
    sample = kinematics.sample_series(Blocks(), tmp_path / "m.tif")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1000 <= sample.shape[1] <= 3000
    assert peak < 6 * 12 * 256 * 256 * 8, "six blocks of float64"
