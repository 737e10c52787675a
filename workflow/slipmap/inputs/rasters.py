"""Rasters that a user gives, in the unit of their quantity: scale, offset and unit undone, values looked at."""

from collections.abc import Iterator
from math import atan, degrees
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import pyproj
import rasterio
from pyproj.exceptions import CRSError
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.inputs.contract import ELEVATION, Quantity
from slipmap.io import overlap, raster
from slipmap.io.grid import Grid, crs_name

_WHOLE = 1024  # pixels on a side up to which a sample is the whole area
_LATTICE, _SIDE = 6, 64  # else so many windows each way, of so many pixels
_SEA = 20.0  # m: zeros beside ground that is all higher than this are no sea
_COARSE_STEP = 0.0875  # gradient: 5 degrees
_LONE = 3.0  # pixels' width: heights that all others are further from than that, and than _LONE_HEIGHT, are no ground
_LONE_HEIGHT = 90.0  # m
_HALF_TURN = 180.0  # degrees of longitude
_STEEPEST = 60.0  # degrees: no landscape is so steep in half of its pixels
_FAR, _ROUGH = 20, 3.0  # pixels; how much steeper noise is from one pixel to the next than over those
_UNIT_TAGS = (
    "units",
    "unit",
    "unittype",
    "unit_type",
    "zunits",
    "z_units",
    "zunit",
    "vertical_units",
    "elevation_units",
)


def elevation(path: str | Path, grid: Grid, key: str, max_void: float = 1.0) -> str:
    """The DEM at `path` as a raster of metres above the sea: itself, or a view of it (text that GDAL opens).

    Parameters
    ----------
    grid : of the area, where some of its values are looked at.
    max_void : share of the area that may have no elevation; the exact count is taken by whoever reads all of it.

    Raises
    ------
    InputError : no CRS, rotated, not whole, beside the area; a picture, or several bands; a unit that is no length, or
        two that contradict each other; values that are no elevation in metres; zeros that can be no ground; voids far
        beyond `max_void`.
    """
    raster.check(path, key, overlaps=grid)
    with rasterio.open(path) as src:
        one_band(src, path, key)
        _require_heights(src, path, key)
        _require_height_unit(src, path, key)
        _require_fine_steps(src, path, key)
    view = in_unit(path, ELEVATION, key, vertical=True)
    values, whole = sample(view, grid)
    known = np.isfinite(values)
    if not known.any():
        with rasterio.open(path) as src:
            beyond = src.crs.is_geographic and raster.outer_bounds(src)[2] > _HALF_TURN
        advice = "write its longitudes from -180 to 180 (gdal_edit.py -a_ullr)" if beyond else "check its nodata value"
        raise InputError(f"{key}: {path} has no elevation in the area; {advice}, grid.bounds, the file.")
    ELEVATION.require(values, path, key)
    zero = values == 0
    if zero.any() and (values[known & ~zero] > _SEA).all() and not zero[known].all():
        raise InputError(
            f"{key}: {path} has the value 0 in {zero.mean():.2%} of the area, beside ground that is nowhere below "
            f"{values[known & ~zero].min():.0f} m; declare it as nodata (gdal_edit.py -a_nodata 0)."
        )
    _require_no_lone_value(values[known], path, key, max(grid.resolution))
    _require_slopes(view, path, grid, key)
    void = 1 - known.mean()
    if void > (max_void if whole else min(2 * max_void + 0.05, 1.0)):
        raise InputError(
            f"{key}: {path} has no elevation in {void:.1%} of the area (factors.terrain.max_void allows "
            f"{max_void:.1%}); fill its voids (gdal_fillnodata.py), cover the whole area, or raise the limit."
        )
    return view


class Heights(NamedTuple):
    """A DEM as it is read: lowest and highest elevation, m, median slope, degrees, unit it states, its pixel, m."""

    low: float
    high: float
    slope: float
    unit: str
    pixel: float


