"""Scores against sklearn, scipy and scores that the papers print; shapes against drawings."""

import numpy as np
import pytest
import sklearn.metrics as sk

from slipmap.training.metrics import (
    ScoreHistogram,
    confusion,
    jsonable,
    mean_scores,
    scores,
    temperature,
)
from slipmap.training.objects import ObjectCounts, boundary_counts, boundary_f1


@pytest.fixture(scope="module")
def pixels():
    """Simulated logits of 40,000 pixels, 3 % landslide, some ignored."""
    random = np.random.default_rng(2)
    truth = (random.random((200, 200)) < 0.03).astype(np.uint8)
    logit = random.normal(-3, 1.5, truth.shape) + 3.5 * truth
    truth[random.random(truth.shape) < 0.1] = 255
    return logit.astype(np.float32), truth


def test_scores_against_sklearn(pixels):
    logit, truth = pixels
    known, found = truth != 255, logit > -1
    t, f = truth[known], found[known]
    ours = scores(confusion(truth, found))
    expected = {
        "precision": sk.precision_score(t, f),
        "recall": sk.recall_score(t, f),
        "f1": sk.f1_score(t, f),
        "dice": sk.f1_score(t, f),
        "mean_f1": sk.f1_score(t, f, average="macro"),
        "iou": sk.jaccard_score(t, f),
        "miou": sk.jaccard_score(t, f, average="macro"),
        "macro_precision": sk.precision_score(t, f, average="macro"),
        "macro_recall": sk.recall_score(t, f, average="macro"),
        "overall_accuracy": sk.accuracy_score(t, f),
        "kappa": sk.cohen_kappa_score(t, f),
    }
    expected["f1_of_macro"] = (
        2
        * expected["macro_precision"]
        * expected["macro_recall"]
        / (expected["macro_precision"] + expected["macro_recall"])
    )
    assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("precision", "recall", "f1", "miou", "kappa"),
    [
        (0.8381, 0.6972, 0.7611, 0.8062, 0.7602),  # FCADenseNet Table 3; 224 background pixels to 1 landslide pixel
        (0.6614, 0.6878, 0.6743, 0.7529, 0.6729),
    ],
)
def test_published_scores_agree_with_each_other(precision, recall, f1, miou, kappa):
    """F1, mIoU and kappa that FCADenseNet prints follow from its precision and recall at its imbalance of 224:1."""
    positives = 1e6
    tp = recall * positives
    fp = tp / precision - tp
    ours = scores([tp, fp, positives - tp, 224 * positives - fp])
    assert ours["f1"] == pytest.approx(f1, abs=2e-4)
    assert ours["miou"] == pytest.approx(miou, abs=2e-3)
    assert ours["kappa"] == pytest.approx(kappa, abs=2e-3)


def test_undefined_scores_are_nan_and_null():
    empty = scores([0, 0, 0, 10])
    assert np.isnan(empty["precision"]) and np.isnan(empty["f1"]) and np.isnan(empty["iou"])
    assert empty["overall_accuracy"] == 1
    assert jsonable(empty)["f1"] is None
    means = mean_scores([scores([1, 0, 1, 8]), empty])
    assert means["recall"] == 0.5 and means["images_counted"]["recall"] == 1
    assert means["overall_accuracy"] == pytest.approx(0.95) and means["images_counted"]["overall_accuracy"] == 2


def test_curves_against_sklearn(pixels):
    logit, truth = pixels
    known = truth != 255
    t, p = truth[known], 1 / (1 + np.exp(-logit[known].astype(float)))
    histogram = ScoreHistogram()
    histogram.add(logit[:90], truth[:90])  # in two parts: sums pool
    histogram.add(logit[90:], truth[90:])
    assert histogram.auc() == pytest.approx(sk.roc_auc_score(t, p), abs=1e-5)
    assert histogram.average_precision() == pytest.approx(sk.average_precision_score(t, p), abs=1e-3)
    assert histogram.brier() == pytest.approx(sk.brier_score_loss(t, p), abs=1e-5)
    edges = np.linspace(0, 1, 16)
    which = np.clip(np.digitize(p, edges) - 1, 0, 14)
    gaps = [abs(p[which == b].mean() - t[which == b].mean()) * (which == b).mean() for b in np.unique(which)]
    assert histogram.calibration_error() == pytest.approx(sum(gaps), abs=2e-3)
    threshold, f1 = histogram.best_threshold()
    tried = [sk.f1_score(t, p >= level) for level in np.unique(p)[::50]]
    assert f1 >= max(tried) - 1e-3
    assert sk.f1_score(t, p >= threshold) == pytest.approx(f1, abs=1e-3)


