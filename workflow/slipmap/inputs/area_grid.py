"""Decide an area's one grid."""

from pathlib import Path

from rasterio.crs import CRS
from rasterio.errors import CRSError

from slipmap.config.inputs import GridSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid


def decide(settings: GridSettings, key: str = "grid") -> Grid:
    """The grid that `settings` describe.

    Raises
    ------
    InputError : neither bounds nor `like`; a CRS that does not exist or is not projected in metres; a `like` that
        cannot be used. `key` is the config key of the section, for the message.
    """
    if settings.like:
        raster.check(settings.like, f"{key}.like")
        grid = Grid.from_raster(settings.like)
    elif settings.crs and settings.bounds:
        try:
            CRS.from_user_input(settings.crs)
        except CRSError as error:
            raise InputError(
                f'{key}.crs is "{settings.crs}", which is no coordinate reference system; give "EPSG:" and a number.'
            ) from error
        grid = Grid.from_bounds(settings.crs, settings.resolution, settings.bounds)
    else:
        raise InputError(f"{key} has neither crs with bounds nor like; give one of the two.")
    crs = CRS.from_user_input(grid.crs)
    if not crs.is_projected or crs.linear_units.lower() not in ("metre", "meter", "m"):
        raise InputError(
            f"{key}: {grid.crs} is not projected in metres; use the UTM zone of the area (EPSG:326NN north, "
            f"EPSG:327NN south)."
        )
    return grid


def run(settings: GridSettings, path: str | Path, key: str = "grid") -> None:
    """Write the grid to `path` (grid.json)."""
    decide(settings, key).save(path)
