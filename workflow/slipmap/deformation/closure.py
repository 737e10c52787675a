"""Phase closure of triplets: how consistent a network's unwrapping is, and jumps of 2π corrected by it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slipmap.arrays import Floats, Integers
from slipmap.deformation.inversion import invert_stack, thread_count

TOLERANCE = 0.25  # turns; a closure farther than this from a whole turn is noise and tells nothing
NEAR = 0.2  # turns; a residual so near to a whole number of turns is a jump
BLOCK = 256  # pixels whose closures are summed together


def triplets(numbers: np.ndarray) -> np.ndarray:
    """Every closed triplet of the network.

    Parameters
    ----------
    numbers : (interferograms, 2) int, dates of each pair, the first smaller.

    Returns
    -------
    (triplets, 3) int64 : interferograms i→j, j→k and i→k with i < j < k; their closure is φ_ij + φ_jk − φ_ik.
    """
    index = {(int(a), int(b)): k for k, (a, b) in enumerate(numbers)}
    ahead: dict[int, list[int]] = {}
    for a, b in index:
        ahead.setdefault(a, []).append(b)
    found = [(index[a, b], index[b, c], index[a, c]) for a, b in index for c in ahead.get(b, ()) if (a, c) in index]
    return np.array(found, np.int64).reshape(-1, 3)


@njit(cache=True, nogil=True)
def _count(phase: Floats, triples: Integers, start: int, stop: int, count: NDArray[np.int32]) -> None:
    """Triplets of each pixel whose closure is a whole turn, not 0, within `TOLERANCE`."""
    turn, tolerance, half = np.float32(1 / (2 * np.pi)), np.float32(TOLERANCE), np.float32(0.5)
    for first in range(start, stop, BLOCK):
        n = min(BLOCK, stop - first)
        total = count[first : first + n]
        total[:] = 0
        for t in range(len(triples)):
            a = phase[triples[t, 0], first : first + n]
            b = phase[triples[t, 1], first : first + n]
            c = phase[triples[t, 2], first : first + n]
            for x in range(n):
                closure = (a[x] + b[x] - c[x]) * turn
                whole = np.floor(closure + half)
                # No comparison holds in a gap. One expression without branches: eight pixels at a time.
                total[x] += np.int32((abs(closure - whole) < tolerance) & (whole != 0))


def open_triplets(phase: Floats, triples: Integers) -> NDArray[np.int32]:
    """(pixels,) int32: how many triplets fail to close by whole turns.

    Parameters
    ----------
    phase : (interferograms, pixels) float32, rad; NaN is a gap, whose triplets are not counted. triples : `triplets`.
    """
    pixels, threads = phase.shape[1], thread_count()
    count = np.zeros(pixels, np.int32)
    cuts = [pixels * k // threads for k in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda a, b: _count(phase, triples, a, b, count), cuts[:-1], cuts[1:]))
    return count


def correct(
    phase: np.ndarray,
    coherence: np.ndarray,
    numbers: np.ndarray,
    times: np.ndarray,
    triples: np.ndarray,
    table: np.ndarray | None = None,
    noise: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find and correct jumps of whole turns, in place, at pixels whose triplets do not all close.

    The network is inverted robustly there (`residuals`): few jumps do not bend the series then, and the pairs that
    jumped are those whose residual is near a whole number of turns. Unlike a search for the fewest turns that close
    the triplets, all loops of the network take part, and several jumps in one triplet are no obstacle. (Unwrapping
    errors by closure: Yunjun et al. 2019, section 3.2, there by regularised least squares over regions.)

    Parameters
    ----------
    phase, coherence : (interferograms, pixels) float32, rad and 0 … 1, NaN in gaps; phase relative to the reference.
    numbers, times, table, noise : of the network (`inversion.invert_stack`). triples : (triplets, 3), from `triplets`.

    Returns
    -------
    corrected : (interferograms,) int, pixels corrected in each.
    before, after : (pixels,) int, triplets that do not close by whole turns.
    """
    before = open_triplets(phase, triples)
    after = before.copy()
    wrong = np.flatnonzero(before)
    if len(wrong) == 0:
        return np.zeros(len(phase), np.int64), before, after
    part = phase[:, wrong]
    series = invert_stack(part, coherence[:, wrong], numbers, times, table, robust=True, noise=noise).series
    residual = part - (series[numbers[:, 1]] - series[numbers[:, 0]])
    residual *= np.float32(1 / (2 * np.pi))
    turns = np.rint(residual)
    residual -= turns
    turns[~(np.abs(residual) < NEAR)] = 0
    part -= np.float32(2 * np.pi) * turns
    phase[:, wrong] = part
    after[wrong] = open_triplets(part, triples)
    return np.count_nonzero(turns, axis=1), before, after
