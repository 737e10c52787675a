"""The displacement time series as a CF NetCDF file with MintPy's attribute names."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import h5netcdf
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from slipmap.arrays import Floats
from slipmap.deformation.reference import Reference
from slipmap.deformation.stack import Radar
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid, crs_name

CHUNK = 64  # pixels; all dates of a pixel lie in one chunk


class SeriesFile:
    """Reads and writes windows of displacement (dates, rows, cols), mm; see `create`."""

    def __init__(self, file: h5netcdf.File, grid: Grid) -> None:
        self._file = file
        self.grid = grid

    def write(self, series: np.ndarray, window: Window) -> None:
        """Write (dates, rows, cols) float32."""
        rows, cols = window.toslices()
        self._file.variables["displacement"][:, rows, cols] = series

    def read(self, window: Window) -> Floats:
        """Read (dates, rows, cols) float32."""
        rows, cols = window.toslices()
        series: Floats = self._file.variables["displacement"][:, rows, cols]
        return series

    def write_deviations(self, values: np.ndarray, window: Window) -> None:
        """Write the standard deviation of each date, (dates, rows, cols) float32."""
        rows, cols = window.toslices()
        self._file.variables["displacement_std"][:, rows, cols] = values

    def read_deviations(self, window: Window) -> Floats | None:
        """Read what `write_deviations` wrote; None where it was not asked for."""
        rows, cols = window.toslices()
        if "displacement_std" not in self._file.variables:
            return None
        deviations: Floats = self._file.variables["displacement_std"][:, rows, cols]
        return deviations

    def write_subsets(self, values: np.ndarray, window: Window) -> None:
        """Write the number of each date's subset, (dates, rows, cols) int16, where any subsets were joined."""
        rows, cols = window.toslices()
        if values.any():
            self._file.variables["subset"][:, rows, cols] = values

    def read_subsets(self, window: Window) -> NDArray[np.int16]:
        """Read what `write_subsets` wrote; 0 where no subsets were joined."""
        rows, cols = window.toslices()
        subsets: NDArray[np.int16] = self._file.variables["subset"][:, rows, cols]
        return subsets

    def write_map(self, name: str, array: np.ndarray, window: Window) -> None:
        """Write a part of a map made by `create`."""
        rows, cols = window.toslices()
        self._file.variables[name][rows, cols] = array

    def read_map(self, name: str, window: Window) -> Floats:
        """Read a part of a map."""
        rows, cols = window.toslices()
        found: Floats = self._file.variables[name][rows, cols]
        return found


@contextmanager
def create(
    path: str | Path,
    grid: Grid,
    dates: Sequence[date],
    *,
    baselines: Sequence[float] | None,
    attributes: Mapping[str, object],
    maps: Mapping[str, tuple[str, str]],
    deviations: bool = False,
) -> Iterator[SeriesFile]:
    """Yield a `SeriesFile`; on success `path` is a whole file that xarray opens with coordinates and CRS.

    Parameters
    ----------
    maps : name → (units, long name) of the maps that go with the series.
    attributes : global attributes (`mintpy_attributes`). deviations : the standard deviation of each date, too.
    """
    crs = CRS.from_user_input(grid.crs)
    with write_aside(path) as aside, h5netcdf.File(aside, "w") as file:
        file.dimensions = {"time": len(dates), "y": grid.height, "x": grid.width}
        file.attrs.update({"Conventions": "CF-1.8", **{k: v for k, v in attributes.items() if v is not None}})
        time = file.create_variable("time", ("time",), "f8", data=[float((d - dates[0]).days) for d in dates])
        time.attrs.update(
            units=f"days since {dates[0].isoformat()} 00:00:00", calendar="standard", standard_name="time"
        )
        t = grid.transform
        named = ("longitude", "latitude", "degrees_east", "degrees_north")
        if not crs.is_geographic:
            named = ("projection_x_coordinate", "projection_y_coordinate", "m", "m")
        for axis, size, first, step, k in (("x", grid.width, t.c, t.a, 0), ("y", grid.height, t.f, t.e, 1)):
            centre = first + step * (np.arange(size) + 0.5)
            variable = file.create_variable(axis, (axis,), "f8", data=centre)
            variable.attrs.update(standard_name=named[k], units=named[k + 2])
        reference = file.create_variable("spatial_ref", (), "i4")
        reference.attrs.update(
            crs_wkt=crs.to_wkt(),
            GeoTransform=" ".join(str(v) for v in (t.c, t.a, t.b, t.f, t.d, t.e)),
        )
        if baselines is not None:
            variable = file.create_variable("bperp", ("time",), "f4", data=np.asarray(baselines, "f4"))
            variable.attrs.update(units="m", long_name="perpendicular baseline relative to the first date")
        chunk = (min(CHUNK, grid.height), min(CHUNK, grid.width))
        common = {"dtype": "f4", "fillvalue": np.float32(np.nan)}
        cubes = {"displacement": "line-of-sight displacement since the first date, positive towards the satellite"}
        if deviations:
            cubes["displacement_std"] = "standard deviation of the displacement, where the network is whole"
        for name, long_name in cubes.items():
            series = file.create_variable(name, ("time", "y", "x"), chunks=(len(dates), *chunk), **common)
            series.attrs.update(units="mm", long_name=long_name, grid_mapping="spatial_ref")
        subset = file.create_variable(
            "subset", ("time", "y", "x"), dtype="i2", chunks=(len(dates), *chunk), compression="gzip", fillvalue=0
        )
        subset.attrs.update(
            units="1", long_name="subset of the network, where several were joined by the model of time"
        )
        for name, (units, long_name) in maps.items():
            variable = file.create_variable(name, ("y", "x"), chunks=chunk, **common)
            variable.attrs.update(units=units, long_name=long_name, grid_mapping="spatial_ref")
        yield SeriesFile(file, grid)


