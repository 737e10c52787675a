"""Landslide points with a label: where a landslide began, and where the ground is known to be stable."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from rasterio.transform import rowcol
from shapely.geometry import box

from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError, nearest
from slipmap.inputs.vectors import read_features
from slipmap.io.grid import Grid
from slipmap.io.raster import CLASS_NODATA

Table = tuple[pd.DataFrame, gpd.GeoSeries]
_YES, _NO = ("true", "1", "yes", "landslide"), ("false", "0", "no", "stable")


def read_points(
    path: str | Path, grid: Grid, settings: PointSettings, key: str = "inputs.inventory", layer: str | None = None
) -> tuple[gpd.GeoSeries, NDArray[np.bool_]]:
    """Points of a vector or CSV file that lie in the area, in the grid's CRS, and their labels.

    Returns
    -------
    points, and (points,) bool: True a landslide, False stable ground.

    Raises
    ------
    InputError : a column that is not there, a label that is neither yes nor no, no landslide or no stable point in the
        area, geometries that are not points.
    """
    if Path(path).suffix.lower() == ".csv":
        table, points = _read_csv(path, grid, settings, key)
    else:
        table, points = _read(path, grid, settings, layer, key)
    _require(table, settings.label, path, f"{key}_points.label")
    text = table[settings.label].map(lambda value: "" if pd.isna(value) else str(value).strip().lower())
    text = text.str.removesuffix(".0")
    odd = sorted(set(text) - {*_YES, *_NO})
    if odd:
        what = f"'{odd[0]}'" if odd[0] else "an empty cell"
        raise InputError(
            f"{key}: {path} has {what} in its column {settings.label}; labels are {' or '.join(_YES)} for a "
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


def burn(
    points: gpd.GeoSeries, labels: NDArray[np.bool_], transform: Affine, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """(rows, cols) uint8: 1 where a landslide point lies, 0 where only stable ones do, 255 (unknown) elsewhere."""
    block = np.full(shape, CLASS_NODATA, np.uint8)
    rows, cols = (np.asarray(v, np.int64) for v in rowcol(transform, points.x.to_numpy(), points.y.to_numpy()))
    inside = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
    for value in (False, True):  # landslides last: they win where both lie in one pixel
        chosen = inside & (labels == value)
        block[rows[chosen], cols[chosen]] = value
    return block


def _read(path: str | Path, grid: Grid, settings: PointSettings, layer: str | None, key: str) -> Table:
    frame = read_features(path, grid, key, shapes=("point",), layer=layer)
    _require(frame, settings.label, path, f"{key}_points.label")
    frame = frame.explode(ignore_index=True)  # many points in one feature
    return frame, frame.geometry


def _read_csv(path: str | Path, grid: Grid, settings: PointSettings, key: str) -> Table:
    try:
        table = pd.read_csv(path, sep=_separator(path, key))
    except (OSError, ValueError) as error:
        raise InputError(f"{key}: {path} is not a CSV table that can be read ({error}); export it again.") from error
    places = []
    for name in ("x", "y"):
        column = getattr(settings, name)
        _require(table, column, path, f"{key}_points.{name}")
        places.append(pd.to_numeric(table[column], errors="coerce"))
        if places[-1].isna().any():
            bad = table[column][places[-1].isna()].iloc[0]
            bad = "an empty cell" if pd.isna(bad) else f"'{bad}'"
            raise InputError(
                f"{key}: {path} has {bad} in its column {column}; coordinates are numbers with a point (12.5)."
            )
    if settings.crs is None and all(place.abs().max() <= 360 for place in places):
        raise InputError(
            f"{key}_points.crs is missing: the columns {settings.x} and {settings.y} of {path} look like degrees; set "
            f"{key}_points.crs (EPSG:4326 for longitude and latitude)."
        )
    try:
        points = gpd.points_from_xy(*places, crs=settings.crs or grid.crs)
    except CRSError as error:
        raise InputError(
            f'{key}_points.crs is "{settings.crs}", which is no coordinate reference system; give "EPSG:" and a number.'
        ) from error
    return table, gpd.GeoSeries(points)


def _separator(path: str | Path, key: str) -> str:
    """What parts the columns of a CSV table, by its first line: a comma, a semicolon or a tab."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            head = file.readline()
            for _ in file:  # all of it must be UTF-8
                pass
    except UnicodeDecodeError:
        raise InputError(
            f"{key}: {path} is not in the encoding UTF-8; save it as 'CSV UTF-8', or as GeoPackage."
        ) from None
    return max(",;\t", key=head.count)


def _require(table: pd.DataFrame, column: str, path: str | Path, key: str) -> None:
    if column not in table:
        raise InputError(f"{key}: {path} has no column '{column}'{nearest(column, table.columns)}")
