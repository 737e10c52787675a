"""How ground decorrelates, three numbers at each pixel, and the covariance of its linked phases that follows.

The coherence of two dates Δt apart is taken for

    γ(Δt) = γ∞ + (γ₀ − γ∞) exp(−Δt/τ),

fitted to coherences of the window of the linking, of a sample of pairs of dates, without their bias. The phases of all
dates, linked from L looks, then have the covariance (Guarnieri & Tebaldini 2008)

    C = (2 L (|Γ|⁻¹ ∘ |Γ| − I))⁻¹,

the Cramér–Rao bound, relative to the first date. An estimated |Γ| in place of the fitted one promises too much: its
inverse follows the noise of its many small coherences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slipmap.deformation.covariance import DECAY_DAYS, FIRST, FLOOR, HIGHEST, PRIOR

OF_A_LAG = 6  # pairs of each number of dates between, at most
LAGS = 10
BAND = 64  # rows at a time: what is held of each pixel is more than its SLC pixels
LEAST_LOOKS = 2.0  # of fewer the coherence is 1 whatever they see, and the prior stands alone
LEAST_FLOOR = 0.02  # without any floor, years apart tell nothing of each other
FLOORS = np.r_[LEAST_FLOOR, np.arange(0.05, 0.96, 0.05)]
SHARES = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])  # (γ₀ − γ∞) / (1 − γ∞)
LOSS = 1.06  # scatter of linked phases over the bound, whose Γ they do not know
_NOTHING = 1e-20


def sampled_pairs(dates: int) -> list[tuple[int, int]]:
    """Some pairs of date numbers with few and with many dates between."""
    lags = np.unique(np.rint(np.geomspace(1, max(dates - 2, 1), LAGS)).astype(int))
    return [
        (int(first), int(first + lag))
        for lag in lags
        for first in np.unique(np.linspace(0, dates - 1 - lag, min(OF_A_LAG, dates - lag)).astype(int))
    ]


def fitted(
    samples: np.ndarray,
    weights: np.ndarray,
    looks: np.ndarray,
    days: np.ndarray,
    spans: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """γ∞, γ₀ and τ (days) of each pixel, float32 (3, rows, cols).

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, SLC pixels). weights : (window,), of rows and of columns.
    looks : (rows, cols), independent ones of the window. days : (dates,), of those that are no compressed SLCs.
    spans : days of the dates of which each compressed SLC is the mean; these SLCs come first in `samples`. A few dates
        alone do not tell how much coherence is left after years.
    """
    rows, half = samples.shape[1], len(weights) // 2
    result = np.empty((3, *samples.shape[1:3]), np.float32)
    for first in range(0, rows, BAND):
        last = min(first + BAND, rows)
        above, below = max(0, first - half), min(rows, last + half)
        found = _fitted_band(samples[:, above:below], weights, looks[above:below], days, spans)
        result[:, first:last] = found[:, first - above : last - above]
    return result


def _fitted_band(
    samples: np.ndarray, weights: np.ndarray, looks: np.ndarray, days: np.ndarray, spans: Sequence[np.ndarray]
) -> np.ndarray:
    """As `fitted`, at once.

    A date with the mean of others without their phases has the covariance of its mean coherence with them, as a share
    of the power of a date.
    """
    whole = [date if np.isfinite(date.sum()) else np.nan_to_num(date) for date in samples]  # no copy of most
    mean, own_dates = whole[: len(spans)], whole[len(spans) :]
    power = np.stack([_mean(np.square(np.abs(date)).sum(axis=-1), weights) for date in own_dates])
    bias = 1 / np.maximum(looks, LEAST_LOOKS).astype(np.float32)
    known = looks >= LEAST_LOOKS
    sums: dict[tuple[int, ...], list[np.ndarray]] = {}
    for i, j in sampled_pairs(len(days)):
        cross = (own_dates[i] * np.conj(own_dates[j])).sum(axis=-1)
        size = power[i] * power[j]
        square = (_mean(cross.real, weights) ** 2 + _mean(cross.imag, weights) ** 2) / np.maximum(size, _NOTHING)
        there = (known & (size > _NOTHING)).astype(np.float32)
        entry = sums.setdefault((round(float(days[j] - days[i])),), [np.zeros_like(bias), np.zeros_like(bias)])
        entry[0] += there
        entry[1] += there * (square - bias) / (1 - bias)
    usual = power.sum(axis=0) / np.maximum((power > _NOTHING).sum(axis=0), 1)
    some = np.unique(np.linspace(0, len(days) - 1, min(OF_A_LAG, len(days))).astype(int))
    for slc, span in zip(mean, spans, strict=True):
        own = _mean(np.square(np.abs(slc)).sum(axis=-1), weights)
        for i in some:
            cross = (own_dates[i] * np.conj(slc)).sum(axis=-1)
            size = power[i] * usual
            square = (_mean(cross.real, weights) ** 2 + _mean(cross.imag, weights) ** 2) / np.maximum(size, _NOTHING)
            there = (known & (size > _NOTHING) & (own > _NOTHING)).astype(np.float32)
            noise = bias * own / np.maximum(usual, _NOTHING)
            lags = tuple(round(abs(float(days[i] - day))) for day in span)
            entry = sums.setdefault(lags, [np.zeros_like(bias), np.zeros_like(bias)])
            entry[0] += there
            entry[1] += there * np.clip((square - noise) / (1 - bias), -1, 1)
    return _least(sums)


def of_fit(fit: np.ndarray) -> np.ndarray:
    """Coherence of a persistent scatterer of the goodness of fit exp(−D²), whose phase has the standard deviation D."""
    return np.asarray(1 / (1 - 2 * np.log(np.clip(fit, 1e-3, 0.9999))))


def _least(sums: dict[tuple[int, ...], list[np.ndarray]]) -> np.ndarray:
    """Least squares over the temporal baselines, with the prior of `covariance`; see `fitted`."""
    shape: tuple[int, ...] = next(iter(sums.values()))[0].shape
    known = {lags: (n, np.sqrt(np.clip(s, 0, n) * n)) for lags, (n, s) in sums.items()}
    best = np.full(shape, np.inf, np.float32)
    found = np.zeros((3, *shape), np.float32)
    for decay in DECAY_DAYS:
        n11: np.ndarray = np.full(shape, PRIOR, np.float32)
        n12: np.ndarray = np.zeros(shape, np.float32)
        n22: np.ndarray = n11.copy()
        b1, b2 = n11 * np.float32(FLOOR), n11 * np.float32(FIRST)
        for lags, (n, s) in known.items():
            e = np.float32(np.mean(np.exp(-np.array(lags) / decay)))
            o = 1 - e
            n11, n12, n22 = n11 + n * (o * o), n12 + n * (o * e), n22 + n * (e * e)
            b1, b2 = b1 + s * o, b2 + s * e
        low = np.clip((b1 * n22 - b2 * n12) / (n11 * n22 - n12 * n12), 0, HIGHEST)
        high = np.clip((b2 - n12 * low) / n22, low, HIGHEST)
        low = np.clip((b1 - n12 * high) / n11, 0, high)
        cost = low * (n11 * low + 2 * (n12 * high - b1)) + high * (n22 * high - 2 * b2)
        better = cost < best
        best = np.where(better, cost, best)
        found = np.where(better, np.stack([low, high, np.full(shape, decay, np.float32)]), found)
    return found.astype(np.float32)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sum over the window of each pixel, float32."""
    from scipy import ndimage  # here: the inversion asks this module for the covariance alone

    for axis in (0, 1):
        values = ndimage.correlate1d(values.astype(np.float32), weights, axis, mode="constant")
    return values


