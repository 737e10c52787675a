"""Looks at one file or folder of data, by its metadata only: can it be read, and does it overlap the area?"""

from pathlib import Path
from typing import TYPE_CHECKING

import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError

from slipmap.errors import InputError
from slipmap.io import overlap, raster
from slipmap.io.grid import Grid

if TYPE_CHECKING:
    import h5py

RASTER_SUFFIXES = (".tif", ".tiff", ".vrt", ".img")
_COLOURS = 3  # bands of a picture
HDF5_SUFFIXES = (".h5", ".hdf5", ".he5")


def check_scenes(path: Path, key: str, grid: Grid) -> None:
    """Radar or optical data: one file, or a folder of which at least one raster must overlap the area."""
    if not path.is_dir():
        if path.suffix.lower() in RASTER_SUFFIXES:
            _require_no_picture(path, key)
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
            _require_no_picture(file, key)
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


def _require_no_picture(path: Path, key: str) -> None:
    """Raise `InputError` for a scene of several bands in bytes, which are shades of a picture and no reflectance."""
    try:
        with rasterio.open(path) as src:
            shades = src.count >= _COLOURS and set(src.dtypes) == {"uint8"} and set(src.scales) == {1.0}
    except RasterioError:
        return
    if shades and "sentinel2" in key:
        raise InputError(
            f"{key}: {path} holds numbers from 0 to 255 in every band, as a picture does, and no reflectance; give the "
            "scene itself (numbers up to 10000, or fractions)."
        )


def _raster_overlaps(path: Path, grid: Grid) -> bool | None:
    try:
        with rasterio.open(path) as src:
            return overlap.overlaps(src.crs, raster.outer_bounds(src), grid) if src.crs else None
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
    return overlap.overlaps(CRS.from_user_input(own.crs), own.bounds, grid)


def _beside(path: Path, key: str) -> InputError:
    return InputError(f"{key}: {path} does not overlap the area; check grid.bounds and the file.")
