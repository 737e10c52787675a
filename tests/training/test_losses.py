"""Losses against equations written out, against PyTorch's and sklearn's, and invariants of the ignore label."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from slipmap.config.training import LOSSES, TrainingSettings
from slipmap.training.losses import TERMS, SegmentationLoss, bce, landslide_logit, lovasz_hinge, tversky

RANDOM = np.random.default_rng(5)


def sample(shape=(2, 7, 9), ignored=True):
    logit = torch.from_numpy(RANDOM.normal(0, 2, shape).astype(np.float32))
    target = torch.from_numpy(RANDOM.choice([0, 0, 1, 255] if ignored else [0, 0, 1], shape).astype(np.uint8))
    return logit, target


def test_two_logits_are_cross_entropy():
    logits = torch.randn(2, 2, 5, 6)
    _, target = sample((2, 5, 6))
    expected = F.cross_entropy(logits, target.long(), ignore_index=255)
    assert torch.allclose(bce(landslide_logit(logits), target), expected, atol=1e-6)


def test_bce_weight_and_smoothing():
    logit, target = sample()
    known = target != 255
    expected = F.binary_cross_entropy_with_logits(
        logit[known], target[known].float() * 0.8 + 0.1, weight=torch.where(target[known] == 1, 3.0, 0.5)
    )
    assert torch.allclose(bce(logit, target, (0.5, 3.0), 0.2), expected, atol=1e-6)


def test_focal_written_out():
    logit, target = sample()
    p = 1 / (1 + np.exp(-logit.numpy().astype(float)))
    pt = np.where(target.numpy() == 1, p, 1 - p)[target.numpy() != 255]
    expected = np.mean(-((1 - pt) ** 2.5) * np.log(pt))
    assert float(bce(logit, target, gamma=2.5)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("alpha", "beta", "score"), [(0.5, 0.5, "f1_score"), (1, 1, "jaccard_score")])
def test_tversky_of_certain_maps_is_the_score(alpha, beta, score):
    """With probabilities of 0 and 1 the soft index is the score itself."""
    import sklearn.metrics

    found = RANDOM.integers(0, 2, (3, 8, 8))
    _, target = sample((3, 8, 8))
    known = target.numpy() != 255
    expected = 1 - getattr(sklearn.metrics, score)(target.numpy()[known], found[known])
    logit = torch.from_numpy(np.where(found, 50.0, -50.0).astype(np.float32))
    assert float(tversky(logit, target, alpha, beta, smooth=0)) == pytest.approx(expected, abs=1e-6)


def test_tversky_weights_the_errors():
    target = torch.tensor([[[1, 1, 0, 0, 0]]], dtype=torch.uint8)
    missed = torch.tensor([[[50.0, -50, -50, -50, -50]]])  # TP 1, FN 1
    assert float(tversky(missed, target, 0.3, 0.7, smooth=0)) == pytest.approx(1 - 1 / 1.7)
    false = torch.tensor([[[50.0, 50, 50, -50, -50]]])  # TP 2, FP 1
    assert float(tversky(false, target, 0.3, 0.7, smooth=0)) == pytest.approx(1 - 2 / 2.3)


def test_lovasz_is_the_jaccard_loss_at_the_corners():
    """The Lovász extension of a set function equals it on sets: margins of exactly 0 or 1 give errors of 1 or 0."""
    truth = np.array([1, 1, 0, 0], np.uint8)
    for wrong in itertools.product([0, 1], repeat=4):
        errors = np.array(wrong, float)
        logit = (1 - errors) * (2.0 * truth - 1)
        found = np.where(errors == 1, 1 - truth, truth)
        expected = 1 - np.sum(found & truth) / np.sum(found | truth)
        value = lovasz_hinge(torch.tensor(logit[None, None], dtype=torch.float32), torch.tensor(truth[None, None]))
        assert float(value) == pytest.approx(expected, abs=1e-6), wrong


def test_lovasz_is_convex_between_random_points():
    _, target = sample()
    for _ in range(20):
        a, b = sample()[0], sample()[0]
        middle = lovasz_hinge((a + b) / 2, target)
        assert middle <= (lovasz_hinge(a, target) + lovasz_hinge(b, target)) / 2 + 1e-5


def test_each_name_of_the_config_is_a_loss():
    assert sorted(TERMS) == sorted(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("classes", [1, 2])
def test_ignored_pixels_change_nothing(name, classes):
    loss = SegmentationLoss(TrainingSettings(loss={name: 1.0}), class_weights=(0.5, 2.0))
    logits = torch.randn(2, classes, 6, 6, requires_grad=True)
    _, target = sample((2, 6, 6))
    value = loss(logits, target)
    (gradient,) = torch.autograd.grad(value, logits)
    ignored = (target == 255)[:, None].expand_as(logits)
    assert torch.all(gradient[ignored] == 0)
    assert torch.any(gradient[~ignored] != 0)
    changed = torch.where(ignored, torch.randn_like(logits) * 9, logits)
    assert torch.allclose(loss(changed, target), value, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_landslide_or_without_labels(name):
    loss = SegmentationLoss(TrainingSettings(loss={name: 1.0}))
    logits = torch.randn(1, 1, 4, 4, requires_grad=True)
    for target in (torch.zeros(1, 4, 4, dtype=torch.uint8), torch.full((1, 4, 4), 255, dtype=torch.uint8)):
        value = loss(logits, target)
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_descending_the_loss_finds_the_landslide(name):
    target = torch.zeros(1, 8, 8, dtype=torch.uint8)
    target[0, 2:5, 3:6] = 1
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    loss = SegmentationLoss(TrainingSettings(loss={name: 1.0}))
    optimiser = torch.optim.Adam([logits], lr=0.3)
    for _ in range(60):
        optimiser.zero_grad()
        loss(logits, target).backward()
        optimiser.step()
    assert torch.equal(logits[0, 0] > 0, target[0] == 1)


def test_sums_are_weighted():
    logits, (_, target) = torch.randn(2, 1, 7, 9), sample()
    both = SegmentationLoss(TrainingSettings(loss={"bce": 0.5, "dice": 2.0}))
    assert torch.allclose(
        both(logits, target), 0.5 * bce(logits[:, 0], target) + 2 * tversky(logits[:, 0], target, 0.5, 0.5)
    )
