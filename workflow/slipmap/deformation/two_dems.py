"""Two elevations of one ground must agree: the area's DEM, and the one that was delivered with the interferograms."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform

from slipmap.deformation.look import name_of
from slipmap.errors import InputError
from slipmap.inputs.contract import ELEVATION, FEET
from slipmap.inputs.rasters import in_unit
from slipmap.io.grid import Grid

_LATTICE = 24  # points each way
_LEAST = 60  # points known in both
_RELIEF, _HILLS = 5.0, 30.0  # m, standard deviation of heights from which on a ratio, and a correlation, can be told
_ALIKE, _UNLIKE = 0.9, 0.7  # correlation
_APART = 50.0  # m, standard deviation of what a correlation below `_CLOSE` leaves: no two models differ by so much
_CLOSE = 0.95
_MIRROR = 0.25  # a mirror image fits if its correlation lacks so much less of 1
_NEAR = 0.08  # relative: of a ratio to the one that a unit makes
_USUAL = (0.8, 1.25)  # ratio of two models of one ground


def require_same_ground(dem: str | Path, delivered: str, grid: Grid, key: str) -> None:
    """Raise `InputError` where the DEM of an area contradicts the one that came with its interferograms.

    Heights at a lattice of points in the area are compared by their spread, not their level: one may be above the
    ellipsoid and the other above the geoid. Flat ground, and fewer points than `_LEAST` in both, tell nothing.

    Parameters
    ----------
    dem : of the area. delivered : with the interferograms, metres (a file, or a view of one). key : of `dem`.
    """
    if "<" not in delivered and Path(delivered).resolve() == Path(dem).resolve():
        return
    try:
        view = in_unit(dem, ELEVATION, key, vertical=True)
        heights, others = (_heights(place, grid) for place in (view, delivered))
        upside_down = _heights(view, grid, mirrored=True)
    except (InputError, RasterioError, OSError):
        return  # those who read them whole say what is wrong
    ratio, correlation = _compare(heights, others)
    if np.isnan(correlation):
        return
    other = name_of(delivered)
    if correlation >= _ALIKE and not _USUAL[0] <= ratio <= _USUAL[1]:
        raise InputError(f"{key}: the heights of {dem} are {ratio:.3g} times those of {other}, {_unit(ratio)}")
    said = f"{key}: the heights of {dem} do not follow those of {other} (correlation {correlation:.2f})"
    turned = _compare(upside_down, others)[1]
    if turned >= _ALIKE and 1 - turned < _MIRROR * (1 - correlation):
        raise InputError(
            f"{said}, but would if it were turned upside down: its rows are stored from south to north; flip it."
        )
    spread = float(np.nanstd(others))
    apart = correlation < _CLOSE and spread * np.sqrt(1 - correlation**2) > _APART
    if apart or (correlation < _UNLIKE and spread >= _HILLS):
        raise InputError(f"{said}; one of them lies on other ground: check the CRS and georeference of both.")


def _unit(ratio: float) -> str:
    if abs(ratio * FEET - 1) < _NEAR:
        return "as feet taken for metres are; say what they are in (gdal_edit.py -units ft, or us-ft)."
    if abs(ratio / FEET - 1) < _NEAR:
        return "as metres taken for feet are; say what they are in (gdal_edit.py -units m)."
    return "where one unit makes them alike; say what they are in (gdal_edit.py -units m, ft, cm or dm)."


def _compare(heights: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Ratio of the spreads, and correlation; NaN where too little is known or `others` are flat."""
    known = np.isfinite(heights) & np.isfinite(others)
    if known.sum() < _LEAST or others[known].std() < _RELIEF:
        return float("nan"), float("nan")
    a, b = heights[known], others[known]
    if a.std() == 0:
        return 0.0, 0.0
    return float(a.std() / b.std()), float(np.corrcoef(a, b)[0, 1])


def _heights(place: str, grid: Grid, *, mirrored: bool = False) -> np.ndarray:
    """Heights at the lattice of points, NaN for nodata, 0 and outside.

    mirrored : what the raster would have there if its rows stood in reverse order.
    """
    left, bottom, right, top = grid.bounds
    share = (np.arange(_LATTICE) + 0.5) / _LATTICE
    x, y = (v.ravel() for v in np.meshgrid(left + share * (right - left), bottom + share * (top - bottom)))
    with rasterio.open(place) as src:
        x, y = (np.array(v) for v in transform(grid.crs, src.crs, x, y))
        if mirrored:
            y = src.bounds.bottom + src.bounds.top - y
        return np.array(list(_sampled(src, x, y)))


def _sampled(src: rasterio.io.DatasetReader, x: np.ndarray, y: np.ndarray) -> Iterator[float]:
    for values in src.sample(zip(x, y, strict=True), indexes=1, masked=True):
        value = np.ma.filled(values.astype(float), np.nan)[0]
        yield value if value != 0 else float("nan")