def describe_heights(path: str | Path, grid: Grid, key: str) -> Heights:
    """What the DEM at `path`, which `elevation` has let through, is like in the area.

    Slope is that from pixel to pixel of the grid, in its middle.
    """
    values = sample(view := in_unit(path, ELEVATION, key, vertical=True), grid)[0]
    gradient = _median_gradient(_middle(view, grid), grid, 1) if min(grid.width, grid.height) > 1 else 0.0
    with rasterio.open(path) as src:
        unit = band_unit(src) or next((names[0] for names, _ in _vertical(src)), "")
        left, bottom, right, top = transform_bounds(src.crs, CRS.from_user_input(grid.crs), *src.bounds)
        pixel = min((right - left) / src.width, (top - bottom) / src.height)
    return Heights(float(np.nanmin(values)), float(np.nanmax(values)), degrees(atan(gradient)), unit, pixel)


def in_unit(path: str | Path, quantity: Quantity, key: str, band: int = 1, *, vertical: bool = False) -> str:
    """The raster at `path` in the unit of `quantity`: itself, or a view of it (text that GDAL opens).

    Parameters
    ----------
    band : whose scale, offset and unit count; the view has this band alone.
    vertical : take the unit of heights from the CRS where the band does not say one.

    Raises
    ------
    InputError : a unit that is not one of the quantity.
    """
    with rasterio.open(path) as src:
        scale, offset = src.scales[band - 1], src.offsets[band - 1]
        unit = band_unit(src, band)
        if vertical and not unit:
            unit = next((names[0] for names, factor in _vertical(src)), "")
        factor = quantity.factor(unit)
        if factor is None:
            raise InputError(
                f"{key}: {path} says that its unit is '{unit}', which is no unit of {quantity.name} that slipmap "
                f"knows; convert it to {quantity.unit}, or correct its unit (gdal_edit.py -units {quantity.unit})."
            )
        if (scale, offset, factor) == (1.0, 0.0, 1.0):
            return str(path)
        return view(src, path, band, scale * factor, offset * factor, quantity.unit)


def one_band(src: rasterio.io.DatasetReader, path: str | Path, key: str) -> None:
    """Raise `InputError` where a raster of one quantity has more bands than that one (and a mask), or complex numbers.

    Which band counts is not known for certain; the red of a picture is no quantity.
    """
    if np.issubdtype(np.dtype(src.dtypes[0]), np.complexfloating):
        raise InputError(f"{key}: {path} holds complex numbers; give a raster of real ones.")
    bands = [number for number, shown in enumerate(src.colorinterp, 1) if shown != ColorInterp.alpha]
    if len(bands) > 1:
        raise InputError(
            f"{key}: {path} has {len(bands)} bands where one is wanted; cut out the one that counts (gdal_translate -b "
            f"1)."
        )


def as_stored(path: str | Path, key: str) -> None:
    """Raise `InputError` where a raster of classes or marks has several bands or says that they are to be scaled."""
    with rasterio.open(path) as src:
        one_band(src, path, key)
        if set(src.scales) != {1.0} or set(src.offsets) != {0.0}:
            raise InputError(
                f"{key}: {path} holds classes, yet says that they are to be scaled ({src.scales[0]:g}) or shifted "
                f"({src.offsets[0]:g}); take that out (gdal_edit.py -unsetstats -scale 1 -offset 0)."
            )


def band_unit(src: rasterio.io.DatasetReader, band: int = 1) -> str:
    """What the band says its unit is: GDAL's unit, or a tag such as ``units``; "" where it says none."""
    said: str = (src.units[band - 1] or "").strip()
    if said:
        return said
    of_band: dict[str, str] = src.tags(band)
    of_file: dict[str, str] = src.tags()
    for tags in (of_band, of_file):
        for name, text in tags.items():
            if name.lower().rpartition("#")[2] in _UNIT_TAGS and text.strip():
                return text.strip()
    return ""


