"""The file of one unwrapped pair: phase, whole turns, coherence and components as sixteen-bit integers.

A fifth of float32: a phase is noisier than 2π/65535 by four orders of magnitude, and turns and components are the same
over whole slopes. Bands lie one after the other in small tiles, so that each is read alone and none twice. Every band
says its scale and offset, as GDAL reads them; 0 is nodata in all.

NumPy only, so that the jobs of the pairs start fast; `pair_values` reads.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS

from slipmap.io.atomic import write_aside
from slipmap.io.grid import BLOCK, Grid

TURN = 2 * np.pi
STEPS = 65535  # of the phase in a turn
HALF = STEPS // 2  # of them in half a turn
COARSE = 255  # steps in a turn of the phase before any filter, which only the temporal coherence needs
MIDDLE = COARSE // 2 + 1  # of which phase zero is
HIGH = 256  # each as a whole high byte, which compresses to one byte
NO_TURN = 32768  # stands for zero turns
PARTS = 1000  # steps of the coherence, those of the tables of weights (`phase.TABLE_SIZE`)
TILE = 256  # pixels on a side; blocks are whole multiples

_BANDS = {
    # name: (what it is, unit, scale, offset)
    "wrapped_phase": ("interferometric phase, wrapped", "rad", TURN / STEPS, -TURN / STEPS * (HALF + 1)),
    "turns": ("whole turns to add to the wrapped phase", "1", 1.0, -float(NO_TURN)),
    "coherence": ("coherence", "1", 1 / PARTS, 0.0),
    "connected_component": ("connected component of the unwrapping, nodata for none", "1", 1.0, 0.0),
    "phase_original": (
        "wrapped interferometric phase before any filter", "rad", TURN / COARSE / HIGH, -TURN / COARSE * MIDDLE,
    ),
}  # fmt: skip
BANDS = tuple(_BANDS)


def band(name: str) -> int:
    """1-based number of a band."""
    return BANDS.index(name) + 1


def encode(unwrapped: np.ndarray, coherence: np.ndarray, components: np.ndarray, original: np.ndarray) -> np.ndarray:
    """The bands of the file, uint16 (5, rows, cols).

    Parameters
    ----------
    unwrapped, coherence : (rows, cols), rad and 0 … 1; where the one is NaN, or the other NaN or 0, all bands are 0.
    components : (rows, cols) integer, 0 for none. original : (rows, cols), the phase before any filter, rad.
    """
    there = np.isfinite(unwrapped) & (coherence > 0)
    steps = np.rint(np.where(there, unwrapped, 0) * np.float64(STEPS / TURN)).astype(np.int64) + HALF
    turns, wrapped = np.divmod(steps, STEPS)
    before = np.rint(np.where(there & np.isfinite(original), original, 0) * (COARSE / TURN)).astype(np.int32)
    known = np.where(there, coherence, 0).astype(np.float32)
    bands = np.stack(
        [
            wrapped + 1,
            turns + NO_TURN,
            np.clip(np.floor(known * np.float32(PARTS) + np.float32(0.5)), 1, PARTS),  # as the kernel rounds
            np.minimum(components, STEPS),
            ((before + MIDDLE - 1) % COARSE + 1) * HIGH,
        ]
    )
    return np.where(there, bands, 0).astype(np.uint16)


def write(path: str | Path, grid: Grid, bands: np.ndarray, tags: Mapping[str, object]) -> None:
    """Write what `encode` gave, whole or not at all."""
    tile = TILE if max(grid.shape) > BLOCK else -(-max(grid.shape) // 16) * 16
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": len(bands), "dtype": "uint16",
        "crs": CRS.from_user_input(grid.crs), "transform": grid.transform, "nodata": 0, "tiled": True,
        "blockxsize": tile, "blockysize": tile, "interleave": "band", "bigtiff": "if_safer",
        "compress": "zstd", "zstd_level": 1,
    }  # fmt: skip
    with write_aside(path) as aside, rasterio.open(aside, "w", **profile) as dataset:
        names, units, scales, offsets = zip(*_BANDS.values(), strict=True)
        dataset.descriptions, dataset.units, dataset.scales, dataset.offsets = BANDS, units, scales, offsets
        for number, name in enumerate(names, start=1):
            dataset.update_tags(number, long_name=name, units=units[number - 1])
        dataset.update_tags(**{key: str(value) for key, value in tags.items()})
        dataset.write(bands)
