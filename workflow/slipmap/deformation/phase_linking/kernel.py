"""The compiled loop over a strip of pixels: covariance, estimator, goodness of fit and Cramér–Rao bound."""

import numba
import numpy as np

from slipmap.arrays import Flags, Floats
from slipmap.deformation.lanes import LANES, Lanes32, equal, greater, load, root, select, some, store
from slipmap.deformation.phase_linking.covariance import coherences, covariances, gather, gather_chosen, planes
from slipmap.deformation.phase_linking.eigenvector import smallest
from slipmap.deformation.phase_linking.packed import (
    LEAST_PIVOT,
    factor_real,
    gram,
    half_inverse,
    multiply,
    normalise,
    room,
    row,
    same,
)

EVD, EMI = 0, 1
BLEND_STEP = 0.1  # by which β is raised where |Γ| is not positive definite
BOUND_BLEND = 0.3  # β of the bound: with it the bound is within a fifth of the scatter at 60 to 100 looks
TOLERANCE = 1e-4
LEAST_INFORMATION = 1e-4  # of a phase, and pivot of the scaled information
ABSENT = 50.0  # diagonal of a date without data: far above all eigenvalues
_POWER_STEPS = 6


@numba.njit()
def _definite(G: Floats, n: int, blend: Floats, Q: Floats, inverse: Floats, t: Floats) -> None:
    """Factors of (1 − β) |Γ| + β I, β in `blend` raised in each lane until it is positive definite."""
    bad = factor_real(G, n, blend, LEAST_PIVOT, Q, inverse, t)
    while some(bad):
        now = load(blend, 0)
        raised = now + same(BLEND_STEP)
        raised = select(greater(raised, same(1.0)), same(1.0), raised)
        store(blend, 0, select(bad, raised, now))
        bad = factor_real(G, n, blend, LEAST_PIVOT, Q, inverse, t)


@numba.njit()
def _start(A: Floats, n: int, v: Floats, w: Floats, above: Floats, place: int, first: bool) -> None:
    """A unit vector near the wanted one into `v`: that of the pixels above (`above`), turned towards the dominant one.

    The first row of a strip has none above and begins with ones.
    """
    for e in range(2 * n):
        ones = same(1.0 / np.sqrt(n)) if e % 2 == 0 else same(0.0)
        store(v, e * LANES, ones if first else load(above, place + e * LANES))
    for _ in range(_POWER_STEPS if first else 1):
        for e in range(2 * n):
            store(w, e * LANES, load(v, e * LANES))
        multiply(A, n, w, v)
        normalise(v, w, n)


@numba.njit()
def _matrix(A: Floats, B: Floats, n: int, there: Floats, inverted: bool, M: Floats) -> None:
    """M = B ∘ Γ or, not `inverted`, −Γ: the wanted eigenvector is that of its smallest eigenvalue. B may lie in M."""
    for e in range(row(n) - 1, -1, -1):
        by = load(B, e * LANES) if inverted else same(-1.0)
        store(M, 2 * e * LANES, load(A, 2 * e * LANES) * by)
        store(M, (2 * e + 1) * LANES, load(A, (2 * e + 1) * LANES) * by)
    for i in range(n):
        place = (row(i) + i) * 2 * LANES
        away = equal(load(there, i * LANES), same(0.0))
        store(M, place, select(away, same(ABSENT), load(M, place)))


@numba.njit()
def _phasors(v: Floats, n: int, there: Floats, u: Floats, out: Floats, place: int, stride: int) -> None:
    """v / |v| of the dates with data, relative to the first of these, 0 of the others, into `u` and `out` (re, im)."""
    cr, ci = same(1.0), same(0.0)
    for i in range(n - 1, -1, -1):
        seen = greater(load(there, i * LANES), same(0.5))
        cr, ci = select(seen, load(v, 2 * i * LANES), cr), select(seen, load(v, (2 * i + 1) * LANES), ci)
    size = root(cr * cr + ci * ci + same(1e-30))
    cr, ci = cr / size, ci / size
    for i in range(n):
        a, b = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        x, y = a * cr + b * ci, b * cr - a * ci
        scale = load(there, i * LANES) / root(x * x + y * y + same(1e-30))
        x, y = x * scale, y * scale
        store(u, 2 * i * LANES, x)
        store(u, (2 * i + 1) * LANES, y)
        store(out, 2 * i * stride + place, x)
        store(out, (2 * i + 1) * stride + place, y)


