"""How many landslides of the inventory a map finds, and on how many blocks and landslides a test of it rests."""

from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from rasterio.windows import Window
from scipy.stats import binomtest

from slipmap.codes import IGNORE, LANDSLIDE, TEST
from slipmap.io.grid import Grid
from slipmap.patches.landslides import BlockNumbers, Landslides
from slipmap.patches.split import block_edges
from slipmap.patches.store import split_description

LEAST_LANDSLIDES = 20  # on test ground: with fewer, the 95 % interval of a share of one half spans more than 40 points
LEAST_BLOCKS = 5  # of test ground: landslides of one block share their rock, slope and image
COLUMNS = ["ground", "landslides", "found", "blocks"]
_MAPPED, _TESTED, _KNOWN = 1, 2, 4  # bits


def count(classes: str | Path, inventory: str | Path, split: str | Path | None) -> pd.DataFrame:
    """One row of the whole area and, where it is split, one of test ground, with `COLUMNS`.

    A landslide counts where a pixel of it lies on that ground. It is found where the map has at least half of these
    pixels as landslide, of those for which it has a value. Which pixels are of one landslide is decided as the split
    does (`slipmap.patches.landslides`).

    Returns
    -------
    "blocks" is the number of blocks that hold test ground; missing where the split was supplied without blocks.
    """
    grid = Grid.from_raster(classes)
    with rasterio.open(classes) as mapped, rasterio.open(split or classes) as ground:

        def state(window: Window) -> np.ndarray:
            """(rows, cols) int: the bits of each pixel; test ground only where the map has a value."""
            found = mapped.read(1, window=window)
            known = found != IGNORE
            test = (ground.read(1, window=window) == TEST) & known & (split is not None)
            return np.asarray(_MAPPED * (found == LANDSLIDE) + _TESTED * test + _KNOWN * known)

        table = Landslides(inventory, grid, state).table
    rows = [("all", *_found(table), np.nan)]
    if split:
        rows.append(("test", *_found(table[(table[:, 1] & _TESTED) > 0]), _blocks(split, grid)))
    return pd.DataFrame(rows, columns=COLUMNS)


def few(landslides: int, blocks: float) -> bool:
    """Whether a test on so many landslides and blocks (NaN: not known) is too small to tell."""
    return landslides < LEAST_LANDSLIDES or blocks < LEAST_BLOCKS


def interval(found: int, landslides: int) -> tuple[float, float]:
    """95 % interval of the share of landslides found, 0 to 1 (Wilson 1927), as if each were found or not by itself."""
    if not landslides:
        return 0.0, 1.0
    limits = binomtest(found, landslides).proportion_ci(method="wilson")
    return float(limits.low), float(limits.high)


def _found(table: np.ndarray) -> tuple[int, int]:
    """How many landslides a table (landslide, bits, pixels) has, and how many of them are found."""
    numbers, at = np.unique(table[:, 0], return_inverse=True)
    known, mapped = (
        np.bincount(at, table[:, 2] * ((table[:, 1] & bit) > 0), len(numbers)) for bit in (_KNOWN, _MAPPED)
    )
    return len(numbers), int(((mapped > 0) & (2 * mapped >= known)).sum())


def _blocks(split: str | Path, grid: Grid) -> float:
    size = split_description(split).get("block")
    if size is None:
        return float("nan")
    numbers = BlockNumbers(block_edges(grid.height, int(size)), block_edges(grid.width, int(size)))
    there: set[int] = set()
    with rasterio.open(split) as source:
        for window in grid.blocks():
            there.update(np.unique(numbers(window)[source.read(1, window=window) == TEST]).tolist())
    return float(len(there))
