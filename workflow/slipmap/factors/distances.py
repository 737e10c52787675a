"""Exact distance to the nearest of some pixels (streams, roads, faults), in strips, whatever the size of the area."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numba import njit
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid

_FAR = np.int32(2**30)


def write(
    marked: Callable[[Window], np.ndarray],
    wide: Grid,
    grid: Grid,
    offset: tuple[int, int],
    path: str | Path,
    *,
    name: str,
    long_name: str,
    nothing: str,
    tags: dict[str, object] | None = None,
) -> None:
    """Write the distance in metres from each pixel of `grid` to the nearest marked pixel of `wide`, centre to centre.

    Parameters
    ----------
    marked : window of `wide` → (rows, cols) bool. Read in strips of 512 rows, from north to south.
    wide, offset : a grid that holds `grid`, and the row and column of the corner of `grid` in it: what is near but
        outside the area counts.
    nothing : what to tell the user if no pixel is marked at all.

    Notes
    -----
    Two passes (Meijster, Roerdink & Hesselink 2000): the distance along columns, kept in a temporary file (4 bytes a
    pixel), then the lower envelope of parabolas along each row. Held in memory: two strips of 512 rows.
    """
    row0, col0 = offset
    with (
        tempfile.TemporaryFile(prefix="slipmap-distance-") as scratch,
        raster.create(path, grid, bands=[name], units="m", long_name=long_name, tags=tags, compress="zstd") as target,
    ):
        columns = _column_distance(marked, wide, scratch)
        if columns is None:
            raise InputError(f"{nothing}; leave {name} out (factors.exclude), or give other data.")
        rx, ry = grid.resolution
        for window in _strips(grid):
            top = int(window.row_off) + row0
            strip = _load(scratch, wide, top, int(window.height))
            squared = _row_envelope(strip, rx, ry)[:, col0 : col0 + grid.width]
            target.write(np.sqrt(squared).astype(np.float32), window)


def distance(marked: np.ndarray, resolution: tuple[float, float]) -> np.ndarray:
    """Distance of each pixel of a (rows, cols) bool array to the nearest marked one, float64; inf where none is."""
    down = _scan_down(marked, np.full(marked.shape[1], _FAR, np.int32))
    up = _scan_down(marked[::-1], np.full(marked.shape[1], _FAR, np.int32))[::-1]
    squared = _row_envelope(np.minimum(down, up), *resolution)
    root: np.ndarray = np.sqrt(squared)
    return root


def _strips(grid: Grid) -> list[Window]:
    return [Window(0, row, grid.width, min(BLOCK, grid.height - row)) for row in range(0, grid.height, BLOCK)]


def _column_distance(marked: Callable[[Window], np.ndarray], wide: Grid, scratch: BinaryIO) -> bool | None:
    """Rows to the nearest marked pixel in the same column, into `scratch`; None if there is none anywhere."""
    above = np.full(wide.width, _FAR, np.int32)
    for window in _strips(wide):
        strip = _scan_down(np.ascontiguousarray(marked(window)), above)
        above = strip[-1]
        scratch.seek(int(window.row_off) * wide.width * 4)
        scratch.write(strip.tobytes())
    if (above >= _FAR).all():
        return None
    below = np.full(wide.width, _FAR, np.int32)
    for window in reversed(_strips(wide)):
        strip = _load(scratch, wide, int(window.row_off), int(window.height))
        both = np.minimum(strip, _scan_down((strip == 0)[::-1], below)[::-1])
        below = both[0]
        scratch.seek(int(window.row_off) * wide.width * 4)
        scratch.write(np.ascontiguousarray(both).tobytes())
    return True


def _load(scratch: BinaryIO, wide: Grid, top: int, rows: int) -> np.ndarray:
    scratch.seek(top * wide.width * 4)
    return np.frombuffer(scratch.read(rows * wide.width * 4), np.int32).reshape(rows, wide.width)


@njit(nogil=True, cache=True)
def _scan_down(marked: np.ndarray, above: np.ndarray) -> np.ndarray:
    out = np.empty(marked.shape, np.int32)
    for j in range(marked.shape[1]):
        d = above[j]
        for i in range(marked.shape[0]):
            d = 0 if marked[i, j] else min(d + 1, _FAR)
            out[i, j] = d
    return out


@njit(nogil=True, cache=True)
def _row_envelope(columns: np.ndarray, dx: float, dy: float) -> np.ndarray:
    rows, cols = columns.shape
    out = np.full((rows, cols), np.inf)
    site = np.empty(cols, np.int64)
    start = np.empty(cols)
    for i in range(rows):
        n = 0
        for j in range(cols):
            if columns[i, j] >= _FAR:
                continue
            f = (columns[i, j] * dy) ** 2
            begin = -np.inf
            while n > 0:
                k = site[n - 1]
                g = (columns[i, k] * dy) ** 2
                begin = ((f + (j * dx) ** 2) - (g + (k * dx) ** 2)) / (2 * dx * dx * (j - k))
                if begin > start[n - 1]:
                    break
                n -= 1
                begin = -np.inf
            site[n] = j
            start[n] = begin
            n += 1
        if n == 0:
            continue
        m = 0
        for j in range(cols):
            while m + 1 < n and start[m + 1] <= j:
                m += 1
            k = site[m]
            out[i, j] = ((j - k) * dx) ** 2 + (columns[i, k] * dy) ** 2
    return out
