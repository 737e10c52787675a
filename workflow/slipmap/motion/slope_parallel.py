"""Velocity down the slope from an ascending and a descending track together, and which of them sees it."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from slipmap.deformation.decomposition import Track
from slipmap.deformation.geometry import MIN_SENSITIVITY, MIN_SLOPE, descent, gradient, pixel_size, sensitivity
from slipmap.deformation.interferogram import with_margin
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import in_unit
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.north import to_grid, true_north

NEITHER, OWN, OPPOSITE, BOTH = range(4)
CLASSES = {
    NEITHER: "neither track sees it",
    OWN: "only this track sees it",
    OPPOSITE: "only the opposite track sees it",
    BOTH: "both tracks see it",
}


def combine(
    velocity: np.ndarray, deviation: np.ndarray, sensitive: np.ndarray, steep: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Downslope velocity and its standard deviation (mm/yr), and which track sees it (`CLASSES`); NaN where none does.

    Motion straight down the slope is one unknown: v = Σ sᵢvᵢ/σᵢ² / Σ sᵢ²/σᵢ², σ² = 1 / Σ sᵢ²/σᵢ², over the tracks with
    a velocity and a sensitivity of `MIN_SENSITIVITY` at least; on slopes from `MIN_SLOPE` degrees on.

    Parameters
    ----------
    velocity, deviation, sensitive : (2, …): this track, the opposite one. steep : (…) bool.
    """
    seen = np.isfinite(velocity) & (deviation > 0) & (np.abs(sensitive) >= MIN_SENSITIVITY) & steep
    weight = np.where(seen, 1 / np.where(seen, deviation, 1) ** 2, 0)
    power = (weight * np.where(seen, sensitive, 0) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (weight * np.where(seen, sensitive * velocity, 0)).sum(axis=0) / power
        std = 1 / np.sqrt(power)
    nothing = power == 0
    return np.where(nothing, np.nan, found), np.where(nothing, np.nan, std), seen[0] * OWN + seen[1] * OPPOSITE


def run(
    own: Track, opposite: Track, grid: Grid, dem: str | Path, zeros: tuple[float, float], outputs: list[Path]
) -> None:
    """Write the downslope velocity (bands velocity, velocity_std) and the class raster of who sees it, block by block.

    Parameters
    ----------
    zeros : velocity of each track on the ground taken as stable, mm/yr (`slipmap.deformation.decomposition.zeros`).
    outputs : raster of the velocity, raster of the classes.
    """
    tracks = (own, opposite)
    sights = [track.sight() for track in tracks]
    about = "velocity straight down the slope from both tracks, downhill positive"
    with ExitStack() as stack:
        units, names = "mm/yr", (about, "standard deviation of the velocity straight down the slope")
        out = stack.enter_context(
            raster.create(outputs[0], grid, bands=["velocity", "velocity_std"], units=units, long_name=names)
        )
        classes = stack.enter_context(
            raster.create(
                outputs[1], grid, bands=["tracks"], units="1", long_name="tracks that see motion down the slope",
                dtype="uint8", categories=CLASSES,
            )
        )  # fmt: skip
        rates, deviations = (
            [stack.enter_context(raster.warped(track.file(f"{name}.tif"), grid)) for track in tracks]
            for name in ("velocity", "velocity_std")
        )
        metres = in_unit(dem, ELEVATION, "inputs.dem", vertical=True)
        elevation = stack.enter_context(raster.warped(metres, grid, kind="surface"))
        for window in grid.blocks():
            outer, inner = with_margin(window, grid, 1)
            slope, east, north = descent(
                *(g[inner] for g in gradient(raster.read_open(elevation, outer, 1), pixel_size(grid)))
            )
            turn = true_north(grid, window)  # slopes are measured along the grid
            along = [to_grid(sight.read(window, grid), turn) for sight in sights]
            sensitive = np.stack([sensitivity(slope, east, north, los) for los in along])
            values = np.stack([raster.read_open(one, window, 1) - z for one, z in zip(rates, zeros, strict=True)])
            errors = np.stack([raster.read_open(one, window, 1) for one in deviations])
            velocity, std, code = combine(values, errors, sensitive, slope >= MIN_SLOPE)
            out.write(np.stack([velocity, std]).astype(np.float32), window)
            classes.write(code.astype(np.uint8), window)
