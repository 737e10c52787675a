"""Compile geocoding and simulation ahead of first use (make install); numba keeps the result beside the source."""

import tempfile
from pathlib import Path

import numpy as np

from slipmap.config.geocoding import GeocodingSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1 import geocode
from slipmap.sentinel1.geometry import locate_points, orbit_numbers
from slipmap.sentinel1.satellite import Coverage, Pass, make_swath
from slipmap.sentinel1.tops import sweep_of
from slipmap.simulator.synthesis import add_scatterers, kernel
from slipmap.simulator.write_safe import write_product


def compile_kernels() -> None:
    """Simulate a scatterer and geocode a few pixels."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500_000, 5_000_000, 500_200, 5_000_200))
    passing = Pass.over(grid, 39.0, -12.5, 61_530.0)
    day = np.datetime64("2021-01-09").astype("M8[ns]")
    swath = make_swath(day, passing, Coverage.of(grid, (0.0, 1.0), passing), absolute_orbit=36064, track=117)
    one = np.ones(1)
    orbit = orbit_numbers(swath.orbit.local(passing.time, passing.time), passing.time, passing.time)
    locate_points(np.full((1, 3), 4e6), orbit, one.copy(), one.copy())
    frame = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    pixels = np.zeros((16, 16), np.complex64)
    add_scatterers(
        pixels.view(np.float32),
        one.astype(np.complex64),
        one,
        one,
        frame,
        sweep_of(swath, swath.bursts[0]).numbers(),
        kernel(0.6, 0.75),
        kernel(0.7, 0.75),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flat = np.zeros(grid.shape, np.float32)
        raster.write(folder / "dem.tif", grid, flat, bands=["elevation"], units="m", long_name="elevation")
        product = write_product(folder, swath, lambda burst: np.ones((burst.lines, burst.samples), np.complex64))
        geocode.run([product], folder / "dem.tif", GeocodingSettings(), grid.nested(4, 1), folder / "slc.h5")
