"""European Ground Motion Service: points of a burst (L2a, L2b) or of a tile (L3), CSV, alone or in its zip; L3 GeoTIFF.

Layout: EGMS Product Description Document (Copernicus Land Monitoring Service): columns easting, northing (ETRS89-LAEA,
EPSG:3035, m), mean_velocity (mm/year); L2 also los_east, los_north, los_up, incidence_angle, track_angle. Names:
``EGMS_L2b_088_0282_IW2_VV_2018_2022_1`` (track, burst), ``EGMS_L3_E40N28_100km_E_2018_2022_1`` (tile, component).
"""

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reader import Listing, Reader, Velocity
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid, crs_name

CRS = "EPSG:3035"
PIXEL = {"L2": 20.0, "L3": 100.0}  # m
_COLUMNS = ("easting", "northing", "mean_velocity")
_L2 = re.compile(r"EGMS_(L2[ab])(?:_(\d{3}))?(?:_\d{4}_IW\d_[HV]{2}_(\d{4}_\d{4})_\d+)?(?:[_.]|$)")
_L3 = re.compile(r"EGMS_(L3)_(E\d+N\d+)_100km_([EU])(?:_(\d{4}_\d{4})_\d+)?")
COMPONENTS = {
    "LOS": "line-of-sight velocity, positive towards the satellite",
    "E": "east-west velocity, positive to the east",
    "U": "vertical velocity, positive upwards",
}


class Egms(Reader):
    """CSV tables, or L3's GeoTIFFs, of one track or one component."""

    title = "EGMS (L2a, L2b, L3)"
    source = "Copernicus Land Monitoring Service, EGMS Product Description Document"
    levels = ("velocity",)
    files = {
        "velocity": ("*.csv", "EGMS_*.zip", "EGMS_L3_*.tiff", "EGMS_L3_*.tif"),
    }
    units = "mm/year"
    sign = "L2: positive towards the satellite; L3: positive upwards (U) or to the east (E), which velocity.tif says"
    beside = "track (L2) or component (L3) in the file name, else the columns"
    checks = "one product level, one track (L2) or one component (L3), one period; tiles and bursts are put together"

    def velocity(self, listing: Listing, settings: Sentinel1Settings) -> Velocity:
        """Describe the points or the raster; a pixel is its points' mean. Holds the points' three columns in memory."""
        if settings.units not in (None, "mm/yr"):
            raise InputError("inputs.sentinel1.units: EGMS velocities are in mm/yr; leave the key out.")
        files = listing.named(*self.files["velocity"])
        tables = _without_twins([path for path in files if path.suffix.lower() in (".csv", ".zip")])
        if not tables:
            return self._raster(files)
        kind = _same_kind(tables)
        points = np.concatenate([_points(path) for path in tables], axis=1)
        if points.shape[1] == 0:
            raise InputError(f"{tables[0]}: it holds no measurement point; fetch it again.")
        read, grid = _gridded(points, PIXEL["L3" if kind in ("E", "U") else "L2"])
        return Velocity(grid, read, tables[0], self.name, COMPONENTS[kind])

    def _raster(self, files: Sequence[Path]) -> Velocity:
        kind = _same_kind(files)
        if len(files) > 1:
            raise InputError(f"inputs.sentinel1.path: {len(files)} EGMS GeoTIFFs; name one, or give their CSV tables.")
        path = files[0]
        raster.check(path, "inputs.sentinel1.path")
        with rasterio.open(path) as src:
            grid = Grid(crs_name(src.crs), src.transform, src.width, src.height)
            silent = src.nodata is None

        def read(window: Window) -> np.ndarray:
            return raster.read(path, window, 1).astype(np.float64)

        return Velocity(grid, read, path, self.name, COMPONENTS[kind], zero_may_be_nodata=silent)


