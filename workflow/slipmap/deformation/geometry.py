"""What the radar can see of a landslide: line of sight, layover and shadow, sensitivity, downslope motion."""

import json
from pathlib import Path

import numpy as np
from rasterio.crs import CRS
from rasterio.windows import Window

from slipmap import raster
from slipmap.deformation.interferogram import with_margin
from slipmap.deformation.reference import METRES_PER_DEGREE
from slipmap.deformation.stack import Radar, load_radar
from slipmap.errors import InputError
from slipmap.grid import Grid

VISIBLE, LAYOVER, SHADOW = 1, 2, 3
MIN_SENSITIVITY = 0.2  # below it the projection multiplies the noise by more than five
MIN_SLOPE = 5.0  # degrees; flatter ground has no downslope direction to speak of


def line_of_sight(incidence: np.ndarray | float, heading: float) -> np.ndarray:
    """Unit vector(s) from the ground to a right-looking satellite: (3, …) east, north, up.

    Parameters
    ----------
    incidence : degrees from the vertical. heading : of the flight, degrees clockwise from north.
    """
    theta, alpha = np.radians(incidence), np.radians(heading)
    return np.stack([-np.sin(theta) * np.cos(alpha), np.sin(theta) * np.sin(alpha), np.cos(theta)])


def gradient(elevation: np.ndarray, pixel: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Slope components (rise to the east, rise to the north), m/m, by central differences.

    Parameters
    ----------
    elevation : (rows, cols), m, first row in the north. pixel : (x, y) size in metres.
    """
    south, east = np.gradient(elevation.astype(np.float64), pixel[1], pixel[0])
    return east, -south


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


def sensitivity(east: np.ndarray, north: np.ndarray, los: np.ndarray) -> np.ndarray:
    """Cosine of the angle between the steepest descent and the line of sight, −1 … 1; NaN on flat ground.

    1: all of a downslope motion is seen, towards the satellite; 0: none; −1: all, away from it (Notti et al. 2014).
    """
    squared = east**2 + north**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return -(east * los[0] + north * los[1] + squared * los[2]) / np.sqrt(squared + squared**2)


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


def run(velocity: str | Path, stack_json: str | Path, dem: str | Path, folder: str | Path) -> None:
    """Write sensitivity.tif, velocity_downslope.tif and visibility.tif into `folder`, on the velocity's grid.

    Line-of-sight vectors come from the stack's geometry raster where there is one (bands los_east, los_north, los_up),
    else from its mean incidence and heading. Block by block.
    """
    record = json.loads(Path(stack_json).read_text())
    grid, radar = Grid.from_raster(velocity), load_radar(record)
    tags = {"SIMULATED": "yes"} if record["simulated"] else {}
    folder = Path(folder)
    floats = {
        "sensitivity": ("1", "cosine between steepest descent and line of sight"),
        "velocity_downslope": ("mm/yr", "line-of-sight velocity projected on the steepest descent, downhill positive"),
    }
    with (
        raster.create(
            folder / "sensitivity.tif",
            grid,
            bands=["sensitivity"],
            units=floats["sensitivity"][0],
            long_name=floats["sensitivity"][1],
            tags=tags,
        ) as out_sensitivity,
        raster.create(
            folder / "velocity_downslope.tif",
            grid,
            bands=["velocity_downslope"],
            units=floats["velocity_downslope"][0],
            long_name=floats["velocity_downslope"][1],
            tags=tags | {"MIN_SENSITIVITY": MIN_SENSITIVITY, "MIN_SLOPE_DEGREES": MIN_SLOPE},
        ) as out_downslope,
        raster.create(
            folder / "visibility.tif",
            grid,
            bands=["visibility"],
            units="1",
            long_name="active layover and shadow",
            dtype="uint8",
            categories={VISIBLE: "visible", LAYOVER: "layover", SHADOW: "shadow"},
            tags=tags,
        ) as out_visibility,
        raster.warped(dem, grid) as elevation,
    ):
        for window in grid.blocks():
            outer, inner = with_margin(window, grid, 1)
            east, north = (g[inner] for g in gradient(raster.read_open(elevation, outer, 1), pixel_size(grid)))
            los = _los(record, radar, grid, window)
            seen = sensitivity(east, north, los)
            slope = np.degrees(np.arctan(np.hypot(east, north)))
            out_sensitivity.write(seen.astype(np.float32), window)
            rate = raster.read(velocity, window, 1)
            out_downslope.write(downslope(rate, seen, slope).astype(np.float32), window)
            out_visibility.write(visibility(east, north, los), window)


def _los(record: dict, radar: Radar, grid: Grid, window: Window) -> np.ndarray:
    path = record["geometry"].get("los")
    if path:
        bands = [raster.band_index(path, name) for name in ("los_east", "los_north", "los_up")]
        with raster.warped(path, grid) as src:
            return raster.read_open(src, window, bands).astype(np.float64)
    if radar.incidence is None or radar.heading is None:
        raise InputError(
            "inputs.sentinel1: the files tell no incidence angle and heading; set inputs.sentinel1.incidence, or put "
            "geometry.tif (los_east, los_north, los_up) beside them."
        )
    vector = line_of_sight(radar.incidence, radar.heading)
    return np.broadcast_to(vector[:, None, None], (3, int(window.height), int(window.width)))