@dataclass(frozen=True)
class LinkedCovariance:
    """Variances of combinations of linked phases, by table.

    Parameters
    ----------
    days : (dates,). targets : (k, dates), combinations, each of which sums to 0.
    """

    days: np.ndarray
    targets: np.ndarray

    @cached_property
    def _table(self) -> np.ndarray:
        """Logarithm of the variances of one look, rad², (targets, floors, shares, decays)."""
        apart = np.abs(self.days[:, None] - self.days)
        table = np.empty((len(self.targets), len(FLOORS), len(SHARES), len(DECAY_DAYS)))
        for k, floor in enumerate(FLOORS):
            amplitude = SHARES * (1 - floor)
            gamma = floor + amplitude[:, None, None, None] * np.exp(-apart / DECAY_DAYS[:, None, None])
            gamma[..., np.arange(len(apart)), np.arange(len(apart))] = 1
            information = 2 * (gamma * np.linalg.inv(gamma) - np.eye(len(apart)))
            solved = np.linalg.solve(information[..., 1:, 1:], self.targets[:, 1:].T)
            table[:, k] = np.moveaxis(np.einsum("kn,stnk->stk", self.targets[:, 1:], solved), -1, 0)
        return np.log(np.maximum(table, 1e-12))

    def variance(self, ground: np.ndarray, looks: np.ndarray) -> np.ndarray:
        """Variance of each target at each pixel, float32 (targets, pixels), rad²; NaN where the ground is not known.

        Parameters
        ----------
        ground : (3, pixels), of `fitted`. looks : (pixels,).
        """
        there = np.isfinite(ground).all(axis=0) & (looks > 0)
        floor, first, decay = np.where(there, ground, 0.5).astype(np.float64)
        floor = np.clip(floor, FLOORS[0], FLOORS[-1])
        share = np.clip((first - floor) / (1 - floor), SHARES[0], SHARES[-1])
        at = np.abs(np.log(DECAY_DAYS)[:, None] - np.log(np.maximum(decay, 1e-3))).argmin(axis=0)
        (i, x), (j, y) = _between(FLOORS, floor), _between(SHARES, share)
        table = self._table
        near, far = (table[:, i + k, j, at] * (1 - y) + table[:, i + k, j + 1, at] * y for k in (0, 1))
        one = LOSS**2 * np.exp(near * (1 - x) + far * x)
        return np.where(there, one / np.where(there, looks, 1), np.nan).astype(np.float32)


def _between(nodes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the node before each value, and how far on the way to the next one it lies, 0 … 1."""
    before = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    return before, (values - nodes[before]) / (nodes[before + 1] - nodes[before])
