"""Calibration as scored on test ground: against scikit-learn on the single pixels, and where the truth is known."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss

from slipmap.training.calibration import calibration_of
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
    return folder, {"temperature": temperature(validation)}, test, 3 * true[1], truth[1]


def test_scores_after_calibration_are_those_of_scikit_learn_on_the_pixels(overconfident):
    import torch

    folder, record, histogram, logits, truth = overconfident
    found = calibrated_scores(histogram, folder, record)
    assert list(found) == ["none", "temperature", "isotonic"]
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
    for method in ("temperature", "isotonic"):
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
    assert errors["none"] < 0.01 < 0.08 < min(errors["temperature"], errors["isotonic"])


def test_isotonic_without_validation_scores_is_left_out(overconfident, tmp_path):
    _, record, histogram, _, _ = overconfident
    assert list(calibrated_scores(histogram, tmp_path, record)) == ["none", "temperature"]
