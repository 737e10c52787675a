"""A smooth field from the cells of a grid: their median or scatter, with gaps filled, and interpolated between them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window
from scipy import ndimage

from slipmap.io.grid import BLOCK, Grid

LEAST_SHARE = 0.05  # of a cell's pixels; with fewer the cell is taken from its surroundings
ODD = 3.0  # times the scatter of the cells about the median of those around
GAUSSIAN = 1.4826  # standard deviation of Gaussian noise over its median absolute deviation


def scatter(values: np.ndarray) -> float:
    """Standard deviation of the bulk of `values`: their median absolute deviation × 1.4826."""
    return GAUSSIAN * float(np.median(np.abs(values - np.median(values))))


@dataclass(frozen=True)
class Field:
    """A field known in the middle of square cells.

    Parameters
    ----------
    cells : (rows, cols), a value of each cell, none missing. side : of a cell, pixels.
    """

    cells: np.ndarray
    side: int

    def at(self, window: Window) -> np.ndarray:
        """The field in `window`, (rows, cols), bilinear between the cells, constant beyond the outer ones."""
        (r0, r1), (c0, c1) = window.toranges()
        rows, cols = ((np.arange(a, b) + 0.5) / self.side - 0.5 for a, b in ((r0, r1), (c0, c1)))
        where = np.meshgrid(rows, cols, indexing="ij")
        return np.asarray(ndimage.map_coordinates(self.cells, where, order=1, mode="nearest"))


def by_cells(
    read: Callable[[Window], np.ndarray], statistic: Callable[[np.ndarray], float], grid: Grid, side: int
) -> Field | None:
    """The `statistic` of every cell; one that differs from the cells around it as few do takes their median.

    Such a cell is mostly moving ground; where all cells rise to one side, as under a ramp, none is odd. Reads in
    blocks of whole cells. None where no cell has enough pixels.

    Parameters
    ----------
    read : the values in a window, NaN where there is none. side : of the cells, pixels.
    """
    found = np.full((-(-grid.height // side), -(-grid.width // side)), np.nan)
    for window in grid.blocks(side * max(1, BLOCK // side)):
        values = read(window)
        for row in range(0, values.shape[0], side):
            for col in range(0, values.shape[1], side):
                cell = values[row : row + side, col : col + side]
                known = cell[np.isfinite(cell)]
                if known.size >= max(1, LEAST_SHARE * cell.size):
                    at = (int(window.row_off) + row) // side, (int(window.col_off) + col) // side
                    found[at] = statistic(known)
    if not np.isfinite(found).any():
        return None
    _, nearest = ndimage.distance_transform_edt(np.isnan(found), return_indices=True)
    cells = found[tuple(nearest)]
    around = ndimage.median_filter(cells, 3, mode="nearest")
    odd = np.abs(cells - around) > ODD * scatter(cells - around)
    return Field(np.where(odd, around, cells), side)
