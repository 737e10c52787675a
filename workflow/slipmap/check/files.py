"""Looks at one file or folder of data, by its metadata only: can it be read, and does it overlap the area?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform_bounds

from slipmap.errors import InputError, nearest
from slipmap.io import raster
from slipmap.io.grid import Grid

if TYPE_CHECKING:
    import h5py

Bounds = tuple[float, float, float, float]
RASTER_SUFFIXES = (".tif", ".tiff", ".vrt", ".img")
HDF5_SUFFIXES = (".h5", ".hdf5", ".he5")
# coordinates of a NetCDF grid, by the names that `slipmap.factors.coarse` knows
_X = ("x", "lon", "longitude", "rlon", "easting")
_Y = ("y", "lat", "latitude", "rlat", "northing")


def check_single(path: Path, key: str) -> None:
    """Raise `InputError` if `path` is a folder where one file is wanted."""
    if path.is_dir():
        raise InputError(f"{key}: {path} is a folder; name the file in it.")


def check_scenes(path: Path, key: str, grid: Grid) -> None:
    """Radar or optical data: one file, or a folder of which at least one raster must overlap the area."""
    if not path.is_dir():
        if path.suffix.lower() in RASTER_SUFFIXES:
            raster.check(path, key, overlaps=grid)
        elif path.suffix.lower() in HDF5_SUFFIXES and _hdf5_overlaps(path, key, grid) is False:
            raise _beside(path, key)
        return
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
    if not files:
        raise InputError(f"{key}: the folder {path} is empty; put the data there.")
    placed = []  # whether each overlaps, where that can be told
    for file in files:
        if file.suffix.lower() in RASTER_SUFFIXES:
            raster.check(file, key)
            placed.append(_raster_overlaps(file, grid))
        elif file.suffix.lower() in HDF5_SUFFIXES:
            placed.append(_hdf5_overlaps(file, key, grid))
    if True not in placed:  # SAFE products: many files, of which the first in the area is enough
        for file in files:
            if file.suffix.lower() == ".jp2":
                placed.append(_raster_overlaps(file, grid))
                if placed[-1]:
                    break
    if True not in placed and False in placed:
        raise InputError(
            f"{key}: none of the {placed.count(False)} rasters in {path} overlaps the area; check grid.bounds and the "
            f"folder."
        )


def check_series(path: Path, key: str, grid: Grid) -> None:
    """Rain or soil moisture: a GeoTIFF, a folder of GeoTIFFs, or a NetCDF-4 file."""
    if path.is_dir():
        if not any(file.suffix.lower() in (".tif", ".tiff") for file in path.iterdir()):
            raise InputError(f"{key}: the folder {path} holds no GeoTIFF; put one file for each day there.")
        check_scenes(path, key, grid)
    elif path.suffix.lower() in RASTER_SUFFIXES:
        raster.check(path, key, overlaps=grid)
    else:
        _check_netcdf(path, key, grid)


def check_vector(path: Path, key: str, grid: Grid, *, attribute: str | None = None, margin: float = 0.0) -> None:
    """A vector file that can be opened, has a CRS, has `attribute`, and has features within `margin` metres.

    Only the header is read, except in formats that keep no extent in it (GeoJSON).
    """
    import pyogrio

    try:
        info = pyogrio.read_info(path, force_total_bounds=True)
    except Exception as error:  # pyogrio raises a family of errors of its own
        raise InputError(f"{key}: {path} is not a vector file that can be read; export it as GeoPackage.") from error
    if not info["geometry_type"]:
        raise InputError(f"{key}: {path} is a table without geometries; export it as GeoPackage.")
    if not info["crs"]:
        raise InputError(
            f"{key}: {path} has no coordinate reference system; assign the right one (ogr2ogr -a_srs EPSG:n)."
        )
    fields = list(info["fields"])
    if attribute is not None and attribute not in fields:
        proposed = nearest(attribute, fields)
        if not proposed.startswith("; did you mean"):
            proposed = "; name the one that holds the class."
        raise InputError(
            f"{key.removesuffix('.path')}.attribute: {path} has no attribute '{attribute}' (it has "
            f"{', '.join(fields) or 'none'}){proposed}"
        )
    bounds = info["total_bounds"]
    if bounds is None or not np.isfinite(bounds).all() or not _overlaps(info["crs"], tuple(bounds), grid, margin):
        raise _beside(path, key)


def _overlaps(crs: str | CRS, bounds: Bounds, grid: Grid, margin: float = 0.0) -> bool:
    # the area goes to the data's CRS, not the reverse: the ends of the world have no place in a UTM zone
    left, bottom, right, top = grid.bounds
    area = (left - margin, bottom - margin, right + margin, top + margin)
    left, bottom, right, top = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_user_input(crs), *area)
    return bool(bounds[0] <= right and bounds[2] >= left and bounds[1] <= top and bounds[3] >= bottom)


def _raster_overlaps(path: Path, grid: Grid) -> bool | None:
    try:
        with rasterio.open(path) as src:
            return _overlaps(src.crs, src.bounds, grid) if src.crs else None
    except (RasterioError, CRSError):
        return None


def _open_hdf5(path: Path, key: str, kind: str) -> "h5py.File":
    import h5py

    try:
        return h5py.File(path)
    except OSError as error:
        raise InputError(
            f"{key}: {path} is not {kind} file that can be opened; it is truncated or corrupt, fetch it again."
        ) from error


def _hdf5_overlaps(path: Path, key: str, grid: Grid) -> bool | None:
    from slipmap.deformation.slc_file import opera_grid

    with _open_hdf5(path, key, "an HDF5") as file:
        if "data/x_coordinates" not in file:
            return None
        own = opera_grid(file, str(path))
    return _overlaps(own.crs, own.bounds, grid)


def _check_netcdf(path: Path, key: str, grid: Grid) -> None:
    with _open_hdf5(path, key, "a NetCDF-4") as file:
        try:
            x, y = (_coordinate(file, names) for names in (_X, _Y))
            if x is None or y is None:
                raise InputError(
                    f"{key}: {path} has no x and y (or longitude and latitude) coordinates; write them to the file."
                )
            crs = _netcdf_crs(file, x)
            xs, ys = file[x][:].astype(float), file[y][:].astype(float)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{key}: the coordinates of {path} cannot be read ({error}); fetch it again.") from error
    if crs is None or not xs.size or not ys.size:
        return  # the factors' own reader says what is wanted
    if crs.is_geographic and xs.max() > 180 + 1e-6:
        xs = np.sort((xs + 180) % 360 - 180)
    half = max(_half_cell(xs), _half_cell(ys))
    if not _overlaps(crs, (xs.min() - half, ys.min() - half, xs.max() + half, ys.max() + half), grid):
        raise _beside(path, key)


def _coordinate(file: "h5py.File", names: Iterable[str]) -> str | None:
    return next((name for name in file if name.lower() in names and getattr(file[name], "ndim", 0) == 1), None)


def _netcdf_crs(file: "h5py.File", x: str) -> CRS | None:
    for name in file:
        text = file[name].attrs.get("crs_wkt", file[name].attrs.get("spatial_ref"))
        if text is not None:
            try:
                return CRS.from_user_input(text.decode() if isinstance(text, bytes) else str(text))
            except CRSError:
                continue
    return CRS.from_epsg(4326) if x.lower() in ("lon", "longitude") else None


def _half_cell(values: np.ndarray) -> float:
    return float(np.abs(np.median(np.diff(values)))) / 2 if len(values) > 1 else 0.0


def _beside(path: Path, key: str) -> InputError:
    return InputError(f"{key}: {path} does not overlap the area; check grid.bounds and the file.")
