"""Rasters of the line of sight beside a stack: in the unit that is meant, and the mean incidence angle they tell."""

from collections.abc import Mapping

import numpy as np
import rasterio
from rasterio.errors import RasterioError, WindowError
from rasterio.windows import Window, from_bounds

from slipmap.deformation.reader import BOUNDS
from slipmap.errors import InputError
from slipmap.sentinel1.sight import AXES

_SIDE = 64  # pixels on a side of what is looked at
_UNIT = 0.02  # by which the length of a unit vector may be off
_PARTED = 15.0  # degrees by which the incidence of part of a scene differs from that of its centre at most


def mean_incidence(geometry: Mapping[str, str], within: str, told: float | None = None) -> float | None:
    """Mean incidence angle (degrees) of the rasters of the line of sight on the ground of `within`; None: of none.

    Parameters
    ----------
    geometry : role → raster, as in `Stack`. within : an interferogram. told : incidence that a text file says.

    Raises
    ------
    InputError : angles in degrees where radians are meant, or the other way round; vectors that are no unit vectors; a
        mean that Sentinel-1 never has, or far from `told`.
    """
    where, upward = "", None
    if "look_phi" in geometry:
        _require_radians(geometry["look_phi"], _values(geometry["look_phi"], within), 2 * np.pi)
    if "look_theta" in geometry:
        where = geometry["look_theta"]
        elevation = _values(where, within)
        _require_radians(where, elevation, np.pi / 2)
        upward = np.sin(elevation)
    elif set(AXES) <= geometry.keys():
        where = geometry["los_up"]
        upward = _upward(where, [_values(geometry[axis], within) for axis in AXES])
    elif "los_up" in geometry:
        where, upward = geometry["los_up"], _values(geometry["los_up"], within)
    elif "los" in geometry and (bands := _bands(geometry["los"])):
        where = geometry["los"]
        upward = _upward(where, [_values(where, within, band) for band in bands])
    if upward is None or not (known := np.isfinite(upward)).any():
        return None
    with np.errstate(invalid="ignore"):
        mean = float(np.degrees(np.mean(np.arccos(upward[known]))))
    low, high = BOUNDS["incidence"]
    if not low <= mean <= high:
        raise InputError(
            f"{name_of(where)}: its mean incidence angle is {mean:.3g} degrees, which Sentinel-1 never has; correct "
            f"its units or remove it."
        )
    if told is not None and abs(mean - told) > _PARTED:
        raise InputError(
            f"{name_of(where)}: its mean incidence angle is {mean:.3g} degrees, that of the scene's text file "
            f"{told:.3g}; one of the two belongs to another scene or has other units: correct or remove it."
        )
    return mean


def _require_radians(where: str, values: np.ndarray, largest: float) -> None:
    size = np.abs(values[np.isfinite(values)])
    if size.size and size.max() > largest * 1.001:
        raise InputError(
            f"{name_of(where)}: it has angles up to {size.max():.4g}, beyond {largest:.3g}: degrees, where radians are "
            f"meant; multiply it by pi/180 (gdal_calc.py), or fetch it again."
        )


def _upward(where: str, axes: list[np.ndarray]) -> np.ndarray:
    """The upward part of unit vectors, NaN where there is none (all 0)."""
    length = np.sqrt(sum(axis**2 for axis in axes))
    length[length == 0] = np.nan
    known = length[np.isfinite(length)]
    if known.size and abs(np.median(known) - 1) > _UNIT:
        raise InputError(
            f"{name_of(where)}: east, north and up make vectors of length {np.median(known):.3g}, not unit vectors of "
            f"the line of sight; correct or remove it."
        )
    return np.where(np.isfinite(length), np.clip(axes[2], -1, 1), np.nan)


def _bands(place: str) -> list[int]:
    """Bands of east, north and up; empty where the raster does not name them."""
    try:
        with rasterio.open(place) as src:
            names = list(src.descriptions)
    except RasterioError as error:
        raise InputError(f"{name_of(place)}: not a raster that can be read; fetch it again.") from error
    return [names.index(axis) + 1 for axis in AXES] if set(AXES) <= set(names) else []


def _values(place: str, within: str, band: int = 1) -> np.ndarray:
    """Some values of a raster on the ground of another, NaN for nodata and 0."""
    try:
        with rasterio.open(within) as other, rasterio.open(place) as src:
            window = Window(0, 0, src.width, src.height)
            if src.crs == other.crs:
                try:
                    window = window.intersection(from_bounds(*other.bounds, transform=src.transform))
                except WindowError:
                    pass  # it lies beside: all of it is looked at
            window = window.round_offsets().round_lengths()
            shape = max(1, min(int(window.height), _SIDE)), max(1, min(int(window.width), _SIDE))
            read = src.read(band, window=window, out_shape=shape, masked=True)
    except RasterioError as error:
        raise InputError(f"{name_of(place)}: not a raster that can be read; fetch it again.") from error
    values = np.ma.filled(read.astype(float), np.nan)
    values[values == 0] = np.nan
    return values


def name_of(place: str) -> str:
    """The file behind a place of values, which may be the text of a view."""
    start = place.find("<SourceFilename")
    return place if start < 0 else place[place.index(">", start) + 1 : place.index("</", start)]
