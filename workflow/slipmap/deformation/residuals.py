"""Residuals of sixteen pixels: how coherent they are, and which phases to trust less.

A jump of 2π is no noise: least squares spread it over the series. Iteratively reweighted least squares with the weights
of a Cauchy distribution, 1/(1 + r²) for a residual r over its usual size, leave it where it is (Holland & Welsch 1977;
by the L1 norm of the residuals: Lauknes et al. 2011). Only pixels with a residual that no noise explains are solved
again, so that all others keep the least-squares solution to the last bit.
"""

import numpy as np
from numba import njit

from slipmap.arrays import Doubles, Floats, Integers
from slipmap.deformation.lanes import (
    LANES,
    Lanes32,
    Mask,
    both,
    equal,
    floor,
    greater,
    load,
    narrow,
    root,
    select,
    some,
    splat32,
    splat64,
    store,
    unequal,
    widen,
)

WILD = 2.5  # times the usual residual, after which a pixel is solved again
CAP = 2.0  # times the mean weight of a pixel's phases
SPREAD = 9.0  # the square of the usual size is 1 rad² and so many variances of the phase


@njit(inline="always")
def there(value: Lanes32, zero_is_gap: bool) -> Mask:
    """Lanes in which there is a phase; no comparison holds for NaN."""
    if zero_is_gap:
        return unequal(value, splat32(np.float32(0)))
    return equal(value, value)


@njit(inline="always")
def _sine_and_cosine(turns: Lanes32) -> tuple[Lanes32, Lanes32]:
    """Of 2π × `turns`: by their series at half the angle, then doubled; errors below 1e-6."""
    r = turns - floor(turns + splat32(np.float32(0.5)))  # −½ … ½
    x = r * splat32(np.float32(np.pi))
    x2 = x * x
    s = x2 * splat32(np.float32(1 / 362880)) + splat32(np.float32(-1 / 5040))
    s = s * x2 + splat32(np.float32(1 / 120))
    s = s * x2 + splat32(np.float32(-1 / 6))
    s = s * x2 * x + x
    c = x2 * splat32(np.float32(-1 / 3628800)) + splat32(np.float32(1 / 40320))
    c = c * x2 + splat32(np.float32(-1 / 720))
    c = c * x2 + splat32(np.float32(1 / 24))
    c = c * x2 + splat32(np.float32(-0.5))
    c = c * x2 + splat32(np.float32(1))
    return splat32(np.float32(2)) * s * c, c * c - s * s


@njit()
def temporal_coherence(
    original: Floats,
    places: Integers,
    begin: Integers,
    second: Integers,
    offsets: Floats,
    zero_is_gap: bool,
    at: int,
    right: Doubles,
    weights: Floats,
) -> Lanes32:
    """|Σ exp(i·residual)| over the interferograms present, divided by their number."""
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    turn = splat64(1 / (2 * np.pi))
    cosines, sines, count = zero, zero, zero
    for i in range(begin.size - 2, -1, -1):
        x = load(right, i * LANES)
        for k in range(begin[i], begin[i + 1]):
            p = load(original, places[k] + at)
            known = both(there(p, zero_is_gap), greater(load(weights, k * LANES), zero))
            p = p - splat32(offsets[k])
            residual = (widen(p) - (load(right, second[k] * LANES) - x)) * turn
            sine, cosine = _sine_and_cosine(narrow(residual))
            sines = sines + select(known, sine, zero)
            cosines = cosines + select(known, cosine, zero)
            count = count + select(known, one, zero)
    return root(cosines * cosines + sines * sines) / count


@njit()
def reweigh(
    phase: Floats,
    places: Integers,
    begin: Integers,
    second: Integers,
    offsets: Floats,
    zero_is_gap: bool,
    at: int,
    right: Doubles,
    weights: Floats,
    factors: Floats,
    wild: Floats,
    noise: np.float32,
    first: bool,
) -> bool:
    """Set `factors` by the residuals of the solution in `right`; whether any pixel has a wild one.

    Parameters
    ----------
    weights : of the phases times `factors`; 0 in gaps. factors : (pairs · LANES,) float32, ones at first; out.
    wild : (LANES,) float32, zeros at first: 1 where a residual was wild once.
    noise : variance of a phase of weight 1, rad²; 0 where the weights are no inverse variances.
    first : only limit the weights, to `CAP` times their mean: the solution may hang on a phase that is sure of itself.
    """
    zero, one = splat32(np.float32(0)), splat32(np.float32(1))
    limit = splat32(np.float32(WILD * WILD))
    largest, total, count = zero, zero, zero
    for k in range(places.size):
        w = load(weights, k * LANES)
        total = total + w / load(factors, k * LANES)
        count = count + select(greater(w, zero), one, zero)
    cap = splat32(np.float32(CAP)) * total / select(greater(count, zero), count, one)
    for i in range(begin.size - 1):
        x = load(right, i * LANES)
        for k in range(begin[i], begin[i + 1]):
            p = load(phase, places[k] + at)
            w = load(weights, k * LANES)
            known = both(there(p, zero_is_gap), greater(w, zero))
            residual = narrow(widen(p - splat32(offsets[k])) - (load(right, second[k] * LANES) - x))
            w = select(known, w / load(factors, k * LANES), one)
            usual = one + splat32(np.float32(SPREAD) * noise) / w
            square = select(known, residual * residual / usual, zero)
            largest = select(greater(square, largest), square, largest)
            capped = select(greater(w, cap), cap / w, one)
            store(factors, k * LANES, capped if first else capped / (one + square))
    again = greater(largest, limit)
    store(wild, 0, select(again, one, load(wild, 0)))
    again = greater(load(wild, 0), zero)
    if not some(again):
        return False
    for k in range(places.size):
        store(factors, k * LANES, select(again, load(factors, k * LANES), one))
    return True
