"""Phase and coherence from the integers of `pair_file`, compiled."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slipmap.arrays import Floats
from slipmap.deformation.pair_file import COARSE, HALF, HIGH, MIDDLE, NO_TURN, PARTS, STEPS, TURN

Stored = NDArray[np.uint16]  # a band as it is stored
_STEP, _COARSE_STEP, _PART = np.float32(TURN / STEPS), np.float32(TURN / COARSE), np.float32(1 / PARTS)


@njit(cache=True, nogil=True)
def decode(
    wrapped: Stored, turns: Stored, coherence: Stored, offset: np.float32, phase: Floats, quality: Floats
) -> None:
    """Unwrapped phase less `offset` (rad) and coherence of flat arrays, float32, into `phase` and `quality`.

    NaN for nodata.
    """
    nan = np.float32(np.nan)
    for x in range(phase.size):
        steps = (np.int32(turns[x]) - np.int32(NO_TURN)) * np.int32(STEPS) + np.int32(wrapped[x]) - np.int32(HALF + 1)
        there = coherence[x] > 0
        phase[x] = np.float32(steps) * _STEP - offset if there else nan
        quality[x] = np.float32(coherence[x]) * _PART if there else nan


@njit(cache=True, nogil=True)
def decode_original(original: Stored, offset: np.float32, phase: Floats) -> None:
    """The phase before any filter less `offset` (rad) of a flat array into `phase`; NaN for nodata."""
    for x in range(phase.size):
        value = np.float32(np.int32(original[x] // HIGH) - np.int32(MIDDLE)) * _COARSE_STEP
        phase[x] = value - offset if original[x] > 0 else np.float32(np.nan)


@njit(cache=True, nogil=True)
def decode_linked(
    first: Stored, second: Stored, turns: Stored, fit: Floats, offset: np.float32, phase: Floats, quality: Floats
) -> None:
    """As `decode`, of the difference of two dates' linked phases with the coherence `fit`, float32."""
    nan = np.float32(np.nan)
    for x in range(phase.size):
        steps = np.int32(first[x]) - np.int32(second[x])
        steps -= np.int32(STEPS) * (np.int32(steps > HALF) - np.int32(steps < -HALF))
        steps += (np.int32(turns[x]) - np.int32(NO_TURN)) * np.int32(STEPS)
        there = (first[x] > 0) & (second[x] > 0) & (turns[x] > 0) & (fit[x] > 0)
        phase[x] = np.float32(steps) * _STEP - offset if there else nan
        quality[x] = fit[x] if there else nan


@njit(cache=True, nogil=True)
def add_coherence(coherence: Stored, total: NDArray[np.int32], count: NDArray[np.int32]) -> tuple[int, int]:
    """Add the coherence of a pair, in 1/`PARTS`, to the sum at each pixel; its own sum and number of pixels."""
    whole, there = 0, 0
    for x in range(coherence.size):
        value = np.int32(coherence[x])
        known = np.int32(value > 0)
        total[x] += value
        count[x] += known
        whole += int(value)
        there += int(known)
    return whole, there
