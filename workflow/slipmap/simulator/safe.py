"""Simulated raw Sentinel-1: SAFE products of TOPS bursts, built from scatterers on the simulated ground."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from pathlib import Path
from threading import Lock

import numpy as np
from pyproj import Transformer
from scipy import ndimage

from slipmap.arrays import Doubles
from slipmap.config.inputs import SimulateSettings
from slipmap.io.grid import Grid
from slipmap.parallel import in_parallel
from slipmap.sentinel1.annotation import Burst, Swath
from slipmap.sentinel1.geometry import earth_fixed, locate_points, look_angles, orbit_numbers, to_radar
from slipmap.sentinel1.satellite import Coverage, Pass, make_swath
from slipmap.sentinel1.tops import multiply_carrier, sweep_of
from slipmap.simulator import sentinel1
from slipmap.simulator.fields import stream
from slipmap.simulator.synthesis import add_scatterers, kernel
from slipmap.simulator.write_safe import write_product

_TIME_OF_DAY = 17 * 3600 + 5 * 60 + 30.0  # s after midnight UTC
_FIRST_ORBIT = 36064  # absolute; on track 117
_ORBITS_PER_DAY = 175 / 12
_DIGITAL_NUMBER = 45.0  # of the mean power of grass, as IW products have it
_PARALLEL_BASELINE = 40.0  # m, standard deviation
_LATE = 1.5e-3  # s, standard deviation of burst synchronisation
_COMPILED = Lock()  # of compiled loops that have threads of their own: not every system lets two callers have them


@dataclass(frozen=True)
class Scatterers:
    """One scatterer in each SLC pixel (nested in the area's grid), at a place of its own.

    Parameters
    ----------
    points : (n, 3) Earth-fixed, m, on the true ground.
    rows, cols : (n,) fractional places on the area's grid, for fields.
    """

    points: np.ndarray
    rows: np.ndarray
    cols: np.ndarray

    @classmethod
    def on(cls, settings: SimulateSettings, grid: Grid, elevation: np.ndarray) -> "Scatterers":
        """Scatterers on `elevation` (rows, cols; true, m)."""
        nested = grid.nested(*sentinel1.NESTED)
        rng = stream(settings.seed, "scatterers")
        rows = (np.arange(nested.height)[:, None] + rng.random(nested.shape, np.float32)).ravel()
        cols = (np.arange(nested.width)[None, :] + rng.random(nested.shape, np.float32)).ravel()
        x, y = nested.coordinates(cols.astype(float), rows.astype(float))
        longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
        # places of pixel centres, as everything else that is interpolated between them
        rows = (rows / sentinel1.NESTED[1] - 0.5).astype(np.float32)
        cols = (cols / sentinel1.NESTED[0] - 0.5).astype(np.float32)
        height = ndimage.map_coordinates(elevation.astype(float), [rows, cols], order=1, mode="nearest")
        return cls(earth_fixed(longitude, latitude, height), rows, cols)

    def sample(self, field: np.ndarray) -> Doubles:
        """`field` (rows, cols) at the scatterers, linear, (n,) float64."""
        found: Doubles = ndimage.map_coordinates(field, [self.rows, self.cols], order=1, mode="nearest")
        return found


def reference_pass(settings: SimulateSettings, grid: Grid) -> Pass:
    """The first date's pass."""
    return Pass.over(grid, sentinel1.INCIDENCE, sentinel1.HEADING, _TIME_OF_DAY)


def line_of_sight(settings: SimulateSettings, grid: Grid, elevation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `simulate_sentinel1.line_of_sight`, from the simulated orbit: unit vectors (3, rows, cols) and incidence."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = grid.coordinates(cols.ravel(), rows.ravel())
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    points = earth_fixed(longitude, latitude, elevation.astype(float).ravel())
    passing = reference_pass(settings, grid)
    orbit = passing.orbit()
    times, _ = to_radar(points, orbit, passing.time - 3, passing.time + 3)
    look, incidence = look_angles(points, longitude, latitude, orbit, times)
    return look.T.reshape(3, *grid.shape), incidence.reshape(grid.shape)


def simulate_products(
    settings: SimulateSettings,
    grid: Grid,
    cover: np.ndarray,
    velocity: np.ndarray,
    elevation: np.ndarray,
    folder: Path,
    progress: Callable[[int], np.ndarray] | None = None,
    disturbed: sentinel1.Disturbance | None = None,
    threads: int = 1,
) -> Iterator[tuple[date, Path]]:
    """Write the SAFE product of each date into `folder`; yields date and product.

    Parameters
    ----------
    cover : land cover. velocity : LOS, mm/yr. elevation : of the true ground, m. All (rows, cols).
    progress : as for `slipmap.simulator.sentinel1.displacement`. disturbed : as for its `scatterers`;
        with it the products have VH as well. threads : dates that are worked on at once.

    Notes
    -----
    Each date has an orbit of its own (baselines as in `simulate_sentinel1`), its burst start times and Doppler
    centroid. The phase of a scatterer is −4π/λ times its range from that orbit, less its displacement towards the
    satellite and plus the delay; so topography, the DEM's error, layover and the registration of dates follow from the
    geometry itself. Scatterers are held in memory (about 0.2 GiB at 768 × 768), and the fields and one burst's image of
    each date that is worked on.
    """
    ground = Scatterers.on(settings, grid, elevation)
    first = reference_pass(settings, grid)
    coverage = Coverage.of(grid, (float(elevation.min()), float(elevation.max())), first)
    dates = sentinel1.acquisition_dates(settings)
    baselines = sentinel1.perpendicular_baselines(settings)
    rng = stream(settings.seed, "passes")
    parallel = rng.normal(0, _PARALLEL_BASELINE, len(dates))
    late = rng.normal(0, _LATE, len(dates))
    centroid = rng.normal(-10, 5, len(dates))
    # motion and delay only: the DEM's error acts through the geometry
    shifts = sentinel1.displacement(settings, grid, velocity, np.zeros(grid.shape), elevation, progress)
    scenes = sentinel1.scatterers(settings, cover, noise=False, disturbed=disturbed)
    crossed: Iterator[np.ndarray | None] = repeat(None, len(dates))
    if disturbed is not None:
        crossed = sentinel1.scatterers(settings, cover, noise=False, disturbed=disturbed, cross=True)

    def write(made: tuple[int, date, np.ndarray, np.ndarray | None, np.ndarray]) -> Path:
        k, day, scene, cross, shift = made
        passing = first.shifted(baselines[k], parallel[k] if k else 0.0, _TIME_OF_DAY)
        swath = make_swath(
            np.datetime64(day).astype("M8[ns]"),
            passing,
            coverage,
            absolute_orbit=_FIRST_ORBIT + round((day - dates[0]).days * _ORBITS_PER_DAY),
            track=sentinel1.TRACK,
            late=late[k],
            centroid=centroid[k],
        )
        times, ranges = np.empty(len(ground.points)), np.empty(len(ground.points))
        span = (passing.time + coverage.first - 0.5, passing.time + coverage.last + 0.5)
        orbit = orbit_numbers(swath.orbit.local(*span), *span)
        with _COMPILED:
            locate_points(ground.points, orbit, times, ranges)
        times += orbit[0]
        ranges -= ground.sample(shift)
        places = (swath, times, ranges, settings.thermal_noise)
        image = _Image(*places, scene.ravel(), stream(settings.seed, "noise", day))
        other = None if cross is None else _Image(*places, cross.ravel(), stream(settings.seed, "noise", day, "VH"))
        return write_product(folder, swath, image, other)

    def load(numbered: tuple[int, date]) -> tuple[int, date, np.ndarray, np.ndarray | None, np.ndarray]:
        return (*numbered, next(scenes), next(crossed), next(shifts))

    for (_, day), product in in_parallel(enumerate(dates), write, threads, load=load, held=threads):
        yield day, product


@dataclass
class _Image:
    """Digital numbers of a burst, when asked for it."""

    swath: Swath
    times: np.ndarray
    ranges: np.ndarray
    noise: float
    amplitudes: np.ndarray
    rng: np.random.Generator

    def __call__(self, burst: Burst) -> np.ndarray:
        swath = self.swath
        step, rate = swath.azimuth_time_interval, swath.range_sampling_rate
        sweep = sweep_of(swath, burst).numbers()
        pixels = np.zeros((burst.lines, burst.samples), np.complex64)
        frame = np.array(
            [burst.start, step, swath.slant_range_time, rate, swath.middle_range_time, swath.wavelength], float
        )
        add_scatterers(
            pixels.view(np.float32),
            self.amplitudes,
            self.times,
            self.ranges,
            frame,
            sweep,
            kernel(swath.azimuth_bandwidth * step, swath.azimuth_window),
            kernel(swath.range_bandwidth / rate, swath.range_window),
        )
        with _COMPILED:
            multiply_carrier(pixels, sweep, burst.start, step, swath.slant_range_time, 1 / rate, 1.0)
        if self.noise:
            pixels += sentinel1.speckle(self.rng, pixels.shape) * np.float32(self.noise**0.5)
        pixels *= np.float32(_DIGITAL_NUMBER)
        first, last, near, far = burst.valid
        pixels[:first] = pixels[last + 1 :] = 0
        pixels[:, :near] = pixels[:, far + 1 :] = 0
        return pixels
