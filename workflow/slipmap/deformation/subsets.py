"""Pixels whose network has gaps: how far its pairs check each other, and subsets joined by the model of motion.

Where a pixel's network falls apart, each subset has a zero of its own. The offsets between them are those with which
the series fits the model of time best (NSBAS: López-Quiroz et al. 2009; Doin et al. 2011): the velocity is that of the
subsets together, not pulled towards zero. A date that no pair saw is NaN. What is taken from each date afterwards
(ramps, delays) must not stay in those offsets, so that they are found again then: `join`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slipmap.arrays import Doubles, Floats, Integers
from slipmap.deformation.covariance import Arrays, fit_decay, full_variance
from slipmap.deformation.lanes import LANES, store
from slipmap.deformation.stack import END

SMALLEST = 1e-10  # pivot, of a matrix with ones on its diagonal, below which a column is one of the others again


@njit()
def _weight(phase: Floats, quality: Floats, place: int, zero_is_gap: bool, table: Floats) -> np.float32:
    """Weight of one phase, as the kernel has it; 0 in gaps."""
    p: np.float32 = phase[place]
    q: np.float32 = quality[place]
    if not (p == p and q == q) or (zero_is_gap and p == 0):
        return np.float32(0)
    if table.size > 1:
        q = table[int(min(max(q, np.float32(0)), np.float32(1)) * np.float32(table.size - 1) + np.float32(0.5))]
    return q


@njit()
def _solve(matrix: Doubles, right: Doubles) -> bool:
    """x of a symmetric positive definite matrix, in place; False where it is singular."""
    n = len(right)
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i > j:
                matrix[i, j] = total / matrix[j, j]
            elif total <= SMALLEST:
                return False
            else:
                matrix[i, i] = np.sqrt(total)
    for i in range(n):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
        right[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            right[i] -= matrix[k, i] * right[k]
        right[i] /= matrix[i, i]
    return True


@njit()
def _labels(begin: Integers, second: Integers, weights: Floats, label: Integers) -> None:
    """Number each date's subset by its first date, in `label`; −1: no pair saw the date."""
    dates = label.size
    for i in range(dates):
        label[i] = i
    for i in range(dates):
        for k in range(begin[i], begin[i + 1]):
            if weights[k] > 0:
                a, b = i, second[k]
                while label[a] != a:
                    a = label[a]
                while label[b] != b:
                    b = label[b]
                label[max(a, b)] = min(a, b)
    size = np.zeros(dates, np.int64)
    for i in range(dates):
        a = i
        while label[a] != a:
            a = label[a]
        label[i] = a
        size[a] += 1
    for i in range(dates):
        if size[label[i]] == 1:
            label[i] = -1


@njit()
def _hinge(begin: Integers, second: Integers, weights: Floats, label: Integers) -> bool:
    """Whether one pair alone holds the series together at some time (but for `END` dates at its ends)."""
    dates = label.size
    crossing = np.zeros(dates + 1, np.int64)
    seen = 0
    for i in range(dates):
        seen += label[i] >= 0
        for k in range(begin[i], begin[i + 1]):
            if weights[k] > 0:
                crossing[i] += 1
                crossing[second[k]] -= 1
    across, before = 0, 0
    for i in range(dates - 1):
        across += crossing[i]
        before += label[i] >= 0
        if across == 1 and before >= END and seen - before >= END:
            return True
    return False


