"""The network inversion's inner loop: a banded Cholesky solve of many pixels at a time.

With the displacement at each date as the unknown, the weighted normal matrix of an interferogram network is the graph
Laplacian of the network: banded by how many dates ahead a pair reaches. One pixel is too small a problem to fill a
vector register; a hundred side by side fill it in every step. A gap is a weight of zero, so it costs nothing.
"""

import numpy as np
from numba import njit, prange

LANES = 128  # pixels solved together: enough to repay the compiler's run-time checks, and they fit the L2 cache
CHUNK = 8  # groups of LANES pixels that one thread takes at a time
SINGULAR = 1e-9  # a pivot below this share of its diagonal: the pixel's network falls into subsets
_FAST = {"contract", "arcp", "nsz"}  # never "nnan": a gap is a NaN


@njit(inline="always", fastmath=_FAST)
def _load_lane(phase, quality, table, offset, zero_is_gap, at, lane, value, weight):
    p = phase[at + lane]
    q = quality[at + lane]
    ok = (p == p) and (q == q) and not (zero_is_gap and p == np.float32(0))
    q = q if ok else np.float32(0)
    if table.size > 1:
        q = min(max(q, np.float32(0)), np.float32(1))
        w = table[np.int32(q * np.float32(table.size - 1) + np.float32(0.5))]
    else:
        w = q
    value[lane] = p - offset if ok else np.float32(0)
    weight[lane] = w if ok else np.float32(0)


@njit(inline="always", fastmath=_FAST)
def _load(phase, quality, table, offset, zero_is_gap, at, width, value, weight):
    """Phase and weight in the lanes, from place `at`; weight 0 (and phase 0) where there is a gap."""
    if width == LANES:  # a loop of fixed length becomes vector instructions
        for lane in range(LANES):
            _load_lane(phase, quality, table, offset, zero_is_gap, at, lane, value, weight)
    else:
        for lane in range(width):
            _load_lane(phase, quality, table, offset, zero_is_gap, at, lane, value, weight)


@njit(fastmath=_FAST)
def _assemble(
    phase, quality, table, offsets, zero_is_gap, first, second, pitch, start, width, band, right, value, weight
):
    """Normal matrix (dates 1…, lower band) and right side of the lanes; returns nothing, fills band and right."""
    band[:] = 0.0
    right[:] = 0.0
    for k in range(first.size):
        i, j = first[k] - 1, second[k] - 1  # date 0 is the zero of the series
        _load(phase, quality, table, offsets[k], zero_is_gap, k * pitch + start, width, value, weight)
        if i >= 0:
            d = j - i
            for lane in range(LANES):
                w = np.float64(weight[lane])
                b = w * np.float64(value[lane])
                band[j, 0, lane] += w
                right[j, lane] += b
                band[i, 0, lane] += w
                right[i, lane] -= b
                band[j, d, lane] -= w
        else:
            for lane in range(LANES):
                w = np.float64(weight[lane])
                band[j, 0, lane] += w
                right[j, lane] += w * np.float64(value[lane])


@njit(fastmath=_FAST)
def _regularise(band, chain, epsilon):
    """Add `epsilon` (a lane's) times the squared norm of the velocities between neighbouring dates."""
    for j in range(band.shape[0]):
        for lane in range(LANES):
            c = chain[j] * epsilon[lane]
            band[j, 0, lane] += c
            if j > 0:
                band[j - 1, 0, lane] += c
                band[j, 1, lane] -= c


@njit(fastmath=_FAST)
def _factor(band, inverse, bad):
    """Cholesky factor in place; `inverse` holds the reciprocal diagonal; marks lanes that are singular."""
    n, width = band.shape[0], band.shape[1] - 1
    total = np.empty(LANES)
    for j in range(n):
        reach = min(width, j)
        for d in range(reach, 0, -1):
            k = j - d
            for lane in range(LANES):
                total[lane] = band[j, d, lane]
            for m in range(1, min(width - d, k) + 1):
                for lane in range(LANES):
                    total[lane] -= band[j, d + m, lane] * band[k, m, lane]
            for lane in range(LANES):
                band[j, d, lane] = total[lane] * inverse[k, lane]
        for lane in range(LANES):
            total[lane] = band[j, 0, lane]
        for d in range(1, reach + 1):
            for lane in range(LANES):
                total[lane] -= band[j, d, lane] * band[j, d, lane]
        for lane in range(LANES):
            floor = SINGULAR * band[j, 0, lane] + 1e-300
            if total[lane] <= floor:
                bad[lane] = 1
            inverse[j, lane] = 1.0 / np.sqrt(max(total[lane], floor))


