"""Overlapping tiles over an area, and the weights that blend them without a seam."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tiling:
    """A lattice of square tiles over a (height, width) area.

    Tiles start `margin` = overlap // 2 pixels outside the area and step by tile - 2 · margin, so that their cores
    cover it without gap; what lies outside is reflected. The lattice depends on the area alone: whoever predicts a
    part of the area uses the same tiles, and gets the same numbers.

    Parameters
    ----------
    height, width : the area, pixels.
    tile : side of a tile, pixels.
    overlap : pixels that neighbouring tiles share (an odd number is rounded down).
    """

    height: int
    width: int
    tile: int
    overlap: int

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.tile:
            raise ValueError("overlap must be smaller than the tile")

    @property
    def margin(self) -> int:
        """Pixels by which the first tile reaches out of the area."""
        return self.overlap // 2

    @property
    def step(self) -> int:
        """Pixels from one tile to the next."""
        return self.tile - 2 * self.margin

    @property
    def tile_rows(self) -> int:
        """Number of rows of tiles."""
        return math.ceil(self.height / self.step)

    @property
    def tile_columns(self) -> int:
        """Number of tiles in a row."""
        return math.ceil(self.width / self.step)

    @property
    def reach(self) -> int:
        """Number of rows of tiles above a row of tiles that overlap it."""
        return math.ceil(self.tile / self.step) - 1

    def share(self, part: int, parts: int) -> range:
        """Rows of tiles of the `part`-th (from 0) of `parts` parts of the area; empty where there are too few."""
        return range(self.tile_rows * part // parts, self.tile_rows * (part + 1) // parts)

    def rows(self, tile_rows: range) -> tuple[int, int]:
        """Rows [first, last) of the area that are finished with `tile_rows`."""
        if not tile_rows:
            first = self.finished(tile_rows.start)[0] if tile_rows.start < self.tile_rows else self.height
            return first, first
        return self.finished(tile_rows.start)[0], self.finished(tile_rows.stop - 1)[1]

    def start(self, index: int) -> int:
        """First row (or column) of the `index`-th row (or column) of tiles; may lie outside the area."""
        return index * self.step - self.margin

    def finished(self, tile_row: int) -> tuple[int, int]:
        """Rows [first, last) of the area that no tile row after `tile_row` touches, and none before finished."""
        first = 0 if tile_row == 0 else self.start(tile_row)
        last = self.height if tile_row == self.tile_rows - 1 else min(self.start(tile_row + 1), self.height)
        return max(first, 0), max(last, 0)

    def window(self) -> np.ndarray:
        """Blending weights of a tile, (tile, tile) float32, everywhere positive.

        Raised-cosine ramps as wide as the overlap: where two tiles meet, sin² + cos² = 1.
        """
        ramp = 2 * self.margin
        line = np.ones(self.tile)
        if ramp:
            rise = np.sin(np.pi * (np.arange(ramp) + 0.5) / (2 * ramp)) ** 2
            line[:ramp] *= rise
            line[-ramp:] *= rise[::-1]
        return np.outer(line, line).astype(np.float32)

    def columns(self) -> Iterator[int]:
        """First column of each tile in a row."""
        return (self.start(index) for index in range(self.tile_columns))


def reflected(first: int, count: int, length: int) -> np.ndarray:
    """Indices first … first + count - 1 folded into 0 … length - 1 by reflection at the outermost pixels."""
    if length == 1:
        return np.zeros(count, int)
    period = 2 * (length - 1)
    index = np.mod(np.arange(first, first + count), period)
    return np.where(index < length, index, period - index)
