"""The reference point: ground taken as stable, against which all motion is measured."""

from dataclasses import asdict, dataclass

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from slipmap.deformation.interferogram import boxcar
from slipmap.errors import InputError
from slipmap.io.grid import Grid

METRES_PER_DEGREE = 111_320.0  # of latitude


@dataclass(frozen=True)
class Reference:
    """A reference area of (2 · radius + 1)² pixels round a pixel.

    Parameters
    ----------
    row, col : pixel of the deformation grid. x, y : its centre in the CRS. longitude, latitude : degrees.
    how : "given" in the config, or "chosen" from the coherence.
    """

    row: int
    col: int
    radius: int
    x: float
    y: float
    longitude: float
    latitude: float
    how: str
    mean_coherence: float

    def slices(self, grid: Grid) -> tuple[slice, slice]:
        """Rows and columns of the area, cut at the grid's edge."""
        return (
            slice(max(0, self.row - self.radius), min(grid.height, self.row + self.radius + 1)),
            slice(max(0, self.col - self.radius), min(grid.width, self.col + self.radius + 1)),
        )

    def record(self) -> dict[str, object]:
        """For reference.json."""
        return asdict(self)


def pixel_metres(grid: Grid) -> float:
    """Larger side of a pixel in metres (geographic grids: at the grid's middle latitude)."""
    x, y = grid.resolution
    crs = CRS.from_user_input(grid.crs)
    if crs.is_geographic:
        latitude = (grid.bounds[1] + grid.bounds[3]) / 2
        return float(METRES_PER_DEGREE * max(x * np.cos(np.radians(latitude)), y))
    return float(max(x, y) * crs.linear_units_factor[1])


def given(point: tuple[float, float], grid: Grid, coherence: np.ndarray, share: np.ndarray, radius: int) -> Reference:
    """The reference at `point` [longitude, latitude].

    Parameters
    ----------
    coherence : (rows, cols), mean over the interferograms. share : (rows, cols), share of them with data there.

    Raises
    ------
    InputError : the point lies outside the grid or on nodata.
    """
    xs, ys = transform(CRS.from_epsg(4326), CRS.from_user_input(grid.crs), [point[0]], [point[1]])
    col, row = (int(np.floor(v)) for v in ~grid.transform @ (xs[0], ys[0]))
    if not (0 <= row < grid.height and 0 <= col < grid.width):
        raise InputError(
            f"deformation.reference_point {list(point)} lies outside the interferograms; give [longitude, "
            "latitude] of a "
            f"point inside them, or leave it out."
        )
    if share[row, col] < 1:
        raise InputError(
            f"deformation.reference_point {list(point)} lies on nodata in {1 - share[row, col]:.0%} of the "
            "interferograms; "
            f"move it to ground that all of them see, or leave it out."
        )
    return _at(row, col, grid, coherence, radius, "given")


def choose(grid: Grid, coherence: np.ndarray, share: np.ndarray, radius: int) -> Reference:
    """The reference where coherence is highest: over the whole reference area, and with data in all interferograms.

    Pixels within 5 % of the grid's edge are avoided where others are left.
    """
    width = 2 * radius + 1
    there = share >= 1
    if not there.any():
        there = share >= share.max()
    score = boxcar(np.where(there, coherence, 0.0).astype(np.float64), width) / width**2
    score[~there] = -1
    rows, cols = (max(1, n // 20) for n in grid.shape)
    middle = np.full_like(score, -1)
    middle[rows:-rows, cols:-cols] = score[rows:-rows, cols:-cols]
    best = middle if middle.max() > 0 else score
    row, col = np.unravel_index(int(best.argmax()), best.shape)
    return _at(int(row), int(col), grid, coherence, radius, "chosen")


def _at(row: int, col: int, grid: Grid, coherence: np.ndarray, radius: int, how: str) -> Reference:
    x, y = grid.transform @ (col + 0.5, row + 0.5)
    lon, lat = transform(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), [x], [y])
    return Reference(row, col, radius, x, y, lon[0], lat[0], how, float(coherence[row, col]))
