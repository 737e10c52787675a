"""True north on a projected grid, whose own north points elsewhere away from the projection's central meridian."""

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from slipmap.io.grid import Grid

STEP = 0.001  # degrees of latitude to a point in the north


def true_north(grid: Grid, window: Window) -> float:
    """Angle from the grid's north to true north at the middle of `window`, radians clockwise; 0 on geographic grids."""
    crs = CRS.from_user_input(grid.crs)
    if crs.is_geographic:
        return 0.0
    col, row = window.col_off + window.width / 2, window.row_off + window.height / 2
    x, y = grid.transform @ (col, row)
    longitude, latitude = (values[0] for values in transform(crs, CRS.from_epsg(4326), [x], [y]))
    ahead = STEP if latitude < 89 else -STEP
    (east,), (north,) = transform(CRS.from_epsg(4326), crs, [longitude], [latitude + ahead])
    return float(np.arctan2((east - x) * np.sign(ahead), (north - y) * np.sign(ahead)))


def to_grid(vector: np.ndarray, angle: float) -> np.ndarray:
    """(3, …) vectors of true east, north, up along the axes of a grid whose `true_north` is `angle`."""
    sine, cosine = np.sin(angle), np.cos(angle)
    east, north, up = vector
    return np.stack([east * cosine + north * sine, north * cosine - east * sine, up])