def _without_twins(files: Sequence[Path]) -> list[Path]:
    """Of a zip and the table unpacked from it, only the table."""
    tables = {path.stem for path in files if path.suffix.lower() == ".csv"}
    return [path for path in files if path.suffix.lower() == ".csv" or path.stem not in tables]


def _same_kind(files: Sequence[Path]) -> str:
    """ "LOS", "E" or "U", shared by all files.

    Raises
    ------
    InputError : the files are of two levels, tracks, components or periods, or one does not tell.
    """
    found = [(path, *_kind(path)) for path in files]
    for path, kind, what in found:
        if (kind, what) != found[0][1:]:
            raise InputError(
                f"{path}: it is of {what}, {found[0][0].name} of {found[0][2]}; give the files of one track, or of one "
                f"component, and one period."
            )
    return found[0][1]


def _kind(path: Path) -> tuple[str, str]:
    """What a file is a velocity of, and what all files of a map must share, in words."""
    if match := _L2.search(path.name):
        return "LOS", match[1] + (f", track {int(match[2])}" if match[2] else "") + (
            f", {match[3]}" if match[3] else ""
        )
    if match := _L3.search(path.name):
        return match[3], f"L3, component {match[3]}{f', {match[4]}' if match[4] else ''}"
    if path.suffix.lower() in (".csv", ".zip"):
        with _opened(path) as table:
            head = table.readline().decode("utf-8-sig", errors="replace").strip().split(",")
        if {"los_east", "los_up", "incidence_angle", "track_angle"} & set(head):
            return "LOS", "L2"
    raise InputError(
        f"{path}: neither its name (EGMS_L2b_…: line of sight, EGMS_L3_…_U or _E: "
        f"vertical or eastward) nor its columns tell which velocity it holds; give the file its original name."
    )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".zip":
        with open(path, "rb") as table:
            yield table
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise InputError(f"{path}: there are {len(names)} CSV tables in it, not one; fetch it again.")
            with archive.open(names[0]) as table:
                yield table
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a zip that can be read ({error}); fetch it again.") from error


def _points(path: Path) -> np.ndarray:
    """(3, points) float64: easting, northing (m), mean velocity (mm/yr)."""
    import pandas

    with _opened(path) as table:
        head = table.readline().decode("utf-8-sig", errors="replace").strip().split(",")
    missing = [name for name in _COLUMNS if name not in head]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; give an EGMS CSV.")
    try:
        with _opened(path) as table:
            frame = pandas.read_csv(table, usecols=list(_COLUMNS), encoding="utf-8-sig").dropna()
            return np.stack([frame[name].to_numpy(np.float64) for name in _COLUMNS])
    except (ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a CSV table that can be read ({error}); fetch it again.") from error


def _gridded(points: np.ndarray, size: float) -> tuple[Callable[[Window], np.ndarray], Grid]:
    """The mean of the points in each pixel: (a function that reads a window of it, its grid)."""
    east, north, velocity = points
    bounds = east.min() - size / 2, north.min() - size / 2, east.max() + size / 2, north.max() + size / 2
    grid = Grid.from_bounds(CRS, size, bounds)
    cols, rows = ~grid.transform @ (east, north)
    cell = np.floor(rows).astype(np.int64) * grid.width + np.floor(cols).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    cell, velocity = cell[order], velocity[order]
    starts = np.flatnonzero(np.r_[True, np.diff(cell) > 0])
    means = np.add.reduceat(velocity, starts) / np.diff(np.r_[starts, len(cell)])
    cell = cell[starts]

    def read(window: Window) -> np.ndarray:
        (r0, r1), (c0, c1) = window.toranges()
        low, high = np.searchsorted(cell, [r0 * grid.width, r1 * grid.width])
        rows, cols = np.divmod(cell[low:high], grid.width)
        inside = (cols >= c0) & (cols < c1)
        block = np.full((r1 - r0, c1 - c0), np.nan)
        block[rows[inside] - r0, cols[inside] - c0] = means[low:high][inside]
        return block

    return read, grid


READER = Egms()
