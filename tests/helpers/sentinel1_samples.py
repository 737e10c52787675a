"""Simulated Sentinel-1 for tests: a small area, a pass over it, bursts of exact point targets, and their geocoding."""

import dataclasses
import re
from pathlib import Path

import h5py
import numpy as np
from affine import Affine
from pyproj import Transformer

from slipmap.config.geocoding import GeocodingSettings
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1 import geocode
from slipmap.sentinel1.annotation import GeolocationGrid, Swath
from slipmap.sentinel1.geometry import earth_fixed, to_radar
from slipmap.sentinel1.satellite import Coverage, Pass, make_swath
from slipmap.sentinel1.tops import sweep_of
from slipmap.simulator.synthesis import impulse_response
from slipmap.simulator.write_safe import write_product

EPOCH = np.datetime64("2021-01-09").astype("M8[ns]")
GRID = Grid("EPSG:32632", Affine(12.5, 0, 500_000, 0, -12.5, 5_003_000), 240, 240)
HEIGHT = 300.0  # m, of the flat ground
NOON = 61_530.0  # s of the day, time of the pass


def first_pass(grid: Grid = GRID) -> Pass:
    """The pass of the first date."""
    return Pass.over(grid, 39.0, -12.5, NOON)


def swath_of(passing: Pass, *, grid: Grid = GRID, late: float = 0.0, **options: object) -> Swath:
    """A swath of two or three bursts over `grid`; the ground that it must cover is that of the first pass."""
    coverage = Coverage.of(grid, (HEIGHT - 200, HEIGHT + 200), first_pass(grid))
    numbers = {"absolute_orbit": 36064, "track": 117} | options
    return make_swath(EPOCH, passing, coverage, late=late, **numbers)


def targets(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, rows (pixel centres of the area's grid) and Earth-fixed positions of targets on the flat ground."""
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(20, 220, count), rng.integers(20, 220, count)
    x, y = GRID.transform @ (cols + 0.5, rows + 0.5)
    longitude, latitude = Transformer.from_crs(GRID.crs, "EPSG:4326", always_xy=True).transform(x, y)
    return cols, rows, earth_fixed(longitude, latitude, np.full(count, HEIGHT))


def write_points(
    folder: Path, swath: Swath, points: np.ndarray, amplitudes: np.ndarray, displacement: np.ndarray | float = 0.0
) -> Path:
    """Write a SAFE product of point targets, each response summed exactly over the whole burst, without any table.

    Parameters
    ----------
    displacement : towards the satellite, m.
    """
    times, ranges = to_radar(points, swath.orbit, swath.start, swath.stop)
    ranges = ranges - displacement
    step, rate = swath.azimuth_time_interval, swath.range_sampling_rate

    def pixels(burst):
        sweep = sweep_of(swath, burst)
        at = burst.start + np.arange(burst.lines) * step
        tau = swath.slant_range_time + np.arange(burst.samples) / rate
        image = np.zeros((burst.lines, burst.samples), complex)
        for amplitude, t, r in zip(amplitudes, times, ranges, strict=True):
            place = 2 * r / SPEED_OF_LIGHT
            line = t - (place - swath.middle_range_time) / 2  # where the processor's bulk bistatic correction puts it
            along = impulse_response((at - line) / step, swath.azimuth_bandwidth * step, swath.azimuth_window)
            across = impulse_response((tau - place) * rate, swath.range_bandwidth / rate, swath.range_window)
            phase = -4 * np.pi * r / swath.wavelength - sweep.phase(line - sweep.middle, place)
            image += amplitude * np.exp(1j * phase) * along[:, None] * across
        image *= np.exp(1j * sweep.phase((at - sweep.middle)[:, None], tau[None, :]))
        image[: burst.valid[0]] = image[burst.valid[1] + 1 :] = 0
        return image.astype(np.complex64)

    return write_product(folder, swath, pixels)


def write_dem(folder: Path, grid: Grid = GRID, height: float = HEIGHT) -> Path:
    """A flat DEM."""
    raster.write(
        folder / "dem.tif",
        grid,
        np.full(grid.shape, height, np.float32),
        bands=["elevation"],
        units="m",
        long_name="elevation",
    )
    return folder / "dem.tif"


def geocoded(product: Path, dem: Path, grid: Grid, settings: GeocodingSettings | None = None, **more: object):
    """The geocoded, flattened SLC of a product on `grid`, complex64 (rows, cols)."""
    output = product.parent / f"{product.stem}.h5"
    geocode.run([product], dem, settings or GeocodingSettings(), grid, output, **more)
    with h5py.File(output) as file:
        return file["data/VV"][:]


def write_blank(folder: Path, swath: Swath) -> Path:
    """Write a SAFE product without any echo."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_product(folder, swath, lambda burst: np.zeros((burst.lines, burst.samples), np.complex64))


def cut(whole: Swath, keep: range, *, renumber: bool = True) -> Swath:
    """The swath cut to some of its bursts as burst2safe does it: tie points of its lines, one row beyond included.

    Parameters
    ----------
    renumber : False: the tie points are those of the whole swath, with its line numbers.
    """
    rows = whole.lines_per_burst
    first, last = keep[0] * rows, (keep[-1] + 1) * rows
    grid = whole.grid
    if renumber:
        near = (grid.line >= first) & (grid.line <= last)
        fields = {f.name: getattr(grid, f.name)[near] for f in dataclasses.fields(grid)}
        grid = GeolocationGrid(**(fields | {"line": fields["line"] - first}))
    bursts = tuple(dataclasses.replace(whole.bursts[k], number=n, first_row=n * rows) for n, k in enumerate(keep))
    stop = bursts[-1].start + (rows - 1) * whole.azimuth_time_interval
    return dataclasses.replace(whole, bursts=bursts, listed=len(bursts), start=bursts[0].start, stop=stop, grid=grid)


def edit(product: Path, pattern: str, replacement: str, name: str = "annotation/*.xml", count: int = 0) -> None:
    """Replace `pattern` in the files `name` of a product; it must be there."""
    for path in product.glob(name):
        text, found = re.subn(pattern, replacement, path.read_text(), count=count, flags=re.DOTALL)
        assert found
        path.write_text(text)
