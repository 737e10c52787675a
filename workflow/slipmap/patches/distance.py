"""How far the test ground of a split lies from its training ground."""

import numpy as np
from rasterio.windows import Window
from scipy.ndimage import distance_transform_edt

from slipmap.codes import IGNORE, SPLITS
from slipmap.io.grid import Grid

_MOST = 1024  # pixels on a side of the picture of the area in which distances are measured
MEDIAN, LEAST = "SPLIT_TEST_DISTANCE", "SPLIT_TEST_DISTANCE_LEAST"  # tags of a split, m


class SplitDistance:
    """Distance from each test pixel of a split to the nearest training pixel, gathered window by window.

    Measured on every n-th pixel where the area has more than `_MOST` pixels on a side, so that memory does not grow.
    """

    def __init__(self, grid: Grid) -> None:
        self._step = -(-max(grid.shape) // _MOST)
        self._size = tuple(self._step * r for r in reversed(grid.resolution))
        self._picture = np.full([-(-n // self._step) for n in grid.shape], IGNORE, np.uint8)

    def add(self, label: np.ndarray, window: Window) -> None:
        """Take in the split of each pixel of a window."""
        row, col = (-int(offset) % self._step for offset in (window.row_off, window.col_off))
        part = label[row :: self._step, col :: self._step]
        top, left = (int(offset) + skip for offset, skip in ((window.row_off, row), (window.col_off, col)))
        top, left = top // self._step, left // self._step
        self._picture[top : top + part.shape[0], left : left + part.shape[1]] = part

    def tags(self) -> dict[str, str]:
        """Median and least distance, m, as tags of a split; none where there is no training or no test ground."""
        training, test = self._picture == SPLITS.index("training"), self._picture == SPLITS.index("test")
        if not (training.any() and test.any()):
            return {}
        metres = distance_transform_edt(~training, sampling=self._size)[test]
        return {MEDIAN: f"{np.median(metres):.0f}", LEAST: f"{metres.min():.0f}"}
