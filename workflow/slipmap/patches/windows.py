"""Where patches lie: windows placed inside the blocks of a split, each ground pixel owned by one window."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap.codes import IGNORE
from slipmap.io.grid import Grid
from slipmap.patches.split import block_edges


@dataclass(frozen=True)
class PatchWindow:
    """One patch of one split.

    Parameters
    ----------
    row, col : its first pixel on the area's grid; negative, or its end beyond the grid, where it needs padding.
    split : 0 training, 1 validation, 2 test. Pixels of any other split are never shown to it.
    block : number of the split's block that it lies in.
    own : (row, col, row end, col end) on the grid: the pixels that it is scored on. The owned parts of all windows
        do not overlap, so validation and test count every ground pixel once, whatever the stride.
    """

    row: int
    col: int
    split: int
    block: int
    own: tuple[int, int, int, int]


def place(start: int, stop: int, size: int, stride: int) -> list[tuple[int, int, int]]:
    """Windows of `size` pixels along one axis of a block from `start` to `stop`: (first, own start, own stop).

    A block no longer than the window gets one window, centred. Otherwise overlapping windows (stride < size) are
    spread evenly from edge to edge, at most `stride` apart; others stand `stride` apart, the rest shared between both
    edges. Where two windows overlap, each owns its half.
    """
    length = stop - start
    if length <= size:
        return [(start + (length - size) // 2, start, stop)]
    if stride < size:
        count = -(-(length - size) // stride) + 1
        first = np.rint(np.linspace(start, stop - size, count)).astype(int)
    else:
        count = (length - size) // stride + 1
        spare = length - ((count - 1) * stride + size)
        first = start + spare // 2 + stride * np.arange(count)
    bounds = [int(first[0])]
    for a, b in pairwise(first):
        bounds.append(int(a + size + b) // 2 if a + size > b else int(b))
    bounds.append(int(first[-1]) + size)
    return [
        (int(a), max(own, int(a)), min(end, int(a) + size))
        for a, (own, end) in zip(first, pairwise(bounds), strict=True)
    ]


def plan(split_tif: str | Path, size: int, stride: int) -> Iterator[PatchWindow]:
    """Windows of an area in the order of its blocks; each lies in the part of a block that is left of its buffer.

    Parameters
    ----------
    split_tif : as `slipmap.patches.split.run` writes it. Without the tag ``SPLIT_BLOCK`` the whole area counts as
        one block, whose every split gets windows; pixels of other splits are still hidden from each.
    size, stride : of the windows, pixels.
    """
    grid = Grid.from_raster(split_tif)
    with rasterio.open(split_tif) as src:
        block = int(src.tags().get("SPLIT_BLOCK", max(grid.shape)))
        rows, cols = block_edges(grid.height, block), block_edges(grid.width, block)
        number = -1
        for top, bottom in pairwise(rows):
            for left, right in pairwise(cols):
                number += 1
                labels = src.read(1, window=Window(left, top, right - left, bottom - top))
                for split in np.unique(labels[labels != IGNORE]):
                    inside = labels == split
                    row = np.flatnonzero(inside.any(axis=1))[[0, -1]] + top
                    col = np.flatnonzero(inside.any(axis=0))[[0, -1]] + left
                    for r, r0, r1 in place(int(row[0]), int(row[1]) + 1, size, stride):
                        for c, c0, c1 in place(int(col[0]), int(col[1]) + 1, size, stride):
                            yield PatchWindow(r, c, int(split), number, (r0, c0, r1, c1))


def on_raster(row: int, col: int, size: int, height: int, width: int) -> tuple[tuple[slice, slice], Window]:
    """The part of a window that lies on a raster of `height` × `width`: (slices of the patch, window to read)."""
    r0, c0 = max(row, 0), max(col, 0)
    r1, c1 = min(row + size, height), min(col + size, width)
    return (slice(r0 - row, r1 - row), slice(c0 - col, c1 - col)), Window(c0, r0, c1 - c0, r1 - r0)
