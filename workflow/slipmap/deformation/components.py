"""Connected components of an interferogram: ground within which the whole turns between neighbours are certain.

The criterion is that of whirlwind's "linear" components, which follow from the costs of its solver: the odds that noise
turned the step between two neighbours by a whole turn. It is computed here since whirlwind tabulates the noise in every
process, half a second for a hundred looks, twice as long as it unwraps.
"""

import math

import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Doubles, Floats

COST = 50.5 / 6  # logarithm of the odds against a turn from which a step is certain; whirlwind rounds it in sixths
LEAST_PIXELS, LEAST_SHARE = 100, 1e-4  # of a component; share of the pixels with data
MOST = 1024  # components
WINDOW = 7  # pixels over which steps are averaged
_COHERENCES, _HIGHEST = 101, np.float32(0.999)  # of the table of costs, from coherence 0
_STEPS, _FINER = 251, 4  # of it, from 0 to π; the density is summed so many times as finely
_NODES, _TERMS = 1501, 120  # of the density over the angle, and of the integral behind it


def label(interferogram: np.ndarray, coherence: np.ndarray, valid: np.ndarray, looks: float) -> np.ndarray:
    """Connected components, uint32 (rows, cols): 1 the largest, 0 for none.

    Parameters
    ----------
    interferogram : (rows, cols) complex64, 0 where not `valid`. coherence : float32, 0 … 1.
    looks : independent looks behind the coherence, at least 1.
    """
    from whirlwind._native import label_components

    rows, cols = valid.shape
    # Pixels lie on every other row and column of this one, what joins two of them between them.
    joined = np.zeros((2 * rows - 1, 2 * cols - 1), bool)
    joined[::2, ::2] = valid
    table = costs(looks)
    for axis, between in ((0, joined[1::2, ::2]), (1, joined[::2, 1::2])):
        ahead, behind = _neighbours(axis)
        step = _averaged(np.angle(interferogram[ahead] * np.conj(interferogram[behind])))
        certain = _look_up(table, np.abs(step), np.minimum(coherence[ahead], coherence[behind])) >= COST
        between[...] = certain & valid[ahead] & valid[behind]
    found, count = label_components(joined)
    return _largest_first(found[::2, ::2], count, int(valid.sum()))


def _neighbours(axis: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Of all neighbours along an axis those ahead and those behind."""
    ahead, behind, whole = slice(1, None), slice(None, -1), slice(None)
    return ((ahead, whole), (behind, whole)) if axis == 0 else ((whole, ahead), (whole, behind))


def _averaged(steps: np.ndarray) -> np.ndarray:
    """Mean over `WINDOW` × `WINDOW` steps round each, those at the edge repeated beyond it, float32."""
    half = WINDOW // 2
    for axis in (1, 0):
        padded = np.pad(steps, [(half, half) if k == axis else (0, 0) for k in (0, 1)], mode="edge")
        length = steps.shape[axis]
        parts = (padded[(slice(None),) * axis + (slice(k, k + length),)] for k in range(WINDOW))
        total = next(parts).copy()
        for part in parts:
            total += part
        steps = total * np.float32(1 / WINDOW)
    return steps


def _look_up(table: Floats, step: Floats, coherence: Floats) -> Floats:
    """Bilinear interpolation of `costs`, float32: `step` 0 … π, `coherence` 0 … 1."""
    across: Floats = np.minimum(step, np.float32(np.pi)) * np.float32((_STEPS - 1) / np.pi)
    down: Floats = np.minimum(coherence, _HIGHEST) * np.float32((_COHERENCES - 1) / _HIGHEST)
    column = np.minimum(across.astype(np.int32), _STEPS - 2)
    row = np.minimum(down.astype(np.int32), _COHERENCES - 2)
    across -= column
    down -= row
    place = row * _STEPS + column
    flat = table.ravel()
    first: Floats = flat[place]
    first += (flat[place + 1] - first) * across
    place += _STEPS
    second = flat[place]
    second += (flat[place + 1] - second) * across
    second -= first
    second *= down
    first += second
    return first


def _largest_first(labels: NDArray[np.integer], count: int, pixels: int) -> NDArray[np.uint32]:
    """Labels 1, 2, … by size, of equal ones the first from the top; 0 for those that are too small or too many."""
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] >= max(LEAST_PIXELS, math.ceil(LEAST_SHARE * pixels))][:MOST]
    number = np.zeros(count + 1, np.uint32)
    number[order] = np.arange(1, len(order) + 1)
    numbered: NDArray[np.uint32] = number[labels]
    return numbered


def costs(looks: float) -> Floats:
    """Logarithm of the odds against a turn by noise, float32 (coherences, steps), from no coherence and no step on.

    For a step of α they are those of a phase noise beyond α − π to one within (Carballo & Fieguth 2000), of multilooked
    phases (Lee et al. 1994); 50 at most, as whirlwind has it.
    """
    coherence = np.arange(_COHERENCES)[:, None] / (_COHERENCES - 1) * float(_HIGHEST)
    phases = np.linspace(-np.pi, 0, (_STEPS - 1) * _FINER + 1)
    density = _density(looks, coherence, coherence * np.cos(phases))
    turned = np.zeros_like(density)
    np.cumsum(density[:, 1:] + density[:, :-1], axis=1, out=turned[:, 1:])
    turned = turned[:, ::_FINER] / (2 * turned[:, -1:])  # half of all phases are negative
    with np.errstate(divide="ignore"):
        odds: Doubles = np.log1p(-turned) - np.log(turned)
    return np.clip(odds, 0, 50).astype(np.float32)


def _density(looks: float, coherence: Doubles, beta: Doubles) -> Doubles:
    """Density of the multilooked phase φ, but for a factor of each coherence γ; `beta` is γ cos φ.

    The amplitude is integrated out of the joint density of amplitude and phase (Lee et al. 1994), whose Bessel function
    is an integral of exponentials:

        p(φ) ∝ (1 − γ²)^L ∫₀^∞ cosh((L−1)t) / (cosh t − β)^(L+1) dt.

    The logarithm of the integral is tabulated over arccos β.
    """
    angle = np.linspace(0, np.pi, _NODES)
    angle[0] = angle[1] / 10  # the integral has no end at β = 1, which no coherence reaches
    gap = 1 - np.cos(angle)[:, None]
    width = np.sqrt(gap / looks)  # of the peak at t = 0
    end = np.arcsinh(40 / width)
    t = width * np.sinh(np.linspace(0, 1, _TERMS) * end)
    terms = np.logaddexp((looks - 1) * t, (1 - looks) * t) - (looks + 1) * np.log(2 * np.sinh(t / 2) ** 2 + gap)
    terms += np.log(np.hypot(width, t) * end)  # dt
    terms[:, 0] -= math.log(2)
    most = terms.max(axis=1, keepdims=True)
    integral = np.log(np.exp(terms - most).sum(axis=1)) + most[:, 0]
    found = np.interp(np.arccos(beta), angle, integral) + looks * np.log1p(-(coherence**2))
    density: Doubles = np.exp(found - found.max(axis=1, keepdims=True))
    return density
