"""What the radar can see of a landslide: line of sight, layover and shadow, sensitivity, downslope motion."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import numpy as np
from rasterio.crs import CRS

from slipmap.arrays import Doubles, Real
from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.deformation.reference import METRES_PER_DEGREE
from slipmap.deformation.two_dems import require_same_ground
from slipmap.errors import InputError
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import in_unit
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.north import to_grid, true_north
from slipmap.sentinel1.sight import line_of_sight

VISIBLE, LAYOVER, SHADOW = 1, 2, 3
MIN_SENSITIVITY = 0.2  # below it the projection multiplies the noise by more than five
MIN_SLOPE = 5.0  # degrees; flatter ground has no downslope direction to speak of
PRODUCTS = {
    "sensitivity": "cosine between steepest descent and line of sight",
    "velocity_downslope": "line-of-sight velocity projected on the steepest descent, downhill positive",
    "visibility": "active layover and shadow",
    "detectable_velocity": "smallest downslope velocity that can be told from noise: two standard deviations",
    "aliasing_velocity": "largest downslope velocity that is not aliased: a quarter wavelength between acquisitions",
}
UNKNOWN_SIGHT = (
    "the files tell no incidence angle and heading; set inputs.sentinel1.incidence, or put geometry.tif (los_east, "
    "los_north, los_up) beside them"
)


def gradient(elevation: Real, pixel: tuple[float, float]) -> tuple[Doubles, Doubles]:
    """Slope components (rise to the east, rise to the north), m/m, by central differences.

    Parameters
    ----------
    elevation : (rows, cols), m, first row in the north. pixel : (x, y) size in metres.
    """
    south, east = np.gradient(elevation.astype(np.float64), pixel[1], pixel[0])
    return np.asarray(east), -np.asarray(south)


def visibility(east: np.ndarray, north: np.ndarray, los: np.ndarray) -> np.ndarray:
    """Active layover and shadow, uint8: `VISIBLE`, `LAYOVER`, `SHADOW`; 255 where the slope is not known.

    Layover where ground that faces the satellite is steeper than the incidence angle, shadow where ground that faces
    away is steeper than its complement (Kropatsch & Strobl 1990); ground that others cover or shade is not marked.
    """
    horizontal = np.hypot(los[0], los[1])
    facing = np.degrees(np.arctan(-(east * los[0] + north * los[1]) / horizontal))
    incidence = np.degrees(np.arctan2(horizontal, los[2]))
    result = np.full(facing.shape, VISIBLE, np.uint8)
    result[facing >= incidence] = LAYOVER
    result[facing <= incidence - 90] = SHADOW
    result[~np.isfinite(facing)] = raster.CLASS_NODATA
    return result


def descent(east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope (degrees) and the east and north component of the downslope direction, NaN on flat ground.

    Parameters
    ----------
    east, north : rise to the east and to the north, m/m (`gradient`).
    """
    rise = np.hypot(east, north)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.degrees(np.arctan(rise)), -east / rise, -north / rise


def sensitivity(slope: Real, aspect_sin: Real, aspect_cos: Real, los: Real) -> Real:
    """Share of motion straight down the slope that the radar sees, signed: −1 … 1.

    It is the cosine of the angle between the steepest descent and the line of sight: velocity in the line of sight =
    sensitivity × downslope velocity (Cascini, Fornaro & Peduto 2010; Notti et al. 2014).

    Parameters
    ----------
    slope : degrees. aspect_sin, aspect_cos : east and north component of the downslope direction.
    los : (3, …), unit vector from the ground to the satellite: east, north, up.
    """
    angle = np.radians(slope)
    seen: Real = np.cos(angle) * (aspect_sin * los[0] + aspect_cos * los[1]) - np.sin(angle) * los[2]
    return seen


