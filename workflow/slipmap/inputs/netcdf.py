"""NetCDF (3 and 4) and HDF5 files of coarse grids: the variable that counts, its axes and its CRS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from pyproj import CRS as PyprojCRS
from pyproj.exceptions import CRSError
from rasterio.crs import CRS

from slipmap.errors import InputError

_X = ("x", "lon", "longitude", "rlon", "easting")
_Y = ("y", "lat", "latitude", "rlat", "northing")
KNOWN = {
    "rainfall": ("rain", "precip", "tp", "pr", "precipitation", "rainfall", "precipitationcal",
                 "total_precipitation", "precipitation_flux", "lwe_precipitation_rate"),
    "soil_moisture": ("soil_moisture", "sm", "swvl1", "soil_moisture_c1", "sm_surface", "soil_moisture_am", "ssm",
                      "volumetric_soil_water_layer_1"),
}  # fmt: skip
# EASE-Grid 2.0, global (Brodzik et al. 2012), of SMAP's products: (rows, cols) → cell, m; the corner is the same
_EASE: dict[tuple[int, ...], float] = {
    (406, 964): 36032.220840584,
    (1624, 3856): 9008.055210146,
    (4872, 11568): 3002.6850700487,
}
_EASE_CORNER = (-17367530.4451615, 7314540.8306386)
_SMAP = ("Soil_Moisture_Retrieval_Data", "Soil_Moisture_Retrieval_Data_AM", "Geophysical_Data")


@contextmanager
def opened(path: Path, key: str, kind: str) -> Iterator[tuple[xr.Dataset, xr.DataArray]]:
    """The data set of the file, times as numbers, and the variable that shows `kind` ("rainfall", "soil_moisture").

    Raises
    ------
    InputError : the file is neither NetCDF nor HDF5, or broken; no variable is clearly of that kind.
    """
    head = _head(path, key)
    options: dict[str, Any] = {"decode_times": False, "decode_coords": "all"}
    if head.startswith(b"CDF"):
        options["engine"] = "scipy"
    elif head.startswith(b"\x89HDF"):
        options |= {"engine": "h5netcdf", "phony_dims": "sort"}
    else:
        raise InputError(f"{key}: {path} is no NetCDF file; give NetCDF, HDF5 or GeoTIFF, or fetch it again.")
    group = _group(path, key, kind) if options["engine"] == "h5netcdf" else None
    try:
        dataset = xr.open_dataset(path, group=group, **options) if group else xr.open_dataset(path, **options)
    except Exception as error:
        raise InputError(
            f"{key}: {path} is not a NetCDF file that can be opened ({error}); it is truncated or corrupt, fetch it "
            f"again."
        ) from error
    with dataset:
        variable = _in_valid_range(_variable(dataset, path, key, kind))
        if group and group.split("/")[0] in _SMAP:
            dataset, variable = _on_ease_grid(dataset, variable)
        yield dataset, variable


def axes(dataset: xr.Dataset, variable: xr.DataArray, path: Path, key: str) -> tuple[str, str, CRS]:
    """Names of the x and y axes of a variable, and the CRS that they are in.

    Raises
    ------
    InputError : no axes, axes that are no lines of cells, no CRS.
    """
    x, y = (_axis(variable, names) for names in (_X, _Y))
    if not x or not y:
        twins = [str(name) for name in dataset.variables if str(name).lower() in (*_X, *_Y) and dataset[name].ndim > 1]
        advice = (
            f"its {' and '.join(twins)} have two dimensions (a swath or a turned grid); regrid it to lines of cells"
            if twins
            else "write them to the file"
        )
        raise InputError(f"{key}: {path} has no x and y (or longitude and latitude) coordinates; {advice}.")
    return x, y, _crs(dataset, variable, x, path, key)


def _head(path: Path, key: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except OSError as error:
        raise InputError(f"{key}: {path} cannot be opened ({error.strerror}); correct the path.") from error


def _group(path: Path, key: str, kind: str) -> str | None:
    """The group that holds the variable, where it is not the root (GPM's Grid, SMAP's retrievals)."""
    found: list[str] = []

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim >= 2 and name.rpartition("/")[2].lower() in KNOWN[kind]:
            found.append(name)

    try:
        with h5py.File(path) as file:
            file.visititems(look)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{key}: {path} is not a NetCDF-4 file that can be opened; it is truncated or corrupt, fetch it again."
        ) from error
    if not found or any("/" not in name for name in found):
        return None
    return min(found, key=lambda name: name.count("/")).rpartition("/")[0]


def _variable(dataset: xr.Dataset, path: Path, key: str, kind: str) -> xr.DataArray:
    fields = [
        field
        for field in dataset.data_vars.values()
        if field.ndim >= 2
        and np.issubdtype(field.dtype, np.number)
        and not str(field.name).lower().endswith(("bnds", "bounds"))
    ]
    named = [field for field in fields if str(field.name).lower() in KNOWN[kind]]
    named = named or [field for field in fields if str(field.attrs.get("standard_name", "")).lower() in KNOWN[kind]]
    if len(named) == 1 or len(fields) == 1:
        return (named or fields)[0]
    if named:
        raise InputError(
            f"{key}: {path} has {' and '.join(str(field.name) for field in named)}, which may all be {kind}; keep the "
            f"one that counts."
        )
    listed = ", ".join(str(field.name) for field in fields) or "no grid at all"
    raise InputError(
        f"{key}: {path} has {listed}, and none is clearly {kind}; keep one variable, or name it '{KNOWN[kind][0]}'."
    )


def _in_valid_range(variable: xr.DataArray) -> xr.DataArray:
    """Without the values outside of ``valid_range`` (``valid_min``, ``valid_max``), which CF takes for missing ones.

    They are of the type of the numbers on file where these are packed, of what they stand for otherwise (CF 1.11, 8.1).
    """
    given = np.ravel(variable.attrs.get("valid_range", ()))
    low, high = given if given.size == 2 else (variable.attrs.get("valid_min"), variable.attrs.get("valid_max"))
    scale, offset = (variable.encoding.get(name) for name in ("scale_factor", "add_offset"))
    stored = np.dtype(variable.encoding.get("dtype", variable.dtype))
    for limit, inside in ((low, np.greater_equal), (high, np.less_equal)):
        if limit is None or not np.issubdtype(np.asarray(limit).dtype, np.number):
            continue
        packed = (scale is not None or offset is not None) and np.asarray(limit).dtype.kind == stored.kind
        edge = np.ravel(limit)[0] * (scale or 1.0) + (offset or 0.0) if packed else np.ravel(limit)[0]
        variable = variable.where(inside(variable, edge))
    return variable


def _on_ease_grid(dataset: xr.Dataset, variable: xr.DataArray) -> tuple[xr.Dataset, xr.DataArray]:
    """A variable of a SMAP product with the axes of its grid, which its files hold as centres of cells only."""
    cell = _EASE.get(tuple(variable.shape[-2:]))
    if cell is None:
        return dataset, variable
    rows, cols = variable.dims[-2:]
    lines, columns = variable.shape[-2:]
    variable = variable.rename({rows: "y", cols: "x"}).drop_vars([n for n in variable.coords if n in ("x", "y")])
    variable = variable.assign_coords(
        x=_EASE_CORNER[0] + (np.arange(columns) + 0.5) * cell, y=_EASE_CORNER[1] - (np.arange(lines) + 0.5) * cell
    )
    variable = variable.where(variable >= 0)
    return xr.Dataset({"crs": ((), 0, {"crs_wkt": CRS.from_epsg(6933).to_wkt()})}), variable


def _axis(variable: xr.DataArray, names: tuple[str, ...]) -> str | None:
    for dim in variable.dims:
        if str(dim).lower() in names and dim in variable.coords:
            return str(dim)
    return None


def _crs(dataset: xr.Dataset, variable: xr.DataArray, x: str, path: Path, key: str) -> CRS:
    for name in (variable.attrs.get("grid_mapping"), variable.encoding.get("grid_mapping"), "spatial_ref", "crs"):
        if not name or name not in dataset.variables:
            continue
        attributes = dataset[name].attrs
        text = attributes.get("crs_wkt") or attributes.get("spatial_ref")
        try:
            if text:
                return CRS.from_user_input(text)
            if "grid_mapping_name" in attributes:
                return CRS.from_wkt(PyprojCRS.from_cf(attributes).to_wkt())
        except (CRSError, ValueError, KeyError) as error:
            raise InputError(f"{key}: {path}: its coordinate reference system cannot be read ({error}).") from error
    if x.lower() in ("lon", "longitude"):
        return CRS.from_epsg(4326)
    raise InputError(
        f"{key}: {path} does not say its coordinate reference system; write one (rioxarray's write_crs) to the file."
    )
