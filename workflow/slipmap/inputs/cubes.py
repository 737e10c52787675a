"""Coarse gridded time series (rain, soil moisture) cut out around an area: NetCDF, HDF5, GeoTIFF, folders of them."""

import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.errors import InputError
from slipmap.inputs import dates, netcdf
from slipmap.inputs.rasters import band_unit
from slipmap.io import raster
from slipmap.io.grid import Grid, crs_name

log = logging.getLogger(__name__)
Pick = Callable[[pd.DatetimeIndex], NDArray[Any]]
GEOTIFF_UNITS = {"rainfall": "mm", "soil_moisture": "m3/m3"}  # of GeoTIFFs that say none, as few do; see the docs
_TIFFS = (".tif", ".tiff")
_CUBES = (".nc", ".nc4", ".h5", ".hdf5", ".he5")
_UNEVEN = 0.02  # of a step, by which cells of one grid may be off: coordinates are rounded
_EASE_GRIDS = (6933, 3410)  # EPSG codes: EASE-Grid 2.0 and EASE-Grid, global
_TIMES = ("time", "valid_time", "date", "t")


@dataclass(frozen=True)
class Series:
    """A coarse grid over time.

    Parameters
    ----------
    values : (times, rows, cols) float32, NaN where unknown, row 0 the northernmost.
    times : of each step, or None for one layer without a date.
    grid : where the cells lie; longitudes may pass 180 where the area does.
    units : as on file.
    name : of the variable.
    accumulates : the file says that its values are sums over time (GRIB_stepType accum).
    assumed : the file does not say its unit (`GEOTIFF_UNITS`).
    description : what the file says of the variable in words (``long_name``, ``standard_name``).
    """

    values: NDArray[np.float32]
    times: pd.DatetimeIndex | None
    grid: Grid
    units: str
    name: str = ""
    accumulates: bool = False
    assumed: bool = False
    description: str = ""

    def dated(self) -> pd.DatetimeIndex:
        """The times of a series that has them."""
        if self.times is None:
            raise ValueError("one layer without a date has no times")
        return self.times


def read_series(path: str | Path, grid: Grid, key: str, kind: str, pick: Pick | None = None) -> Series:
    """The part of the series at `path` around the area of `grid`: only those cells are read.

    Parameters
    ----------
    path : a NetCDF or HDF5 file with a time axis, a GeoTIFF (dates in the names of its bands, or one layer without a
        date), or a folder of files of one of the two, with dates in them or in their names.
    kind : "rainfall" or "soil_moisture": which variable to take if there are several.
    pick : which steps to read, by their times (indices); None: all.

    Raises
    ------
    InputError : no usable variable, no coordinates, no overlap with the area, a time twice, no date.
    """
    path = Path(path)
    if path.is_dir():
        series = _from_folder(path, grid, key, kind, pick)
    elif path.suffix.lower() in _TIFFS:
        series = _from_geotiff(path, grid, key, kind, pick)
    else:
        series = _from_netcdf(path, grid, key, kind, pick)
    if series.times is None:
        return series
    order = np.argsort(series.times, kind="stable")
    times = series.times[order]
    twice = times[times.duplicated()]
    if len(twice):
        raise InputError(f"{key}: {path} has {twice[0]} twice; leave one of the two out.")
    return replace(series, values=series.values[order], times=times)


def stamp(name: str) -> pd.Timestamp | None:
    """The first date, and hour where there is one, in a file's name: 20200131, 2020-01-31, 20200131T120000."""
    for match in re.finditer(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:T([0-2]\d)([0-5]\d))?", name):
        year, month, day, hour, minute = (int(part or 0) for part in match.groups())
        try:
            return pd.Timestamp(year, month, day, hour, minute)
        except ValueError:
            continue
    return None


def _from_netcdf(path: Path, grid: Grid, key: str, kind: str, pick: Pick | None) -> Series:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with netcdf.opened(path, key, kind) as (dataset, variable):
            return _from_variable(dataset, variable, path, grid, key, pick)


