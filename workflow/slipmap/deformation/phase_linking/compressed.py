"""Compressed SLCs: the mean of the SLCs of a ministack with their linked phases taken off (Ansari et al. 2017).

They have the phase of the first date of all, so that the phases of every ministack, relative to the compressed ones
before it, are relative to that date.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import DatasetWriter

from slipmap.errors import InputError
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid

NAME = "compressed.tif"
_DATUM, _DATES = "DATUM", "DATES"


def compress(samples: np.ndarray, phasors: np.ndarray) -> np.ndarray:
    """Mean over the dates with the linked phases taken off, complex64 (rows, cols, looks); 0 without data.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, looks), NaN where no data. phasors : (dates, rows, cols), 0 where none.
    """
    total = np.zeros(samples.shape[1:], np.complex64)
    count = np.zeros(phasors.shape[1:], np.float32)
    for own, phasor in zip(samples, phasors, strict=True):
        total += np.nan_to_num(own) * np.conj(phasor)[..., None]
        count += np.abs(phasor) > 0.5
    return total / np.maximum(count, 1)[..., None]


def datum(path: str | Path) -> date:
    """The date whose phase a compressed SLC has."""
    return date.fromisoformat(_tag(path, _DATUM))


def dates(path: str | Path) -> list[date]:
    """The dates of which a compressed SLC is the mean."""
    return [date.fromisoformat(day) for day in _tag(path, _DATES).split()]


def _tag(path: str | Path, name: str) -> str:
    with rasterio.open(path) as source:
        tags: dict[str, str] = source.tags()
    if name not in tags:
        raise InputError(f"{path} lacks the tag {name}: another version wrote it; remove its folder and link again.")
    return tags[name]


@contextmanager
def create(path: Path, grid: Grid, first: date, days: Sequence[date], tile: tuple[int, int]) -> Iterator[DatasetWriter]:
    """Yield the open file of a compressed SLC of `days` on the SLCs' grid, with the phase of the date `first`.

    Parameters
    ----------
    tile : rows and columns of what is written at once, multiples of 16.
    """
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": 1, "dtype": "complex64",
        "crs": grid.crs, "transform": grid.transform, "tiled": True, "blockysize": tile[0], "blockxsize": tile[1],
        "compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer",
    }  # fmt: skip
    with write_aside(path) as aside, rasterio.open(aside, "w", **profile) as file:
        file.update_tags(**{_DATUM: first.isoformat(), _DATES: " ".join(day.isoformat() for day in days)})
        file.set_band_description(1, "mean of the dates' SLCs with their linked phases taken off")
        file.set_band_unit(1, "1")
        file.update_tags(1, units="1")
        yield file