def test_ties_count_half():
    histogram = ScoreHistogram()
    histogram.add(np.zeros(6, np.float32), np.array([1, 1, 0, 0, 0, 0]))
    assert histogram.auc() == 0.5
    assert histogram.average_precision() == pytest.approx(2 / 6)


def test_threshold_lies_between_the_classes():
    histogram = ScoreHistogram()
    histogram.add(np.array([-4.0, -3, 1, 2], np.float32), np.array([0, 0, 1, 1]))
    threshold, f1 = histogram.best_threshold()
    assert f1 == 1
    assert threshold == pytest.approx(1 / (1 + np.exp(1.0)), abs=1e-3)  # the middle of -3 and 1
    assert ScoreHistogram().best_threshold()[0] == 0.5


def test_temperature_undoes_overconfidence():
    random = np.random.default_rng(0)
    logit = random.normal(0, 2, 200_000)
    truth = (random.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(np.uint8)
    histogram = ScoreHistogram()
    histogram.add((2.5 * logit).astype(np.float32), truth)
    assert temperature(histogram) == pytest.approx(2.5, rel=0.03)


def square(size, *corners):
    image = np.zeros((size, size), np.uint8)
    for top, left, bottom, right in corners:
        image[top:bottom, left:right] = 1
    return image


def test_boundary_f1():
    truth = square(40, (10, 10, 20, 20))
    same = boundary_f1(boundary_counts(truth, truth == 1))
    assert same["f1"] == 1
    moved = square(40, (12, 10, 22, 20)) == 1
    assert boundary_f1(boundary_counts(truth, moved, tolerance=2))["f1"] == 1
    assert boundary_f1(boundary_counts(truth, moved, tolerance=1))["f1"] < 1
    far = square(40, (28, 28, 38, 38)) == 1
    assert boundary_f1(boundary_counts(truth, far))["f1"] == 0
    assert np.isnan(boundary_f1(boundary_counts(truth, far & False))["f1"])
    counts = boundary_counts(truth, truth == 1)
    assert counts[1] == 36  # the rim of a 10 x 10 square
    cut = truth.copy()
    cut[:, 15:] = 255
    assert boundary_counts(cut, truth == 1)[3] == 10 + 2 * 3  # no rim where labels end (columns 14 and on)


def test_objects_by_size():
    truth = square(40, (0, 0, 2, 2), (10, 10, 20, 20), (30, 30, 34, 34))
    truth[5, 5] = truth[6, 6] = 1  # diagonal neighbours are one landslide
    found = np.zeros(truth.shape, bool)
    found[10:20, 10:15] = True  # half of the hundred pixels
    found[30:34, 30:31] = True  # a quarter of sixteen
    found[0:1, 20:25] = True  # nothing there
    objects = ObjectCounts(edges=(4, 16, 64))
    objects.add(truth, found)
    summary = objects.summary(pixel_area=100.0)
    assert summary["landslides"] == 4 and summary["detected"] == 1
    assert [row["landslides"] for row in summary["by_size"]] == [2, 1, 0, 1]
    assert [row["detected"] for row in summary["by_size"]] == [0, 0, 0, 1]
    assert summary["by_size"][3]["m2_from"] == 6500 and summary["by_size"][3]["m2_to"] is None
    assert summary["found_objects"] == 3 and summary["object_precision"] == pytest.approx(2 / 3)