@njit()
def _join(series: Doubles, label: Integers, design: Doubles, row: int, row_of: Doubles) -> bool:
    """Offsets of the subsets so that the series fits the model; the velocity's row of the joint fit, in `row_of`.

    Returns whether the model and the offsets can be told apart.
    """
    dates, terms = design.shape
    subsets, number = 0, np.full(dates, -1, np.int64)
    for i in range(dates):
        if label[i] == i:
            number[i] = subsets
            subsets += 1
    n = terms + subsets - 1
    full, scale = np.zeros((dates, n)), np.ones(n)
    for i in range(dates):
        if label[i] >= 0:
            full[i, :terms] = design[i]
            if number[label[i]] > 0:
                full[i, terms + number[label[i]] - 1] = 1
    for c in range(n):
        norm = np.sqrt((full[:, c] ** 2).sum())
        scale[c] = norm if norm > 0 else 1
        full[:, c] /= scale[c]
    wanted = np.zeros(n)
    wanted[row] = 1 / scale[row]
    if not _solve(full.T @ full, wanted):
        return False
    row_of[:] = full @ wanted
    right = np.zeros(n)
    for i in range(dates):
        if label[i] >= 0:
            right += full[i] * series[i]
    _solve(full.T @ full, right)
    for i in range(dates):
        if label[i] >= 0 and number[label[i]] > 0:
            at = terms + number[label[i]] - 1
            series[i] -= right[at] / scale[at]
    return True


@njit()
def _dual(begin: Integers, second: Integers, weights: Floats, label: Integers, target: Doubles) -> Doubles:
    """y with N y = target for the normal matrix N of the pairs, zero at the first date of each subset."""
    dates = label.size
    place, n = np.full(dates, -1, np.int64), 0
    for i in range(dates):
        if label[i] >= 0 and label[i] != i:
            place[i] = n
            n += 1
    matrix, right = np.zeros((n, n)), np.zeros(n)
    for i in range(dates):
        if place[i] >= 0:
            right[place[i]] = target[i]
        for k in range(begin[i], begin[i + 1]):
            a, b, w = place[i], place[second[k]], np.float64(weights[k])
            if a >= 0:
                matrix[a, a] += w
            if b >= 0:
                matrix[b, b] += w
            if a >= 0 and b >= 0:
                matrix[a, b] -= w
                matrix[b, a] -= w
    _solve(matrix, right)
    y = np.zeros(dates)
    for i in range(dates):
        if place[i] >= 0:
            y[i] = right[place[i]]
    return y


@njit(cache=True)
def join(series: Doubles, label_of: NDArray[np.int16], design: Doubles) -> Doubles:
    """Join the subsets of series that were corrected since, in place; how far the velocity of each follows its dates.

    Parameters
    ----------
    series : (dates, pixels) float64, NaN where no pair saw the date. label_of : (dates, pixels) int16, of `fill`.
    design : (dates, terms), of time.

    Returns
    -------
    (pixels,) : variance of the velocity for independent errors of variance 1 on each date seen; NaN where these dates
        tell no velocity.
    """
    dates, pixels = series.shape
    label, operator, reach = np.zeros(dates, np.int64), np.zeros(dates), np.zeros(pixels)
    every = 0.0
    for p in range(pixels):
        joined, whole, first = label_of[:, p].max() > 1, True, -1
        for i in range(dates):
            there = series[i, p] == series[i, p]
            whole = whole and there
            first = i if first < 0 and there else first
            label[i] = label_of[i, p] - 1 if joined else (first if there else -1)
        if whole and not joined and every > 0:
            reach[p] = every
            continue
        x = series[:, p].copy()
        operator[:] = 0
        told = first >= 0 and _join(x, label, design, 1, operator)
        reach[p] = (operator**2).sum() if told else np.nan
        if whole and not joined:
            every = reach[p]
        elif joined:
            series[:, p] = x
    return reach