def _from_variable(
    dataset: xr.Dataset, variable: xr.DataArray, path: Path, grid: Grid, key: str, pick: Pick | None
) -> Series:
    x, y, crs = netcdf.axes(dataset, variable, path, key)
    t = next((str(dim) for dim in variable.dims if str(dim).lower() in _TIMES), None)
    others = [dim for dim in variable.dims if dim not in (x, y, t)]
    if any(variable.sizes[dim] > 1 for dim in others):
        raise InputError(
            f"{key}: {path}, variable '{variable.name}', has the dimensions {list(map(str, variable.dims))}; keep one "
            f"value for each time, y and x."
        )
    variable = variable.squeeze(others, drop=True)
    if crs.is_geographic:
        variable = _turned(variable, x, y, crs, grid, path, key)
        variable, crs = _even_in_metres(variable, x, y, crs)
    variable = variable.sortby(x).sortby(y, ascending=False)
    variable, coarse = _clip(variable, x, y, crs, grid, path, key)
    series = partial(
        Series,
        grid=coarse,
        units=str(variable.attrs.get("units", "")).strip(),
        name=str(variable.name),
        description=" ".join(str(variable.attrs.get(name, "")) for name in ("long_name", "standard_name")),
        accumulates=str(variable.attrs.get("GRIB_stepType", "")).lower() == "accum",
    )
    if t is None:
        when = stamp(path.stem)
        times = None if when is None else pd.DatetimeIndex([when])
        return series(_numbers(variable.transpose(y, x), path, key)[None], times)
    if t not in dataset.variables:
        raise InputError(f"{key}: {path} has a time axis without times; write them ('days since 1970-01-01').")
    times = dates.decode(np.atleast_1d(dataset[t].to_numpy()), dataset[t].attrs, path, key)
    if pick is not None:
        chosen = np.asarray(pick(times), int)
        variable, times = variable.isel({t: chosen}), times[chosen]
    return series(_numbers(variable.transpose(t, y, x), path, key), times)


def _numbers(variable: xr.DataArray, path: Path, key: str) -> NDArray[np.float32]:
    try:
        return variable.to_numpy().astype(np.float32)
    except OSError as error:
        raise InputError(
            f"{key}: the values of {path} cannot be read ({error}); the file is truncated or corrupt, fetch it again."
        ) from error


def _turned(variable: xr.DataArray, x: str, y: str, crs: CRS, grid: Grid, path: Path, key: str) -> xr.DataArray:
    """Longitudes written so that they run through the area, whether the file has -180 to 180, 0 to 360 or other."""
    if np.abs(variable[y].to_numpy()).max() > 90.0 + 1e-6:
        raise InputError(
            f"{key}: the latitudes ({y}) of {path} run to {np.abs(variable[y].to_numpy()).max():g} degrees; longitude "
            f"and latitude are exchanged, correct the names of the axes."
        )
    west, _, east, _ = _area(grid, crs)
    middle = (west + east) / 2
    return variable.assign_coords({x: (variable[x] - middle + 180.0) % 360.0 - 180.0 + middle})


def _even_in_metres(variable: xr.DataArray, x: str, y: str, crs: CRS) -> tuple[xr.DataArray, CRS]:
    """A variable whose rows are uneven in degrees on the equal-area grid on which its cells are even squares.

    So SMOS's level 3 lies on EASE-Grid 2.0 (Brodzik et al. 2012), older products on EASE-Grid; as it is where it lies
    on neither.
    """
    longitude, latitude = (variable[name].to_numpy().astype(float) for name in (x, y))
    if len(latitude) < 3 or len(longitude) < 2 or _is_even(latitude):
        return variable, crs
    for code in _EASE_GRIDS:
        place = Transformer.from_crs(4326, code, always_xy=True).transform
        across = place(longitude, np.zeros_like(longitude))[0]
        up = place(np.zeros_like(latitude), latitude)[1]
        width, height = (abs(float(np.median(np.diff(values)))) for values in (across, up))
        if _is_even(across) and _is_even(up) and abs(width / height - 1) < _UNEVEN:
            return variable.assign_coords({x: across, y: up}), CRS.from_epsg(code)
    return variable, crs


