"""The eigenvector of the smallest eigenvalue of sixteen Hermitian matrices, by certified inverse iteration.

Inverse iteration with a shift below all eigenvalues can only converge to the first one. Pivots of M − σ I tell by their
signs whether σ is below (Sylvester), so shifts come close to the Rayleigh quotient and go back where they went too far.
"""

import numba
import numpy as np

from slipmap.arrays import Floats
from slipmap.deformation.lanes import LANES, Lanes32, either, greater, load, select, some, store
from slipmap.deformation.phase_linking.packed import factor_hermitian, inner, multiply, normalise, same, solve

# shifts lie below the Rayleigh quotient by these shares of it, one after the other
SHARES = (0.03, 0.02, 1e-3, 1e-4, 1e-4, 1e-4, 1e-4)
NEAR = 0.04  # a quotient that is certified within this share is that of the smallest eigenvalue
STEPS = 6  # solves with one shift, at most
HALVINGS = 12


@numba.njit()
def smallest(
    M: Floats,
    n: int,
    lower: np.float32,
    v: Floats,
    tolerance: np.float32,
    W: Floats,
    inverse: Floats,
    t: Floats,
    w: Floats,
    shift: Floats,
    bounds: Floats,
) -> Lanes32:
    """Turn the start `v` (length 1) into the eigenvector of the smallest eigenvalue of `M`; returns the eigenvalue.

    Parameters
    ----------
    lower : known to lie below all eigenvalues. tolerance : of the change of `v` (length 1) in one step.
    W, inverse, t, w, shift, bounds : room: as `M`; n; 4 n; 2 n; 1; 2 entries.
    """
    limit = same(tolerance * tolerance)
    store(bounds, 0, same(lower))
    multiply(M, n, v, w)
    quotient = inner(v, w, n)
    change = same(1.0)
    for turn in range(len(SHARES)):
        size = select(greater(same(0.0), quotient), same(0.0) - quotient, quotient)
        store(shift, 0, quotient - size * same(SHARES[turn]))
        negative = factor_hermitian(M, n, shift, W, inverse, t)
        wrong = some(negative)
        for _ in range(HALVINGS):
            if not some(negative):
                break
            high, low = load(shift, 0), load(bounds, 0)
            store(shift, 0, select(negative, same(0.5) * (high + low), high))
            negative = factor_hermitian(M, n, shift, W, inverse, t)
        certified, low = load(shift, 0), load(bounds, 0)
        store(bounds, 0, select(negative, low, select(greater(certified, low), certified, low)))
        for _ in range(2 * STEPS if wrong else STEPS):
            for e in range(2 * n):
                store(w, e * LANES, load(v, e * LANES))
            solve(W, n, inverse, v)
            change = normalise(v, w, n)
            if not some(greater(change, limit)):
                break
        multiply(M, n, v, w)
        quotient = inner(v, w, n)
        # done when no lane moves any more and a shift just below the quotient has been certified
        size = select(greater(same(0.0), quotient), same(0.0) - quotient, quotient)
        far = greater(quotient - load(bounds, 0), size * same(NEAR))
        if not some(either(greater(change, limit), far)):
            break
    return quotient
