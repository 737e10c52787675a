"""Looks at supplied Sentinel-1 data before any work, by the readers that the work uses: headers and a few pixels."""

from pathlib import Path

import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.config.inputs import Sentinel1Settings
from slipmap.config.run import AreaSettings
from slipmap.deformation import velocity, weak_points
from slipmap.deformation.found import Found
from slipmap.deformation.network import baselines_by_date, choose_pairs
from slipmap.deformation.reading import read_stack, read_velocity
from slipmap.deformation.ready_velocity import check_values
from slipmap.deformation.slc_file import open_slc
from slipmap.deformation.stack import Pair, Stack, network_dates
from slipmap.deformation.two_dems import require_same_ground
from slipmap.errors import NEXT, Faults, InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import AXES, HEADINGS


def check(area: AreaSettings, key: str, grid: Grid) -> Found:
    """Raise one `InputError` for all that the stage would stumble over in the data of ``inputs.sentinel1`` (not raw).

    Parameters
    ----------
    key : of the path, ``areas.NAME.inputs.sentinel1.path``. grid : of the area, which the data must overlap.
    """
    settings, faults = area.inputs.sentinel1, Faults()
    assert settings is not None  # else there is nothing to check
    found, own, contradicted = Found(), None, ""
    if settings.level == "velocity":
        if (velocity_ := faults.of(read_velocity, settings)) is not None:
            faults.of(check_values, velocity_)
            found, own = Found(format=velocity_.format), velocity_.grid
    elif (stack := faults.of(read_stack, settings)) is not None:
        own = _grid(stack)
        pairs = _check_network(stack, area, faults)
        found = Found(
            stack.left_out,
            network_dates(pairs),
            len(pairs),
            stack.format,
            _tells_sight(stack),
            [*stack.notes, *weak_points.notes(pairs, stack.radar, baselines_by_date(pairs))],
            any(bridge.hinge for bridge in weak_points.bridges(pairs)),
        )
        contradicted = _contradicted(stack, area, key, grid)
    if own is not None and not overlaps(own, grid):
        faults.add(f"{settings.path} does not overlap the area; check grid.bounds and the files.")
    if faults.found:
        raise InputError(NEXT.join(f"{key}: {_without_key(sentence)}" for sentence in faults.found))
    if contradicted:
        raise InputError(contradicted)
    return found


def _contradicted(stack: Stack, area: AreaSettings, key: str, grid: Grid) -> str:
    """What is wrong between the area's DEM, where it is there, and the one that came with the interferograms."""
    dem = area.inputs.dem
    if dem and Path(dem).is_file() and "dem" in stack.geometry:
        try:
            require_same_ground(dem, stack.geometry["dem"], grid, key.replace("sentinel1.path", "dem"))
        except InputError as error:
            return str(error)
    return ""


def data_grid(settings: Sentinel1Settings) -> Grid:
    """The grid of a ready velocity, or the common one of SLCs or interferograms.

    Raises
    ------
    InputError : as `slipmap.deformation.reading` has it.
    """
    return read_velocity(settings).grid if settings.level == "velocity" else _grid(read_stack(settings))


def _tells_sight(stack: Stack) -> bool:
    """Whether the line of sight is known, as `slipmap.sentinel1.sight.line_of_sight` asks."""
    radar, known = stack.radar, stack.geometry.keys()
    heading = radar.heading is not None or radar.orbit_direction.upper() in HEADINGS
    rasters = "los" in known or set(AXES) <= known or {"look_theta", "look_phi"} <= known
    return rasters or (heading and radar.incidence is not None)


def _without_key(sentence: str) -> str:
    return sentence.removeprefix("inputs.sentinel1.path: ")


def _check_network(stack: Stack, area: AreaSettings, faults: Faults) -> list[Pair]:
    """The pairs hang together, and their dates carry the model of motion that the config asks for."""
    options = area.deformation
    pairs = faults.of(choose_pairs, stack, options)
    if options.compare_with:
        faults.of(choose_pairs, stack, options.model_copy(update={"estimator": options.compare_with}))
    if pairs is None:  # the model of motion is checked with the pairs that were found
        pairs = stack.pairs
    if not pairs:
        return []
    by_date = baselines_by_date(pairs) if options.dem_error else None
    faults.of(
        velocity.time_model,
        network_dates(pairs),
        annual=options.annual,
        steps=options.steps,
        baselines=list(by_date.values()) if by_date else None,
    )
    return pairs


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
