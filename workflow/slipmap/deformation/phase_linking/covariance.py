"""Covariance matrices of the neighbourhood of sixteen pixels: cells, their running sums, coherences."""

import numba
import numpy as np

from slipmap.deformation.lanes import LANES, greater, load, root, select, store
from slipmap.deformation.phase_linking.packed import row, same

PAD = LANES  # columns of cells that are kept on either side: windows reach no further
_NOTHING = 1e-20


@numba.njit
def planes(samples, at, first, width, out):
    """Row `at` of cells as planes of float32: out[date, sample, part, column], columns `first` … `first + width`.

    `samples` is float32 (dates, rows, cols, numbers of a cell: real, imaginary, …). What is not a number becomes 0,
    and so does what lies beyond the edges.
    """
    dates, _, cols, numbers = samples.shape
    for i in range(dates):
        line = samples[i, at]
        for e in range(numbers):
            base = (i * numbers + e) * width
            for k in range(width):
                c = first + k
                value = np.float32(0.0)
                if 0 <= c < cols:
                    value = line[c, e]
                out[base + k] = value if value == value else np.float32(0.0)


@numba.njit
def cells(plane, dates, looks, width, out, base):
    """Covariances Σ zᵢ z̄ⱼ of the samples of each cell of a row, packed, into `out` from `base` on: width per part."""
    for i in range(dates):
        for j in range(i + 1):
            place = base + (row(i) + j) * 2 * width
            for c in range(0, width, LANES):
                re, im = same(0.0), same(0.0)
                for k in range(looks):
                    a, b = ((i * looks + k) * 2) * width + c, ((j * looks + k) * 2) * width + c
                    xr, xi = load(plane, a), load(plane, a + width)
                    yr, yi = load(plane, b), load(plane, b + width)
                    re = re + xr * yr
                    im = im + xi * yr
                    re = re + xi * yi
                    im = im - xr * yi
                store(out, place + c, re)
                store(out, place + width + c, im)


@numba.njit
def widen(ring, base, entries, width, weights, line):
    """Replace each plane of a row of cells by its weighted sum over neighbouring columns, in place."""
    half = weights.size // 2
    for e in range(entries):
        place = base + e * width
        for c in range(0, width, LANES):
            store(line, LANES + c, load(ring, place + c))
        for c in range(0, width, LANES):
            total = load(line, LANES + c - half) * same(weights[0])
            for q in range(1, weights.size):
                total = total + load(line, LANES + c - half + q) * same(weights[q])
            store(ring, place + c, total)


@numba.njit
def gather(ring, slot, entries, width, weights, column, A):
    """Weighted sum of the rows of the ring, the oldest in `slot`, of sixteen columns from `column` on, into `A`."""
    rows, size = weights.size, entries * width
    for e in range(entries):
        at, place = slot, e * width + column
        total = load(ring, at * size + place) * same(weights[0])
        for q in range(1, rows):
            at = 0 if at + 1 == rows else at + 1
            total = total + load(ring, at * size + place) * same(weights[q])
        store(A, e * LANES, total)


@numba.njit
def gather_chosen(ring, slot, entries, width, rows, columns, chosen, column, A):
    """As `gather`, of chosen neighbours only: `chosen` (rows · columns, `LANES`) holds their weights, 0 for none."""
    size, half = entries * width, columns // 2
    for e in range(entries):
        total = same(0.0)
        at, q = slot, 0
        for _ in range(rows):
            place = at * size + e * width + column - half
            for c in range(columns):
                total = total + load(ring, place + c) * load(chosen, q * LANES)
                q += 1
            at = 0 if at + 1 == rows else at + 1
        store(A, e * LANES, total)


@numba.njit
def coherences(A, n, G, scale, there):
    """Covariances in `A` to coherences Γ in place; `G`: |Γ|. `there`: 1 where a date has data, else 0 (n entries).

    Γ is 1 on the diagonal, also of a date without data, which has no coherence with any other.
    """
    for i in range(n):
        power = load(A, (row(i) + i) * 2 * LANES)
        seen = greater(power, same(_NOTHING))
        store(scale, i * LANES, select(seen, same(1.0) / root(select(seen, power, same(1.0))), same(0.0)))
        store(there, i * LANES, select(seen, same(1.0), same(0.0)))
    for i in range(n):
        own = load(scale, i * LANES)
        for j in range(i):
            factor, place = own * load(scale, j * LANES), (row(i) + j) * 2 * LANES
            re, im = load(A, place) * factor, load(A, place + LANES) * factor
            store(A, place, re)
            store(A, place + LANES, im)
            store(G, (row(i) + j) * LANES, root(re * re + im * im))
        store(A, (row(i) + i) * 2 * LANES, same(1.0))
        store(A, (row(i) + i) * 2 * LANES + LANES, same(0.0))
        store(G, (row(i) + i) * LANES, same(1.0))
