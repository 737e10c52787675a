"""Daily rain (CHIRPS, IMERG) and soil moisture (SMAP): global files, of which the cells round the area are kept."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.config.acquire import AcquireRainSettings, AcquireSoilSettings, chirps_lacks, rain_product
from slipmap.errors import InputError
from slipmap.factors.scene import scene_date
from slipmap.fetch import catalogue, local
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.fetch.web import Web
from slipmap.io import raster
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Box, Grid

if TYPE_CHECKING:
    import h5py

_UCSB = "https://data.chc.ucsb.edu/products"
# of each version the folder that has one for each year, and the name of a day's file
CHIRPS = {
    "chirps": (f"{_UCSB}/CHIRPS-2.0/global_daily/tifs/p05", "chirps-v2.0.{:%Y.%m.%d}.tif.gz"),
    "chirps3": (f"{_UCSB}/CHIRPS/v3.0/daily/final/rnl", "chirps-v3.0.rnl.{:%Y.%m.%d}.tif"),
}
CMR = "https://cmr.earthdata.nasa.gov"
PATTERNS = {
    "chirps": r"chirps-v2\.0\.(?P<date>\d{4}\.\d\d\.\d\d)\.tif(\.gz)?",
    "chirps3": r"chirps-v3\.0\.rnl\.(?P<date>\d{4}\.\d\d\.\d\d)\.tif",
    "imerg": r"3B-DAY\.MS\.MRG\.3IMERG\.(?P<date>\d{8})-S000000-E235959\.V\d\d\w?\.nc4",
    "smap": r"SMAP_L3_SM_P_E_(?P<date>\d{8})_R\d+_\d+\.h5",
}
_SMAP_GROUP, _SMAP_SHAPE = "Soil_Moisture_Retrieval_Data_AM/soil_moisture", (1624, 3856)
# EASE-Grid 2.0 global, 9 km (Brodzik et al. 2012): the outer corner and the cell, m
_EASE = Affine(9008.055210146, 0, -17367530.4451615, 0, -9008.055210146, 7314540.8306386)


def search_rain(where: Target, settings: AcquireRainSettings, web: Web) -> Found:
    """One file of rain for each day. CHIRPS's names say where they are; IMERG's are asked for."""
    key, product = f"areas.{where.area}.acquire.rainfall", settings.product
    if settings.archive:
        return _complete(
            local.search(product, settings.archive, PATTERNS[product], where, key=f"{key}.archive"),
            where,
            f"{key}.archive",
        )
    if product == "imerg":
        service = settings.service or CMR
        found = catalogue.granules(where, service, "GPM_3IMERGDF", "07", PATTERNS["imerg"], web)
        return _complete(Found("imerg", service, {}, tuple(found)), where, key)
    ground = where.bbox[1], where.bbox[3], where.end
    if lacks := chirps_lacks(product, *ground):
        raise InputError(f"{key}: CHIRPS {lacks}; set product: {rain_product(*ground)}.")
    folder, pattern = CHIRPS[product]
    service = settings.service or folder
    products = []
    for day in _days(where):
        name = pattern.format(day)
        products.append(Product(name, (RemoteFile(name, f"{service}/{day:%Y}/{name}"),), day))
    return Found(product, service, {}, tuple(products))


def search_soil(where: Target, settings: AcquireSoilSettings, web: Web) -> Found:
    """One file of soil moisture for each day that has one."""
    key = f"areas.{where.area}.acquire.soil_moisture"
    if settings.archive:
        return local.search("smap", settings.archive, PATTERNS["smap"], where, key=f"{key}.archive")
    found = catalogue.granules(where, settings.service, "SPL3SMP_E", settings.version, PATTERNS["smap"], web)
    if not found:
        raise InputError(
            f"{key}: SPL3SMP_E {settings.version} has no day from {where.start} to {where.end}; change the dates."
        )
    return Found("smap", settings.service, {}, tuple(found))


def deliver(found: Found, grid: Grid, paths: dict[str, Path], output: str | Path) -> None:
    """Cut the cells round the area out of each day's file; one GeoTIFF a day. One day's cells are in memory.

    Raises
    ------
    InputError : a file is not what its product's files are; no day has a value in the area.
    """
    read = {"chirps": _read_chirps, "chirps3": _read_chirps, "imerg": _read_imerg, "smap": _read_smap}[found.source]
    name, units = ("soil_moisture", "m3/m3") if found.source == "smap" else ("rainfall", "mm/day")
    any_value = False
    with write_aside(output) as aside:
        aside.mkdir(parents=True)
        for file, path in sorted(paths.items()):
            values, part = read(path, grid)
            any_value |= bool(np.isfinite(values).any())
            raster.write(
                aside / f"{found.source}_{scene_date(file):%Y%m%d}.tif", part, values[None],
                bands=[name], units=units, long_name=f"{name.replace('_', ' ')} of the day, {found.source.upper()}",
                tags={"source": file},
            )  # fmt: skip
        if not any_value:
            raise InputError(
                f"{found.source.upper()} has no value in the area on any of {len(paths)} days; give other data."
            )


def _days(where: Target) -> list[date]:
    return [where.start + timedelta(days=n) for n in range((where.end - where.start).days + 1)]


def _complete(found: Found, where: Target, key: str) -> Found:
    """Rain is added up over days: none may be missing."""
    missing = sorted(set(_days(where)) - {product.date for product in found.products})
    if missing:
        raise InputError(
            f"{key}: {len(missing)} of {len(_days(where))} days are not there ({missing[0]} the first); change "
            "rainfall.start and "
            f"rainfall.end, or add the files."
        )
    return found


def _window(bounds: Box, transform: Affine, shape: tuple[int, int], path: Path) -> Window:
    """Cells round the area, two on every side, as far as there are."""
    (left, top), (right, bottom) = ~transform @ (bounds[0], bounds[3]), ~transform @ (bounds[2], bounds[1])
    left, top = max(int(np.floor(left)) - 2, 0), max(int(np.floor(top)) - 2, 0)
    right, bottom = min(int(np.ceil(right)) + 2, shape[1]), min(int(np.ceil(bottom)) + 2, shape[0])
    if left >= right or top >= bottom:
        raise InputError(f"{path} does not reach the area; choose another product.")
    return Window(left, top, right - left, bottom - top)


def _area(grid: Grid, crs: str) -> Box:
    bounds: Box = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_user_input(crs), *grid.bounds)
    return bounds


def _cut(values: np.ndarray, crs: str, transform: Affine, window: Window) -> tuple[np.ndarray, Grid]:
    return values, Grid(crs, transform, 10**6, 10**6).window_grid(window)


def _read_chirps(path: Path, grid: Grid) -> tuple[np.ndarray, Grid]:
    """mm/day, NaN over the sea (-9999 on file)."""
    name = f"/vsigzip/{path.resolve()}" if path.suffix == ".gz" else str(path)
    try:
        with rasterio.open(name) as src:
            window = _window(_area(grid, "EPSG:4326"), src.transform, src.shape, path)
            values = src.read(1, window=window).astype(np.float32)
            transform = src.transform
    except RasterioError as error:
        raise InputError(f"{path} is not a raster of CHIRPS; remove it, so that it is fetched again.") from error
    return _cut(np.where(values < 0, np.nan, values), "EPSG:4326", transform, window)


def _read_imerg(path: Path, grid: Grid) -> tuple[np.ndarray, Grid]:
    """mm/day; on file (time, lon, lat), from south to north."""
    with _open(path) as file:
        if "precipitation" not in file or file["precipitation"].ndim != 3:
            raise InputError(f"{path} has no precipitation (time, lon, lat); it is no daily IMERG file of version 7.")
        longitude, latitude = file["lon"][:].astype(float), file["lat"][:].astype(float)
        dx, dy = (
            (longitude[-1] - longitude[0]) / (len(longitude) - 1),
            (latitude[-1] - latitude[0]) / (len(latitude) - 1),
        )
        transform = Affine(dx, 0, longitude[0] - dx / 2, 0, -dy, latitude[-1] + dy / 2)
        window = _window(_area(grid, "EPSG:4326"), transform, (len(latitude), len(longitude)), path)
        rows, cols = window.toslices()
        up = slice(len(latitude) - rows.stop, len(latitude) - rows.start)
        values = file["precipitation"][0, cols, up].astype(np.float32).T[::-1]
    return _cut(np.where(values < 0, np.nan, values), "EPSG:4326", transform, window)


def _read_smap(path: Path, grid: Grid) -> tuple[np.ndarray, Grid]:
    """m3/m3 of the morning overpass, whatever its quality flag: in mountains hardly a retrieval is 'recommended'."""
    with _open(path) as file:
        if _SMAP_GROUP not in file or file[_SMAP_GROUP].shape != _SMAP_SHAPE:
            raise InputError(f"{path} has no {_SMAP_GROUP} on the 9 km EASE grid; it is no SPL3SMP_E file.")
        window = _window(_area(grid, "EPSG:6933"), _EASE, _SMAP_SHAPE, path)
        values = file[_SMAP_GROUP][window.toslices()].astype(np.float32)
    return _cut(np.where(values < 0, np.nan, values), "EPSG:6933", _EASE, window)


def _open(path: Path) -> h5py.File:
    import h5py

    try:
        return h5py.File(path)
    except OSError as error:
        raise InputError(
            f"{path} is not an HDF5 file that can be opened; remove it, so that it is fetched again."
        ) from error
