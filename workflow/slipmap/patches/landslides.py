"""Which block of a split each landslide of an inventory belongs to, told block of pixels by block of pixels."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.ndimage import binary_dilation, label

from slipmap.codes import LANDSLIDE
from slipmap.io.grid import BLOCK, Grid

_EIGHT = np.ones((3, 3), bool)


class Landslides:
    """The landslides of an inventory raster, each of one block: the one that holds most of its pixels.

    Pixels that touch, at a corner too, are of one landslide; so are pieces at most two pixels apart, into which the
    grid breaks a slim outline.

    Parameters
    ----------
    inventory_tif : uint8: 1 landslide, 0 none, 255 unknown.
    grid : the raster's.
    blocks : number of the block of each pixel of a window (`BlockNumbers`), or another integer of it.
    size : of the windows in which it is read, pixels; the result does not depend on it.

    Attributes
    ----------
    owner : (landslides,) number of each landslide's block.
    table : (rows, 3): landslide, block, pixels of that landslide in that block.

    Notes
    -----
    Reads the raster once, and once more in `owners`. Holds one window, one row of labels, and the table.
    """

    def __init__(
        self, inventory_tif: str | Path, grid: Grid, blocks: Callable[[Window], np.ndarray], size: int = BLOCK
    ) -> None:
        self._path, self._grid, self._size = inventory_tif, grid, size
        parent = [0]
        parts = [np.empty((0, 3), np.int64)]
        for window, labels, landslide in self._labelled(parent):
            own, block = labels[landslide], blocks(window)[landslide]
            pairs, pixels = np.unique(np.column_stack([own, block]), axis=0, return_counts=True)
            parts.append(np.column_stack([pairs, pixels]))
        rows = np.concatenate(parts)
        root = np.array([_find(parent, i) for i in range(len(parent))])
        found, number = np.unique(root[rows[:, 0]], return_inverse=True)
        self._number = np.full(len(parent), -1)
        self._number[np.isin(root, found)] = np.searchsorted(found, root[np.isin(root, found)])
        pairs, at = np.unique(np.column_stack([number, rows[:, 1]]), axis=0, return_inverse=True)
        pixels = np.bincount(at.ravel(), rows[:, 2], len(pairs)).astype(np.int64)
        self.table = np.column_stack([pairs, pixels])
        order = np.lexsort((-self.table[:, 1], self.table[:, 2], self.table[:, 0]))  # most pixels last
        last = np.flatnonzero(np.append(np.diff(self.table[order, 0]) > 0, len(order) > 0))
        self.owner = self.table[order][last, 1]

    def __len__(self) -> int:
        return len(self.owner)

    def own_pixels(self, blocks: int) -> np.ndarray:
        """Pixels in each of `blocks` blocks of the landslides that belong to it: (blocks,) int."""
        own = self.owner[self.table[:, 0]] == self.table[:, 1]
        return np.bincount(self.table[own, 1], self.table[own, 2], blocks).astype(np.int64)

    def across(self, label_of_block: np.ndarray) -> int:
        """How many landslides have pixels in blocks of different labels."""
        pairs = np.unique(np.column_stack([self.table[:, 0], label_of_block[self.table[:, 1]]]), axis=0)
        return int((np.bincount(pairs[:, 0], minlength=len(self)) > 1).sum())

    def owners(self) -> Iterator[tuple[Window, np.ndarray]]:
        """Each window of the grid, and the block to which each pixel's landslide belongs: (rows, cols) int, -1 none."""
        for window, labels, landslide in self._labelled(None):
            owner = np.full(labels.shape, -1)
            owner[landslide] = self.owner[self._number[labels[landslide]]]
            yield window, owner

    def _labelled(self, parent: list[int] | None) -> Iterator[tuple[Window, np.ndarray, np.ndarray]]:
        """Window, labels and landslide pixels; labels of one landslide in several windows are joined in `parent`.

        A window is labelled with the first row and column of its neighbours, which therefore have two labels.
        """
        offset, width = 0, self._grid.width
        below = np.zeros(width, np.int64)
        with rasterio.open(self._path) as src:
            for window in self._grid.blocks(self._size):
                rows, cols = int(window.height), int(window.width)
                if window.col_off == 0:
                    above, below = below, np.zeros(width, np.int64)
                    left = np.zeros(rows + 1, np.int64)
                labels, landslide, count = _label(src, window)
                labels = np.where(labels, labels + offset, 0)
                offset += count
                span = slice(window.col_off, window.col_off + labels.shape[1])
                if parent is not None:
                    parent += range(len(parent), len(parent) + count)
                    _join(parent, labels[0], above[span])
                    _join(parent, labels[:, 0], left[: len(labels)])
                    if len(labels) > rows:
                        _join(parent, labels[rows], below[span])
                if len(labels) > rows:
                    below[span] = np.where(labels[rows], labels[rows], below[span])
                if labels.shape[1] > cols:
                    left = labels[:, cols]
                yield window, labels[:rows, :cols], landslide


class BlockNumbers:
    """Number (row by row) of the block of each pixel of a window; beyond the grid, of the nearest block.

    Parameters
    ----------
    rows, cols : edges of the blocks along each axis, pixels: (block rows + 1,), (block cols + 1,).
    """

    def __init__(self, rows: np.ndarray, cols: np.ndarray) -> None:
        self.rows, self.cols = rows, cols
        self.shape = len(rows) - 1, len(cols) - 1

    def __call__(self, window: Window) -> np.ndarray:
        """(rows, cols) int."""
        row = np.searchsorted(self.rows, np.arange(window.row_off, window.row_off + window.height), side="right") - 1
        col = np.searchsorted(self.cols, np.arange(window.col_off, window.col_off + window.width), side="right") - 1
        return np.clip(row, 0, self.shape[0] - 1)[:, None] * self.shape[1] + np.clip(col, 0, self.shape[1] - 1)


def _label(src: rasterio.io.DatasetReader, window: Window) -> tuple[np.ndarray, np.ndarray, int]:
    """Labels of a window and one row and column more, its landslide pixels alone, and the number of labels."""
    row, col, height, width = (int(v) for v in (window.row_off, window.col_off, window.height, window.width))
    top, left = max(row - 1, 0), max(col - 1, 0)
    bottom, right = min(row + height + 2, src.height), min(col + width + 2, src.width)
    landslide = src.read(1, window=Window(left, top, right - left, bottom - top)) == LANDSLIDE
    labels, count = label(binary_dilation(landslide, _EIGHT), _EIGHT)
    row, col = row - top, col - left
    labels = labels[row : row + height + 1, col : col + width + 1].astype(np.int64)
    return labels, landslide[row : row + height, col : col + width], count


def _find(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _join(parent: list[int], a: np.ndarray, b: np.ndarray) -> None:
    both = (a > 0) & (b > 0)
    for i, j in np.unique(np.column_stack([a[both], b[both]]), axis=0):
        i, j = _find(parent, int(i)), _find(parent, int(j))
        parent[max(i, j)] = min(i, j)
