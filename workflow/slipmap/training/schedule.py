"""Optimisers, and the course of the learning rate over a run."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from slipmap.config.training import TrainingSettings


def optimiser(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return the optimiser that the settings name.

    Weight decay spares vectors (biases and the scales of normalisations) in AdamW; in the others it is the L2 term
    of the papers, on everything.
    """
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    match settings.optimiser:
        case "adamw":
            groups = [
                {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
                {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
            ]
            return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate)
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, momentum=settings.momentum, weight_decay=decay)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=rate, momentum=settings.momentum, weight_decay=decay)
    raise ValueError(f"no optimiser {settings.optimiser!r}")


def rate_factor(settings: TrainingSettings, step: int, steps: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step as a share of the highest.

    Parameters
    ----------
    settings
        ``schedule`` and ``decay``. one_cycle: from 1/25 up to 1 in the first 30 % of the run and down to 1e-4 in
        the rest, both along a half cosine (Smith & Topin 2018). cosine: half a cosine down to 0 (Loshchilov &
        Hutter 2017, one period). polynomial: (1 - step/steps)^decay. exponential: decay^epoch.
    step
        Number of the step, from 0.
    steps, steps_per_epoch
        Length of the run and of an epoch in steps.
    """
    done = min(step / max(steps, 1), 1.0)
    match settings.schedule:
        case "constant":
            return 1.0
        case "cosine":
            return _half_cosine(1.0, 0.0, done)
        case "one_cycle":
            rise = 0.3
            return (
                _half_cosine(1 / 25, 1.0, done / rise)
                if done < rise
                else _half_cosine(1.0, 1e-4, (done - rise) / (1 - rise))
            )
        case "polynomial":
            return float((1 - done) ** settings.decay)
        case "exponential":
            return float(settings.decay ** (step // max(steps_per_epoch, 1)))
    raise ValueError(f"no schedule {settings.schedule!r}")


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
