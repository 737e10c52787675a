"""MintPy's velocity.h5: data set ``velocity`` and the attributes that say where it lies and in which units.

Layout: insarlab/MintPy, docs/api/attributes.md: X_FIRST, X_STEP, Y_FIRST, Y_STEP (corner of the first pixel), X_UNIT
("degrees" or "meters"), EPSG or UTM_ZONE (number and hemisphere, "12N"), UNIT. A velocity of 0 is nodata.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.windows import Window

from slipmap.arrays import Doubles
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reader import Listing, Reader, Velocity
from slipmap.deformation.readers.geotiff import only_file
from slipmap.deformation.units import mm_per_year
from slipmap.errors import InputError
from slipmap.io.grid import Grid

_FINEST_METRES = 0.5  # a step below it is in degrees: no pixel of Sentinel-1 is so small


class MintPy(Reader):
    """One HDF5 file."""

    title = "MintPy (velocity.h5, geocoded)"
    source = "insarlab/MintPy, docs/api/attributes.md"
    levels = ("velocity",)
    files = {"velocity": ("*.h5", "*.he5")}
    units = "as its UNIT says (m/year, cm/year, mm/year), else `inputs.sentinel1.units`"
    sign = "velocity positive towards the satellite; 0 is nodata"
    beside = "in the file: X_FIRST, X_STEP, Y_FIRST, Y_STEP, X_UNIT, EPSG or UTM_ZONE"
    checks = "geocoded; coordinate reference system known (degrees, EPSG or UTM_ZONE); velocities that cannot be"

    def velocity(self, listing: Listing, settings: Sentinel1Settings) -> Velocity:
        """Describe the data set `velocity`."""
        import h5py

        path = only_file(listing, self.files["velocity"])
        try:
            file = h5py.File(path)
        except OSError as error:
            raise InputError(f"{path}: not an HDF5 file that can be opened ({error}); export it again.") from error
        with file:
            if "velocity" not in file:
                raise InputError(f"{path}: there is no data set 'velocity' in it; give MintPy's velocity.h5.")
            attributes = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in file.attrs.items()}
            shape = file["velocity"].shape
        factor = mm_per_year(attributes.get("UNIT"), settings.units, path)
        grid = grid_of(path, attributes, shape)

        def read(window: Window) -> Doubles:
            try:
                with h5py.File(path) as source:
                    block: Doubles = source["velocity"][window.toslices()].astype(np.float64)
            except OSError as error:
                raise InputError(
                    f"{path}: its pixels cannot be read ({error}); the file is truncated, export it again."
                ) from error
            block[block == 0] = np.nan
            return block * factor

        return Velocity(grid, read, path, self.name)


def grid_of(path: Path, attributes: Mapping[str, str], shape: tuple[int, ...]) -> Grid:
    """The grid that MintPy's `attributes` of a file say, of a data set of (rows, cols)."""
    keys = ("X_FIRST", "X_STEP", "Y_FIRST", "Y_STEP")
    if "X_FIRST" not in attributes:
        raise InputError(f"{path} is in radar coordinates; geocode it with MintPy's geocode.py first.")
    try:
        x, dx, y, dy = (float(attributes[key]) for key in keys)
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: {', '.join(keys)} must all be there, as numbers; export it again.") from error
    if dx <= 0 or dy >= 0:
        raise InputError(f"{path}: X_STEP {dx:g}, Y_STEP {dy:g}: not north-up; export it with north above.")
    if len(shape) != 2:
        raise InputError(f"{path}: its velocity has {len(shape)} dimensions, not 2; give MintPy's velocity.h5.")
    return Grid(_crs(path, attributes, dx), Affine(dx, 0, x, 0, dy, y), shape[1], shape[0])


def _crs(path: Path, attributes: Mapping[str, str], step: float) -> str:
    code = re.fullmatch(r"(?:EPSG:)?(\d+)(?:\.0*)?", attributes.get("EPSG", "").strip().upper())
    if code:
        return f"EPSG:{code[1]}"
    unit = attributes.get("X_UNIT", "").strip().lower()
    if unit.startswith("deg") or (not unit and step < _FINEST_METRES):
        return "EPSG:4326"
    zone = re.fullmatch(r"(\d{1,2})\s*([NS])", attributes.get("UTM_ZONE", "").strip().upper())
    if zone and 1 <= int(zone[1]) <= 60:
        return f"EPSG:{(32600 if zone[2] == 'N' else 32700) + int(zone[1])}"
    raise InputError(
        f"{path}: it is in metres and tells no coordinate reference system (EPSG, or UTM_ZONE as 12N or 19S); add one "
        f"(h5: file.attrs['EPSG'] = '32612')."
    )


READER = MintPy()
