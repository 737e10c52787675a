"""Rainfall history and the margin of stability, on simulated rain with a known trigger."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from slipmap.config.susceptibility import ClassicalSettings
from slipmap.errors import InputError
from slipmap.screening.sampling import Sample
from slipmap.susceptibility import compare
from slipmap.susceptibility.classical import create
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


@pytest.fixture(scope="module")
def pixels() -> tuple[Sample, Sample]:
    """Simulated pixels, to learn from and to look at: steep ones slide where the last three days brought 60 mm."""
    samples = []
    for seed in (0, 1):
        rain, wet = simulated_rain(900, seed)
        rng = np.random.default_rng(10 + seed)
        slope, rock = rng.uniform(0, 45, 900), rng.integers(1, 4, 900)
        labels = (wet & (slope > 15)).astype(np.uint8)
        order = [7, 3, *(n for n in range(20) if n not in (7, 3))]  # columns in no order of time
        values = np.column_stack([slope, rock, rain[:, ::-1][:, order], rain[:, -3:].sum(axis=1)]).astype(np.float32)
        names = ("slope", "lithology", *(f"rain_lag_{n}" for n in order), "rainfall")
        at = np.arange(900)
        samples.append(Sample(values, labels, at // 30, at % 30, names, {"lithology": {1: "a", 2: "b", 3: "c"}}))
    return samples[0], samples[1]


def test_rainfall_history_of_pixels_reads_the_days_in_their_order(pixels: tuple[Sample, Sample]) -> None:
    known, unseen = pixels
    names = [name for name in known.names if name != "rainfall"]
    model = create("rainfall_history", names, ["lithology"], options={"epochs": 15, "kind": "conv"}).fit(known)
    assert [names[i] for i in model.days] == [f"rain_lag_{n}" for n in range(19, -1, -1)]  # the last day last
    assert roc_auc_score(unseen.labels, model.predict(unseen.columns(names))) > 0.93
    turned = [f"rain_lag_{19 - int(name[9:])}" if name.startswith("rain_lag") else name for name in names]
    assert roc_auc_score(unseen.labels, model.predict(unseen.columns(turned))) < 0.8  # the same rain, long ago


def test_stability_margin_of_pixels_only_rises_with_rain(pixels: tuple[Sample, Sample]) -> None:
    known, unseen = pixels
    names = ["slope", "lithology", "rainfall"]
    model = create("stability_margin", names, ["lithology"], options={"smoothing": [1.0]}).fit(known)
    values = unseen.columns(names)
    assert roc_auc_score(unseen.labels, model.predict(values)) > 0.93
    assert model.threshold == youden_threshold(known.labels, model.predict(known.columns(names)))
    wetter = values.copy()
    wetter[:, 2] += 20
    assert (model.predict(wetter) >= model.predict(values) - 1e-9).all()


def test_each_model_is_given_the_factors_that_it_needs() -> None:
    factors = {name: "" for name in ("slope", "rainfall", "rain_lag_1", "rain_lag_0", "rain_lag_10")}
    given = ClassicalSettings()
    history = compare.own_factors("rainfall_history", ["slope", "rain_lag_1"], factors, given)
    assert history == ["slope", "rain_lag_0", "rain_lag_1", "rain_lag_10"]
    assert compare.own_factors("stability_margin", ["slope"], factors, given) == ["slope", "rainfall"]
    assert compare.own_factors("svm", ["slope"], factors, given) == ["slope"]
    with pytest.raises(InputError, match=r"add rain_lag_0, rain_lag_1, \.\.\. to factors\.extra"):
        compare.own_factors("rainfall_history", ["slope"], {"slope": ""}, given)
    with pytest.raises(InputError, match=r"stability_margin.rain names 'rainfall', which is not a factor"):
        compare.own_factors("stability_margin", ["slope"], {"slope": ""}, given)
