"""Calibration as scored on test ground: against scikit-learn on the single pixels, and where the truth is known."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from slipmap.training.calibration import calibration_of, choose, fitted, platt
from slipmap.training.evaluate import calibrated_scores
from slipmap.training.metrics import ScoreHistogram, temperature
from slipmap.training.train import write_scores


@pytest.fixture(scope="module")
def overconfident(tmp_path_factory):
    """Weights whose logits are three times as large as they should be: validation and test pixels alike."""
    folder = tmp_path_factory.mktemp("weights")
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 1.5, (2, 200_000))
    truth = (rng.random(true.shape) < expit(true)).astype(np.uint8)
    validation, test = ScoreHistogram(), ScoreHistogram()
    validation.add(3 * true[0], truth[0])
    test.add(3 * true[1], truth[1])
    write_scores(validation, folder / "validation_scores.csv")
    return (
        folder,
        {"temperature": temperature(validation), "calibration": choose([validation])},
        test,
        3 * true[1],
        truth[1],
    )


def test_scores_after_calibration_are_those_of_scikit_learn_on_the_pixels(overconfident):
    import torch

    folder, record, histogram, logits, truth = overconfident
    found = calibrated_scores(histogram, folder, record)
    assert list(found) == ["none", "temperature", "platt", "isotonic"]
    for method, scores in found.items():
        p = calibration_of(folder, record, method)(torch.from_numpy(logits.astype(np.float32))).numpy()
        assert scores["brier"] == pytest.approx(brier_score_loss(truth, p), abs=2e-4), method
        bins = np.minimum((p * 15).astype(int), 14)
        gaps = [abs(p[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
        assert scores["expected_calibration_error"] == pytest.approx(sum(gaps), abs=2e-3), method


def test_both_calibrations_undo_overconfidence(overconfident):
    folder, record, histogram, _, _ = overconfident
    assert record["temperature"] == pytest.approx(3, rel=0.03)
    found = calibrated_scores(histogram, folder, record)
    assert found["none"]["expected_calibration_error"] > 0.08
    for method in ("temperature", "platt", "isotonic"):
        assert found[method]["expected_calibration_error"] < 0.01
        reliable = found[method]["reliability"]
        filled = reliable["pixels"] > 2000
        np.testing.assert_allclose(reliable["probability"][filled], reliable["share"][filled], atol=0.03)


def test_test_ground_is_scored_and_never_fitted(overconfident):
    """Test pixels whose logits are right as they are: what validation taught spoils them, and must be seen to do so."""
    folder, record, _, _, _ = overconfident
    rng = np.random.default_rng(5)
    logits = rng.normal(-1, 1.5, 200_000)
    honest = ScoreHistogram()
    honest.add(logits, (rng.random(logits.size) < expit(logits)).astype(np.uint8))
    found = calibrated_scores(honest, folder, record)
    errors = {method: scores["expected_calibration_error"] for method, scores in found.items()}
    assert errors["none"] < 0.01 < 0.08 < min(errors[method] for method in ("temperature", "platt", "isotonic"))


def test_isotonic_without_validation_scores_is_left_out(overconfident, tmp_path):
    _, record, histogram, _, _ = overconfident
    assert list(calibrated_scores(histogram, tmp_path, record)) == ["none", "temperature", "platt"]


def pixels_of(seed, distort, count=40_000, split=None):
    """Pixels whose true log-odds are known, with logits distorted, in parts of equal number."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-1, 1.5, count)
    truth = (rng.random(count) < expit(true)).astype(np.uint8)
    parts = []
    for part in np.array_split(np.arange(count), split or 5):
        histogram = ScoreHistogram()
        histogram.add(distort(true)[part], truth[part])
        parts.append(histogram)
    return parts


def test_platt_scaling_is_the_logistic_regression_of_scikit_learn():
    rng = np.random.default_rng(1)
    logit = rng.normal(0, 2, 20_000)
    truth = (rng.random(logit.size) < expit(0.4 * logit - 1.3)).astype(np.uint8)
    histogram = ScoreHistogram()
    histogram.add(logit, truth)
    reference = LogisticRegression(C=np.inf, tol=1e-9).fit(logit[:, None], truth)
    found = platt(histogram)
    assert 1 / found.temperature == pytest.approx(reference.coef_[0, 0], abs=1e-3)
    assert found.bias == pytest.approx(reference.intercept_[0], abs=1e-3)
    inverted = ScoreHistogram()
    inverted.add(-logit, truth)
    assert 0 < 1 / platt(inverted).temperature < 0.05  # rising all the same: the order of pixels is kept


@pytest.mark.parametrize(
    ("distort", "best"),
    [
        (lambda x: x, "none"),
        (lambda x: 3 * x, "temperature"),
        (lambda x: 3 * x + 4, "platt"),
        (lambda x: np.sign(x + 1) * np.abs(x + 1) ** 3, "isotonic"),
    ],
)
def test_validation_chooses_what_undoes_the_distortion(distort, best):
    """The simplest that does: a method with more freedom must be better on pixels that it was not fitted on."""
    chosen = choose(pixels_of(0, distort))
    assert chosen["parts"] == 5
    simpler = ("none", "temperature", "platt", "isotonic").index(best)
    for method in ("none", "temperature", "platt", "isotonic")[:simpler]:
        assert chosen["brier"][method] > chosen["brier"][best] + 1e-4
    assert chosen["brier"][chosen["chosen"]] == min(chosen["brier"].values())
    judged = sum(h.brier() for h in pixels_of(9, distort)) / 5
    after = pixels_of(9, distort, split=1)[0]
    assert chosen["brier"][best] <= judged + 2e-3
    assert after.brier() >= chosen["brier"][best] - 5e-3


def test_isotonic_regression_is_not_chosen_on_what_it_was_fitted_on():
    """Few pixels: steps fitted to chance look best there and only there."""
    parts = pixels_of(3, lambda x: x, count=60)
    within = fitted(pixels_of(3, lambda x: x, count=60, split=1)[0], "isotonic")
    assert within.knots is not None
    assert choose(parts)["brier"]["isotonic"] > choose(parts)["brier"]["none"]
    assert choose(parts[:1])["chosen"] != "isotonic" and "isotonic" not in choose(parts[:1])["brier"]
    nothing = ScoreHistogram()
    nothing.add(np.zeros(5), np.zeros(5, np.uint8))
    assert choose([nothing])["chosen"] == "none"
