"""Line of sight and incidence angle on a grid, from the orbit."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer
from rasterio.windows import Window

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1.geometry import earth_fixed, locate_points, look_angles, orbit_numbers
from slipmap.sentinel1.heights import extremes, open_heights
from slipmap.sentinel1.products import open_product
from slipmap.sentinel1.scene import read_scene
from slipmap.sentinel1.sight import GEOMETRY

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.geocoding import GeocodingSettings

LONGEST = 20.0  # s of a pass that one polynomial of the orbit follows


def run(
    products: Sequence[str | Path],
    dem: str | Path,
    settings: "GeocodingSettings",
    grid: Grid,
    output: str | Path,
    *,
    orbits: str | None = None,
) -> None:
    """Write the unit vector from the ground to the satellite and the incidence angle, block by block.

    `slipmap.deformation.geometry` makes layover, shadow and sensitivity of them. Parameters as in `geocode.run`.
    """
    opened = [open_product(Path(path)) for path in products]
    scene = read_scene(opened, settings, orbits)
    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    with (
        open_heights(dem, settings.undulation, grid) as heights,
        raster.create(
            output,
            grid,
            **GEOMETRY,
            tags={"SIMULATED": "yes"} if any(p.simulated for p in opened) else {},
        ) as out,
    ):
        start, stop = scene.start, scene.stop
        if stop - start > LONGEST:
            whole = [Window(0, 0, grid.width, grid.height)]
            start, stop, *_ = scene.footprints(grid, whole, extremes(heights, grid.blocks(256), dem))[0]
        orbit = orbit_numbers(scene.orbit.local(start, stop), start, stop)
        for window in grid.blocks(256):
            height = heights(window).astype(float)
            seen = np.isfinite(height)
            rows, cols = np.nonzero(seen)
            bands = np.full((4, *height.shape), np.nan, np.float32)
            if len(rows):
                x, y = grid.transform @ (cols + window.col_off + 0.5, rows + window.row_off + 0.5)
                longitude, latitude = to_degrees.transform(x, y)
                points = earth_fixed(longitude, latitude, height[seen])
                times, ranges = np.empty(len(points)), np.empty(len(points))
                locate_points(points, orbit, times, ranges)
                look, incidence = look_angles(points, longitude, latitude, scene.orbit, times + orbit[0])
                bands[:3, seen], bands[3, seen] = look.T, incidence
            out.write(bands, window)