def _is_even(values: NDArray[np.float64]) -> bool:
    """Whether neighbours are one step apart everywhere."""
    steps = np.diff(values)
    step = float(np.median(steps))
    return bool(np.abs(steps - step).max() <= _UNEVEN * abs(step))


def _area(grid: Grid, crs: CRS) -> tuple[float, float, float, float]:
    """Bounds of the area in `crs`; the eastern longitude beyond 180 where 180 degrees runs through it."""
    west, south, east, north = transform_bounds(CRS.from_user_input(grid.crs), crs, *grid.bounds)
    return west, south, east + 360.0 * (crs.is_geographic and east < west), north


def _clip(
    variable: xr.DataArray, x: str, y: str, crs: CRS, grid: Grid, path: Path, key: str
) -> tuple[xr.DataArray, Grid]:
    xs, ys = variable[x].to_numpy().astype(float), variable[y].to_numpy().astype(float)
    if len(xs) < 2 and len(ys) < 2:
        raise InputError(
            f"{key}: {path} is a single cell, whose size is unknown; cut the file out with its neighbours."
        )
    dx = float(np.median(np.diff(xs))) if len(xs) > 1 else abs(float(np.median(np.diff(ys))))
    dy = -float(np.median(np.diff(ys))) if len(ys) > 1 else dx
    for name, values, step in ((x, xs, dx), (y, -ys, dy)):
        if len(values) > 2 and np.abs(np.diff(values) - step).max() > _UNEVEN * step:
            raise InputError(f"{key}: {path}: the cells are not evenly spaced along {name}; regrid the file first.")
    left, bottom, right, top = _area(grid, crs)
    cols = np.flatnonzero((xs > left - 2 * dx) & (xs < right + 2 * dx))
    rows = np.flatnonzero((ys > bottom - 2 * dy) & (ys < top + 2 * dy))
    edges = xs[0] - dx / 2, ys[-1] - dy / 2, xs[-1] + dx / 2, ys[0] + dy / 2
    if not (cols.size and rows.size) or edges[0] >= right or edges[2] <= left or edges[1] >= top or edges[3] <= bottom:
        raise InputError(f"{key}: {path} does not overlap the area; check grid.bounds and the file.")
    if edges[0] > left or edges[2] < right or edges[1] > bottom or edges[3] < top:
        log.warning("%s: %s covers only part of the area", key, path)
    variable = variable.isel({x: slice(cols[0], cols[-1] + 1), y: slice(rows[0], rows[-1] + 1)})
    transform = Affine(dx, 0, xs[cols[0]] - dx / 2, 0, -dy, ys[rows[0]] + dy / 2)
    return variable, Grid(crs_name(crs), transform, len(cols), len(rows))


def _from_folder(folder: Path, grid: Grid, key: str, kind: str, pick: Pick | None) -> Series:
    """One step or more in each file, all on one grid."""
    files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    tiffs = [file for file in files if file.suffix.lower() in _TIFFS]
    cubes = [file for file in files if file.suffix.lower() in _CUBES]
    if bool(tiffs) == bool(cubes):
        has = "both GeoTIFF and NetCDF" if tiffs else "neither GeoTIFF nor NetCDF"
        raise InputError(f"{key}: the folder {folder} holds {has} files; put the files of one product there.")
    chosen = tiffs or cubes
    named = [stamp(file.stem) for file in chosen]
    if tiffs and None in named:
        raise InputError(f"{key}: {chosen[named.index(None)]} has no date in its name; rename it with YYYYMMDD.")
    if pick is not None and None not in named:
        chosen = [chosen[number] for number in pick(pd.DatetimeIndex(named))]
    parts: list[Series] = []
    for file in chosen:
        part = _from_geotiff(file, grid, key, kind, None) if tiffs else _from_netcdf(file, grid, key, kind, None)
        if part.times is None:
            raise InputError(f"{key}: {file} has no date in its name and no time axis; rename it with YYYYMMDD.")
        if parts and not (parts[0].grid.matches(part.grid) and parts[0].units == part.units):
            raise InputError(
                f"{key}: {file} lies on another grid than {chosen[0].name} or has another unit; keep files of one "
                f"product there."
            )
        parts.append(part)
    if not parts:
        raise InputError(
            f"{key}: the folder {folder} has no file of the days that count; check the dates in the names."
        )
    times = parts[0].dated().append([part.dated() for part in parts[1:]])
    return replace(parts[0], values=np.concatenate([part.values for part in parts]), times=times)


