"""Decide an area's one grid."""

import math
from collections.abc import Sequence
from pathlib import Path

import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError

from slipmap.config.inputs import GridSettings
from slipmap.errors import InputError
from slipmap.inputs.crs import require_true_scale
from slipmap.io import raster
from slipmap.io.grid import Grid

_HUGE = 5e5  # metres: no area is so long, but one whose bounds are in another order
FINEST, COARSEST = 0.1, 1000.0  # metres
LONGEST, MOST_PIXELS = 1500.0, 2e10  # km on a side; 50,000 km2 at 12.5 m have 3.2e8

# orders in which bounds are written elsewhere, and where left, bottom, right and top stand in them
_ORDERS = {
    "left, right, bottom, top": (0, 2, 1, 3),
    "bottom, left, top, right": (1, 0, 3, 2),
    "bottom, top, left, right": (2, 0, 3, 1),
    "top, left, bottom, right": (1, 2, 3, 0),
    "left, top, right, bottom": (0, 3, 2, 1),
    "right, bottom, left, top": (2, 1, 0, 3),
    "right, top, left, bottom": (2, 3, 0, 1),
}


def decide(settings: GridSettings, key: str = "grid") -> Grid:
    """The grid that `settings` describe.

    Raises
    ------
    InputError : neither bounds nor `like`; a CRS that does not exist, is not projected in metres or distorts
        lengths by more than 1 % here; pixels or an area of absurd size; a `like` that cannot be used; bounds in
        another order. `key` is the config key of the section, for the message.
    """
    try:
        grid = _decide(settings, key)
    except InputError:
        if _is_mercator(settings):  # it is true nowhere but at the equator, where another order may seem to lie
            raise
        if said := _in_another_order(settings, key):
            raise InputError(said) from None
        raise
    left, bottom, right, top = grid.bounds
    if max(right - left, top - bottom) > _HUGE and (said := _in_another_order(settings, key, 1 / 20)):
        raise InputError(said)
    return grid


def _is_mercator(settings: GridSettings) -> bool:
    """Whether the CRS is that of web maps, or another Mercator that is not transverse."""
    try:
        with rasterio.Env():
            method = CRS.from_user_input(settings.crs or "").to_wkt()
    except CRSError:
        return False
    return '"Mercator_' in method


def _in_another_order(settings: GridSettings, key: str, share: float = math.inf) -> str | None:
    """What to say of bounds that make an area in another order; of several the smallest is meant.

    None where they make none, or none whose sides are less than `share` of those of the bounds as they stand.
    """
    if settings.like or not settings.bounds:
        return None
    given, found = settings.bounds, []
    for order, places in _ORDERS.items():
        left, bottom, right, top = bounds = tuple(given[place] for place in places)
        if left < right and bottom < top:
            found.append((max(right - left, top - bottom), order, bounds))
    side = max(abs(given[2] - given[0]), abs(given[3] - given[1]))
    for size, order, bounds in sorted(found):
        if size > share * side:
            break
        try:
            _decide(settings.model_copy(update={"bounds": bounds}), key)
        except InputError:
            continue
        return (
            f"{key}.bounds: {_plain(given)} make no sensible area as [left, bottom, right, top]; they seem to be in "
            f"the order {order}: give {_plain(bounds)}."
        )
    return None


def _plain(bounds: Sequence[float]) -> str:
    return f"[{', '.join(f'{value:.12g}' for value in bounds)}]"


def _decide(settings: GridSettings, key: str) -> Grid:
    if settings.like:
        raster.check(settings.like, f"{key}.like")
        grid = Grid.from_raster(settings.like)
        if grid.transform.e > 0:  # stored south-up: the same pixels, the northernmost row first
            t = grid.transform
            grid = Grid(grid.crs, Affine(t.a, 0, t.c, 0, -t.e, t.f + t.e * grid.height), grid.width, grid.height)
    elif settings.crs and settings.bounds:
        try:
            with rasterio.Env():  # PROJ's own words stay out of the terminal
                CRS.from_user_input(settings.crs)
        except CRSError as error:
            raise InputError(
                f'{key}.crs is "{settings.crs}", which is no coordinate reference system; give "EPSG:" and a number.'
            ) from error
        try:
            grid = Grid.from_bounds(settings.crs, settings.resolution, settings.bounds)
        except InputError as error:
            raise InputError(f"{key.removesuffix('grid')}{error}") from None
    else:
        raise InputError(f"{key} has neither crs with bounds nor like; give one of the two.")
    crs = CRS.from_user_input(grid.crs)
    if not crs.is_projected or crs.linear_units.lower() not in ("metre", "meter", "m"):
        raise InputError(
            f"{key}: {grid.crs} is not projected in metres; use the UTM zone of the area (EPSG:326NN north, "
            f"EPSG:327NN south)."
        )
    require_true_scale(grid, key, settings.bounds)
    _require_size(grid, key)
    return grid


def _require_size(grid: Grid, key: str) -> None:
    """Raise `InputError` for pixels that show no landslide, and for an area that is no area any more."""
    if not all(FINEST <= size <= COARSEST for size in grid.resolution):
        raise InputError(
            f"{key}: pixels of {grid.resolution[0]:g} m show no landslides; give a resolution in metres, from "
            f"{FINEST:g} to {COARSEST:g}."
        )
    left, bottom, right, top = grid.bounds
    width, height = (right - left) / 1000, (top - bottom) / 1000
    if max(width, height) > LONGEST or grid.width * grid.height > MOST_PIXELS:
        raise InputError(
            f"{key}.bounds: they make an area of {width:,.0f} km by {height:,.0f} km, {grid.width * grid.height:.1e} "
            f"pixels ({MOST_PIXELS:.0e} and {LONGEST:,.0f} km are the most); give [left, bottom, right, top], a "
            f"coarser grid.resolution, or several areas."
        )


def run(settings: GridSettings, path: str | Path, key: str = "grid") -> None:
    """Write the grid to `path` (grid.json)."""
    decide(settings, key).save(path)
