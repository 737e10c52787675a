"""What averaging over neighbours hides: motion that differs within the window over which the phase was averaged.

The phase of a pixel is a mean over a window of neighbours. Where they move alike that takes noise off. At the edge of
a slide they do not: speckle decides which of them the mean stands for, on all dates the same, so that no residual in
time shows it. The error is then as large as the spread of the velocities inside the window, with the window's own
weights, less the spread that noise alone would make: neighbours' means share pixels, so that their noise differs by
`independence` of its variance.

The spread is that of the averaged velocities, since no others are known, and so a little too small.
"""

from collections.abc import Sequence

import numpy as np

from slipmap.deformation.interferogram import triangle, weighted_sum, window_weights
from slipmap.deformation.stack import Pair

NOTHING = np.ones(1, np.float32)


def weights_of(pairs: Sequence[Pair], phase_window: int, linked: tuple[int, str] | None) -> np.ndarray:
    """Weights of the average behind the phases of `pairs`, (window,) float32, of rows and of columns alike.

    Interferograms that others formed are averaged over their own pixel, as far as anybody says: `NOTHING`.

    Parameters
    ----------
    phase_window : of interferograms that we form. linked : window and kind of weights of linked phases, else None.
    """
    if linked is not None:
        return window_weights(*linked)
    return triangle(phase_window) if "reference" in pairs[0].files else NOTHING


def independence(weights: np.ndarray) -> float:
    """Expected spread of pure noise inside the window, as a share of the variance of the averaged noise.

    For independent noise of each pixel, averaged with the weights K (Σ K = 1), neighbours at a distance d have the
    correlation (K ⋆ K)(d) / Σ K²; the weighted variance inside the window is then 1 − Σ_d (K ⋆ K)²(d) / Σ K².

    Parameters
    ----------
    weights : (window,), of rows and of columns alike.
    """
    one = np.asarray(weights, np.float64) / np.sum(weights)
    shared = np.sum(np.convolve(one, one[::-1]) ** 2) / np.sum(one**2)
    return float(1 - shared**2)


def spread(velocity: np.ndarray, variance: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Variance of the velocity that its averaging over neighbours hides, (rows, cols) float64, ≥ 0.

    Parameters
    ----------
    velocity : (rows, cols), mm/yr; NaN where there is none. variance : of its noise, (mm/yr)².
    weights : (window,) of the average, of rows and of columns alike, window odd; one weight: nothing is averaged.
    """
    if len(weights) == 1:
        return np.zeros(velocity.shape)
    known = np.isfinite(velocity) & np.isfinite(variance)
    there = known.astype(np.float64)
    values, noise = (np.where(known, array, 0.0).astype(np.float64) for array in (velocity, variance))
    share = weighted_sum(there, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, square, usual = (weighted_sum(a, weights) / share for a in (values, values**2, noise))
    return np.where(known, np.maximum(square - mean**2 - independence(weights) * usual, 0), 0.0)
