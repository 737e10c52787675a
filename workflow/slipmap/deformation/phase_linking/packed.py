"""Linear algebra on sixteen packed matrices at once, float32, for compiled code.

Element (i, j), j ≤ i, of a symmetric matrix is entry ``row(i) + j``; an entry is `LANES` numbers, one for each pixel.
Entries of Hermitian matrices and of vectors are complex: the real parts, then the imaginary ones. After a change here,
touch `kernel.py`, whose compiled form numba keeps by the date of that file.
"""

import numba
import numpy as np

from slipmap.arrays import Floats
from slipmap.deformation.lanes import LANES, Lanes32, Mask, either, greater, load, root, select, splat32, store

LEAST_PIVOT = 0.02  # of a matrix of coherences that counts as positive definite
_TINY = 1e-7


@numba.njit(inline="always")
def same(number: float | np.floating) -> Lanes32:
    """A float32 number in all lanes."""
    return splat32(np.float32(number))


@numba.njit()
def room(numbers: int) -> Floats:
    """Zeros, float32, that begin where a cache line does: sixteen numbers that lie in two lines take twice as long."""
    found = np.zeros(numbers + LANES, np.float32)
    ahead = -(found.ctypes.data // 4) % LANES
    return found[ahead : ahead + numbers]


@numba.njit(inline="always")
def row(i: int) -> int:
    """Number of the first entry of row `i`."""
    return i * (i + 1) // 2


@numba.njit(inline="always")
def _store_four(out: Floats, place: int, a: Lanes32, b: Lanes32, c: Lanes32, d: Lanes32) -> None:
    store(out, place, a)
    store(out, place + LANES, b)
    store(out, place + 2 * LANES, c)
    store(out, place + 3 * LANES, d)


@numba.njit(inline="always")
def _four_columns(G: Floats, Q: Floats, t: Floats, n: int, first: int, second: int, j: int, shrink: Lanes32) -> None:
    """Columns j … j + 3 of two rows of `factor_real`, times their pivots, into `t`."""
    p, q, l0, l1, l2, l3 = (first + j) * LANES, (second + j) * LANES, row(j), row(j + 1), row(j + 2), row(j + 3)
    a, b = load(G, p) * shrink, load(G, p + LANES) * shrink
    c, d = load(G, p + 2 * LANES) * shrink, load(G, p + 3 * LANES) * shrink
    e, f = load(G, q) * shrink, load(G, q + LANES) * shrink
    g, h = load(G, q + 2 * LANES) * shrink, load(G, q + 3 * LANES) * shrink
    for k in range(j):
        x, y = load(t, k * LANES), load(t, (n + k) * LANES)
        u, v = load(Q, (l0 + k) * LANES), load(Q, (l1 + k) * LANES)
        w, z = load(Q, (l2 + k) * LANES), load(Q, (l3 + k) * LANES)
        a, b, c, d = a - x * u, b - x * v, c - x * w, d - x * z
        e, f, g, h = e - y * u, f - y * v, g - y * w, h - y * z
    u, v, w = load(Q, (l1 + j) * LANES), load(Q, (l2 + j) * LANES), load(Q, (l3 + j) * LANES)
    b, c, d, f, g, h = b - a * u, c - a * v, d - a * w, f - e * u, g - e * v, h - e * w
    u, v = load(Q, (l2 + j + 1) * LANES), load(Q, (l3 + j + 1) * LANES)
    c, d, g, h = c - b * u, d - b * v, g - f * u, h - f * v
    u = load(Q, (l3 + j + 2) * LANES)
    _store_four(t, j * LANES, a, b, c, d - c * u)
    _store_four(t, (n + j) * LANES, e, f, g, h - g * u)


@numba.njit()
def factor_real(G: Floats, n: int, blend: Floats, least_pivot: float, Q: Floats, inverse: Floats, t: Floats) -> Mask:
    """L D Lᵀ of (1 − β) G + β I; G has ones on its diagonal, β is in `blend` (`LANES`). Q: L, `inverse`: 1 / D.

    Returns the lanes in which a pivot is below `least_pivot`, which then takes its place.
    """
    shrink = same(1.0) - load(blend, 0)
    least = same(least_pivot)
    bad = greater(same(0.0), same(1.0))
    for i in range(0, n, 2):
        below = min(i + 1, n - 1)  # the last row of an odd matrix is worked on twice
        first, second = row(i), row(below)
        for j in range(0, i - 3, 4):
            _four_columns(G, Q, t, n, first, second, j, shrink)
        for j in range(i - i % 4, i, 2):
            left, right = row(j), row(j + 1)
            a = load(G, (first + j) * LANES) * shrink
            b = load(G, (first + j + 1) * LANES) * shrink
            c = load(G, (second + j) * LANES) * shrink
            d = load(G, (second + j + 1) * LANES) * shrink
            for k in range(j):
                x, y = load(t, k * LANES), load(t, (n + k) * LANES)
                u, v = load(Q, (left + k) * LANES), load(Q, (right + k) * LANES)
                a = a - x * u
                b = b - x * v
                c = c - y * u
                d = d - y * v
            v = load(Q, (right + j) * LANES)
            store(t, j * LANES, a)
            store(t, (j + 1) * LANES, b - a * v)
            store(t, (n + j) * LANES, c)
            store(t, (n + j + 1) * LANES, d - c * v)
        pivot, beside = same(1.0), load(G, (second + i) * LANES) * shrink
        for k in range(i):
            x = load(t, k * LANES)
            u = x * load(inverse, k * LANES)
            store(Q, (first + k) * LANES, u)
            pivot = pivot - x * u
            beside = beside - load(t, (n + k) * LANES) * u
        bad = either(bad, greater(least, pivot))
        pivot = select(greater(least, pivot), least, pivot)
        store(inverse, i * LANES, same(1.0) / pivot)
        store(Q, (first + i) * LANES, same(1.0))
        if below > i:
            store(t, (n + i) * LANES, beside)
            pivot = same(1.0)
            for k in range(i + 1):
                x = load(t, (n + k) * LANES)
                u = x * load(inverse, k * LANES)
                store(Q, (second + k) * LANES, u)
                pivot = pivot - x * u
            bad = either(bad, greater(least, pivot))
            pivot = select(greater(least, pivot), least, pivot)
            store(inverse, below * LANES, same(1.0) / pivot)
            store(Q, (second + below) * LANES, same(1.0))
    return bad


@numba.njit(inline="always")
def _corner(Q: Floats, X: Floats, at: int, j: int) -> tuple[Lanes32, Lanes32, Lanes32, Lanes32]:
    """Sums of Q[k] X[k, j … j + 3] over k = j … j + 3, of the row of Q at `at`; the diagonal of X is 1."""
    a, b = load(Q, (at + j) * LANES), load(Q, (at + j + 1) * LANES)
    c, d = load(Q, (at + j + 2) * LANES), load(Q, (at + j + 3) * LANES)
    a = a + b * load(X, (row(j + 1) + j) * LANES)
    a = a + c * load(X, (row(j + 2) + j) * LANES)
    a = a + d * load(X, (row(j + 3) + j) * LANES)
    b = b + c * load(X, (row(j + 2) + j + 1) * LANES)
    b = b + d * load(X, (row(j + 3) + j + 1) * LANES)
    c = c + d * load(X, (row(j + 3) + j + 2) * LANES)
    return a, b, c, d


@numba.njit()
def half_inverse(Q: Floats, n: int, inverse: Floats, X: Floats) -> None:
    """X = D^(−1/2) L⁻¹ of the factors of `factor_real`, packed: the inverse of the matrix is Xᵀ X."""
    zero = same(0.0)
    for i in range(0, n, 2):
        below = min(i + 1, n - 1)
        at, under = row(i), row(below)
        for j in range(0, i - 3, 4):
            a, b, c, d = _corner(Q, X, at, j)
            e, f, g, h = _corner(Q, X, under, j)
            for k in range(j + 4, i):
                u, v, place = load(Q, (at + k) * LANES), load(Q, (under + k) * LANES), (row(k) + j) * LANES
                x, y = load(X, place), load(X, place + LANES)
                z, w = load(X, place + 2 * LANES), load(X, place + 3 * LANES)
                a, b, c, d = a + u * x, b + u * y, c + u * z, d + u * w
                e, f, g, h = e + v * x, f + v * y, g + v * z, h + v * w
            v = load(Q, (under + i) * LANES)
            _store_four(X, (at + j) * LANES, zero - a, zero - b, zero - c, zero - d)
            if below > i:
                _store_four(X, (under + j) * LANES, a * v - e, b * v - f, c * v - g, d * v - h)
        for r in range(i, below + 1):
            for j in range(i - i % 4, r):
                a = load(Q, (row(r) + j) * LANES)
                for k in range(j + 1, r):
                    a = a + load(Q, (row(r) + k) * LANES) * load(X, (row(k) + j) * LANES)
                store(X, (row(r) + j) * LANES, zero - a)
            store(X, (row(r) + r) * LANES, same(1.0))
    for i in range(n):
        scale = root(load(inverse, i * LANES))
        for j in range(i + 1):
            place = (row(i) + j) * LANES
            store(X, place, load(X, place) * scale)


@numba.njit()
def gram(X: Floats, n: int, B: Floats) -> None:
    """B = Xᵀ X of a lower triangle, packed."""
    for i in range(0, n, 2):
        below = min(i + 1, n - 1)
        for j in range(0, i - 3, 4):
            x, place = load(X, (row(i) + i) * LANES), (row(i) + j) * LANES
            a, b = x * load(X, place), x * load(X, place + LANES)
            c, d = x * load(X, place + 2 * LANES), x * load(X, place + 3 * LANES)
            e, f, g, h = same(0.0), same(0.0), same(0.0), same(0.0)
            for k in range(i + 1, n):
                at = row(k)
                x, y, place = load(X, (at + i) * LANES), load(X, (at + below) * LANES), (at + j) * LANES
                u, v = load(X, place), load(X, place + LANES)
                w, z = load(X, place + 2 * LANES), load(X, place + 3 * LANES)
                a, b, c, d = a + x * u, b + x * v, c + x * w, d + x * z
                e, f, g, h = e + y * u, f + y * v, g + y * w, h + y * z
            _store_four(B, (row(i) + j) * LANES, a, b, c, d)
            if below > i:
                _store_four(B, (row(below) + j) * LANES, e, f, g, h)
        for j in range(i - i % 4, i + 1, 2):
            beside = min(j + 1, below)
            a, b, c, d = same(0.0), same(0.0), same(0.0), same(0.0)
            x = load(X, (row(i) + i) * LANES)
            a = a + x * load(X, (row(i) + j) * LANES)
            if j < i:
                b = b + x * load(X, (row(i) + j + 1) * LANES)
            for k in range(i + 1, n):
                at = row(k)
                x, y = load(X, (at + i) * LANES), load(X, (at + below) * LANES)
                u, v = load(X, (at + j) * LANES), load(X, (at + beside) * LANES)
                a = a + x * u
                b = b + x * v
                c = c + y * u
                d = d + y * v
            store(B, (row(i) + j) * LANES, a)
            if j < i:
                store(B, (row(i) + j + 1) * LANES, b)
            if below > i:
                store(B, (row(below) + j) * LANES, c)
                store(B, (row(below) + beside) * LANES, d)


@numba.njit()
def factor_hermitian(M: Floats, n: int, shift: Floats, W: Floats, inverse: Floats, t: Floats) -> Mask:
    """L D Lᴴ of M − σ I (`shift`: σ in `LANES`). W: L, packed; `inverse`: 1 / D, real.

    Returns the lanes that have a negative pivot: there an eigenvalue lies below σ (Sylvester).
    """
    sigma = load(shift, 0)
    below_zero = greater(same(0.0), same(1.0))
    for i in range(0, n, 2):
        second = min(i + 1, n - 1)
        p, q = row(i) * 2 * LANES, row(second) * 2 * LANES
        for j in range(0, i, 2):
            left, right = row(j) * 2 * LANES, row(j + 1) * 2 * LANES
            here, other = 2 * j * LANES, 2 * (n + j) * LANES
            ar, ai = load(M, p + here), load(M, p + here + LANES)
            br, bi = load(M, p + here + 2 * LANES), load(M, p + here + 3 * LANES)
            cr, ci = load(M, q + here), load(M, q + here + LANES)
            dr, di = load(M, q + here + 2 * LANES), load(M, q + here + 3 * LANES)
            for k in range(j):
                e = 2 * k * LANES
                ur, ui, vr, vi = (
                    load(W, left + e),
                    load(W, left + e + LANES),
                    load(W, right + e),
                    load(W, right + e + LANES),
                )
                xr, xi = load(t, e), load(t, e + LANES)
                yr, yi = load(t, 2 * n * LANES + e), load(t, (2 * n + 1) * LANES + e)
                ar, ai, br, bi = ar - xr * ur, ai - xi * ur, br - xr * vr, bi - xi * vr
                cr, ci, dr, di = cr - yr * ur, ci - yi * ur, dr - yr * vr, di - yi * vr
                ar, ai, br, bi = ar - xi * ui, ai + xr * ui, br - xi * vi, bi + xr * vi
                cr, ci, dr, di = cr - yi * ui, ci + yr * ui, dr - yi * vi, di + yr * vi
            vr, vi = load(W, right + here), load(W, right + here + LANES)
            br, bi, dr, di = br - ar * vr, bi - ai * vr, dr - cr * vr, di - ci * vr
            br, bi, dr, di = br - ai * vi, bi + ar * vi, dr - ci * vi, di + cr * vi
            store(t, here, ar)
            store(t, here + LANES, ai)
            store(t, here + 2 * LANES, br)
            store(t, here + 3 * LANES, bi)
            store(t, other, cr)
            store(t, other + LANES, ci)
            store(t, other + 2 * LANES, dr)
            store(t, other + 3 * LANES, di)
        pivot = load(M, p + 2 * i * LANES) - sigma
        br, bi = load(M, q + 2 * i * LANES), load(M, q + (2 * i + 1) * LANES)
        for k in range(i):
            here, scale = 2 * k * LANES, load(inverse, k * LANES)
            xr, xi = load(t, here), load(t, here + LANES)
            yr, yi = load(t, 2 * n * LANES + here), load(t, (2 * n + 1) * LANES + here)
            lr, li = xr * scale, xi * scale
            store(W, p + here, lr)
            store(W, p + here + LANES, li)
            pivot = pivot - xr * lr
            pivot = pivot - xi * li
            br = br - yr * lr
            bi = bi - yi * lr
            br = br - yi * li
            bi = bi + yr * li
        below_zero = either(below_zero, greater(same(0.0), pivot))
        store(inverse, i * LANES, same(1.0) / _away_from_zero(pivot))
        if second > i:
            store(t, 2 * (n + i) * LANES, br)
            store(t, (2 * (n + i) + 1) * LANES, bi)
            pivot = load(M, q + 2 * second * LANES) - sigma
            for k in range(i + 1):
                here, scale = 2 * k * LANES, load(inverse, k * LANES)
                yr, yi = load(t, 2 * n * LANES + here), load(t, (2 * n + 1) * LANES + here)
                lr, li = yr * scale, yi * scale
                store(W, q + here, lr)
                store(W, q + here + LANES, li)
                pivot = pivot - yr * lr
                pivot = pivot - yi * li
            below_zero = either(below_zero, greater(same(0.0), pivot))
            store(inverse, second * LANES, same(1.0) / _away_from_zero(pivot))
    return below_zero


@numba.njit(inline="always")
def _away_from_zero(value: Lanes32) -> Lanes32:
    small, negative = same(_TINY), greater(same(0.0), value)
    size = select(negative, same(0.0) - value, value)
    size = select(greater(small, size), small, size)
    return select(negative, same(0.0) - size, size)


@numba.njit()
def solve(W: Floats, n: int, inverse: Floats, v: Floats) -> None:
    """v ← (L D Lᴴ)⁻¹ v of the factors of `factor_hermitian`."""
    for i in range(n):
        at = row(i) * 2 * LANES
        xr, xi = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        yr, yi = same(0.0), same(0.0)
        for k in range(i):
            here = 2 * k * LANES
            lr, li = load(W, at + here), load(W, at + here + LANES)
            ur, ui = load(v, here), load(v, here + LANES)
            xr = xr - lr * ur
            xi = xi - lr * ui
            yr = yr + li * ui
            yi = yi - li * ur
        store(v, 2 * i * LANES, xr + yr)
        store(v, (2 * i + 1) * LANES, xi + yi)
    for i in range(n):
        scale = load(inverse, i * LANES)
        store(v, 2 * i * LANES, load(v, 2 * i * LANES) * scale)
        store(v, (2 * i + 1) * LANES, load(v, (2 * i + 1) * LANES) * scale)
    for i in range(n - 1, 0, -1):  # by columns: v_k −= conj(L_ik) v_i
        at = row(i) * 2 * LANES
        xr, xi = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        for k in range(i):
            here = 2 * k * LANES
            lr, li = load(W, at + here), load(W, at + here + LANES)
            ur, ui = load(v, here), load(v, here + LANES)
            ur = ur - lr * xr
            ui = ui - lr * xi
            store(v, here, ur - li * xi)
            store(v, here + LANES, ui + li * xr)


@numba.njit()
def multiply(M: Floats, n: int, v: Floats, w: Floats) -> None:
    """w = M v of a packed Hermitian matrix."""
    for i in range(n):
        at = row(i) * 2 * LANES
        vr, vi = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        diagonal = load(M, at + 2 * i * LANES)
        sr, si = diagonal * vr, diagonal * vi
        for j in range(i):
            here = 2 * j * LANES
            mr, mi = load(M, at + here), load(M, at + here + LANES)
            ur, ui = load(v, here), load(v, here + LANES)
            sr = sr + mr * ur
            si = si + mr * ui
            sr = sr - mi * ui
            si = si + mi * ur
            wr, wi = load(w, here), load(w, here + LANES)
            wr = wr + mr * vr
            wi = wi + mr * vi
            store(w, here, wr + mi * vi)
            store(w, here + LANES, wi - mi * vr)
        store(w, 2 * i * LANES, sr)
        store(w, (2 * i + 1) * LANES, si)


@numba.njit()
def normalise(v: Floats, old: Floats, n: int) -> Lanes32:
    """v to length 1 and to the phase of ⟨old, v⟩; returns the squared length of v − old, old of length 1."""
    size, re, im = same(1e-30), same(1e-30), same(0.0)
    for i in range(n):
        a, b = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        c, d = load(old, 2 * i * LANES), load(old, (2 * i + 1) * LANES)
        size = size + a * a
        size = size + b * b
        re = re + c * a
        re = re + d * b
        im = im + c * b
        im = im - d * a
    length = same(1.0) / root(size)
    turn = length / root(re * re + im * im + same(1e-30))
    re, im, change = re * turn, im * turn, same(0.0)
    for i in range(n):
        a, b = load(v, 2 * i * LANES), load(v, (2 * i + 1) * LANES)
        x, y = a * re + b * im, b * re - a * im
        c, d = x - load(old, 2 * i * LANES), y - load(old, (2 * i + 1) * LANES)
        change = change + c * c
        change = change + d * d
        store(v, 2 * i * LANES, x)
        store(v, (2 * i + 1) * LANES, y)
    return change


@numba.njit()
def inner(v: Floats, w: Floats, n: int) -> Lanes32:
    """Real part of ⟨v, w⟩."""
    total = same(0.0)
    for e in range(2 * n):
        total = total + load(v, e * LANES) * load(w, e * LANES)
    return total