@njit(fastmath=_FAST)
def _substitute(band, inverse, right):
    """Solve L Lᵀ x = right in place."""
    n, width = band.shape[0], band.shape[1] - 1
    for j in range(n):
        for d in range(1, min(width, j) + 1):
            for lane in range(LANES):
                right[j, lane] -= band[j, d, lane] * right[j - d, lane]
        for lane in range(LANES):
            right[j, lane] *= inverse[j, lane]
    for j in range(n - 1, -1, -1):
        for lane in range(LANES):
            right[j, lane] *= inverse[j, lane]
        for d in range(1, min(width, j) + 1):
            for lane in range(LANES):
                right[j - d, lane] -= band[j, d, lane] * right[j, lane]


@njit(fastmath=_FAST)
def _minimum_norm(band, inverse, right, bad, chain, epsilon, again, keep):
    """Least-squares solution of least velocity norm for lanes whose network falls apart (others unchanged).

    Iterated Tikhonov from zero: x ← (N + εR)⁻¹ (b + εR x) stays orthogonal (in R) to the null space of N, so it tends
    to the solution of least xᵀRx, by a factor of about ε a step. `band` and `right` hold N and b.
    """
    n = band.shape[0]
    for lane in range(LANES):
        diagonal, links = 0.0, 0.0
        for j in range(n):
            diagonal += band[j, 0, lane]
            links += chain[j]
        epsilon[lane] = (1e-6 * diagonal / links if diagonal > 0 else 1.0) if bad[lane] else 0.0
        again[lane] = 0
    _regularise(band, chain, epsilon)
    _factor(band, inverse, again)
    keep[:] = right
    _substitute(band, inverse, right)
    for _ in range(2):
        # right ← keep + ε R x, with R x = differences of c_j (x_j − x_{j−1})
        before = np.zeros(LANES)
        flow = np.zeros(LANES)
        for j in range(n):
            for lane in range(LANES):
                x = right[j, lane]
                f = epsilon[lane] * chain[j] * (x - before[lane])
                before[lane] = x
                if j > 0:
                    right[j - 1, lane] = keep[j - 1, lane] + flow[lane] - f
                flow[lane] = f
        for lane in range(LANES):
            right[n - 1, lane] = keep[n - 1, lane] + flow[lane]
        _substitute(band, inverse, right)


@njit(fastmath=_FAST)
def _temporal_coherence(
    phase, quality, table, offsets, zero_is_gap, first, second, pitch, start, width, right, value, weight, mean, count
):
    """|Σ exp(i·residual)| over the interferograms present, divided by their number."""
    cosine = np.zeros(LANES, np.float32)
    sine = np.zeros(LANES, np.float32)
    count[:] = 0
    turn = np.float32(1 / (2 * np.pi))
    for k in range(first.size):
        i, j = first[k] - 1, second[k] - 1
        _load(phase, quality, table, offsets[k], zero_is_gap, k * pitch + start, width, value, weight)
        for lane in range(LANES):
            before = right[i, lane] if i >= 0 else 0.0
            r = np.float32(np.float64(value[lane]) - (right[j, lane] - before)) * turn
            r -= np.floor(r + np.float32(0.5))  # turns, −½ … ½
            # Sine and cosine of π r by their series, then of 2π r by doubling: errors below 1e-6.
            x = r * np.float32(np.pi)
            x2 = x * x
            s = x * (
                np.float32(1)
                + x2
                * (
                    np.float32(-1 / 6)
                    + x2 * (np.float32(1 / 120) + x2 * (np.float32(-1 / 5040) + x2 * np.float32(1 / 362880)))
                )
            )
            c = np.float32(1) + x2 * (
                np.float32(-0.5)
                + x2
                * (
                    np.float32(1 / 24)
                    + x2 * (np.float32(-1 / 720) + x2 * (np.float32(1 / 40320) + x2 * np.float32(-1 / 3628800)))
                )
            )
            there = np.float32(1) if weight[lane] > 0 else np.float32(0)
            cosine[lane] += there * (c * c - s * s)
            sine[lane] += there * (np.float32(2) * s * c)
            count[lane] += there
    for lane in range(LANES):
        length = np.sqrt(cosine[lane] * cosine[lane] + sine[lane] * sine[lane])
        mean[lane] = length / count[lane] if count[lane] > 0 else np.float32(np.nan)


