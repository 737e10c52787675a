"""Standard deviation of what a network of interferograms tells, from the full covariance of its phases.

Interferograms that share an acquisition share its noise. For multilooked phases with coherences γ and L independent
looks (Samiei-Esfahany et al. 2016; Guarnieri & Tebaldini 2008)

    Cov(φ_ij, φ_kl) = (γ_ik γ_jl − γ_il γ_jk) / (2L γ_ij γ_kl),   γ_ii = 1.

An estimate that is linear in the phases, Σ c_ij φ_ij, then has the variance ½ tr(Kᵀ Γ K Γ), where the antisymmetric K
holds c_ij σ_ij / √(1 − γ_ij²) and σ_ij is the standard deviation of the phase: at high coherence by the formula, and
below by the exact density of the phase (`phase.variance_table`).

Dates that form no pair have a coherence too, which nobody measured. At each pixel a model of the time Δt between two
dates is fitted to the coherences that there are, and stands for all of them:

    γ(Δt) = γ∞ + (γ₀ − γ∞) exp(−Δt/τ)

(Rocca 2007 with a long-term floor; Parizzi et al. 2009). Its Γ is positive definite, so that no variance is negative.
Networks of one or two temporal baselines leave it undetermined: a weak prior, `FLOOR` and `FIRST`, then decides.

The coherence of a pair itself is the mean of its square by the estimate and by the model: an estimate from few samples
alone would make the variances of incoherent pairs, which it enters by its inverse, a lottery.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from slipmap.arrays import Doubles, Floats, Integers
from slipmap.deformation.lanes import (
    LANES,
    Lanes32,
    Lanes64,
    equal,
    greater,
    load,
    lookup,
    narrow,
    root,
    select,
    splat32,
    splat64,
    store,
    widen,
)

FLOOR, FIRST = 0.1, 0.9  # prior means of γ∞ and γ₀
PRIOR = 0.1  # pairs that the prior of each counts as: the square of a coherence's error (0.08) over the prior's (0.25)
DECAY_DAYS = np.geomspace(6, 400, 13)  # that are tried for τ
HIGHEST = 0.999  # coherence; a phase has some noise always

Arrays = tuple[Integers, Floats, Floats, Floats, np.float32]  # of `Decorrelation.arrays`


@dataclass(frozen=True)
class Decorrelation:
    """What the covariance needs to know of a network beside its weights; the arrays are those of `arrays`.

    Parameters
    ----------
    days : (N,) days since the first date. numbers : (M, 2), pairs in the kernel's order.
    deviation : (K,) standard deviation of the phase (rad) at coherence 0 … 1.
    samples : independent samples behind each estimate of the coherence, whose mean square is too large by about
        1/samples where there is none (Touzi et al. 1999); infinite: the coherences are true ones.
    """

    days: np.ndarray
    numbers: np.ndarray
    deviation: np.ndarray
    samples: float = np.inf

    def arrays(self) -> Arrays:
        """Return what the compiled code takes of the model.

        (M,) number of each pair's temporal baseline; deviation; exp(−Δt/τ) of each τ and temporal baseline, and of each
        τ and step between neighbouring dates (0 before the first), both flat; the bias, 1/samples.
        """
        days = np.asarray(self.days, np.float64)
        baselines, place = np.unique(np.round(days[self.numbers[:, 1]] - days[self.numbers[:, 0]]), return_inverse=True)
        steps = np.r_[np.inf, np.diff(days)]
        decays, on = (np.exp(-x / DECAY_DAYS[:, None]).ravel().astype(np.float32) for x in (baselines, steps))
        bias = np.float32(min(1 / self.samples, 0.5))
        return place.astype(np.int64), self.deviation.astype(np.float32), decays, on, bias

    @staticmethod
    def none() -> Arrays:
        """What says that the coherences are not known."""
        nothing = np.zeros(0, np.float32)
        return np.zeros(0, np.int64), np.zeros(1, np.float32), nothing, nothing, np.float32(0)


@njit(inline="always")
def _within(value: Lanes32, low: Lanes32, high: Lanes32) -> Lanes32:
    value = select(greater(value, low), value, low)
    return select(greater(high, value), value, high)


@njit()
def fit_decay(
    quality: Floats,
    places: Integers,
    at: int,
    weights: Floats,
    lag_of: Integers,
    decays: Floats,
    bias: np.float32,
    sums: Floats,
) -> tuple[Lanes32, Lanes32, Lanes32]:
    """γ∞, γ₀ and number of τ (all float32 lanes) by least squares with the prior.

    `sums` : (2 · baselines · LANES,) scratch.
    """
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    lags = sums.size // (2 * LANES)
    sums[:] = 0
    for k in range(places.size):
        g = load(quality, places[k] + at)
        there = greater(load(weights, k * LANES), zero)
        at_lag = lag_of[k] * 2 * LANES
        store(sums, at_lag, load(sums, at_lag) + select(there, one, zero))
        g = _within(select(equal(g, g), g, zero), zero, one)
        store(sums, at_lag + LANES, load(sums, at_lag + LANES) + select(there, g * g, zero))
    for lag in range(lags):  # from squares of estimates to the sum of coherences without their bias
        n, s = load(sums, lag * 2 * LANES), load(sums, lag * 2 * LANES + LANES)
        square = _within((s - n * splat32(bias)) * splat32(np.float32(1) / (np.float32(1) - bias)), zero, n)
        store(sums, lag * 2 * LANES + LANES, root(square * n))
    prior = splat32(np.float32(PRIOR))
    ceiling = splat32(np.float32(HIGHEST))
    best, floor, first, place = splat32(np.float32(1e30)), zero, zero, zero
    for q in range(decays.size // lags):
        n11, n12, n22 = prior, zero, prior
        b1, b2 = splat32(np.float32(PRIOR * FLOOR)), splat32(np.float32(PRIOR * FIRST))
        for lag in range(lags):
            e = splat32(decays[q * lags + lag])
            o = one - e
            n, s = load(sums, lag * 2 * LANES), load(sums, lag * 2 * LANES + LANES)
            n11, n12, n22 = n11 + n * o * o, n12 + n * o * e, n22 + n * e * e
            b1, b2 = b1 + s * o, b2 + s * e
        low = _within((b1 * n22 - b2 * n12) / (n11 * n22 - n12 * n12), zero, ceiling)
        high = _within((b2 - n12 * low) / n22, low, ceiling)
        low = _within((b1 - n12 * high) / n11, zero, high)
        two = splat32(np.float32(2))
        cost = low * (n11 * low + two * (n12 * high - b1)) + high * (n22 * high - two * b2)
        better = greater(best, cost)
        best, floor, first = select(better, cost, best), select(better, low, floor), select(better, high, first)
        place = select(better, splat32(np.float32(q)), place)
    return floor, first, place


@njit()
def full_variance(
    quality: Floats,
    places: Integers,
    begin: Integers,
    second: Integers,
    at: int,
    reach: int,
    y: Doubles,
    weights: Floats,
    lag_of: Integers,
    deviation: Floats,
    decays: Floats,
    steps: Floats,
    bias: np.float32,
    shape: tuple[Lanes32, Lanes32, Lanes32],
    dense: Floats,
    row: Floats,
) -> Lanes64:
    """½ tr(Kᵀ Γ K Γ) of the estimate Σ w_ij (y_j − y_i) φ_ij, float64 lanes, rad².

    Parameters
    ----------
    y : (N · LANES,) float64, y[0] = 0. shape : of `fit_decay`. dense, row : scratch, N² and N (2 reach + 1) + N lanes
        of float32.
    """
    floor, first, place = shape
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    dates, width = begin.size - 1, 2 * reach + 1
    amplitude, nugget = first - floor, one - first
    lags = splat32(np.float32(decays.size // (steps.size // dates)))
    row[:] = 0
    # The band of K, and the sum of each of its rows behind it.
    total_at = dates * width
    for i in range(dates):
        for k in range(begin[i], begin[i + 1]):
            j = second[k]
            e = lookup(decays, place * lags + splat32(np.float32(lag_of[k])))
            modelled = _within(floor + amplitude * e, zero, splat32(np.float32(HIGHEST)))
            g = load(quality, places[k] + at)
            g = _within(select(equal(g, g), g, zero), zero, one)
            g = (g * g - splat32(bias)) * splat32(np.float32(1) / (np.float32(1) - bias)) + modelled * modelled
            g = root(_within(g * splat32(np.float32(0.5)), zero, one))
            sigma = lookup(deviation, g * splat32(np.float32(deviation.size - 1)) + splat32(np.float32(0.5)))
            c = load(weights, k * LANES) * narrow(load(y, j * LANES) - load(y, i * LANES))
            c = c * sigma / root(one - modelled * modelled)
            store(row, (i * width + j - i + reach) * LANES, c)
            store(row, (j * width + i - j + reach) * LANES, zero - c)
            store(row, (total_at + i) * LANES, load(row, (total_at + i) * LANES) + c)
            store(row, (total_at + j) * LANES, load(row, (total_at + j) * LANES) - c)
    many = splat32(np.float32(dates))
    for j in range(dates):  # of each step, its decay: once for all rows
        store(dense, (dates * dates + j) * LANES, lookup(steps, place * many + splat32(np.float32(j))))
    total = splat64(0.0)
    for i in range(dates):
        # Row i of K E, E = exp(−Δt/τ): what lies behind each date and what lies before it, by recursion.
        behind = zero
        for j in range(min(dates - 1, i + reach), -1, -1):
            store(dense, (i * dates + j) * LANES, behind)
            if abs(j - i) <= reach:
                behind = behind + load(row, (i * width + j - i + reach) * LANES)
            behind = behind * load(dense, (dates * dates + j) * LANES)
        for j in range(min(dates, i + reach + 1), dates):
            store(dense, (i * dates + j) * LANES, zero)
        before = zero
        offset = floor * load(row, (total_at + i) * LANES)
        part = zero
        for j in range(dates):
            before = before * load(dense, (dates * dates + j) * LANES)
            own = zero
            if abs(j - i) <= reach:
                own = load(row, (i * width + j - i + reach) * LANES)
                before = before + own
            q = amplitude * (before + load(dense, (i * dates + j) * LANES)) + nugget * own + offset
            store(dense, (i * dates + j) * LANES, q)
            if j < i:
                part = part + q * load(dense, (j * dates + i) * LANES)
            if j == i:
                part = part + splat32(np.float32(0.5)) * q * q
        total = total - widen(part)
    return total
