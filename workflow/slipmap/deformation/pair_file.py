"""The file of one unwrapped pair: phase, whole turns, coherence and components as sixteen-bit integers.

A fifth of float32: a phase is noisier than 2π/65535 by four orders of magnitude, and turns and components are the same
over whole slopes. Of linked phases a pair is the difference of two dates: its file holds turns and components only.
`pair_values` reads.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from slipmap.deformation.scaled_file import Band, create
from slipmap.io.grid import Grid

TURN = 2 * np.pi
STEPS = 65535  # of the phase in a turn
HALF = STEPS // 2  # of them in half a turn
COARSE = 255  # steps in a turn of the phase before any filter, which only the temporal coherence needs
MIDDLE = COARSE // 2 + 1  # of which phase zero is
HIGH = 256  # each as a whole high byte, which compresses to one byte
NO_TURN = 32768  # stands for zero turns
PARTS = 1000  # steps of the coherence, those of the tables of weights (`phase.TABLE_SIZE`)

PHASE_SCALE, PHASE_OFFSET = TURN / STEPS, -TURN / STEPS * (HALF + 1)
_TURNS = Band("turns", "whole turns to add to the wrapped phase", "1", 1.0, -float(NO_TURN))
_COMPONENT = Band("connected_component", "connected component of the unwrapping, nodata for none", "1", 1.0, 0.0)
BANDS = (
    Band("wrapped_phase", "interferometric phase, wrapped", "rad", PHASE_SCALE, PHASE_OFFSET),
    _TURNS,
    Band("coherence", "coherence", "1", 1 / PARTS, 0.0),
    _COMPONENT,
    Band(
        "phase_original",
        "wrapped interferometric phase before any filter",
        "rad",
        TURN / COARSE / HIGH,
        -TURN / COARSE * MIDDLE,
    ),
)
BANDS_OF_LINKED = (_TURNS, _COMPONENT)
_NUMBERS = {band.name: number for number, band in enumerate(BANDS, start=1)}


def band(name: str) -> int:
    """1-based number of one of `BANDS`."""
    return _NUMBERS[name]


def phase_steps(phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole turns of a phase (rad, without NaN), int64, and what is left as the integers 1 … `STEPS`."""
    turns, steps = np.divmod(np.rint(phase * np.float64(STEPS / TURN)).astype(np.int64) + HALF, STEPS)
    return turns, steps + 1


def encode(unwrapped: np.ndarray, coherence: np.ndarray, components: np.ndarray, original: np.ndarray) -> np.ndarray:
    """The bands of the file, uint16 (5, rows, cols).

    Parameters
    ----------
    unwrapped, coherence : (rows, cols), rad and 0 … 1; where the one is NaN, or the other NaN or 0, all bands are 0.
    components : (rows, cols) integer, 0 for none. original : (rows, cols), the phase before any filter, rad.
    """
    there = np.isfinite(unwrapped) & (coherence > 0)
    turns, wrapped = phase_steps(np.where(there, unwrapped, 0))
    before = np.rint(np.where(there & np.isfinite(original), original, 0) * (COARSE / TURN)).astype(np.int32)
    known = np.where(there, coherence, 0).astype(np.float32)
    bands = np.stack(
        [
            wrapped,
            turns + NO_TURN,
            np.clip(np.floor(known * np.float32(PARTS) + np.float32(0.5)), 1, PARTS),  # as the kernel rounds
            np.minimum(components, STEPS),
            ((before + MIDDLE - 1) % COARSE + 1) * HIGH,
        ]
    )
    return np.where(there, bands, 0).astype(np.uint16)


def encode_turns(turns: np.ndarray, components: np.ndarray) -> np.ndarray:
    """The bands of a pair of linked phases, uint16 (2, rows, cols); `turns` is NaN where there is no data."""
    there = np.isfinite(turns)
    bands = np.stack([np.where(there, turns, 0) + NO_TURN, np.minimum(components, STEPS)])
    return np.where(there, bands, 0).astype(np.uint16)


def write(path: str | Path, grid: Grid, bands: np.ndarray, tags: Mapping[str, object]) -> None:
    """Write what `encode` or `encode_turns` gave, whole or not at all."""
    with create(path, grid, BANDS if len(bands) == len(BANDS) else BANDS_OF_LINKED, tags) as dataset:
        dataset.write(bands)
