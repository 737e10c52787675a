"""The files of linked phases: one for each date, its phase in steps of a turn; two of them make a pair."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import rasterio

from slipmap.deformation.pair_file import HALF, PHASE_OFFSET, PHASE_SCALE, STEPS, phase_steps
from slipmap.deformation.scaled_file import Band
from slipmap.errors import InputError
from slipmap.io import raster

STD_STEPS = 10_000  # of the standard deviation, in a radian
PHASE = Band("phase", "linked phase", "rad", PHASE_SCALE, PHASE_OFFSET)
STD = Band(
    "phase_std", "Cramer-Rao standard deviation, relative to the first date", "rad", 1 / STD_STEPS, -1 / STD_STEPS
)
QUALITY = "quality.tif"
GROUND = ("coherence_floor", "coherence_first", "decay_days")  # how it decorrelates (`decorrelation`)
QUALITY_BANDS = ("goodness_of_fit", "neighbours", "looks", "persistent", "regularisation", "rate", *GROUND)
LEAST, MOST = 0.01, 0.999  # goodness of fit as a coherence


def file_of(folder: str | Path, day: date) -> Path:
    """Where the phase of a date lies."""
    return Path(folder) / f"{day:%Y%m%d}.tif"


def folder_of(folders: Sequence[str | Path], day: date) -> str | Path:
    """The folder of the ministack in which a date was linked."""
    for folder in folders:
        if file_of(folder, day).exists():
            return folder
    raise InputError(f"{folders[0]}: there is no linked phase of {day}; remove the folder, so that it is made again.")


def encode(bands: np.ndarray) -> np.ndarray:
    """Phase and, if there, standard deviation (rad), (1 or 2, rows, cols) with NaN for nodata, as uint16."""
    there = np.isfinite(bands[0])
    known = np.where(there, bands, 0)
    whole = [phase_steps(known[0])[1], *(np.minimum(np.rint(v * STD_STEPS) + 1, STEPS) for v in known[1:])]
    return np.where(there, np.stack(whole), 0).astype(np.uint16)


def read(folders: Sequence[str | Path], day: date) -> np.ndarray:
    """The phase of a date as it is stored, uint16 (rows, cols), 0 for nodata; `folders` of the ministacks."""
    with rasterio.open(file_of(folder_of(folders, day), day)) as source:
        return np.asarray(source.read(1))


def read_quality(folders: Sequence[str | Path], days: Iterable[date], names: Sequence[str]) -> np.ndarray:
    """Bands of the quality, float32 (names, rows, cols); of dates of several ministacks the mean of theirs.

    Bands that are read together are decompressed once: they lie pixel by pixel in the file.
    """
    own = sorted({str(folder_of(folders, day)) for day in days})
    numbers = [QUALITY_BANDS.index(name) + 1 for name in names]
    found = [raster.read(Path(folder) / QUALITY, bands=numbers) for folder in own]
    return found[0] if len(found) == 1 else np.mean(found, axis=0)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """First date less second, wrapped, float32 rad, NaN where either is nodata; whole steps, so the same wherever made.

    Parameters
    ----------
    first, second : of `read`.
    """
    steps = first.astype(np.int32) - second
    steps[steps > HALF] -= STEPS
    steps[steps < -HALF] += STEPS
    return np.where((first > 0) & (second > 0), steps * np.float32(PHASE_SCALE), np.nan).astype(np.float32)


def as_coherence(fit: np.ndarray) -> np.ndarray:
    """Goodness of fit as the coherence of all pairs of a pixel, float32; NaN without data."""
    return np.asarray(np.clip(fit, LEAST, MOST), np.float32)
