"""Confidence interval of a cross-validated AUROC, with pixels that are not independent of their neighbours.

The AUROC is the mean over folds. Its variance is that of the influence of each pixel (DeLong et al. 1988, Biometrics
44, 837, for one fold; LeDell et al. 2015, Electron. J. Statist. 9, 1583, for several), summed over the pixels of a
block before it is squared (Obuchowski 1997, Biometrics 53, 567), since pixels of one landslide are one piece of
evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, rankdata


@dataclass(frozen=True)
class Influence:
    """What an AUROC owes to each pixel.

    Parameters
    ----------
    auc : mean over the folds that hold both classes; NaN without such a fold.
    of_pixel : (pixels,) influence; its variance sums to that of `auc`. 0 where a pixel was not judged.
    """

    auc: float
    of_pixel: np.ndarray


def influence(labels: np.ndarray, probability: np.ndarray, fold: np.ndarray) -> Influence:
    """AUROC as the mean over folds, and the influence of each pixel on it.

    Parameters
    ----------
    labels : (pixels,) 1 landslide, 0 not.
    probability : (pixels,), NaN where the pixel was not judged.
    fold : (pixels,).
    """
    out, scores = np.zeros(len(labels)), []
    parts = [np.flatnonzero((fold == number) & np.isfinite(probability)) for number in np.unique(fold)]
    parts = [part for part in parts if len(part) and len(np.unique(labels[part])) == 2]
    for part in parts:
        slide = labels[part] == 1
        p, m, n = probability[part], int(slide.sum()), int((~slide).sum())
        rank = rankdata(p)
        # of the pixels of the other class, the share that each one is ordered right with; ties count half
        placed = np.empty(len(part))
        placed[slide] = (rank[slide] - rankdata(p[slide])) / n
        placed[~slide] = 1 - (rank[~slide] - rankdata(p[~slide])) / m
        auc = placed[slide].mean()
        scores.append(auc)
        out[part] = (placed - auc) / (np.where(slide, m, n) * len(parts))
    return Influence(float(np.mean(scores)) if scores else float("nan"), out)


def standard_error(of_pixel: np.ndarray, labels: np.ndarray, block: np.ndarray) -> float:
    """Standard error of an AUROC from the influence of pixels, those of one `block` together.

    With each pixel a block of its own and one fold this is DeLong's. NaN with fewer than two blocks of a class.
    """
    _, of = np.unique(block, return_inverse=True)
    slide = labels == 1
    a, c = (np.bincount(of[part], of_pixel[part], of.max() + 1) for part in (slide, ~slide))
    with_slide, with_other = len(np.unique(of[slide])), len(np.unique(of[~slide]))
    if min(with_slide, with_other) < 2:
        return float("nan")
    count = len(np.unique(of))
    variance = (
        (a**2).sum() * with_slide / (with_slide - 1)
        + (c**2).sum() * with_other / (with_other - 1)
        + 2 * (a * c).sum() * count / (count - 1)
    )
    return float(np.sqrt(max(variance, 0.0)))


def auc_interval(
    repeats: Sequence[Influence], labels: np.ndarray, block: np.ndarray, level: float = 0.95
) -> tuple[float, float]:
    """Limits of the mean AUROC over `repeats` of a cross-validation of the same pixels, on the logit scale.

    Repeats average out the luck of the division, not that of the pixels: they make the interval no narrower.
    """
    auc = float(np.mean([repeat.auc for repeat in repeats]))
    error = standard_error(np.mean([repeat.of_pixel for repeat in repeats], axis=0), labels, block)
    if not np.isfinite(auc) or not np.isfinite(error):
        return float("nan"), float("nan")
    if not 0 < auc < 1:
        return auc, auc
    half = norm.ppf((1 + level) / 2) * error / (auc * (1 - auc))
    return float(expit(logit(auc) - half)), float(expit(logit(auc) + half))
