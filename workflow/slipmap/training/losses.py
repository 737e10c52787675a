"""Losses for landslide segmentation, all on the one logit of "landslide", all with an ignore label.

A model with two output channels is brought to one logit by :func:`landslide_logit`: the softmax probability of
landslide is exactly the sigmoid of the difference of the two logits, so that two-class cross-entropy is binary
cross-entropy of that difference. Sums of losses are :class:`SegmentationLoss`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.codes import IGNORE, LANDSLIDE
from slipmap.config.training import TrainingSettings


def landslide_logit(logits: Tensor) -> Tensor:
    """Return the logit of landslide against background.

    Parameters
    ----------
    logits
        Shape (batch, 1, height, width), or (batch, 2, height, width) with background first.

    Returns
    -------
    Tensor
        Shape (batch, height, width), float32; its sigmoid is the probability of landslide.
    """
    logits = logits.float()
    return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]


def bce(
    logit: Tensor,
    target: Tensor,
    class_weights: tuple[float, float] = (1.0, 1.0),
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
) -> Tensor:
    """Binary cross-entropy, or with ``gamma`` > 0 the focal loss, averaged over pixels that count.

    The focal loss is -(1 - p_t)^gamma log p_t (Lin et al., ICCV 2017, eq. 4), p_t the probability given to the
    true class.

    Parameters
    ----------
    logit
        Shape (batch, height, width).
    target
        Same shape, uint8: 1 landslide, 0 background, 255 ignored.
    class_weights
        Weights of a background and of a landslide pixel. The average is over pixels, not over weights.
    label_smoothing
        The target is moved by this much towards 1/2: y (1 - s) + s/2.
    gamma
        Focusing exponent; 0 is cross-entropy.
    """
    counts, positive = _masks(target)
    soft = positive * (1 - label_smoothing) + label_smoothing / 2
    loss = F.binary_cross_entropy_with_logits(logit, soft, reduction="none")
    if gamma:
        true_logit = torch.where(positive > 0, logit, -logit)
        loss = torch.sigmoid(-true_logit) ** gamma * loss
    background, landslide = class_weights
    loss = loss * (background + (landslide - background) * positive)
    return (loss * counts).sum() / counts.sum().clamp(min=1)


def tversky(logit: Tensor, target: Tensor, alpha: float, beta: float, smooth: float = 1.0) -> Tensor:
    """One minus the soft Tversky index of the landslide class, pooled over the batch.

    TI = (TP + s) / (TP + alpha FP + beta FN + s) (Salehi et al., MLMI 2017, eq. 3), on probabilities; ignored
    pixels count nowhere. alpha = beta = 1/2 is Dice, alpha = beta = 1 is IoU (Jaccard).

    Parameters
    ----------
    logit, target
        As for :func:`bce`.
    alpha, beta
        Weights of false positives and of false negatives.
    smooth
        Added above and below, in pixels: a batch with no landslide then has a loss that still falls with the
        false positives.
    """
    counts, positive = _masks(target)
    probability = torch.sigmoid(logit) * counts
    hit = (probability * positive).sum()
    false_positive = probability.sum() - hit
    false_negative = positive.sum() - hit
    return 1 - (hit + smooth) / (hit + alpha * false_positive + beta * false_negative + smooth)


def lovasz_hinge(logit: Tensor, target: Tensor) -> Tensor:
    """Lovász hinge, the convex surrogate of one minus IoU, pooled over the batch (Berman et al., CVPR 2018, alg. 1).

    Parameters
    ----------
    logit, target
        As for :func:`bce`. Ignored pixels are sorted last with error zero, where they change nothing.
    """
    counts, positive = _masks(target)
    counts, positive, logit = counts.flatten(), positive.flatten(), logit.flatten()
    errors = 1 - logit * (2 * positive - 1)
    errors = torch.where(counts > 0, errors, torch.finfo(errors.dtype).min)
    errors, order = torch.sort(errors, descending=True)
    positive = positive[order]
    total = positive.sum()
    intersection = total - positive.cumsum(0)
    union = total + (counts[order] - positive).cumsum(0)
    jaccard = 1 - intersection / union.clamp(min=1)
    gradient = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
    return (F.relu(errors) * gradient).sum()


Term = Callable[[Tensor, Tensor, TrainingSettings, tuple[float, float]], Tensor]


def _cross_entropy(logit: Tensor, target: Tensor, chosen: TrainingSettings, weights: tuple[float, float]) -> Tensor:
    return bce(logit, target, weights, chosen.label_smoothing)


# name in the settings (`slipmap.config.training.LOSSES`) → loss of logit, target, settings and class weights
TERMS: Mapping[str, Term] = {
    "bce": _cross_entropy,
    "cross_entropy": _cross_entropy,
    "focal": lambda logit, target, chosen, weights: bce(logit, target, weights, gamma=chosen.focal_gamma),
    "dice": lambda logit, target, *_: tversky(logit, target, 0.5, 0.5),
    "iou": lambda logit, target, *_: tversky(logit, target, 1.0, 1.0),
    "tversky": lambda logit, target, chosen, _: tversky(logit, target, chosen.tversky_alpha, chosen.tversky_beta),
    "lovasz": lambda logit, target, *_: lovasz_hinge(logit, target),
}


class SegmentationLoss(nn.Module):
    """The weighted sum of losses that the settings name.

    Parameters
    ----------
    settings
        The recipe: ``loss`` and the options of its terms.
    class_weights
        Weights of a background and of a landslide pixel in the pixel losses (bce, cross_entropy, focal).
    """

    def __init__(self, settings: TrainingSettings, class_weights: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.settings = settings
        self.class_weights = class_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (batch, 1 or 2, height, width) against a uint8 target (batch, height, width)."""
        logit = landslide_logit(logits)
        terms = (weight * self.term(name, logit, target) for name, weight in self.settings.loss.items())
        return reduce(torch.add, terms)

    def term(self, name: str, logit: Tensor, target: Tensor) -> Tensor:
        """Return one loss, by its name in the settings."""
        return TERMS[name](logit, target, self.settings, self.class_weights)


def _masks(target: Tensor) -> tuple[Tensor, Tensor]:
    """Return which pixels count and which are landslide, both as float32 zeros and ones."""
    return (target != IGNORE).float(), (target == LANDSLIDE).float()
