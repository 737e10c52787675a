"""Interval of a cross-validated AUROC: DeLong's by brute force, and coverage where the truth is known."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from slipmap.susceptibility.interval import auc_interval, influence, standard_error

ONE = np.zeros(60, int)


def test_one_fold_of_single_pixels_is_delong_by_its_definition() -> None:
    """Structural components counted pair by pair (DeLong et al. 1988, eq. 4 to 6), ties half."""
    rng = np.random.default_rng(0)
    labels, p = np.r_[np.ones(25, int), np.zeros(35, int)], rng.integers(0, 12, 60) / 12.0
    psi = (p[:25, None] > p[None, 25:]) + 0.5 * (p[:25, None] == p[None, 25:])
    variance = psi.mean(axis=1).var(ddof=1) / 25 + psi.mean(axis=0).var(ddof=1) / 35
    found = influence(labels, p, ONE)
    assert found.auc == pytest.approx(psi.mean()) == pytest.approx(roc_auc_score(labels, p))
    assert standard_error(found.of_pixel, labels, np.arange(60)) == pytest.approx(variance**0.5)


def test_auroc_is_the_mean_over_the_folds_that_hold_both_classes() -> None:
    rng = np.random.default_rng(1)
    labels, p, fold = rng.integers(0, 2, 90), rng.random(90), np.repeat([0, 1, 2], 30)
    labels[fold == 2] = 1
    p[:3] = np.nan
    judged = [(fold == k) & np.isfinite(p) for k in (0, 1)]
    found = influence(labels, p, fold)
    assert found.auc == pytest.approx(np.mean([roc_auc_score(labels[j], p[j]) for j in judged]))
    assert not found.of_pixel[fold == 2].any() and not found.of_pixel[:3].any()


def coverage(clump: int, block: int, trials: int = 300) -> float:
    """Share of 95 % intervals that hold the true AUROC of two normal classes, pixels in clumps that share an error."""
    rng, held = np.random.default_rng(3), 0
    groups, truth = 240 // clump, norm.cdf(1 / np.sqrt(2))
    for _ in range(trials):
        labels = np.repeat(rng.permutation(np.arange(groups) % 2), clump)
        shared = np.repeat(rng.normal(size=groups), clump)
        score = labels + (shared if clump > 1 else 0) + (1e-3 if clump > 1 else 1) * rng.normal(size=len(labels))
        found = influence(labels, norm.cdf(score), np.zeros(len(labels), int))
        low, high = auc_interval([found], labels, np.arange(len(labels)) // block)
        held += low <= truth <= high
    return held / trials


def test_95_percent_of_the_intervals_hold_the_truth_of_clumped_pixels_too() -> None:
    """Without blocks a clump of six pixels counts six times, and far too few intervals hold the truth."""
    assert coverage(clump=1, block=1) == pytest.approx(0.95, abs=0.03)
    assert coverage(clump=6, block=6) == pytest.approx(0.95, abs=0.05)
    assert coverage(clump=6, block=1) < 0.7


def test_repeats_do_not_narrow_the_interval_of_the_same_pixels() -> None:
    rng = np.random.default_rng(4)
    labels = np.arange(200) % 2
    p = norm.cdf(labels + rng.normal(size=200))
    folds = [rng.permutation(np.arange(200) % 5) for _ in range(20)]
    repeats = [influence(labels, p, fold) for fold in folds]
    one, many = (np.ptp(auc_interval(r, labels, np.arange(200))) for r in (repeats[:1], repeats))
    assert many == pytest.approx(one, rel=0.1)