@numba.njit()
def _fit(A: Floats, G: Floats, n: int, u: Floats) -> Lanes32:
    """Mean of cos(arg Γᵢⱼ − (φᵢ − φⱼ)) over the pairs of dates with data (Ferretti et al. 2011)."""
    total, count = same(0.0), same(0.0)
    for i in range(1, n):
        a, b = load(u, 2 * i * LANES), load(u, (2 * i + 1) * LANES)
        for j in range(i):
            place = (row(i) + j) * 2 * LANES
            c, d = load(u, 2 * j * LANES), load(u, (2 * j + 1) * LANES)
            size = load(G, (row(i) + j) * LANES)
            seen = greater(size, same(1e-12))
            cosine = load(A, place) * (a * c + b * d) + load(A, place + LANES) * (b * c - a * d)
            total = total + select(seen, cosine / select(seen, size, same(1.0)), same(0.0))
            count = count + select(seen, same(1.0), same(0.0))
    return total / select(greater(count, same(0.5)), count, same(1.0))


@numba.njit()
def _bound(
    G: Floats,
    n: int,
    blend: Floats,
    Q: Floats,
    X: Floats,
    B: Floats,
    F: Floats,
    inverse: Floats,
    t: Floats,
    out: Floats,
    place: int,
    stride: int,
) -> None:
    """Standard deviation of each date's phase times √(2 · looks), relative to the first date, into `out`.

    The Fisher information of the phases is 2 L (|Γ|⁻¹ ∘ |Γ| − I) (Guarnieri & Tebaldini 2008), |Γ| regularised.
    """
    store(blend, 0, same(BOUND_BLEND))
    _definite(G, n, blend, Q, inverse, t)
    half_inverse(Q, n, inverse, X)
    gram(X, n, B)
    shrink = same(1.0) - load(blend, 0)
    # without the first date; scaled to a diagonal of ones, so that the factors can be those of a matrix of coherences
    for i in range(1, n):
        information = load(B, (row(i) + i) * LANES) - same(1.0)
        small = greater(same(LEAST_INFORMATION), information)
        store(t, i * LANES, same(1.0) / root(select(small, same(LEAST_INFORMATION), information)))
    for i in range(1, n):
        scale = load(t, i * LANES) * shrink
        for j in range(1, i):
            place_of = (row(i) + j) * LANES
            value = load(B, place_of) * load(G, place_of) * scale
            store(F, (row(i - 1) + j - 1) * LANES, value * load(t, j * LANES))
    for i in range(1, n):
        store(B, i * LANES, load(t, i * LANES))
    store(blend, 0, same(LEAST_INFORMATION))
    factor_real(F, n - 1, blend, LEAST_INFORMATION, Q, inverse, t)
    half_inverse(Q, n - 1, inverse, X)
    store(out, place, same(0.0))
    for i in range(1, n):
        total = same(0.0)
        for k in range(i - 1, n - 1):
            x = load(X, (row(k) + i - 1) * LANES)
            total = total + x * x
        store(out, place + i * stride, root(total) * load(B, i * LANES))


