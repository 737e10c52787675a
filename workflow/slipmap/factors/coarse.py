"""Coarse gridded time series (rain, soil moisture) cut out around an area, from NetCDF or GeoTIFF."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.errors import InputError
from slipmap.factors.scene import scene_date
from slipmap.io import raster
from slipmap.io.grid import Grid, crs_name

_X = ("x", "lon", "longitude", "rlon", "easting")
_Y = ("y", "lat", "latitude", "rlat", "northing")
_TIMES = ("time", "valid_time", "date", "t")
_TIFFS = (".tif", ".tiff")


@dataclass(frozen=True)
class Series:
    """A coarse grid over time.

    Parameters
    ----------
    values : (times, rows, cols) float32, NaN where unknown, row 0 the northernmost.
    times : of each step, or None for one layer without a date.
    grid : where the cells lie.
    units : as on file.
    """

    values: np.ndarray
    times: pd.DatetimeIndex | None
    grid: Grid
    units: str

    def dated(self) -> pd.DatetimeIndex:
        """Return the times of a series that has them."""
        if self.times is None:
            raise ValueError("the series has no dates")
        return self.times


def read_series(path: str | Path, grid: Grid, key: str, kind: str) -> Series:
    """The part of the series at `path` around the area of `grid`: only those cells are read.

    Parameters
    ----------
    path : a NetCDF file with a time axis, a GeoTIFF (dates in the names of its bands, or one layer without a date), or
        a folder of GeoTIFFs with dates in their names.
    kind : "rainfall" or "soil_moisture": which variable to take if there are several.

    Raises
    ------
    InputError : no usable variable, no coordinates, no overlap with the area.
    """
    path = Path(path)
    if path.is_dir():
        return _from_folder(path, grid, key)
    if path.suffix.lower() in _TIFFS:
        return _from_geotiff(path, grid, key)
    return _from_netcdf(path, grid, key, kind)


def cut(series: Series, end: pd.Timestamp) -> Series:
    """The steps of a series up to the end of the day `end`."""
    times = series.dated()
    keep = times < end + pd.Timedelta(days=1)
    return Series(series.values[keep], times[keep], series.grid, series.units)


def write_on_grid(
    layers: dict[str, np.ndarray], coarse: Grid, grid: Grid, outputs: dict[str, str | Path], resampling: str,
    describe: Callable[[str], tuple[str, str]], tags: dict[str, object],
) -> None:  # fmt: skip
    """Resample coarse layers to the area's grid and write each as a float32 factor.

    Parameters
    ----------
    layers : factor → (rows, cols) on `coarse`.
    describe : factor → (units, long name).

    Notes
    -----
    Between cell centres the field is interpolated (bilinear, cubic) or kept (nearest); the area's own detail is
    not in such data, whatever the pixel size. Within half a cell of the edge of the data the outer cell holds.
    """
    from rasterio.io import MemoryFile

    from slipmap.factors.align import align

    for name, path in outputs.items():
        units, long_name = describe(name)
        padded = np.pad(layers[name], 1, mode="edge")  # interpolation needs a neighbour on every side
        transform = coarse.transform @ Affine.translation(-1, -1)
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff", width=padded.shape[1], height=padded.shape[0], count=1, dtype="float32",
                crs=CRS.from_user_input(coarse.crs), transform=transform, nodata=np.nan,
            ) as target:  # fmt: skip
                target.write(padded.astype(np.float32), 1)
            align(
                memory.name, grid, path, name=name, units=units, long_name=long_name, resampling=resampling,
                tags=tags | {"cell": f"{coarse.resolution[0]:g} × {coarse.resolution[1]:g} in {coarse.crs[:40]}"},
            )  # fmt: skip


def _from_netcdf(path: Path, grid: Grid, key: str, kind: str) -> Series:
    try:
        dataset = xr.open_dataset(path, engine="h5netcdf", decode_coords="all")
    except Exception as error:
        raise InputError(f"{key}: {path} is not a NetCDF-4 file that can be read ({error}); fetch it again.") from error
    with dataset:
        variable = _variable(dataset, path, key, kind)
        x, y, t = (_coordinate(variable, names) for names in (_X, _Y, _TIMES))
        if not x or not y:
            raise InputError(
                f"{key}: {path} has no x and y (or longitude and latitude) coordinates; write them to the file."
            )
        others = [dim for dim in variable.dims if dim not in (x, y, t)]
        if any(variable.sizes[dim] > 1 for dim in others):
            raise InputError(
                f"{key}: {path}, variable '{variable.name}', has the dimensions {list(variable.dims)}; keep one "
                f"value for each time, y and x."
            )
        variable = variable.squeeze(others, drop=True)
        crs = _crs(dataset, variable, x, path, key)
        if variable[x].max() > 180.0 + 1e-6 and crs.is_geographic:
            variable = variable.assign_coords({x: ((variable[x] + 180) % 360) - 180})
        variable = variable.sortby(x).sortby(y, ascending=False)
        variable, coarse = _clip(variable, x, y, crs, grid, path, key)
        if t is None or t not in variable.dims:
            return Series(variable.transpose(y, x).to_numpy()[None].astype(np.float32), None, coarse, _units(variable))
        values = variable.transpose(t, y, x).to_numpy().astype(np.float32)
        times = pd.DatetimeIndex(pd.to_datetime(variable[t].astype(str).to_numpy()))
        order = np.argsort(times, kind="stable")
        return Series(values[order], times[order], coarse, _units(variable))


def _variable(dataset: xr.Dataset, path: Path, key: str, kind: str) -> xr.DataArray:
    fields = [v for v in dataset.data_vars.values() if v.ndim >= 2 and np.issubdtype(v.dtype, np.number)]
    if len(fields) == 1:
        return fields[0]
    known = {
        "rainfall": ("rain", "precip", "tp", "pr", "precipitation", "rainfall", "precipitationcal"),
        "soil_moisture": ("soil_moisture", "sm", "swvl1", "soil_moisture_c1", "sm_surface", "soil_moisture_am"),
    }[kind]
    for field in fields:
        names = (str(field.name).lower(), str(field.attrs.get("standard_name", "")).lower())
        if names[0] in known or names[1] in known:
            return field
    listed = ", ".join(str(f.name) for f in fields) or "no grid at all"
    raise InputError(
        f"{key}: {path} has {listed}, and none is clearly {kind}; keep one variable, or name it '{known[0]}'."
    )


def _coordinate(variable: xr.DataArray, names: tuple[str, ...]) -> str | None:
    for dim in variable.dims:
        if str(dim).lower() in names and dim in variable.coords:
            return str(dim)
    return None


def _crs(dataset: xr.Dataset, variable: xr.DataArray, x: str, path: Path, key: str) -> CRS:
    for name in (variable.attrs.get("grid_mapping"), variable.encoding.get("grid_mapping"), "spatial_ref", "crs"):
        if name and name in dataset.variables:
            attributes = dataset[name].attrs
            text = attributes.get("crs_wkt") or attributes.get("spatial_ref")
            if text:
                return CRS.from_user_input(text)
    if x.lower() in ("lon", "longitude"):
        return CRS.from_epsg(4326)
    raise InputError(
        f"{key}: {path} does not say its coordinate reference system; write one (rioxarray's write_crs) to the file."
    )


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
        if len(values) > 2 and np.abs(np.diff(values) - step).max() > 0.02 * step:
            raise InputError(f"{key}: {path}: the cells are not evenly spaced along {name}; regrid the file first.")
    left, bottom, right, top = transform_bounds(CRS.from_user_input(grid.crs), crs, *grid.bounds)
    cols = np.flatnonzero((xs > left - 2 * dx) & (xs < right + 2 * dx))
    rows = np.flatnonzero((ys > bottom - 2 * dy) & (ys < top + 2 * dy))
    inside = xs[0] - dx / 2 <= left and xs[-1] + dx / 2 >= right and ys[-1] - dy / 2 <= bottom and ys[0] + dy / 2 >= top
    if not cols.size or not rows.size or xs[0] - dx / 2 >= right or xs[-1] + dx / 2 <= left or (
        ys[0] + dy / 2 <= bottom or ys[-1] - dy / 2 >= top
    ):  # fmt: skip
        raise InputError(f"{key}: {path} does not overlap the area; check grid.bounds and the file.")
    if not inside:
        import logging

        logging.getLogger(__name__).warning("%s: %s covers only part of the area", key, path)
    variable = variable.isel({x: slice(cols[0], cols[-1] + 1), y: slice(rows[0], rows[-1] + 1)})
    transform = Affine(dx, 0, xs[cols[0]] - dx / 2, 0, -dy, ys[rows[0]] + dy / 2)
    return variable, Grid(crs_name(crs), transform, len(cols), len(rows))


def _units(variable: xr.DataArray) -> str:
    return str(variable.attrs.get("units", "")).strip()


def _from_geotiff(path: Path, grid: Grid, key: str) -> Series:
    raster.check(path, key, overlaps=grid)
    values, coarse, (dates, units) = _tiff_cells(path, grid)
    known = [when for when in dates if when is not None]
    if len(known) == len(dates):
        times = pd.DatetimeIndex(pd.to_datetime(known))
        order = np.argsort(times)
        return Series(values[order], times[order], coarse, units)
    if len(values) > 1:
        raise InputError(
            f"{key}: {path} has {len(values)} bands without a date in each one's description; describe them as "
            f"YYYY-MM-DD, or give a single layer."
        )
    when = scene_date(path.stem)
    return Series(values, pd.DatetimeIndex([pd.Timestamp(when)]) if when else None, coarse, units)


def _from_folder(folder: Path, grid: Grid, key: str) -> Series:
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _TIFFS and not f.name.startswith("."))
    if not files:
        raise InputError(f"{key}: {folder} holds no GeoTIFF; put one file for each day there, the date in its name.")
    layers: list[np.ndarray] = []
    dates: list[pd.Timestamp] = []
    grids: list[Grid] = []
    for file in files:
        when = scene_date(file.stem)
        if when is None:
            raise InputError(f"{key}: {file} has no date in its name; rename it with YYYYMMDD.")
        raster.check(file, key, overlaps=grid)
        values, coarse, (_, units) = _tiff_cells(file, grid)
        if grids and not grids[0].matches(coarse):
            raise InputError(
                f"{key}: {file} lies on another grid than {files[0].name}; keep files of one product there."
            )
        grids.append(coarse)
        layers.append(values[0])
        dates.append(pd.Timestamp(when))
    order = np.argsort(dates)
    return Series(np.stack(layers)[order], pd.DatetimeIndex(dates)[order], grids[0], units)


def _tiff_cells(path: Path, grid: Grid) -> tuple[np.ndarray, Grid, tuple[list[date | None], str]]:
    with rasterio.open(path) as src:
        whole = Grid(crs_name(src.crs), src.transform, src.width, src.height)
        bounds = transform_bounds(CRS.from_user_input(grid.crs), src.crs, *grid.bounds)
        rx, ry = whole.resolution
        window = src.window(bounds[0] - 2 * rx, bounds[1] - 2 * ry, bounds[2] + 2 * rx, bounds[3] + 2 * ry)
        window = window.round_offsets().round_lengths(op="ceil")
        window = window.intersection(rasterio.windows.Window(0, 0, src.width, src.height))
        values = raster.read_open(src, window, list(src.indexes))
        dates = [scene_date(text or "") for text in src.descriptions]
        units = next((u for u in src.units if u), "") or src.tags().get("units", "")
    return values, whole.window_grid(window), (dates, units)
