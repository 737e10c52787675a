"""Geocoding of one full IW burst: seconds, pixels/s against the interpolation's arithmetic and memory bound, memory.

The burst has the size and the modulation of IW2 (1,500 lines, 21,000 samples) and noise for pixels: the time does not
depend on what is in it. It is geocoded to 12.5 m, on the grid nested in it (3.125 m by 12.5 m), DEM included.
"""

import resource
import tempfile
import time
from pathlib import Path

import numba
import numpy as np

from slipmap.io import raster
from slipmap.io.grid import Grid

LINES, SAMPLES = 1500, 21_000
WIDTH, HEIGHT = 86_400.0, 21_600.0  # m of ground, east and north
TAPS = 64  # of the interpolation, two multiplications and additions of complex by real each


def make_product(folder: Path) -> tuple[Path, Path, Grid]:
    """Write a product of two such bursts and a DEM; returns them and the area's grid."""
    from slipmap.sentinel1.satellite import Coverage, Pass, make_swath
    from slipmap.simulator.write_safe import write_product

    grid = Grid.from_bounds("EPSG:32632", 12.5, (450_000, 5_000_000, 450_000 + WIDTH, 5_000_000 + HEIGHT))
    passing = Pass.over(grid, 39.0, -12.5, 61_530.0)
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[: grid.height, : grid.width].astype(np.float32)
    elevation = 400 + 300 * np.sin(cols / 90) * np.cos(rows / 70)
    raster.write(folder / "dem.tif", grid, elevation, bands=["elevation"], units="m", long_name="elevation")
    coverage = Coverage.of(grid, (100.0, 700.0), passing)
    spacing = 2.329562
    middle = (coverage.near + coverage.far) / 2
    half = (SAMPLES - 328) / 2 * spacing  # samples beside the area that `make_swath` adds
    coverage = Coverage(-1.3, 1.3, middle - half, middle + half)
    swath = make_swath(
        np.datetime64("2021-01-09").astype("M8[ns]"),
        passing,
        coverage,
        absolute_orbit=36064,
        track=117,
        lines=LINES,
        overlap=150,
        invalid=20,
    )
    noise = (60 * rng.standard_normal((LINES, 2 * swath.samples_per_burst), np.float32)).view(np.complex64)
    return write_product(folder, swath, lambda burst: noise.copy()), folder / "dem.tif", grid


def memory_bound() -> float:
    """Bytes/s that all threads together read and write (a copy of 256 MB)."""
    source = np.ones(2**26, np.float32)
    target = np.empty_like(source)
    _copy(source, target)
    best = min(_timed(lambda: _copy(source, target)) for _ in range(5))
    return 2 * source.nbytes / best


def arithmetic_bound() -> float:
    """Complex-by-real multiply-adds/s of all threads on data in the cache."""
    pixels = np.ones((8, 16), np.float32)
    row = np.ones(8, np.float32)
    _taps(pixels, row, 1000)
    count = 4_000_000
    best = min(_timed(lambda: _taps(pixels, row, count)) for _ in range(3))
    return count * TAPS / best


@numba.njit(parallel=True, fastmath=True)
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    for i in numba.prange(len(source)):
        target[i] = source[i]


@numba.njit(parallel=True, fastmath=True)
def _taps(pixels: np.ndarray, row: np.ndarray, count: int) -> float:
    total = np.float32(0)
    for n in numba.prange(count):
        scale = np.float32(n)
        re, im = np.float32(0), np.float32(0)
        for k in range(8):
            a, b = np.float32(0), np.float32(0)
            for m in range(8):
                a += row[m] * (pixels[k, 2 * m] + scale)
                b += row[m] * (pixels[k, 2 * m + 1] - scale)
            re += row[k] * a
            im += row[k] * b
        total += re + im
    return total


def _timed(run: object) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def run() -> dict[str, object]:
    """The benchmark `slipmap bench sentinel1`."""
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.sentinel1 import geocode

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        product, dem, grid = make_product(folder)
        nested = grid.nested(4, 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = [
            _timed(lambda: geocode.run([product], dem, GeocodingSettings(), nested, folder / "slc.h5"))
            for _ in range(2)
        ]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pixels = nested.width * nested.height
        import h5py

        with h5py.File(folder / "slc.h5") as file:
            filled = sum(int(np.isfinite(file["data/VV"][r : r + 256]).sum()) for r in range(0, nested.height, 256))
    memory, arithmetic = memory_bound(), arithmetic_bound()
    best = min(seconds)
    return {
        "burst": f"{LINES} x {SAMPLES}",
        "grid_pixels": pixels,
        "filled_pixels": filled,
        "threads": numba.get_num_threads(),
        "first_s": round(seconds[0], 1),
        "second_s": round(seconds[1], 1),
        "pixels_per_s": round(filled / best),
        "arithmetic_bound_pixels_per_s": round(arithmetic / TAPS),
        "memory_bound_pixels_per_s": round(memory / (8 + 8 + 16 + 8)),  # burst, deramped burst, place, output
        "peak_mb": round(peak / 1024),
        "peak_before_mb": round(before / 1024),
    }