def downslope(
    velocity: np.ndarray, sensitive: np.ndarray, slope: np.ndarray, least: float = MIN_SENSITIVITY
) -> np.ndarray:
    """LOS velocity projected on the steepest descent (mm/yr, positive downhill); NaN where it cannot be told.

    Parameters
    ----------
    velocity : LOS, mm/yr. sensitive : from `sensitivity`. slope : degrees.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((np.abs(sensitive) >= least) & (slope >= MIN_SLOPE), velocity / sensitive, np.nan)


def fastest(stack_json: str | Path) -> float:
    """Largest line-of-sight velocity that is not aliased, mm/yr: a quarter of the wavelength from date to date.

    A pixel that moves by more between neighbouring acquisitions (their median distance) than a quarter wavelength
    against its surroundings changes its phase by more than π: it may be unwrapped to the wrong side. NaN where the
    stack tells no wavelength or dates.
    """
    record = json.loads(Path(stack_json).read_text(encoding="utf-8"))
    wavelength, dates = record["radar"].get("wavelength"), record.get("dates", [])
    if not wavelength or len(dates) < 2:
        return float("nan")
    steps = np.diff(np.array(dates, "datetime64[D]").astype(float))
    return float(wavelength * 1000 / 4 / (np.median(steps) / DAYS_PER_YEAR))


def decompose(
    ascending: np.ndarray, descending: np.ndarray, los_ascending: np.ndarray, los_descending: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertical and east–west velocity (up and east positive) from two lines of sight, northward motion taken as none.

    Parameters
    ----------
    ascending, descending : LOS velocities, any shape. los_… : (3,) or (3, …) unit vectors, ground to satellite.
    """
    (ea, _, ua), (ed, _, ud) = los_ascending, los_descending
    determinant = ea * ud - ed * ua
    if np.any(np.abs(determinant) < 0.05):
        raise InputError(
            "The two tracks look from nearly the same side; vertical and east-west velocity need an ascending and a "
            "descending one."
        )
    east = (ascending * ud - descending * ua) / determinant
    up = (ea * descending - ed * ascending) / determinant
    return up, east


def pixel_size(grid: Grid) -> tuple[float, float]:
    """(x, y) size of a pixel in metres; of geographic grids at their middle latitude."""
    x, y = grid.resolution
    if CRS.from_user_input(grid.crs).is_geographic:
        latitude = np.radians((grid.bounds[1] + grid.bounds[3]) / 2)
        return float(x * METRES_PER_DEGREE * np.cos(latitude)), float(y * METRES_PER_DEGREE)
    return x, y


def run(
    velocity: str | Path, velocity_std: str | Path, stack_json: str | Path, dem: str | Path, folder: str | Path
) -> None:
    """Write the maps of `PRODUCTS` into `folder`, on the velocity's grid.

    Line-of-sight vectors come from the stack's geometry raster where there is one (bands los_east, los_north, los_up),
    else from its mean incidence and heading; where neither is known, everything is nodata, and the log and the tag
    LEFT_OUT say why. Block by block.

    Raises
    ------
    InputError : the DEM contradicts the one that came with the interferograms.
    """
    grid, sight = Grid.from_raster(velocity), line_of_sight(stack_json)
    record = json.loads(Path(stack_json).read_text(encoding="utf-8"))
    if delivered := record.get("geometry", {}).get("dem"):
        require_same_ground(dem, delivered, grid, "inputs.dem")
    tags = {"SIMULATED": "yes"} if record["simulated"] else {}
    if sight is None:
        print(f"{', '.join(PRODUCTS)}: nodata, {UNKNOWN_SIGHT}")
        tags["LEFT_OUT"] = UNKNOWN_SIGHT
    limit = fastest(stack_json)
    with ExitStack() as stack:
        out = {name: stack.enter_context(_create(Path(folder), name, grid, tags)) for name in PRODUCTS}
        metres = in_unit(dem, ELEVATION, "inputs.dem", vertical=True)
        elevation = stack.enter_context(raster.warped(metres, grid, kind="surface"))
        for window in grid.blocks():
            outer, inner = with_margin(window, grid, 1)
            east, north = (g[inner] for g in gradient(raster.read_open(elevation, outer, 1), pixel_size(grid)))
            los = np.full((3, *east.shape), np.nan) if sight is None else sight.read(window, grid)
            los = to_grid(los, true_north(grid, window))  # slopes are measured along the grid
            slope, aspect_sin, aspect_cos = descent(east, north)
            seen = sensitivity(slope, aspect_sin, aspect_cos, los)
            rate = raster.read(velocity, window, 1)
            out["sensitivity"].write(seen.astype(np.float32), window)
            out["velocity_downslope"].write(downslope(rate, seen, slope).astype(np.float32), window)
            out["visibility"].write(visibility(east, north, los), window)
            deviation = raster.read(velocity_std, window, 1)
            for name, least in (("detectable_velocity", 2 * deviation), ("aliasing_velocity", limit + 0 * rate)):
                values = np.abs(downslope(least, seen, slope))
                out[name].write(values.astype(np.float32), window)


def _create(
    folder: Path, name: str, grid: Grid, tags: Mapping[str, object]
) -> AbstractContextManager[raster.RasterWriter]:
    classes = name == "visibility"
    limits = {"MIN_SENSITIVITY": MIN_SENSITIVITY, "MIN_SLOPE_DEGREES": MIN_SLOPE} if "velocity" in name else {}
    return raster.create(
        folder / f"{name}.tif",
        grid,
        bands=[name],
        units="mm/yr" if "velocity" in name else "1",
        long_name=PRODUCTS[name],
        dtype="uint8" if classes else "float32",
        tags={**tags, **limits},
        categories={VISIBLE: "visible", LAYOVER: "layover", SHADOW: "shadow"} if classes else None,
    )
