"""Tropospheric delays of the dates as weather services deliver them, one reader for each layout.

| layout | files | holds |
| --- | --- | --- |
| GACOS | ``YYYYMMDD.ztd`` with ``.ztd.rsc``, or ``YYYYMMDD.ztd.tif`` | zenith total delay, m; 0 is nodata |
| OPERA | ``OPERA_L4_TROPO-ZENITH_YYYYMMDDT….nc`` | zenith, m, on levels: ``wet_delay`` + ``hydrostatic_delay`` |
| PyAPS | ``ERA5.h5`` of MintPy | delay in the line of sight, m, its sign reversed as MintPy has it |

Layouts: GACOS's README and LiCSBAS (rsc: X_FIRST and Y_FIRST are the centre of the first node, little-endian float32);
opera-sas/opera-tropo (dimensions time, height above the ellipsoid, latitude, longitude); insarlab/MintPy, tropo_pyaps3.
All delays are one-way and lengthen the path: positive here, whatever the file's sign.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from slipmap.arrays import Doubles, Real
from slipmap.deformation.readers.mintpy import grid_of
from slipmap.deformation.stack import parse_date
from slipmap.errors import InputError
from slipmap.io.grid import Grid

KEY = "inputs.delays"
ZENITH = (0.5, 3.0)  # m, between which a zenith total delay lies: 2.4 at the sea, 0.8 on the highest mountains
MARGIN = 2  # nodes that are read around what is asked for
WANTED = (
    "give a folder of GACOS's YYYYMMDD.ztd with .ztd.rsc (or .ztd.tif), of OPERA_L4_TROPO-ZENITH_YYYYMMDD….nc, or "
    "MintPy's ERA5.h5"
)


_Read = Callable[[slice, slice], Real]  # (…, rows, cols) of slices of both


class Field(Protocol):
    """The delay of one date."""

    @property
    def path(self) -> Path:
        """Its file."""

    @property
    def crs(self) -> str:
        """Of x and y."""

    def at(self, x: Doubles, y: Doubles, height: Doubles | None) -> Doubles:
        """Delay at (points,), m, positive; NaN where it is not known. `height` : m, where the field has levels."""


@dataclass(frozen=True)
class Delays:
    """The delays of some dates.

    Parameters
    ----------
    source : "GACOS", "OPERA" or "PyAPS". slant : along the line of sight already, no longer at the zenith.
    levels : the delay depends on the height. by_date : the field of each date.
    """

    source: str
    slant: bool
    levels: bool
    by_date: Mapping[date, Field]

    def at(self, dates: Sequence[date], x: Doubles, y: Doubles, crs: str, height: Doubles | None) -> Doubles:
        """(dates, points) float64, m; `x`, `y` in `crs`."""
        found = []
        places: dict[str, tuple[Doubles, Doubles]] = {}
        for day in dates:
            field = self.by_date[day]
            if field.crs not in places:
                places[field.crs] = Transformer.from_crs(crs, field.crs, always_xy=True).transform(x, y)
            found.append(field.at(*places[field.crs], height))
        return np.stack(found)


def find(path: str | Path, dates: Sequence[date], grid: Grid, key: str = KEY) -> Delays:
    """The delays of `dates` under `path`; their layout and dates, cover of `grid` and values are looked at.

    Raises
    ------
    InputError : one sentence that names the file.
    """
    path = Path(path)
    delays = _read(path, dates, grid, key)
    missing = [day for day in dates if day not in delays.by_date]
    if missing:
        named = ", ".join(f"{day:%Y%m%d}" for day in missing[:5]) + (", ..." if len(missing) > 5 else "")
        midnight = " (a file of the next midnight counts under a name that begins with the date)"
        raise InputError(
            f"{key}: {path} has no delay of {len(missing)} of {len(dates)} dates ({named}); fetch them"
            f"{midnight if delays.source == 'OPERA' else ''}, or set deformation.troposphere: elevation and leave "
            f"{key} out."
        )
    corners = np.array([(x, y) for x in grid.bounds[::2] for y in grid.bounds[1::2]]).T
    middle = corners.mean(axis=1, keepdims=True)
    inside = middle + (corners - middle) * (1 - 1e-6)
    for day in dates:
        values = delays.at([day], inside[0], inside[1], grid.crs, np.zeros(4) if delays.levels else None)[0]
        _require_plausible(values, delays, delays.by_date[day].path, key)
    return delays


def _require_plausible(values: Doubles, delays: Delays, path: Path, key: str) -> None:
    known = values[np.isfinite(values)]
    if known.size < values.size:
        raise InputError(f"{key}: {path} does not cover the interferograms; fetch delays of a larger box.")
    low, high = (-high for high in reversed(ZENITH)) if delays.slant and np.median(known) < 0 else ZENITH
    if delays.slant and np.median(known) < 0:
        raise InputError(
            f"{key}: {path} has values like {-np.median(known):g} m, and MintPy's delays are negative (they shift the "
            f"ground away); give the file that MintPy wrote."
        )
    if delays.slant and np.abs(known).max() < 0.5:  # against a reference point, as older versions of MintPy write it
        return
    if np.median(known) < low or np.median(known) > high * (2 if delays.slant else 1):
        raise InputError(
            f"{key}: {path} has values like {np.median(known):g}, which is no total delay in metres ({low:g} to "
            f"{high:g} at the zenith); give wet and hydrostatic delay together, in metres."
        )


def _read(path: Path, dates: Sequence[date], grid: Grid, key: str) -> Delays:
    if path.is_file() and path.suffix in (".h5", ".he5"):
        return Delays("PyAPS", True, False, _of_mintpy(path, key))
    if not path.is_dir():
        raise InputError(f"{key}: {path} is no folder of delays; {WANTED}.")
    files = sorted(p for p in path.rglob("*") if p.is_file())
    layouts = {
        "GACOS": [p for p in files if p.name.endswith((".ztd", ".ztd.tif"))],
        "OPERA": [p for p in files if p.suffix == ".nc" and "TROPO" in p.name.upper()],
        "PyAPS": [p for p in files if p.name == "ERA5.h5"],
    }
    found = [name for name, some in layouts.items() if some]
    if len(found) != 1:
        has = f"has files of {' and '.join(found)}" if found else "holds no delays of a layout that slipmap knows"
        raise InputError(f"{key}: {path} {has}; {WANTED}.")
    (name,) = found
    if name == "PyAPS":
        return Delays(name, True, False, _of_mintpy(layouts[name][0], key))
    by_date = _by_date(layouts[name], dates, key)
    if name == "OPERA":
        return Delays(name, False, True, {day: _cube(p, grid, key) for day, p in by_date.items()})
    fields = {day: _tif(p, key) if p.suffix == ".tif" else _ztd(p, key) for day, p in by_date.items()}
    return Delays(name, False, False, fields)


def _by_date(files: Sequence[Path], dates: Sequence[date], key: str) -> dict[date, Path]:
    """The file of each date, by the first eight digits in its name."""
    found: dict[date, Path] = {}
    for path in files:
        digits = re.search(r"(?<!\d)\d{8}(?!\d)", path.name)
        if digits is None:
            raise InputError(f"{key}: {path} has no date (YYYYMMDD) in its name; rename it.")
        day = parse_date(digits.group(), f"{key}: {path}")
        if day in found and day in dates:
            raise InputError(
                f"{key}: {found[day].name} and {path.name} are both of {day:%Y%m%d}; keep the one nearer to the time "
                f"of the acquisitions."
            )
        found[day] = path
    return {day: found[day] for day in dates if day in found}


@dataclass(frozen=True)
class _Plane:
    """A delay on nodes: `first` (x, y) of the first one's centre, `step` (x, y), `shape` (rows, cols).

    `read` gives (rows, cols) float of a pair of slices, NaN where there is none; `sign` makes it positive.
    """

    path: Path
    crs: str
    first: tuple[float, float]
    step: tuple[float, float]
    shape: tuple[int, int]
    read: _Read
    sign: float = 1.0

    def at(self, x: Doubles, y: Doubles, height: Doubles | None) -> Doubles:
        cols, rows = ((np.asarray(v) - o) / s for v, o, s in zip((x, y), self.first, self.step, strict=True))
        return self.sign * _bilinear(self.read, self.shape, rows, cols)


def _bilinear(read: _Read, shape: tuple[int, ...], rows: Doubles, cols: Doubles) -> Doubles:
    """Values between nodes; NaN more than half a step outside of them. `read` : two slices → (…, rows, cols)."""
    outside = (rows < -0.5) | (rows > shape[0] - 0.5) | (cols < -0.5) | (cols > shape[1] - 0.5)
    if outside.all():
        return np.full(rows.shape, np.nan)
    rows, cols = (np.clip(v, 0, n - 1) for v, n in ((rows, shape[0]), (cols, shape[1])))
    r0, c0 = (np.minimum(np.floor(v).astype(int), max(n - 2, 0)) for v, n in ((rows, shape[0]), (cols, shape[1])))
    top, left = r0.min(), c0.min()
    block = np.asarray(read(slice(top, r0.max() + 2), slice(left, c0.max() + 2)), np.float64)
    a, b, i, j = rows - r0, cols - c0, r0 - top, c0 - left
    i1, j1 = np.minimum(i + 1, block.shape[-2] - 1), np.minimum(j + 1, block.shape[-1] - 1)
    values = (1 - a) * ((1 - b) * block[..., i, j] + b * block[..., i, j1])
    values += a * ((1 - b) * block[..., i1, j] + b * block[..., i1, j1])
    return np.where(outside, np.nan, values)


def _without_zero(values: Real) -> Real:
    return np.where(values == 0, np.nan, values)


def _ztd(path: Path, key: str) -> _Plane:
    """GACOS's binary file and the text beside it."""
    beside = path.with_name(path.name + ".rsc")
    if not beside.is_file():
        raise InputError(f"{key}: {path} has no {beside.name} beside it, which says where it lies; put it there.")
    said = {words[0]: words[1] for words in map(str.split, beside.read_text().splitlines()) if len(words) > 1}
    try:
        cols, rows = (int(said[name]) for name in ("WIDTH", "FILE_LENGTH"))
        first = float(said["X_FIRST"]), float(said["Y_FIRST"])
        step = float(said["X_STEP"]), float(said["Y_STEP"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{key}: {beside} does not say {error} as a number; fetch it again.") from error
    if path.stat().st_size != 4 * rows * cols:
        raise InputError(
            f"{key}: {path} has {path.stat().st_size} bytes, and {beside.name} tells of {4 * rows * cols} ({rows} x "
            f"{cols} float32); it is truncated or not of this date, fetch both again."
        )

    def read(rows_: slice, cols_: slice) -> Real:
        return _without_zero(np.array(np.memmap(path, "<f4", "r", shape=(rows, cols))[rows_, cols_]))

    return _Plane(path, "EPSG:4326", first, step, (rows, cols), read)


def _tif(path: Path, key: str) -> _Plane:
    """GACOS's GeoTIFF."""
    try:
        with rasterio.open(path) as source:
            transform, shape, crs = source.transform, source.shape, source.crs
    except RasterioError as error:
        raise InputError(f"{key}: {path} is not a GeoTIFF that can be opened; fetch it again.") from error
    if crs is None:
        raise InputError(f"{key}: {path} has no coordinate reference system; fetch it again.")

    def read(rows: slice, cols: slice) -> Real:
        last = min(rows.stop, shape[0]), min(cols.stop, shape[1])
        with rasterio.open(path) as source:
            window = ((rows.start, last[0]), (cols.start, last[1]))
            return _without_zero(source.read(1, window=window, masked=True).filled(np.nan))

    first = transform @ (0.5, 0.5)
    return _Plane(path, crs.to_wkt(), first, (transform.a, transform.e), shape, read)


def _of_mintpy(path: Path, key: str) -> dict[date, Field]:
    """The dates of MintPy's ERA5.h5, whose delays are negative."""
    try:
        with h5py.File(path) as file:
            if "timeseries" not in file or "date" not in file:
                raise InputError(f"{key}: {path} has no data sets timeseries and date; give MintPy's ERA5.h5.")
            said = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in file.attrs.items()}
            days, shape = [d.decode() for d in file["date"][:]], file["timeseries"].shape
    except OSError as error:
        raise InputError(f"{key}: {path} is not an HDF5 file that can be opened; write it again.") from error
    if said.get("UNIT", "") != "m":
        raise InputError(f"{key}: {path} has the unit '{said.get('UNIT', '')}', not m; give MintPy's ERA5.h5.")
    grid = grid_of(path, said, shape[1:])
    first = grid.transform @ (0.5, 0.5)

    def reader(number: int) -> _Read:
        def read(rows: slice, cols: slice) -> Real:
            with h5py.File(path) as file:
                return _without_zero(file["timeseries"][number, rows, cols])

        return read

    step = grid.transform.a, grid.transform.e
    return {
        parse_date(day, f"{key}: {path}"): _Plane(path, grid.crs, first, step, grid.shape, reader(k), -1.0)
        for k, day in enumerate(days)
    }


@dataclass(frozen=True)
class _Cube:
    """A delay on levels of height: `values` (levels, rows, cols), `height` (levels,) ascending, cut to an area."""

    path: Path
    height: Doubles
    first: tuple[float, float]
    step: tuple[float, float]
    values: Doubles
    crs: str = "EPSG:4326"

    def at(self, x: Doubles, y: Doubles, height: Doubles | None) -> Doubles:
        cols, rows = ((np.asarray(v) - o) / s for v, o, s in zip((x, y), self.first, self.step, strict=True))
        level = np.interp(np.asarray(height, np.float64), self.height, np.arange(len(self.height)))
        below = np.minimum(np.floor(np.nan_to_num(level)).astype(int), len(self.height) - 2)
        share = level - below
        every = _bilinear(lambda r, c: self.values[:, r, c], self.values.shape[1:], rows, cols)
        points = np.arange(len(level))
        delay: Doubles = (1 - share) * every[below, points] + share * every[below + 1, points]
        return delay


def _cube(path: Path, grid: Grid, key: str) -> _Cube:
    """OPERA's file, of which only the nodes around `grid` are read."""
    axes, fields = ("latitude", "longitude", "height"), ("wet_delay", "hydrostatic_delay")
    try:
        file = h5py.File(path)
    except OSError as error:
        raise InputError(f"{key}: {path} is not a NetCDF-4 file that can be opened; fetch it again.") from error
    with file:
        missing = [name for name in (*axes, *fields) if name not in file]
        if missing:
            raise InputError(f"{key}: {path} has no {' and '.join(missing)}; give OPERA's L4 TROPO-ZENITH file.")
        latitude, longitude, height = (file[name][:].astype(np.float64) for name in axes)
        west, south, east, north = transform_bounds(CRS.from_user_input(grid.crs), "EPSG:4326", *grid.bounds)
        rows, cols = (_nodes(v, *span) for v, span in ((latitude, (south, north)), (longitude, (west, east))))
        if rows is None or cols is None:
            raise InputError(f"{key}: {path} does not cover the interferograms; fetch delays of a larger box.")
        wet, hydrostatic = (_in_order(file[name], rows, cols, path, key) for name in fields)
        total = wet + hydrostatic
    order = np.argsort(height)
    latitude, longitude = latitude[rows], longitude[cols]
    step = np.median(np.diff(longitude)), np.median(np.diff(latitude))
    return _Cube(path, height[order], (longitude[0], latitude[0]), step, total[order])


def _nodes(axis: Doubles, low: float, high: float) -> slice | None:
    inside = np.flatnonzero((axis >= low) & (axis <= high))
    if inside.size == 0:  # between two nodes
        inside = np.unique(np.clip([np.abs(axis - low).argmin(), np.abs(axis - high).argmin()], 0, len(axis) - 1))
    first, last = max(0, inside[0] - MARGIN), min(len(axis), inside[-1] + MARGIN + 1)
    return slice(first, last) if last - first > 1 else None


def _in_order(data: h5py.Dataset, rows: slice, cols: slice, path: Path, key: str) -> Doubles:
    """(levels, rows, cols) float64 of a variable, its axes found by the names of their dimensions; m."""
    unit = data.attrs.get("units", b"")
    unit = unit.decode() if isinstance(unit, bytes) else str(unit)
    if unit not in ("m", "meters", "metre", "metres", "meter"):
        raise InputError(f"{key}: {path}: {data.name[1:]} has the unit '{unit}', not metres; fetch it again.")
    names = [dimension[0].name.rpartition("/")[2] if len(dimension) else "" for dimension in data.dims]
    wanted = ("height", "latitude", "longitude")
    if not set(wanted) <= set(names):
        raise InputError(f"{key}: {path}: {data.name[1:]} does not name its dimensions {', '.join(wanted)}.")
    cut = {"latitude": rows, "longitude": cols, "height": slice(None)}
    values = data[tuple(cut.get(name, 0) for name in names)].astype(np.float64)
    left = [name for name in names if name in wanted]
    return np.transpose(values, [left.index(name) for name in wanted])
