"""Landslide points with a label: where a landslide began, and where the ground is known to be stable."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from pyproj.exceptions import CRSError
from rasterio.transform import rowcol
from shapely.geometry import box

from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError, nearest
from slipmap.io.grid import Grid
from slipmap.io.raster import CLASS_NODATA

_YES, _NO = ("true", "1", "yes", "landslide"), ("false", "0", "no", "stable")


def read_points(
    path: str | Path, grid: Grid, settings: PointSettings, key: str = "inputs.inventory"
) -> tuple[gpd.GeoSeries, np.ndarray]:
    """Points of a vector or CSV file that lie in the area, in the grid's CRS, and their labels.

    Returns
    -------
    points, and (points,) bool: True a landslide, False stable ground.

    Raises
    ------
    InputError : a column that is not there, a label that is neither yes nor no, no landslide or no stable point in the
        area, geometries that are not points.
    """
    table, points = _read_csv(path, grid, settings, key) if Path(path).suffix.lower() == ".csv" else _read(path, key)
    _require(table, settings.label, path, f"{key}_points.label")
    text = table[settings.label].astype(str).str.strip().str.lower().str.removesuffix(".0")
    odd = sorted(set(text) - {*_YES, *_NO})
    if odd:
        raise InputError(
            f"{key}: {path} has '{odd[0]}' in its column {settings.label}; labels are {' or '.join(_YES)} for a "
            f"landslide, {' or '.join(_NO)} for stable ground."
        )
    points = points.to_crs(grid.crs)
    inside = points.intersects(box(*grid.bounds)).to_numpy()
    labels = text.isin(_YES).to_numpy()[inside]
    for value, what in ((True, "landslide"), (False, "stable point")):
        if not (labels == value).any():
            raise InputError(
                f"{key}: {path} has no {what} in the area; check grid.bounds and the column {settings.label}."
            )
    return points[inside], labels


def burn(points: gpd.GeoSeries, labels: np.ndarray, transform: Affine, shape: tuple[int, int]) -> np.ndarray:
    """(rows, cols) uint8: 1 where a landslide point lies, 0 where only stable ones do, 255 (unknown) elsewhere."""
    block = np.full(shape, CLASS_NODATA, np.uint8)
    rows, cols = (np.asarray(v, np.int64) for v in rowcol(transform, points.x.to_numpy(), points.y.to_numpy()))
    inside = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
    for value in (False, True):  # landslides last: they win where both lie in one pixel
        chosen = inside & (labels == value)
        block[rows[chosen], cols[chosen]] = value
    return block


def read_vector(path: str | Path, key: str) -> gpd.GeoDataFrame:
    """A vector file's features, in its own CRS; `InputError` if it cannot be read or has no geometries or no CRS."""
    try:
        table = gpd.read_file(path)
    except Exception as error:  # pyogrio raises a family of errors of its own
        raise InputError(f"{key}: {path} is not a vector file that can be read; export it as GeoPackage.") from error
    if not isinstance(table, gpd.GeoDataFrame):
        raise InputError(
            f"{key}: {path} is a table without geometries; export it as GeoPackage, or say with {key}_points which of "
            f"its columns are coordinates and label."
        )
    if table.crs is None:
        raise InputError(f"{key}: {path} has no coordinate reference system; assign the right one (ogr2ogr -a_srs).")
    return table


def _read(path: str | Path, key: str) -> tuple[pd.DataFrame, gpd.GeoSeries]:
    table = read_vector(path, key)
    if not (table.geom_type == "Point").all():
        raise InputError(f"{key}: {path} has geometries that are not points; leave {key}_points out for polygons.")
    return table, table.geometry


def _read_csv(path: str | Path, grid: Grid, settings: PointSettings, key: str) -> tuple[pd.DataFrame, gpd.GeoSeries]:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{key}: {path} is not a CSV table that can be read ({error}); export it again.") from error
    places = []
    for name in ("x", "y"):
        column = getattr(settings, name)
        _require(table, column, path, f"{key}_points.{name}")
        places.append(pd.to_numeric(table[column], errors="coerce"))
        if places[-1].isna().any():
            bad = table[column][places[-1].isna()].iloc[0]
            raise InputError(f"{key}: {path} has '{bad}' in its column {column}; coordinates are numbers.")
    try:
        points = gpd.points_from_xy(*places, crs=settings.crs or grid.crs)
    except CRSError as error:
        raise InputError(
            f'{key}_points.crs is "{settings.crs}", which is no coordinate reference system; give "EPSG:" and a number.'
        ) from error
    return table, gpd.GeoSeries(points)


def _require(table: pd.DataFrame, column: str, path: str | Path, key: str) -> None:
    if column not in table:
        raise InputError(f"{key}: {path} has no column '{column}'{nearest(column, table.columns)}")