def _kept(sources: str) -> Callable[..., None]:
    """The function below as numba keeps it on disk, under a digest of all that it is made of."""

    @njit(cache=True, nogil=True)
    def fill(
        phase: Floats,
        quality: Floats,
        places: Integers,
        begin: Integers,
        second: Integers,
        zero_is_gap: bool,
        table: Floats,
        scale: float,
        design: Doubles,
        row: int,
        start: int,
        stop: int,
        pixels: int,
        series: Floats,
        velocity: Floats,
        used: Floats,
        joined: Floats,
        variance: Floats,
        seen: Floats,
        hinged: Floats,
        label_of: NDArray[np.int16],
        decorrelation: Arrays,
    ) -> None:
        """Finish the pixels with gaps from `start` to `stop` of what `kernel.solve` left, in place; arguments as there.

        Parameters
        ----------
        design : (dates, terms) float64, the model of time; `row` is its term of velocity.
        joined : in: 1 where the network falls apart; out: number of subsets that were joined to the first.
        seen : (pixels,) float32 out: dates that a pair saw. hinged : (pixels,) float32 out: 1 where one pair alone
            holds the series together at some time. label_of : (dates · pixels,) int16, zeros; out: where subsets were
            joined, the number of each date's subset, from 1 on, 0 for a date that no pair saw.
        """
        dates, pairs = begin.size - 1, places.size
        reach = 1 if sources else 0
        for i in range(dates):
            for k in range(begin[i], begin[i + 1]):
                reach = max(reach, second[k] - i)
        label, weights = np.zeros(dates, np.int64), np.ones(pairs, np.float32)
        _labels(begin, second, weights, label)
        whole = _hinge(begin, second, weights, label)
        lag_of, _, decays, _, bias = decorrelation
        known = lag_of.size > 0 and variance.size > 0
        sums = np.empty(2 * (lag_of.max() + 1) * LANES if known else 0, np.float32)
        dense = np.empty((dates + 1) * dates * LANES if known else 0, np.float32)
        rows = np.empty(dates * (2 * reach + 2) * LANES if known else 0, np.float32)
        wide, wide_y = np.zeros(pairs * LANES, np.float32), np.zeros(dates * LANES)
        x, operator = np.zeros(dates), np.zeros(dates)
        for p in range(start, stop):
            seen[p], hinged[p] = dates, whole
            if used[p] == pairs and joined[p] == 0:
                continue
            for k in range(pairs):
                weights[k] = _weight(phase, quality, places[k] + p, zero_is_gap, table)
            _labels(begin, second, weights, label)
            hinged[p] = _hinge(begin, second, weights, label)
            if joined[p] == 0 or used[p] == 0:
                seen[p] = dates if used[p] > 0 else 0
                joined[p] = 0
                continue
            count, subsets, first = 0, 0, np.float32(0)
            for i in range(dates - 1, -1, -1):
                x[i] = series[i * pixels + p]
                if label[i] >= 0:
                    count += 1
                    subsets += label[i] == i
            seen[p], joined[p] = count, subsets - 1
            told = _join(x, label, design, row, operator)
            if subsets > 1:
                for i in range(dates):
                    label_of[i * pixels + p] = label[i] + 1
            rate, zero = 0.0, True
            for i in range(dates):
                if label[i] < 0:
                    series[i * pixels + p] = np.nan
                    continue
                if zero:
                    first, zero = x[i], False
                series[i * pixels + p] = x[i] - first
                rate += operator[i] * x[i]
            if velocity.size > 0:
                velocity[p] = rate if told else np.nan
            if variance.size == 0 or not told:
                continue
            y = _dual(begin, second, weights, label, operator)
            if not known:
                variance[p] = (y * operator).sum() * scale * scale
                continue
            at = max(0, min(p, pixels - LANES))
            for k in range(pairs):
                wide[k * LANES + p - at] = weights[k]
            for i in range(dates):
                wide_y[i * LANES + p - at] = y[i]
            shape = fit_decay(quality, places, at, wide, lag_of, decays, bias, sums)
            spread = full_variance(
                quality, places, begin, second, at, reach, wide_y, wide, *decorrelation, shape, dense, rows
            )
            store(wide_y, 0, spread)
            variance[p] = wide_y[p - at] * scale * scale
            wide_y[:] = 0
            wide[:] = 0

    return fill


_PARTS = (Path(__file__).with_name(f"{part}.py").read_bytes() for part in ("covariance", "lanes"))
fill = _kept(hashlib.sha256(b"".join(_PARTS)).hexdigest())