def view(src: rasterio.io.DatasetReader, path: str | Path, band: int, scale: float, offset: float, unit: str) -> str:
    """A view of one band as float32, stored number × scale + offset, NaN for nodata: a text that GDAL opens."""
    transform = ", ".join(repr(float(value)) for value in src.transform.to_gdal())
    nodata = "" if src.nodata is None else f"<NODATA>{float(src.nodata)!r}</NODATA>"
    if MaskFlags.per_dataset in src.mask_flag_enums[band - 1]:
        nodata = "<UseMaskBand>true</UseMaskBand>"  # a mask or an alpha band goes before a number, as GDAL has it
    name = str(path)
    if not name.startswith("/vsi"):
        name = str(Path(path).resolve())
    return (
        f'<VRTDataset rasterXSize="{src.width}" rasterYSize="{src.height}"><SRS>{escape(_level(src))}</SRS>'
        f"<GeoTransform>{transform}</GeoTransform>"
        f'<VRTRasterBand dataType="Float32" band="1"><NoDataValue>nan</NoDataValue><UnitType>{escape(unit)}</UnitType>'
        f'<ComplexSource><SourceFilename relativeToVRT="0">{escape(name)}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand><ScaleOffset>{offset!r}</ScaleOffset><ScaleRatio>{scale!r}</ScaleRatio>"
        f"{nodata}</ComplexSource></VRTRasterBand></VRTDataset>"
    )


def sample(path: str | Path, grid: Grid, band: int = 1) -> tuple[np.ndarray, bool]:
    """Values of a raster in the area, NaN for nodata and outside of it: (values, whether they are all).

    The whole area where that is small, else a lattice of small windows: the cost does not grow with the area.
    """
    with raster.warped(path, grid, "nearest") as source:
        if grid.width <= _WHOLE and grid.height <= _WHOLE:
            return raster.read_open(source, None, band), True
        blocks = [raster.read_open(source, window, band).ravel() for window in _lattice(grid)]
    return np.concatenate(blocks), False


def covered(path: str | Path, grid: Grid) -> float:
    """Share of the area inside the extent of the raster at `path`."""
    with rasterio.open(path) as src:
        left, bottom, right, top = raster.outer_bounds(src)
        a = overlap.area_bounds(grid, src.crs)[0]
    size = (min(right, a[2]) - max(left, a[0])) * (min(top, a[3]) - max(bottom, a[1]))
    return max(size, 0.0) / ((a[2] - a[0]) * (a[3] - a[1]))


def _lattice(grid: Grid) -> Iterator[Window]:
    for row in np.linspace(0, grid.height - _SIDE, _LATTICE).astype(int):
        for col in np.linspace(0, grid.width - _SIDE, _LATTICE).astype(int):
            if row >= 0 and col >= 0:
                yield Window(int(col), int(row), _SIDE, _SIDE)


def _require_heights(src: rasterio.io.DatasetReader, path: str | Path, key: str) -> None:
    """Bytes and colours are a picture of the ground (a hillshade), not its heights."""
    if src.colorinterp[0] == ColorInterp.palette or (src.dtypes[0] == "uint8" and src.scales[0] == 1):
        raise InputError(
            f"{key}: {path} holds numbers from 0 to 255, as a hillshade or another picture does; give the elevation "
            f"itself, or, where these are whole metres, say so by another type (gdal_translate -ot Int16)."
        )


def _require_no_lone_value(values: np.ndarray, path: str | Path, key: str, pixel: float) -> None:
    """No ground lies further from all other heights than a cliff is high: -99 beside mountains."""
    found = np.unique(values)
    room = max(_LONE_HEIGHT, _LONE * pixel)
    for lone, next_one in ((found[0], found[min(1, found.size - 1)]), (found[-1], found[max(found.size - 2, 0)])):
        if abs(next_one - lone) > room and found.size > 2:
            raise InputError(
                f"{key}: {path} has the value {lone:g} in {np.count_nonzero(values == lone)} pixels, and no other "
                f"within {abs(next_one - lone):.0f} m of it; declare it as nodata (gdal_edit.py -a_nodata {lone:g})."
            )


