"""Vertical and east–west velocity from an ascending and a descending track, on the area's grid."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from slipmap.deformation.geometry import UNKNOWN_SIGHT, decompose
from slipmap.deformation.reference import pixel_metres
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import LineOfSight, line_of_sight

REFERENCE_RADIUS = 100.0  # m, at least: over which the two tracks are brought to one zero
PRODUCTS = {
    "velocity_vertical": "vertical velocity, up positive, northward motion taken as none",
    "velocity_east": "eastward velocity, northward motion taken as none",
}


@dataclass(frozen=True)
class Track:
    """What one track has made: the files of the folder `deformation` of an area."""

    area: str
    folder: Path

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name

    def sight(self) -> LineOfSight:
        """The line of sight; `InputError` where it is not known."""
        found = line_of_sight(self.file("stack.json"))
        if found is None:
            raise InputError(f"area {self.area}: {UNKNOWN_SIGHT}; without them tracks cannot be combined.")
        return found


def run(own: Track, opposite: Track, grid: Grid) -> None:
    """Write velocity_vertical.tif and velocity_east.tif (bands velocity and velocity_std) into the folder of `own`.

    Both velocities are warped to the area's grid, and brought to one zero: the median of each over the surroundings of
    the reference point of `own` is taken off. The standard deviations are those of the tracks, propagated as
    independent. Block by block.

    Raises
    ------
    InputError : the tracks look from nearly the same side, the line of sight of one is not known, or one has no
        velocity at the reference point.
    """
    tracks = (own, opposite)
    sights = [track.sight() for track in tracks]
    point = json.loads(own.file("reference.json").read_text(encoding="utf-8"))
    taken = zeros(own, opposite, grid)
    records = [json.loads(track.file("stack.json").read_text(encoding="utf-8")) for track in tracks]
    tags = {
        "OPPOSITE_AREA": opposite.area,
        "REFERENCE_LONGITUDE": f"{point['longitude']:.6f}",
        "REFERENCE_LATITUDE": f"{point['latitude']:.6f}",
        "TAKEN_OFF_MM_YR": ", ".join(f"{zero:.3f}" for zero in taken),
    } | ({"SIMULATED": "yes"} if any(record["simulated"] for record in records) else {})
    with ExitStack() as stack:
        out = [
            stack.enter_context(
                raster.create(
                    own.file(f"{name}.tif"),
                    grid,
                    bands=["velocity", "velocity_std"],
                    units="mm/yr",
                    long_name=(text, f"standard deviation of the {text.partition(',')[0]}"),
                    tags=tags,
                )
            )
            for name, text in PRODUCTS.items()
        ]
        rates, deviations = (
            [stack.enter_context(raster.warped(track.file(f"{name}.tif"), grid)) for track in tracks]
            for name in ("velocity", "velocity_std")
        )
        for window in grid.blocks():
            los = [sight.read(window, grid).astype(np.float64) for sight in sights]
            values = [raster.read_open(rate, window, 1) - zero for rate, zero in zip(rates, taken, strict=True)]
            errors = [raster.read_open(deviation, window, 1) for deviation in deviations]
            nothing = np.zeros_like(errors[0])
            # The solution is linear: each track's error goes through it alone.
            parts = (decompose(errors[0], nothing, *los), decompose(nothing, errors[1], *los))
            for writer, rate, one, other in zip(out, decompose(*values, *los), *parts, strict=True):
                writer.write(np.stack([rate, np.hypot(one, other)]).astype(np.float32), window)


def zeros(own: Track, opposite: Track, grid: Grid) -> tuple[float, float]:
    """Velocity of each track about the reference point of `own`, mm/yr: taken off, it brings both to one zero."""
    point = json.loads(own.file("reference.json").read_text(encoding="utf-8"))
    return _velocity_at(own, point, grid), _velocity_at(opposite, point, grid)


def _velocity_at(track: Track, point: Mapping[str, float], grid: Grid) -> float:
    """Median velocity (mm/yr) of a track about a reference point, within its radius or `REFERENCE_RADIUS`."""
    xs, ys = transform(CRS.from_epsg(4326), CRS.from_user_input(grid.crs), [point["longitude"]], [point["latitude"]])
    col, row = (int(np.floor(v)) for v in ~grid.transform @ (xs[0], ys[0]))
    reach = max(1, round(REFERENCE_RADIUS / pixel_metres(grid)))
    rows = slice(max(0, row - reach), min(grid.height, row + reach + 1))
    cols = slice(max(0, col - reach), min(grid.width, col + reach + 1))
    values = np.array([np.nan])
    if rows.start < rows.stop and cols.start < cols.stop:
        with raster.warped(track.file("velocity.tif"), grid) as source:
            values = raster.read_open(source, Window.from_slices(rows, cols), 1)
    if not np.isfinite(values).any():
        raise InputError(
            f"area {track.area} has no velocity at the reference point {point['longitude']:.4f}, "
            f"{point['latitude']:.4f}; set deformation.reference_point on the area's grid where both tracks have data."
        )
    return float(np.nanmedian(values))