def mintpy_attributes(grid: Grid, dates: Sequence[date], radar: Radar, reference: Reference) -> dict[str, object]:
    """Global attributes under MintPy's names (see its documentation, "Attributes")."""
    t = grid.transform
    unit = "degrees" if CRS.from_user_input(grid.crs).is_geographic else "meters"
    return {
        "FILE_TYPE": "timeseries",
        "UNIT": "mm",
        "WIDTH": grid.width,
        "LENGTH": grid.height,
        "X_FIRST": t.c,
        "Y_FIRST": t.f,
        "X_STEP": t.a,
        "Y_STEP": t.e,
        "X_UNIT": unit,
        "Y_UNIT": unit,
        "START_DATE": f"{dates[0]:%Y%m%d}",
        "END_DATE": f"{dates[-1]:%Y%m%d}",
        "REF_DATE": f"{dates[0]:%Y%m%d}",
        "REF_X": reference.col,
        "REF_Y": reference.row,
        "REF_LON": reference.longitude,
        "REF_LAT": reference.latitude,
        "WAVELENGTH": radar.wavelength,
        "PLATFORM": "Sen",
        "ORBIT_DIRECTION": radar.orbit_direction or None,
        "HEADING": radar.heading,
        "INCIDENCE_ANGLE": radar.incidence,
        "SLANT_RANGE_DISTANCE": radar.slant_range,
        "TRACK": radar.track or None,
    }


def mean_of_pixels(series: np.ndarray, days: Sequence[str]) -> np.ndarray:
    """Mean displacement of pixels on each date, (dates,) mm, that gaps in some of them do not bend.

    Where a pixel is missing it is taken to lie on its own line, as far off as the others of that date lie off theirs;
    the mean of those that are left would jump to what they did, the slow ones say. NaN on a date that fewer than
    half of the pixels have.

    Parameters
    ----------
    series : (dates, pixels), mm; NaN where there is none. days : YYYY-MM-DD.
    """
    known = np.isfinite(series)
    some = known.any(axis=0)
    if known[:, some].all():
        return np.asarray(np.nanmean(series, axis=1))
    known, values = known[:, some], series[:, some].astype(np.float64)
    t = (np.array(days, "datetime64[D]") - np.datetime64(days[0])).astype(float)[:, None]
    count = known.sum(axis=0)
    mean_t, mean_v = ((np.where(known, of, 0)).sum(axis=0) / count for of in (t, values))
    off = np.where(known, t - mean_t, 0)
    spread = (off**2).sum(axis=0)
    slope = (off * np.where(known, values - mean_v, 0)).sum(axis=0) / np.where(spread > 0, spread, 1)
    lines = mean_v + slope * (t - mean_t)
    there = known.sum(axis=1)
    rest = np.where(known, values - lines, 0).sum(axis=1) / np.maximum(there, 1)
    return np.where(2 * there >= known.shape[1], lines.mean(axis=1) + rest, np.nan)


def series_grid(file: h5netcdf.File) -> tuple[Grid, list[str]]:
    """Grid and dates (YYYY-MM-DD) of an open ``timeseries.nc``."""
    units = file.variables["time"].attrs["units"]
    origin = np.datetime64((units.decode() if isinstance(units, bytes) else str(units)).split()[2])
    dates = [str(origin + np.timedelta64(round(float(d)), "D")) for d in file.variables["time"][:]]
    reference = file.variables["spatial_ref"].attrs
    transform = Affine.from_gdal(*_gdal_order(str(reference["GeoTransform"]).split()))
    height, width = file.variables["temporal_coherence"].shape
    return Grid(crs_name(CRS.from_wkt(str(reference["crs_wkt"]))), transform, width, height), dates


def _gdal_order(words: Sequence[str]) -> tuple[float, ...]:
    return tuple(float(word) for word in words)
