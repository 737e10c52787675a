"""Rainfall history and the margin of stability, on simulated rain with a known trigger."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from slipmap.susceptibility.rainfall_history import RainfallHistoryModel, antecedent
from slipmap.susceptibility.stability_margin import StabilityMargin, youden_threshold

torch.set_num_threads(1)  # threads on a network this small only wait for each other


def simulated_rain(events: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulated histories of 20 days; a landslide follows when the last three days together bring more than 60 mm."""
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random((events, 20)) < 0.5, rng.gamma(0.8, 28, (events, 20)), 0)
    return rain, (rain[:, -3:].sum(axis=1) > 60).astype(np.uint8)


@pytest.mark.parametrize("kind", ["gru", "conv"])
def test_history_classifier_finds_the_trigger_and_its_time(kind: str) -> None:
    rain, labels = simulated_rain(700, 0)
    unseen, truth = simulated_rain(1500, 1)
    model = RainfallHistoryModel({"kind": kind, "epochs": 15}).fit(rain, labels)
    assert roc_auc_score(truth, model.predict(unseen)) > 0.95
    backwards = unseen[:, ::-1]  # the same rain, but the storm three weeks ago
    assert roc_auc_score(truth, model.predict(backwards)) < 0.65


def test_history_classifier_is_deterministic() -> None:
    rain, labels = simulated_rain(100, 0)
    one, again = (RainfallHistoryModel({"epochs": 2}).fit(rain, labels).predict(rain) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_history_classifier_uses_what_is_known_of_the_place() -> None:
    rng = np.random.default_rng(2)
    rain, _ = simulated_rain(1000, 2)
    slope = rng.uniform(0, 45, (1000, 1))
    labels = ((rain[:, -1] > 10) & (slope[:, 0] > 20)).astype(np.uint8)
    with_slope = RainfallHistoryModel({"epochs": 25}).fit(rain[:700], labels[:700], slope[:700])
    without = RainfallHistoryModel({"epochs": 25}).fit(rain[:700], labels[:700])
    one = roc_auc_score(labels[700:], with_slope.predict(rain[700:], slope[700:]))
    assert one > 0.93 and one > roc_auc_score(labels[700:], without.predict(rain[700:])) + 0.05


def test_no_predictor_postdates_the_event() -> None:
    rain = np.arange(30.0)[:, None] + np.array([0, 100])
    np.testing.assert_array_equal(antecedent(rain, [4, 9], [0, 1], 3), [[2, 3, 4], [107, 108, 109]])
    later = rain.copy()
    later[10:] = np.nan
    np.testing.assert_array_equal(antecedent(later, [4, 9], [0, 1], 3), antecedent(rain, [4, 9], [0, 1], 3))
    with pytest.raises(ValueError, match="the 3 days up to every event"):
        antecedent(rain, [1], [0], 3)


@pytest.fixture(scope="module")
def space_time() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulated observations: log-odds 0.2 (rain − critical), critical rain 100 − 2 slope, random by catchment."""
    rng = np.random.default_rng(5)
    group = rng.integers(0, 8, 3000)
    slope, rain = rng.uniform(5, 40, 3000), rng.uniform(0, 150, 3000)
    effect = rng.normal(scale=0.5, size=8)
    labels = (rng.random(3000) < expit(0.2 * (rain - (100 - 2 * slope)) + effect[group])).astype(np.uint8)
    return np.column_stack([slope, rain]), labels, group


def test_critical_rain_is_the_one_that_was_put_in(space_time: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, labels, group = space_time
    model = StabilityMargin(["slope", "rain"], "rain", smoothing=[1.0]).fit(values, labels, group)
    model.threshold = 0.5
    places = np.column_stack([np.linspace(8, 37, 12), np.full(12, 50.0)])
    np.testing.assert_allclose(model.critical_rain(places), 100 - 2 * places[:, 0], atol=6)
    np.testing.assert_allclose(model.margin(places), model.critical_rain(places) - 50)
    at_the_edge = places.copy()
    at_the_edge[:, 1] = model.critical_rain(places)
    np.testing.assert_allclose(model.probability(at_the_edge), 0.5, atol=1e-3)
    np.testing.assert_array_equal(model.margin(places) > 0, model.probability(places) < 0.5)


def test_probability_never_falls_with_rain(space_time: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    values, labels, group = space_time
    model = StabilityMargin(["slope", "rain"], "rain", smoothing=[0.1]).fit(values[:400], labels[:400], group[:400])
    line = np.column_stack([np.full(100, 20.0), np.linspace(0, 150, 100)])
    assert (np.diff(model.probability(line)) > -1e-6).all()
    model.threshold = 0.0
    assert np.isneginf(model.critical_rain(line)).all()
    model.threshold = 1.1
    assert np.isposinf(model.critical_rain(line)).all()


def test_youden_threshold_by_hand() -> None:
    assert youden_threshold(np.array([0, 0, 1, 0, 1, 1, 1]), np.arange(1, 8) / 10) == 0.5