@numba.njit(nogil=True, cache=True)
def strip(
    samples: Floats,
    first_row: int,
    last_row: int,
    first: int,
    wide: int,
    weights: Floats,
    chosen: Flags,
    kind: int,
    blend: np.float32,
    with_bound: bool,
    phasors: Floats,
    fit: Floats,
    bound: Floats,
    used: Floats,
) -> None:
    """Link output rows `first_row` … `last_row` of the columns `first` … `first + wide` (a multiple of `LANES`).

    Parameters
    ----------
    samples : float32 (dates, rows, cols, 2 · looks), real and imaginary parts of each cell's SLC pixels.
    weights : float32 (window,), of a row and of a column. chosen : bool (window², rows, cols), neighbours that count;
        of no size: all do. kind : `EVD` or `EMI`. blend : β.
    phasors : float32 (dates, 2, high, wide) flat, of the `high` rows of the strip. fit, used (β) : (high, wide) flat.
        bound : (dates, high, wide) flat.
    """
    dates, rows, cols, numbers = samples.shape
    looks, window = numbers // 2, weights.size
    half, size, every = window // 2, (last_row - first_row) * wide, chosen.size == 0
    entries, width = dates * (dates + 1), -(-(wide + 2 * half) // LANES) * LANES
    across = (
        weights if every else np.ones(1, np.float32)
    )  # the weights by which the rows in the ring are summed already
    kept = wide if every else width
    plane, ring = room(dates * numbers * width), room(window * entries * kept)
    line = room(4 * (dates + 1) * width + LANES)
    A, M, W, G = room(LANES * entries), room(LANES * entries), room(LANES * entries), room(LANES * (entries // 2))
    end = entries // 2 * LANES
    B, Q, X = M[:end], W[:end], W[end:]  # real matrices, where the complex ones come to lie after them
    v, w, u, t = (
        room(LANES * (2 * dates)),
        room(LANES * (2 * dates)),
        room(LANES * (2 * dates)),
        room(LANES * (4 * dates)),
    )
    above = room(LANES * (2 * dates * (wide // LANES)))
    inverse, scale, there = room(LANES * dates), room(LANES * dates), room(LANES * dates)
    beta, shift, bounds = room(LANES), room(LANES), room(LANES)
    weight = room(window * window * LANES)
    for at in range(first_row - half, last_row + half):
        slot = (at + window) % window
        base = slot * entries * kept
        if 0 <= at < rows:
            planes(samples, at, first - half, width, plane)
            covariances(plane, dates, looks, width, across, line, ring, base, kept)
        else:
            ring[base : base + entries * kept] = np.float32(0.0)
        r = at - half
        if r < first_row:
            continue
        oldest = (slot + 1) % window
        for column in range(0, wide, LANES):
            c = first + column
            if c >= cols:
                break
            place, own = (r - first_row) * wide + column, 2 * dates * column
            if every:
                gather(ring, oldest, entries, kept, weights, column, A)
            else:
                for q in range(window * window):
                    share = weights[q // window] * weights[q % window]
                    for k in range(LANES):
                        counts = c + k < cols and chosen[q, r, c + k]
                        weight[q * LANES + k] = share if counts else np.float32(0.0)
                gather_chosen(ring, oldest, entries, kept, window, window, weight, half + column, A)
            coherences(A, dates, G, scale, there)
            _start(A, dates, v, w, above, own, r == first_row)
            store(beta, 0, same(blend))
            if kind == EMI:
                _definite(G, dates, beta, Q, inverse, t)
                half_inverse(Q, dates, inverse, X)
                gram(X, dates, B)
            _matrix(A, B, dates, there, kind == EMI, M)
            lower = np.float32(0.0) if kind == EMI else np.float32(-1.01 * dates)
            smallest(M, dates, lower, v, np.float32(TOLERANCE), W, inverse, t, w, shift, bounds)
            for e in range(2 * dates):
                store(above, own + e * LANES, load(v, e * LANES))
            _phasors(v, dates, there, u, phasors, place, size)
            store(fit, place, _fit(A, G, dates, u))
            store(used, place, load(beta, 0))
            if with_bound:
                _bound(G, dates, beta, Q, X, B, M[end:], inverse, t, bound, place, size)
