"""Linear algebra on sixteen packed matrices at once, float32, for compiled code.

Element (i, j), j ≤ i, of a symmetric matrix is entry ``row(i) + j``; an entry is `LANES` numbers, one for each pixel.
Entries of Hermitian matrices and of vectors are complex: the real parts, then the imaginary ones. After a change here,
touch `kernel.py`, whose compiled form numba keeps by the date of that file.
"""

import numba
import numpy as np

from slipmap.deformation.lanes import LANES, either, greater, load, root, select, splat32, store

LEAST_PIVOT = 0.02  # of a matrix of coherences that counts as positive definite
_TINY = 1e-7


@numba.njit(inline="always")
def same(number):
    """A float32 number in all lanes."""
    return splat32(np.float32(number))


@numba.njit(inline="always")
def row(i):
    """Number of the first entry of row `i`."""
    return i * (i + 1) // 2


@numba.njit
def factor_real(G, n, blend, Q, inverse, t):
    """L D Lᵀ of (1 − β) G + β I; G has ones on its diagonal, β is in `blend` (`LANES`). Q: L, `inverse`: 1 / D.

    Returns the lanes in which a pivot is below `LEAST_PIVOT`: there the factors are not to be used.
    """
    shrink = same(1.0) - load(blend, 0)
    least = same(LEAST_PIVOT)
    bad = greater(same(0.0), same(1.0))
    for i in range(0, n, 2):
        below = min(i + 1, n - 1)  # the last row of an odd matrix is worked on twice
        first, second = row(i), row(below)
        for j in range(0, i, 2):
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


@numba.njit
def half_inverse(Q, n, inverse, X):
    """X = D^(−1/2) L⁻¹ of the factors of `factor_real`, packed: the inverse of the matrix is Xᵀ X."""
    for i in range(n):
        at = row(i)
        for j in range(0, i, 4):
            wide = min(4, i - j)
            if wide < 4:
                for q in range(j, i):
                    a = load(Q, (at + q) * LANES)
                    for k in range(q + 1, i):
                        a = a + load(Q, (at + k) * LANES) * load(X, (row(k) + q) * LANES)
                    store(X, (at + q) * LANES, same(0.0) - a)
                continue
            a, b = load(Q, (at + j) * LANES), load(Q, (at + j + 1) * LANES)
            c, d = load(Q, (at + j + 2) * LANES), load(Q, (at + j + 3) * LANES)
            u, v, w = b, c, d
            a = a + u * load(X, (row(j + 1) + j) * LANES)
            a = a + v * load(X, (row(j + 2) + j) * LANES)
            a = a + w * load(X, (row(j + 3) + j) * LANES)
            b = b + v * load(X, (row(j + 2) + j + 1) * LANES)
            b = b + w * load(X, (row(j + 3) + j + 1) * LANES)
            c = c + w * load(X, (row(j + 3) + j + 2) * LANES)
            for k in range(j + 4, i):
                u, place = load(Q, (at + k) * LANES), (row(k) + j) * LANES
                a = a + u * load(X, place)
                b = b + u * load(X, place + LANES)
                c = c + u * load(X, place + 2 * LANES)
                d = d + u * load(X, place + 3 * LANES)
            place, zero = (at + j) * LANES, same(0.0)
            store(X, place, zero - a)
            store(X, place + LANES, zero - b)
            store(X, place + 2 * LANES, zero - c)
            store(X, place + 3 * LANES, zero - d)
        store(X, (at + i) * LANES, same(1.0))
    for i in range(n):
        scale = root(load(inverse, i * LANES))
        for j in range(i + 1):
            place = (row(i) + j) * LANES
            store(X, place, load(X, place) * scale)


@numba.njit
def gram(X, n, B):
    """B = Xᵀ X of a lower triangle, packed."""
    for i in range(0, n, 2):
        below = min(i + 1, n - 1)
        for j in range(0, i + 1, 2):
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


@numba.njit
def factor_hermitian(M, n, shift, W, inverse, t):
    """L D Lᴴ of M − σ I (`shift`: σ in `LANES`). W: L, packed; `inverse`: 1 / D, real.

    Returns the lanes that have a negative pivot: there an eigenvalue lies below σ (Sylvester).
    """
    sigma = load(shift, 0)
    below_zero = greater(same(0.0), same(1.0))
    for i in range(0, n, 2):
        second = min(i + 1, n - 1)
        p, q = row(i) * 2 * LANES, row(second) * 2 * LANES
        for j in range(i):
            at = row(j) * 2 * LANES
            ar, ai = load(M, p + 2 * j * LANES), load(M, p + (2 * j + 1) * LANES)
            br, bi = load(M, q + 2 * j * LANES), load(M, q + (2 * j + 1) * LANES)
            for k in range(j):
                here = 2 * k * LANES
                lr, li = load(W, at + here), load(W, at + here + LANES)
                xr, xi = load(t, here), load(t, here + LANES)
                yr, yi = load(t, 2 * n * LANES + here), load(t, (2 * n + 1) * LANES + here)
                ar = ar - xr * lr
                ai = ai - xi * lr
                br = br - yr * lr
                bi = bi - yi * lr
                ar = ar - xi * li
                ai = ai + xr * li
                br = br - yi * li
                bi = bi + yr * li
            store(t, 2 * j * LANES, ar)
            store(t, (2 * j + 1) * LANES, ai)
            store(t, 2 * (n + j) * LANES, br)
            store(t, (2 * (n + j) + 1) * LANES, bi)
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
def _away_from_zero(value):
    small, negative = same(_TINY), greater(same(0.0), value)
    size = select(negative, same(0.0) - value, value)
    size = select(greater(small, size), small, size)
    return select(negative, same(0.0) - size, size)


@numba.njit
def solve(W, n, inverse, v):
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


@numba.njit
def multiply(M, n, v, w):
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


@numba.njit
def normalise(v, old, n):
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


@numba.njit
def inner(v, w, n):
    """Real part of ⟨v, w⟩."""
    total = same(0.0)
    for e in range(2 * n):
        total = total + load(v, e * LANES) * load(w, e * LANES)
    return total
