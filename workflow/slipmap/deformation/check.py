"""Looks at supplied Sentinel-1 data before any work, by the readers that the work uses: headers and a few pixels."""

import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.config.run import AreaSettings
from slipmap.deformation import velocity
from slipmap.deformation.network import baselines_by_date, choose_pairs
from slipmap.deformation.reading import read_stack, read_velocity
from slipmap.deformation.ready_velocity import check_values
from slipmap.deformation.slc_file import open_slc
from slipmap.deformation.stack import Stack, network_dates
from slipmap.errors import InputError
from slipmap.io.grid import Grid


def check(area: AreaSettings, key: str, grid: Grid) -> list[str]:
    """Raise `InputError` for what the stage would stumble over in the data of ``inputs.sentinel1`` (not raw ones).

    Returns what will be left out and why, a sentence each.

    Parameters
    ----------
    key : of the path, ``areas.NAME.inputs.sentinel1.path``. grid : of the area, which the data must overlap.
    """
    settings, left_out = area.inputs.sentinel1, []
    try:
        if settings.level == "velocity":
            found = read_velocity(settings)
            check_values(found)
            own = found.grid
        else:
            stack = read_stack(settings)
            own, left_out = _grid(stack), stack.left_out
            _check_network(stack, area)
    except InputError as error:
        raise InputError(f"{key}: {_without_key(str(error))}") from error
    if not overlaps(own, grid):
        raise InputError(f"{key}: {settings.path} does not overlap the area; check grid.bounds and the files.")
    return left_out


def _without_key(sentence: str) -> str:
    return sentence.removeprefix("inputs.sentinel1.path: ")


def _check_network(stack: Stack, area: AreaSettings) -> None:
    """The pairs hang together, and their dates carry the model of motion that the config asks for."""
    options = area.deformation
    pairs = choose_pairs(stack, options)
    by_date = baselines_by_date(pairs) if options.dem_error else None
    velocity.time_model(
        network_dates(pairs),
        annual=options.annual,
        steps=options.steps,
        baselines=list(by_date.values()) if by_date else None,
    )


def _grid(stack: Stack) -> Grid:
    if stack.acquisitions:
        with open_slc(stack.acquisitions[0].file) as slc:
            return slc.grid
    with rasterio.open(stack.pairs[0].files["unwrapped" if stack.level == "unwrapped" else "interferogram"]) as src:
        return Grid(src.crs.to_wkt(), src.transform, src.width, src.height)


def overlaps(data: Grid, area: Grid) -> bool:
    """Whether some ground of `data` lies in `area`."""
    # the area goes to the data's CRS, not the reverse: the ends of the world have no place in a UTM zone
    bounds = transform_bounds(CRS.from_user_input(area.crs), CRS.from_user_input(data.crs), *area.bounds)
    own = data.bounds
    return bool(own[0] < bounds[2] and own[2] > bounds[0] and own[1] < bounds[3] and own[3] > bounds[1])
