"""The network inversion's inner loop: a banded LDLᵀ solve of sixteen pixels at a time.

With the displacement at each date as the unknown, the weighted normal matrix of an interferogram network is the graph
Laplacian of the network: banded by how many dates ahead a pair reaches. One pixel is too small a problem to fill a
vector register; sixteen side by side fill it in every step (`lanes`), and what they need stays in the nearest caches.
A gap is a weight of zero, so it costs nothing.

Dates are eliminated in their order. A date's row is complete when the pairs that begin with it have been added: pairs
are read in the order of their first date, assembled and eliminated at once, and read backwards for the residuals.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit

from slipmap.arrays import Doubles, Floats, Integers
from slipmap.deformation.covariance import Arrays, fit_decay, full_variance
from slipmap.deformation.lanes import (
    LANES,
    Lanes32,
    Lanes64,
    Mask,
    both,
    either,
    equal,
    greater,
    load,
    lookup,
    narrow,
    prefetch,
    select,
    some,
    splat32,
    splat64,
    store,
    widen,
)
from slipmap.deformation.residuals import reweigh, temporal_coherence, there

SINGULAR = 1e-9  # a pivot below this share of its diagonal: the pixel's network falls into subsets
AHEAD = 4 * LANES  # pixels between those in work and those asked for from memory

_Network = tuple[Floats, Floats, Integers, Integers, Integers, Floats, bool, Floats, Doubles]  # `_eliminate`'s first
_Work = tuple[Doubles, Doubles, Doubles, Doubles, Floats]  # band, degree, inverse, right, weights


@njit(inline="always")
def _weight(quality: Lanes32, present: Mask, table: Floats) -> Lanes32:
    """Weight of sixteen phases: 0 unless `present`, else what `table` has at their coherence, or `quality` itself."""
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    known = select(both(present, equal(quality, quality)), quality, zero)
    if table.size > 1:
        share = select(greater(known, zero), known, zero)
        share = select(greater(share, one), one, share)
        place = share * splat32(np.float32(table.size - 1)) + splat32(np.float32(0.5))
        return select(both(present, equal(quality, quality)), lookup(table, place), zero)
    return known


@njit()
def _eliminate(
    phase: Floats,
    quality: Floats,
    places: Integers,
    begin: Integers,
    second: Integers,
    offsets: Floats,
    zero_is_gap: bool,
    table: Floats,
    chain: Doubles,
    epsilon: Lanes64 | None,
    factors: Floats | None,
    at: int,
    reach: int,
    work: _Work,
) -> tuple[Mask, Lanes32]:
    """Assemble and eliminate sixteen pixels' normal equations; (singular lanes, number of interferograms).

    `epsilon`: add so many times the squared norm of the velocities between neighbouring dates; None: do not.
    `factors`: multiply the weights by them; None: do not.
    """
    band, degree, inverse, right, weights = work
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    nothing = splat64(0.0)
    band[:] = 0.0
    degree[:] = 0.0
    right[:] = 0.0
    width = reach + 1
    dates = begin.size - 1
    count = zero
    singular = greater(nothing, nothing)
    for i in range(dates):
        diagonal, b = load(degree, i * LANES), load(right, i * LANES)
        for k in range(begin[i], begin[i + 1]):
            place = places[k] + at
            prefetch(phase, place + AHEAD)
            prefetch(quality, place + AHEAD)
            p = load(phase, place)
            known = there(p, zero_is_gap)
            w = _weight(load(quality, place), known, table)
            if factors is not None:
                w = w * load(factors, k * LANES)
            store(weights, k * LANES, w)
            count = count + select(greater(w, zero), one, zero)
            w64 = widen(w)
            push = w64 * widen(select(known, p - splat32(offsets[k]), zero))
            j = second[k]
            store(degree, j * LANES, load(degree, j * LANES) + w64)
            store(right, j * LANES, load(right, j * LANES) + push)
            diagonal = diagonal + w64
            b = b - push
            link = (i * width + j - i) * LANES
            store(band, link, load(band, link) - w64)
        if epsilon is not None and i + 1 < dates:
            w64 = epsilon * splat64(chain[i])
            diagonal = diagonal + w64
            store(degree, (i + 1) * LANES, load(degree, (i + 1) * LANES) + w64)
            link = (i * width + 1) * LANES
            store(band, link, load(band, link) - w64)
        store(degree, i * LANES, diagonal)
        if i == 0:
            continue  # the zero of the series: no unknown
        pivot = diagonal - load(band, i * width * LANES)
        least = diagonal * splat64(SINGULAR) + splat64(1e-300)
        low = greater(least, pivot)
        singular = either(singular, low)
        reciprocal = splat64(1.0) / select(low, least, pivot)
        store(inverse, i * LANES, reciprocal)
        store(right, i * LANES, b)
        for d in range(min(reach, dates - 1 - i), 0, -1):
            factor = load(band, (i * width + d) * LANES) * reciprocal
            for e in range(1, d):
                target = ((i + e) * width + d - e) * LANES
                store(band, target, load(band, target) - factor * load(band, (i * width + e) * LANES))
            target = (i + d) * width * LANES  # what elimination takes from the diagonal
            store(band, target, load(band, target) + factor * load(band, (i * width + d) * LANES))
            store(right, (i + d) * LANES, load(right, (i + d) * LANES) - factor * b)
            store(band, (i * width + d) * LANES, factor)
    return singular, count


@njit()
def _back(dates: int, reach: int, band: Doubles, inverse: Doubles, right: Doubles) -> None:
    """x from Lᵀ x = D⁻¹ right, in place."""
    for i in range(dates - 1, 0, -1):
        x = load(right, i * LANES) * load(inverse, i * LANES)
        for d in range(1, min(reach, dates - 1 - i) + 1):
            x = x - load(band, (i * (reach + 1) + d) * LANES) * load(right, (i + d) * LANES)
        store(right, i * LANES, x)


@njit()
def _minimum_norm(
    phase: Floats,
    places: Integers,
    begin: Integers,
    second: Integers,
    offsets: Floats,
    chain: Doubles,
    epsilon: Lanes64,
    at: int,
    reach: int,
    work: _Work,
    keep: Doubles,
) -> None:
    """From the regularised solution to the least-squares solution of least velocity norm.

    Iterated Tikhonov from zero: x ← (N + εR)⁻¹ (b + εR x) stays orthogonal (in R) to the null space of N, so it tends
    to the solution of least xᵀRx, by a factor of about ε a step.
    """
    band, _, inverse, right, weights = work
    dates = begin.size - 1
    zero = splat32(np.float32(0))
    keep[:] = 0.0
    for i in range(dates):
        for k in range(begin[i], begin[i + 1]):
            j = second[k]
            w = load(weights, k * LANES)
            p = load(phase, places[k] + at) - splat32(offsets[k])
            push = widen(w) * widen(select(greater(w, zero), p, zero))
            store(keep, j * LANES, load(keep, j * LANES) + push)
            store(keep, i * LANES, load(keep, i * LANES) - push)
    for _ in range(2):
        # right ← keep + ε R x, with R x = differences of c (x_j − x_{j−1})
        before, flow = splat64(0.0), splat64(0.0)
        for j in range(1, dates):
            x = load(right, j * LANES)
            onward = epsilon * splat64(chain[j - 1]) * (x - before)
            before = x
            if j > 1:
                store(right, (j - 1) * LANES, load(keep, (j - 1) * LANES) + flow - onward)
            flow = onward
        store(right, (dates - 1) * LANES, load(keep, (dates - 1) * LANES) + flow)
        for i in range(1, dates):
            b = load(right, i * LANES)
            for d in range(1, min(reach, dates - 1 - i) + 1):
                target = (i + d) * LANES
                store(right, target, load(right, target) - load(band, (i * (reach + 1) + d) * LANES) * b)
        _back(dates, reach, band, inverse, right)


@njit()
def _forward(dates: int, reach: int, target: Doubles, band: Doubles, inverse: Doubles, keep: Doubles) -> Lanes64:
    """L y = target, into `keep`, from the factors of N = L D Lᵀ; returns targetᵀ N⁻¹ target = Σ y²/d."""
    total = splat64(0.0)
    store(keep, 0, total)
    for i in range(1, dates):
        store(keep, i * LANES, splat64(target[i]))
    for i in range(1, dates):
        y = load(keep, i * LANES)
        total = total + y * y * load(inverse, i * LANES)
        for d in range(1, min(reach, dates - 1 - i) + 1):
            place = (i + d) * LANES
            store(keep, place, load(keep, place) - load(band, (i * (reach + 1) + d) * LANES) * y)
    return total


@njit()
def _join(
    network: _Network, factors: Floats | None, singular: Mask, at: int, reach: int, work: _Work, keep: Doubles
) -> None:
    """Solve again sixteen pixels of which some have a network that falls apart: with the least norm of velocities."""
    phase, _, places, begin, second, offsets, _, _, chain = network
    band, degree, inverse, right, _ = work
    dates, none = begin.size - 1, splat64(0.0)
    trace = none
    for i in range(1, dates):
        trace = trace + load(degree, i * LANES)
    epsilon = select(greater(trace, none), trace * splat64(1e-6 / chain.sum()), splat64(1.0))
    epsilon = select(singular, epsilon, none)
    _eliminate(*network, epsilon, factors, at, reach, work)
    _back(dates, reach, band, inverse, right)
    _minimum_norm(phase, places, begin, second, offsets, chain, epsilon, at, reach, work, keep)


@njit()
def _robust(
    network: _Network,
    rounds: int,
    noise: np.float32,
    at: int,
    reach: int,
    work: _Work,
    keep: Doubles,
    factors: Floats,
    wild: Floats,
) -> None:
    """Solve again, `rounds` times, the pixels whose solution in `work` leaves a wild residual."""
    phase, _, places, begin, second, offsets, zero_is_gap, _, _ = network
    band, _, inverse, right, weights = work
    store(wild, 0, splat32(np.float32(0)))
    factors[:] = 1
    for k in range(rounds):
        given = (phase, places, begin, second, offsets, zero_is_gap, at, right, weights, factors, wild, noise)
        if not reweigh(*given, k == 0):
            return
        singular, _ = _eliminate(*network, None, factors, at, reach, work)
        if some(singular):
            _join(network, factors, singular, at, reach, work, keep)
        else:
            _back(begin.size - 1, reach, band, inverse, right)
        store(right, 0, splat64(0.0))


def _kept(sources: str) -> Callable[..., None]:
    """The kernel as numba keeps it on disk, under a digest of all that it is made of: numba looks at this file only."""

    @njit(cache=True, nogil=True)
    def solve(
        phase: Floats,
        original: Floats,
        quality: Floats,
        places: Integers,
        begin: Integers,
        second: Integers,
        offsets: Floats,
        zero_is_gap: bool,
        table: Floats,
        chain: Doubles,
        scale: float,
        operator: Doubles,
        start: int,
        stop: int,
        pixels: int,
        series: Floats,
        velocity: Floats,
        coherence: Floats,
        used: Floats,
        joined: Floats,
        variance: Floats,
        targets: Doubles,
        decorrelation: Arrays,
        rounds: int,
        noise: np.float32,
    ) -> None:
        """Invert the pixels from `start` to `stop`, sixteen at a time; fills the outputs in place.

        Parameters
        ----------
        phase : one-dimensional float32, rad; NaN is a gap. Pixel p of interferogram k is at places[k] + p, so that a
            memory-mapped stack is read where it lies.
        original : as `phase`, compared with the solution by the temporal coherence; only its wrapped value counts.
        quality : as `phase`, float32: coherence where `table` has more than one entry, else the weight itself.
        places : (interferograms,) int64, sorted by the first date of the pair.
        begin : (dates + 1,) int64: the interferograms of first date i are begin[i] … begin[i + 1] − 1.
        second : (interferograms,) int64, number of the second date, larger than the first.
        offsets : (interferograms,) float32, taken from the phase. zero_is_gap : a phase of 0 is a gap, too.
        table : (entries,) float32, weight at coherence 0 … 1; one entry: `quality` is the weight.
        chain : (dates − 1,) float64, 1/Δt² between neighbouring dates, for the minimum norm.
        scale : displacement for one radian; 1 keeps the series in rad.
        operator : (dates,) float64, velocity = operator @ series; empty: none.
        pixels : of the outputs, at least `LANES`. The last sixteen of a range may overlap those before it, or the range
            before: they come out the same.
        series : (dates · pixels,) float32 out: `scale` × phase of each date relative to date 0.
        velocity : (pixels,) float32 out, where there is an operator.
        coherence : (pixels,) float32 out: temporal coherence. used : (pixels,) float32 out: interferograms used.
        joined : (pixels,) float32 out: 1 where subsets were joined by the minimum norm, else 0.
        variance : (targets · pixels,) float32 out, or empty: of each target @ series, from the full covariance of the
            phases, or, where no coherence is known, as if the weights were inverse variances of independent phases; NaN
            where the network falls apart.
        targets : (targets · dates,) float64. decorrelation : `covariance.Decorrelation.arrays`.
        rounds : of reweighting where some phases fit no solution; 0: plain least squares.
        noise : variance of a phase of weight 1, rad², or 0 (`residuals.reweigh`).
        """
        dates = begin.size - 1 if sources else 0
        reach = 1
        for i in range(dates):
            for k in range(begin[i], begin[i + 1]):
                reach = max(reach, second[k] - i)
        band = np.empty(dates * (reach + 1) * LANES)
        degree, inverse, right, keep = (
            np.empty(dates * LANES),
            np.empty(dates * LANES),
            np.empty(dates * LANES),
            np.empty(dates * LANES),
        )
        weights, factors = np.empty(places.size * LANES, np.float32), np.ones(places.size * LANES, np.float32)
        wild = np.zeros(LANES, np.float32)
        work = (band, degree, inverse, right, weights)
        zero, one, nan = splat32(np.float32(0)), splat32(np.float32(1)), splat32(np.float32(np.nan))
        none = splat64(0.0)
        lag_of, _, decays, _, bias = decorrelation
        known = lag_of.size > 0 and variance.size > 0
        sums = np.empty(2 * (lag_of.max() + 1) * LANES if known else 0, np.float32)
        dense = np.empty((dates + 1) * dates * LANES if known else 0, np.float32)
        rows = np.empty(dates * (2 * reach + 2) * LANES if known else 0, np.float32)
        for first in range(start, stop, LANES):
            at = max(0, min(first, stop - LANES))
            network = (phase, quality, places, begin, second, offsets, zero_is_gap, table, chain)
            singular, count = _eliminate(*network, None, None, at, reach, work)
            if some(singular):
                _join(network, None, singular, at, reach, work, keep)
            else:
                _back(dates, reach, band, inverse, right)
            store(right, 0, none)
            if rounds > 0:
                _robust(network, rounds, noise, at, reach, work, keep, factors, wild)
            if variance.size > 0:
                shape = (zero, zero, zero)
                if known:
                    shape = fit_decay(quality, places, at, weights, lag_of, decays, bias, sums)
                for t in range(targets.size // dates):
                    target = targets[t * dates : (t + 1) * dates]
                    spread = _forward(dates, reach, target, band, inverse, keep)
                    if known:
                        _back(dates, reach, band, inverse, keep)
                        spread = full_variance(
                            quality, places, begin, second, at, reach, keep, weights, *decorrelation, shape, dense, rows
                        )
                    spread = spread * splat64(scale * scale)
                    store(variance, t * pixels + at, select(singular, nan, narrow(spread)))
            mean = temporal_coherence(original, places, begin, second, offsets, zero_is_gap, at, right, weights)
            seen = greater(count, zero)
            rate = none
            for i in range(dates):
                x = load(right, i * LANES)
                store(series, i * pixels + at, select(seen, narrow(x * splat64(scale)), nan))
                if operator.size > 0:
                    rate = rate + x * splat64(operator[i])
            if operator.size > 0:
                store(velocity, at, select(seen, narrow(rate * splat64(scale)), nan))
            store(coherence, at, select(seen, mean, nan))
            store(used, at, count)
            store(joined, at, select(singular, one, zero))

    return solve


_PARTS = (Path(__file__).with_name(f"{part}.py").read_bytes() for part in ("covariance", "lanes", "residuals"))
solve = _kept(hashlib.sha256(b"".join(_PARTS)).hexdigest())
