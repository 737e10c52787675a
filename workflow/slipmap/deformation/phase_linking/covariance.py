"""Covariance matrices of the neighbourhood of sixteen pixels: cells, their running sums, coherences."""

import numba
import numpy as np

from slipmap.arrays import Floats
from slipmap.deformation.lanes import LANES, greater, load, root, select, store
from slipmap.deformation.phase_linking.packed import row, same

MOST_WINDOW = 2 * LANES - 1  # pixels
NOTHING = 1e-20


@numba.njit()
def planes(samples: Floats, at: int, first: int, width: int, out: Floats) -> None:
    """Row `at` of cells as planes of float32: out[date, sample, part, column], columns `first` … `first + width`.

    `samples` is float32 (dates, rows, cols, numbers of a cell: real, imaginary, …). What is not a number becomes 0,
    and so does what lies beyond the edges.
    """
    dates, _, cols, numbers = samples.shape
    low, high = max(0, -first), min(width, cols - first)
    for i in range(dates):
        line = samples[i, at]
        for e in range(numbers):
            base = (i * numbers + e) * width
            out[base : base + width] = np.float32(0.0)
            for k in range(low, high):
                value = line[first + k, e]
                out[base + k] = value if value == value else np.float32(0.0)


@numba.njit()
def _cell_rows(plane: Floats, i: int, dates: int, looks: int, width: int, line: Floats) -> None:
    """Covariances Σ zᵢ z̄ⱼ of each cell, of the dates i, i + 1 with all j up to them, packed, into `line`."""
    second = min(i + 1, dates - 1)
    numbers = 2 * looks * width
    for j in range(0, i + 1, 2):
        beside = min(j + 1, second)
        upper, lower = 2 * j * width, 2 * (i + 1 + j) * width
        for c in range(0, width, LANES):
            ar, ai, br, bi = same(0.0), same(0.0), same(0.0), same(0.0)
            cr, ci, dr, di = same(0.0), same(0.0), same(0.0), same(0.0)
            for k in range(looks):
                part = 2 * k * width + c
                xr, xi = load(plane, i * numbers + part), load(plane, i * numbers + part + width)
                yr, yi = load(plane, second * numbers + part), load(plane, second * numbers + part + width)
                ur, ui = load(plane, j * numbers + part), load(plane, j * numbers + part + width)
                vr, vi = load(plane, beside * numbers + part), load(plane, beside * numbers + part + width)
                ar, br, cr, dr = ar + xr * ur, br + xr * vr, cr + yr * ur, dr + yr * vr
                ai, bi, ci, di = ai + xi * ur, bi + xi * vr, ci + yi * ur, di + yi * vr
                ar, br, cr, dr = ar + xi * ui, br + xi * vi, cr + yi * ui, dr + yi * vi
                ai, bi, ci, di = ai - xr * ui, bi - xr * vi, ci - yr * ui, di - yr * vi
            store(line, upper + c, ar)
            store(line, upper + width + c, ai)
            if j < i:
                store(line, upper + 2 * width + c, br)
                store(line, upper + 3 * width + c, bi)
            if second > i:
                store(line, lower + c, cr)
                store(line, lower + width + c, ci)
                store(line, lower + 2 * width + c, dr)
                store(line, lower + 3 * width + c, di)


@numba.njit()
def covariances(
    plane: Floats, dates: int, looks: int, width: int, weights: Floats, line: Floats, ring: Floats, base: int, wide: int
) -> None:
    """Covariances of a row of cells, packed, into `ring` from `base` on, `wide` numbers for each part.

    Each is the weighted sum over neighbouring columns of what `planes` made: column 0 of `ring` has its middle at
    column `weights.size // 2` of the planes. line : room for two rows of a matrix, 4 · (dates + 1) · `width`.
    """
    for i in range(0, dates, 2):
        _cell_rows(plane, i, dates, looks, width, line)
        rows = min(2, dates - i)
        place = base + row(i) * 2 * wide
        for e in range(2 * (row(i + rows) - row(i))):
            for c in range(0, wide, LANES):
                total = load(line, e * width + c) * same(weights[0])
                for q in range(1, weights.size):
                    total = total + load(line, e * width + c + q) * same(weights[q])
                store(ring, place + e * wide + c, total)


@numba.njit()
def gather(ring: Floats, slot: int, entries: int, width: int, weights: Floats, column: int, A: Floats) -> None:
    """Weighted sum of the rows of the ring, the oldest in `slot`, of sixteen columns from `column` on, into `A`."""
    rows, size = weights.size, entries * width
    for e in range(entries):
        at, place = slot, e * width + column
        total = load(ring, at * size + place) * same(weights[0])
        for q in range(1, rows):
            at = 0 if at + 1 == rows else at + 1
            total = total + load(ring, at * size + place) * same(weights[q])
        store(A, e * LANES, total)


@numba.njit()
def gather_chosen(
    ring: Floats, slot: int, entries: int, width: int, rows: int, columns: int, chosen: Floats, column: int, A: Floats
) -> None:
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


@numba.njit()
def coherences(A: Floats, n: int, G: Floats, scale: Floats, there: Floats) -> None:
    """Covariances in `A` to coherences Γ in place; `G`: |Γ|. `there`: 1 where a date has data, else 0 (n entries).

    Γ is 1 on the diagonal, also of a date without data, which has no coherence with any other.
    """
    for i in range(n):
        power = load(A, (row(i) + i) * 2 * LANES)
        seen = greater(power, same(NOTHING))
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
