"""Ellipsoidal heights of the ground on a grid: the DEM, with the geoid undulation where its heights are orthometric."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import rasterio
from rasterio.coords import BoundingBox
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.inputs.contract import UNDULATION
from slipmap.inputs.rasters import elevation, in_unit
from slipmap.io import raster
from slipmap.io.grid import Grid


@contextmanager
def open_heights(
    dem: str | Path, undulation: float | str | None, grid: Grid
) -> Iterator[Callable[[Window], np.ndarray]]:
    """Yield a function from a window of `grid` to ellipsoidal heights: float32 (rows, cols), m, NaN where none.

    Parameters
    ----------
    dem : elevation raster. undulation : m, a raster of it, or None where the DEM's heights are ellipsoidal.

    Raises
    ------
    InputError : a raster does not cover the grid.

    Notes
    -----
    Where pixels are narrow (3.125 m by 12.5 m, say) the DEM is warped to square ones and interpolated linearly along x
    from there, four times as fast: of a DEM on the area's own grid the result is the same bilinear one.
    """
    rasters = [(dem, "inputs.dem")] + ([(undulation, "geocoding.undulation")] if isinstance(undulation, str) else [])
    for path, key in rasters:
        require_cover(path, key, grid)
    rasters[0] = elevation(dem, grid, "inputs.dem"), "inputs.dem"
    rasters[1:] = [(in_unit(path, UNDULATION, key), key) for path, key in rasters[1:]]
    constant = np.float32(undulation if isinstance(undulation, int | float) else 0.0)
    narrow = round(grid.resolution[1] / grid.resolution[0])
    if narrow < 2 or grid.width % narrow:
        narrow = 1
    square = grid.coarsened(narrow, 1)
    t = square.transform
    padded = Grid(grid.crs, t @ t.translation(-1, 0), square.width + 2, square.height)  # a column more on each side
    with ExitStack() as stack:
        sources = [stack.enter_context(raster.warped(path, padded)) for path, _ in rasters]

        def read(window: Window) -> np.ndarray:
            first, last = window.col_off // narrow, -(-(window.col_off + window.width) // narrow)
            wide = Window(first, window.row_off, last - first + 2, window.height)
            ground, *above = (raster.read_open(src, wide, 1) for src in sources)
            values = sum(above, start=ground + constant)
            for side, inner in ((0, 1), (-1, -2)):  # beyond the DEM's edge
                values[:, side] = np.where(np.isnan(values[:, side]), values[:, inner], values[:, side])
            skipped = window.col_off - first * narrow
            return finer(values, narrow)[:, skipped : skipped + window.width]

        yield read


def finer(values: np.ndarray, factor: int) -> np.ndarray:
    """Linear interpolation along x of pixel centres to `factor` pixels in each; first and last column only help.

    Parameters
    ----------
    values : (rows, cols + 2). Returns (rows, cols × factor), of the same type.
    """
    if factor == 1:
        return values[:, 1:-1]
    result = np.empty((values.shape[0], values.shape[1] - 2, factor), values.dtype)
    for k in range(factor):
        at = (k + 0.5) / factor - 0.5
        beside = values[:, :-2] if at < 0 else values[:, 2:]
        weight = values.dtype.type(abs(at))
        result[..., k] = values[:, 1:-1] * (1 - weight) + beside * weight
    return result.reshape(values.shape[0], -1)


def require_cover(path: str | Path, key: str, grid: Grid) -> None:
    """Raise `InputError` unless the raster at `path` covers `grid` (to half a pixel of its own)."""
    raster.check(path, key, overlaps=grid)
    with rasterio.open(path) as src:
        left, bottom, right, top = transform_bounds(CRS.from_user_input(grid.crs), src.crs, *grid.bounds)
        slack = [abs(size) for size in src.res]
        own = BoundingBox(*raster.outer_bounds(src))
    if (
        left < own.left - slack[0]
        or right > own.right + slack[0]
        or bottom < own.bottom - slack[1]
        or top > own.top + slack[1]
    ):
        raise InputError(
            f"{key}: {path} does not cover the whole area (its bounds are {[round(v, 4) for v in own]}, the area's "
            f"{[round(v, 4) for v in (left, bottom, right, top)]}); give a larger raster or make grid.bounds smaller."
        )


def extremes(read: Callable[[Window], np.ndarray], windows: Iterable[Window], dem: str | Path) -> tuple[float, float]:
    """Lowest and highest ground, m; `InputError` where there is none at all."""
    low, high = np.inf, -np.inf
    for window in windows:
        found = read(window)
        found = found[np.isfinite(found)]
        if found.size:
            low, high = min(low, float(found.min())), max(high, float(found.max()))
    if not np.isfinite(low):
        raise InputError(f"inputs.dem: {dem} has no elevation in the area; give one that covers it.")
    return low, high