def _from_geotiff(path: Path, grid: Grid, key: str, kind: str, pick: Pick | None) -> Series:
    raster.check(path, key, overlaps=grid)
    with rasterio.open(path) as src:
        named = [stamp(text or "") for text in src.descriptions]
        said = {band_unit(src, band) for band in src.indexes}
        units, name = said.pop(), src.descriptions[0] or ""
    if said:
        raise InputError(f"{key}: the bands of {path} have different units; give all of them in one unit.")
    when = stamp(path.stem)
    if all(named):
        times = pd.DatetimeIndex(named)
    elif len(named) > 1:
        raise InputError(
            f"{key}: {path} has {len(named)} bands without a date in each one's description; describe them as "
            f"YYYY-MM-DD, or give a single layer."
        )
    else:
        times = None if when is None else pd.DatetimeIndex([when])
    bands = np.arange(len(named)) if pick is None or times is None else np.asarray(pick(times), int)
    values, coarse = _cells(path, grid, [int(band) + 1 for band in bands])
    times = None if times is None else times[bands]
    return Series(values, times, coarse, units or GEOTIFF_UNITS[kind], name, assumed=not units)


def _cells(path: Path, grid: Grid, bands: list[int]) -> tuple[NDArray[np.float32], Grid]:
    """Cells of a raster round the area, row 0 the northernmost; round the globe where the raster goes round it."""
    with rasterio.open(path) as src:
        t, south_up = src.transform, src.transform.e > 0
        left, _, right, top = raster.outer_bounds(src)
        rx, ry = abs(t.a), abs(t.e)
        area = _area(grid, src.crs)
        round_globe = src.crs.is_geographic and abs(src.width * rx - 360.0) < rx / 2
        if src.crs.is_geographic and not round_globe and area[0] + 360.0 < right:
            area = (area[0] + 360.0, area[1], area[2] + 360.0, area[3])
        first, last = int(np.floor((area[0] - left) / rx)) - 2, int(np.ceil((area[2] - left) / rx)) + 2
        row, end = int(np.floor((top - area[3]) / ry)) - 2, int(np.ceil((top - area[1]) / ry)) + 2
        row, end = max(row, 0), min(end, src.height)
        if not round_globe:
            first, last = max(first, 0), min(last, src.width)
        if first >= last or row >= end:
            raise InputError(f"{path} does not overlap the area; check grid.bounds and the file.")
        lines = slice(src.height - end, src.height - row) if south_up else slice(row, end)
        parts = [
            raster.read_open(src, rasterio.windows.Window(col, lines.start, width, end - row), bands)
            for col, width in _columns(first, last, src.width)
        ]
        values = np.concatenate(parts, axis=-1)[:, :: -1 if south_up else 1]
        scale = np.array([src.scales[band - 1] for band in bands], np.float32)[:, None, None]
        offset = np.array([src.offsets[band - 1] for band in bands], np.float32)[:, None, None]
        transform = Affine(rx, 0, left + first * rx, 0, -ry, top - row * ry)
        coarse = Grid(crs_name(src.crs), transform, last - first, end - row)
    return values * scale + offset, coarse


def _columns(first: int, last: int, width: int) -> list[tuple[int, int]]:
    """(column, number of columns) on file of the columns from `first` to `last`, which may go round the globe."""
    found = []
    while first < last:
        col = first % width
        count = min(width - col, last - first)
        found.append((col, count))
        first += count
    return found
