"""Which training patches are used, and what a pixel of each class weighs."""

from collections.abc import MutableMapping, Sequence
from typing import Any, Literal

import numpy as np


def choose(records: Sequence[MutableMapping[str, Any]], landslide_share: float | None, seed: int) -> None:
    """Set ``sampled`` of each patch: whether its split uses it.

    Parameters
    ----------
    records : rows of the index, with ``split`` and ``landslide_pixels``.
    landslide_share : share of training patches with landslides (0.7 is the 7:3 of FCADenseNet, Remote Sens. 2024,
        16, 992, §2.3), reached by leaving out surplus patches of the other kind at random; none: all are used.
    seed : of the draw.

    Notes
    -----
    Only training is sampled: a ratio forced on validation or test would inflate precision there.
    """
    for record in records:
        record["sampled"] = True
    if landslide_share is None:
        return
    training = [record for record in records if record["split"] == "training"]
    positive = [record for record in training if record["landslide_pixels"]]
    negative = [record for record in training if not record["landslide_pixels"]]
    ratio = landslide_share / (1 - landslide_share)
    keep_positive = min(len(positive), round(len(negative) * ratio)) if negative else len(positive)
    keep_negative = min(len(negative), round(len(positive) / ratio))
    rng = np.random.default_rng(seed)
    for group, keep in ((positive, keep_positive), (negative, keep_negative)):
        for i in rng.permutation(len(group))[keep:]:
            group[i]["sampled"] = False


def class_weights(
    landslide_pixels: int, background_pixels: int, scheme: Literal["balanced", "sqrt"]
) -> tuple[float, float]:
    """Weights of a (background, landslide) pixel, mean 1 over the training pixels.

    balanced: each class weighs the same in all (n / (2 n_class)); sqrt: the square root of that, scaled. Where there
    is one class only, both weigh 1.
    """
    counts = np.array([background_pixels, landslide_pixels], float)
    if (counts == 0).any():
        return 1.0, 1.0
    weights = counts.sum() / counts
    if scheme == "sqrt":
        weights = np.sqrt(weights)
    weights *= counts.sum() / (weights * counts).sum()
    return float(weights[0]), float(weights[1])
