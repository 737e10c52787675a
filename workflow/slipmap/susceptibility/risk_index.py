"""The Landslide Risk Index (LSI) of Zheng et al. (2025), J. Comput. Commun. 13, 80-107, equations 4 and 5.

How the paper is read, and what to know before the index is used:

- Equation 4 is printed like a fraction whose denominator repeats half of the numerator: a fault of typesetting. It
  is one weighted sum of six factors, w1 slope + w2 DEM + w3 NDVI + w4 NDWI + w5 SMI + w6 NDBI.
- The factors are scaled to 0-1 (the paper's Min Max Scaler). Here the range comes from training pixels and values
  beyond it are clipped, so that the limits below hold everywhere.
- Table 1's weights sum to 0.6 and only NDVI's is negative, so the sum lies in [-0.2, 0.8] and without rain (R = 1)
  the index in [0.450, 0.690]. It is not centred: 0.5 is no threshold, and risk classes need breaks from the data.
- P or D = 0 makes R = 0 and the index 0.5 everywhere: no rain reads as medium risk, above some of what rain gives.
  Where the weighted sum is negative (dense vegetation on low, flat ground) more rain means a smaller index.
- P0 and D0 are not given in the paper; they are required settings here.
- The index is a deterministic function of six factors and rain: as a further channel of a network it is a prior, not
  independent evidence.
- Table 2's MSE of 0.163 beside an accuracy of 0.960 cannot be a Brier score (0.163² = 0.027 would be): it looks like
  an RMSE, so both are reported.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from scipy.special import expit
from scipy.stats import spearmanr

from slipmap.config.susceptibility import Role

ROLES: tuple[Role, ...] = get_args(Role)
TABLE_1: Mapping[Role, float] = {"slope": 0.25, "dem": 0.15, "ndvi": -0.2, "ndwi": 0.2, "smi": 0.1, "ndbi": 0.1}
ALPHA, BETA = 1.2, 0.8


def rain_multiplier(
    intensity: np.ndarray | float,
    duration: np.ndarray | float,
    reference_intensity: float,
    reference_duration: float,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> np.ndarray:
    """Rain multiplication factor R = (P / P0)^α · (D / D0)^β (eq. 5).

    Parameters
    ----------
    intensity : P, mm/h, ≥ 0.
    duration : D, days, ≥ 0.
    reference_intensity, reference_duration : P0 (mm/h) and D0 (days), > 0.

    Raises
    ------
    ValueError : a negative intensity or duration, or a reference that is not positive.
    """
    if reference_intensity <= 0 or reference_duration <= 0:
        raise ValueError("P0 and D0 must be positive")
    p, d = np.asarray(intensity, np.float64), np.asarray(duration, np.float64)
    if (p < 0).any() or (d < 0).any():
        raise ValueError("rainfall intensity and duration cannot be negative")
    return (p / reference_intensity) ** alpha * (d / reference_duration) ** beta


def unit_range(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scale [low, high] to [0, 1] and clip; a range without width gives 0. NaN stays NaN."""
    width = high - low
    if width <= 0:
        return np.where(np.isfinite(values), 0.0, np.nan)
    return np.clip((np.asarray(values, np.float64) - low) / width, 0, 1)


def weighted_sum(scaled: np.ndarray, weights: Mapping[Role, float] = TABLE_1) -> np.ndarray:
    """Σ w x over the six factors, (6, …) scaled to 0-1 in the order of `ROLES`; shape (…)."""
    return np.tensordot([weights[role] for role in ROLES], np.asarray(scaled, np.float64), axes=1)


def risk_index(
    scaled: np.ndarray, weights: Mapping[Role, float] = TABLE_1, rain: np.ndarray | float = 1.0
) -> np.ndarray:
    """Landslide Risk Index σ(R Σ w x) (eq. 4), in (0, 1).

    Parameters
    ----------
    scaled : (6, …) factors scaled to 0-1 in the order of `ROLES`.
    weights : weight of each role.
    rain : R of `rain_multiplier`, broadcastable to (…); 1 is "without rainfall".
    """
    index: np.ndarray = expit(rain * weighted_sum(scaled, weights))
    return index


def spearman_weights(values: np.ndarray, labels: np.ndarray) -> dict[Role, float]:
    """Weights from the data: Spearman's ρ of each factor with the inventory, scaled so that Σ|w| = 1 as in Table 1.

    The paper starts from these and lets experts adjust them, which nobody can repeat.

    Parameters
    ----------
    values : (pixels, 6) in the order of `ROLES`.
    labels : (pixels,) 1 landslide, 0 not.
    """
    rho = np.array([spearmanr(column, labels).statistic for column in values.T])
    rho = np.nan_to_num(rho)  # a constant factor has no rank correlation and gets no weight
    total = np.abs(rho).sum()
    if total == 0:
        raise ValueError("no factor has a rank correlation with the inventory")
    return dict(zip(ROLES, (rho / total).tolist(), strict=True))


def best_threshold(index: np.ndarray, labels: Sequence[int] | np.ndarray) -> float:
    """The threshold (index ≥ it is landslide) of the highest accuracy; of several, the middle of the first run."""
    index, labels = np.asarray(index, np.float64), np.asarray(labels)
    order = np.argsort(index, kind="stable")
    ranked, hits = index[order], labels[order] == 1
    # With the threshold between k-1 and k: stable pixels below it and landslides above it are right.
    right = np.concatenate([[0], np.cumsum(~hits)]) + hits.sum() - np.concatenate([[0], np.cumsum(hits)])
    allowed = np.concatenate([[True], ranked[1:] > ranked[:-1], [True]])
    k = int(np.argmax(np.where(allowed, right, -1)))
    if k == 0:
        return float(ranked[0])
    if k == len(ranked):
        return float(np.nextafter(ranked[-1], np.inf))
    return float((ranked[k - 1] + ranked[k]) / 2)