@njit(parallel=True, cache=True, fastmath=_FAST, nogil=True)
def solve(
    phase,
    original,
    quality,
    pitch,
    origin,
    offsets,
    zero_is_gap,
    table,
    first,
    second,
    reach,
    chain,
    scale,
    operator,
    series,
    velocity,
    coherence,
    used,
    joined,
):
    """Invert all pixels; fills the outputs in place.

    Parameters
    ----------
    phase : (interferograms · pitch,) float32, rad; NaN is a gap. Interferogram k's pixels begin at k · pitch + origin,
        so that a memory-mapped stack is read where it lies.
    original : as `phase`, compared with the solution by the temporal coherence; only its wrapped value counts.
    quality : as `phase`, float32: coherence where `table` has more than one entry, else the weight itself.
    offsets : (interferograms,) float32, taken from the phase. zero_is_gap : a phase of 0 is a gap, too.
    table : (entries,) float32, weight at coherence 0 … 1; one entry: `quality` is the weight.
    first, second : (interferograms,) int64, date numbers of the pair, first < second.
    reach : largest second − first.
    chain : (dates − 1,) float64, 1/Δt² between neighbouring dates, for the minimum norm.
    scale : displacement for one radian; 1 keeps the series in rad.
    operator : (dates,) float64, velocity = operator @ series; empty: none.
    series : (dates, pixels) float32 out: `scale` × phase of each date relative to date 0.
    velocity : (pixels,) float32 out, where there is an operator.
    coherence : (pixels,) float32 out: temporal coherence. used : (pixels,) float32 out: interferograms used.
    joined : (pixels,) uint8 out: 1 where subsets were joined by the minimum norm.
    """
    dates, pixels = series.shape
    n = dates - 1
    groups = (pixels + LANES - 1) // LANES
    for chunk in prange((groups + CHUNK - 1) // CHUNK):
        band = np.empty((n, max(reach, 1) + 1, LANES))
        inverse = np.empty((n, LANES))
        right = np.empty((n, LANES))
        keep = np.empty((n, LANES))
        epsilon = np.empty(LANES)
        bad = np.empty(LANES, np.uint8)
        again = np.empty(LANES, np.uint8)
        value = np.zeros(LANES, np.float32)
        weight = np.zeros(LANES, np.float32)
        mean = np.empty(LANES, np.float32)
        count = np.empty(LANES, np.float32)
        rate = np.empty(LANES)
        for group in range(chunk * CHUNK, min(groups, (chunk + 1) * CHUNK)):
            start = group * LANES
            width = min(LANES, pixels - start)
            value[:] = 0
            weight[:] = 0
            bad[:] = 0
            _assemble(
                phase,
                quality,
                table,
                offsets,
                zero_is_gap,
                first,
                second,
                pitch,
                origin + start,
                width,
                band,
                right,
                value,
                weight,
            )
            _factor(band, inverse, bad)
            any_bad = False
            for lane in range(width):
                any_bad = any_bad or bad[lane] == 1
            if any_bad:
                _assemble(
                    phase,
                    quality,
                    table,
                    offsets,
                    zero_is_gap,
                    first,
                    second,
                    pitch,
                    origin + start,
                    width,
                    band,
                    right,
                    value,
                    weight,
                )
                _minimum_norm(band, inverse, right, bad, chain, epsilon, again, keep)
            else:
                _substitute(band, inverse, right)
            _temporal_coherence(
                original,
                quality,
                table,
                offsets,
                zero_is_gap,
                first,
                second,
                pitch,
                origin + start,
                width,
                right,
                value,
                weight,
                mean,
                count,
            )
            for lane in range(width):
                nothing = count[lane] == 0
                series[0, start + lane] = np.nan if nothing else 0.0
                coherence[start + lane] = mean[lane]
                used[start + lane] = count[lane]
                joined[start + lane] = bad[lane]
            for j in range(n):
                for lane in range(width):
                    series[j + 1, start + lane] = np.nan if count[lane] == 0 else scale * right[j, lane]
            if operator.size > 0:
                rate[:] = 0.0
                for j in range(n):
                    for lane in range(LANES):
                        rate[lane] += operator[j + 1] * right[j, lane]
                for lane in range(width):
                    velocity[start + lane] = np.nan if count[lane] == 0 else scale * rate[lane]