def _require_slopes(view: str | Path, path: str | Path, grid: Grid, key: str) -> None:
    """Raise `InputError` where half of some ground is steeper than any: heights in decimetres, say."""
    values = _middle(view, grid)
    step = min(_FAR, len(values) // 2)
    if not step:
        return
    far, near = (_median_gradient(values, grid, pixels) for pixels in (step, 1))
    middle = float(np.degrees(np.arctan(far)))
    if middle > _STEEPEST and near < _ROUGH * far:
        raise InputError(
            f"{key}: half of the ground in {path} would be steeper than {middle:.0f} degrees if its heights are "
            f"metres; say what they are in (gdal_edit.py -units ft, cm or dm), or give an elevation in metres."
        )


def _middle(view: str | Path, grid: Grid) -> np.ndarray:
    """(rows, cols) values of a square in the middle of the area, at most a quarter of `_WHOLE` pixels on a side."""
    size = min(_WHOLE // 4, grid.width, grid.height)
    window = Window((grid.width - size) // 2, (grid.height - size) // 2, size, size)
    with raster.warped(view, grid, "bilinear") as source:
        return raster.read_open(source, window, 1)


def _median_gradient(values: np.ndarray, grid: Grid, step: int) -> float:
    """Median of the gradient between pixels `step` apart; 0 where none is known."""
    rx, ry = grid.resolution
    down = (values[step:, :-step] - values[:-step, :-step]) / (step * ry)
    across = (values[:-step, step:] - values[:-step, :-step]) / (step * rx)
    gradients = np.hypot(down, across)
    known = gradients[np.isfinite(gradients)]
    return float(np.median(known)) if known.size else 0.0


def _require_height_unit(src: rasterio.io.DatasetReader, path: str | Path, key: str) -> None:
    """The unit of heights is known for certain: from the band, the vertical CRS, or since all lengths are metres."""
    given = band_unit(src)
    said = next(iter(_vertical(src)), None)
    if said is not None and given:
        own = ELEVATION.factor(given)
        if own is not None and abs(own - said[1]) > 1e-9 * said[1]:
            raise InputError(
                f"{key}: {path} says '{given}' of its band and {said[0][-1]} in its vertical CRS; correct the one that "
                f"is wrong (gdal_edit.py -units, -a_srs)."
            )
    if not given and said is None and src.crs.is_projected and abs(src.crs.linear_units_factor[1] - 1) > 1e-9:
        raise InputError(
            f"{key}: {path} lies in a CRS in {src.crs.linear_units} and does not say whether its heights are metres or "
            f"feet; say it in the file (gdal_edit.py -units m, or -units ft, or -units us-ft)."
        )


def _require_fine_steps(src: rasterio.io.DatasetReader, path: str | Path, key: str) -> None:
    """Whole numbers that are scaled up come in steps, and so do slopes: of central differences, step / 2 pixels."""
    step = src.scales[0] if np.issubdtype(src.dtypes[0], np.integer) else 0.0
    if step <= 1 or src.crs.is_geographic:
        return
    pixel = min(map(abs, src.res))
    if step / (2 * pixel) > _COARSE_STEP:
        raise InputError(
            f"{key}: {path} holds whole numbers times {step:g}, so that heights come in steps of {step:g} m and slopes "
            f"of its pixels of {pixel:g} m in steps of {np.degrees(np.arctan(step / (2 * pixel))):.1f} degrees; give a "
            f"DEM with finer heights."
        )


def _vertical(src: rasterio.io.DatasetReader) -> Iterator[tuple[tuple[str, str], float]]:
    """((spelling, name), factor to metres) of the vertical part of a raster's CRS."""
    if src.crs is None or "VERT" not in (text := src.crs.to_wkt()):
        return
    try:
        axes = pyproj.CRS.from_wkt(text).axis_info
    except CRSError:
        return
    for axis in axes:
        if axis.direction == "up":
            factor = axis.unit_conversion_factor
            name = {True: "feet", False: axis.unit_name}["foot" in axis.unit_name.lower()]
            short = {"metre": "m", "US survey foot": "us-ft", "foot": "ft"}.get(axis.unit_name, axis.unit_name)
            yield (short, name), factor


def _level(src: rasterio.io.DatasetReader) -> str:
    """The horizontal part of a raster's CRS."""
    if next(iter(_vertical(src)), None) is None:
        return crs_name(src.crs)
    return pyproj.CRS.from_wkt(src.crs.to_wkt()).to_2d().to_wkt()
