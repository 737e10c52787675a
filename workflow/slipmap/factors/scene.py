"""One Sentinel-2 scene: named reflectance bands, its date, and a mask of what cannot be used."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.errors import RasterioError, WindowError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.factors.align import reader
from slipmap.io.grid import Grid
from slipmap.io.raster import unreadable

_STAC = {
    "coastal": "B1", "blue": "B2", "green": "B3", "red": "B4", "rededge1": "B5", "rededge2": "B6", "rededge3": "B7",
    "nir": "B8", "nir08": "B8A", "nir09": "B9", "swir16": "B11", "swir22": "B12", "scl": "SCL",
}  # fmt: skip

Teller = Literal["file", "config", "nobody"]


@dataclass(frozen=True)
class Band:
    """One band on file; reflectance = (stored number + offset) × scale, stored `nodata` and 0 being no data."""

    path: str
    index: int = 1
    scale: float = 1e-4
    offset: float = 0.0
    nodata: float | None = None
    told_by: Teller = "file"  # who says the offset


Mask = Callable[[Grid], np.ndarray]


@dataclass(frozen=True)
class Scene:
    """One acquisition of one tile: reflectance bands by name ("B2", "B8A") and what cannot be used.

    `unusable` takes the grid of a block and returns (rows, cols) bool, True under cloud, shadow or defect; None where
    the scene says nothing of clouds.
    """

    name: str
    date: date | None
    bands: dict[str, Band]
    unusable: Mask | None = field(default=None, compare=False)


def band_name(text: str | None) -> str | None:
    """ "B02", "b2", "B02_10m", "blue" → "B2"; "SCL" → "SCL"; anything else → None."""
    text = (text or "").strip()
    if text.lower() in _STAC:
        return _STAC[text.lower()]
    found = re.fullmatch(r"(?i)B0?(1[0-2]|[1-9]|8A)(_\d\dm)?", text)
    return f"B{found[1].upper()}" if found else None


def scene_date(name: str) -> date | None:
    """The first date (YYYYMMDD, YYYY-MM-DD, ..., or year and day of the year in names of HLS) in `name`."""
    if of_year := re.match(r"HLS\.[SL]30\.T\w{5}\.(\d{4})(\d{3})T", name):
        return date(int(of_year[1]), 1, 1) + timedelta(days=int(of_year[2]) - 1)
    for year, month, day in re.findall(r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)", name):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def read_reflectance(bands: Sequence[Band], part: Grid, resampling: str | None = None) -> np.ndarray:
    """Reflectance of bands of one file on the grid `part`, (bands, rows, cols) float32, NaN where there are no data."""
    first = bands[0]
    nodata = 0.0 if first.nodata is None else first.nodata
    with reader(first.path, part, bands=[band.index for band in bands], resampling=resampling, nodata=nodata) as read:
        stored = read(Window(0, 0, part.width, part.height))
    for n, band in enumerate(bands):
        stored[n] += np.float32(band.offset)
        stored[n] *= np.float32(band.scale)
    return stored


def sample_reflectance(band: Band, grid: Grid, size: int = 128) -> np.ndarray:
    """Some of a band's reflectance in the area of `grid`: at most `size` × `size` valid pixels, one dimension."""
    with rasterio.open(band.path) as src:
        bounds = transform_bounds(CRS.from_user_input(grid.crs), src.crs, *grid.bounds)
        window = src.window(*bounds).round_offsets().round_lengths(op="ceil")
        try:
            window = window.intersection(Window(0, 0, src.width, src.height))
        except WindowError:  # the scene lies beside the area
            return np.empty(0, np.float32)
        shape = (min(size, int(window.height)), min(size, int(window.width)))
        try:
            stored = src.read(band.index, window=window, out_shape=shape, masked=True).astype(np.float32)
        except RasterioError as error:
            raise unreadable(src, error) from error
    stored = np.ma.masked_equal(stored, 0.0 if band.nodata is None else band.nodata).compressed()
    return (stored[np.isfinite(stored)] + np.float32(band.offset)) * np.float32(band.scale)


def class_mask(band: Band, masked: Collection[int]) -> Mask:
    """Mask from a scene classification (SCL): the classes in `masked`."""
    classes = np.array(sorted(masked), np.float32)

    def unusable(part: Grid) -> np.ndarray:
        with reader(band.path, part, bands=band.index, kind="classes") as read:
            found = read(Window(0, 0, part.width, part.height))
        return np.isin(found, classes)

    return unusable


def bit_mask(band: Band, bits: int) -> Mask:
    """Mask from a band of bits (Fmask of HLS): where one of `bits` is set."""

    def unusable(part: Grid) -> np.ndarray:
        with reader(band.path, part, bands=band.index, kind="classes") as read:
            found = read(Window(0, 0, part.width, part.height))
        return (np.where(np.isfinite(found), found, 0).astype(np.uint8) & bits) > 0

    return unusable
