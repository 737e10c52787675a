"""From the SAFE products of one date to its geocoded, flattened SLC."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.geocoding import GeocodingSettings
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Swath
from slipmap.sentinel1.calibration import calibration
from slipmap.sentinel1.cslc import NODATA, create_cslc
from slipmap.sentinel1.delays import slant_delay
from slipmap.sentinel1.geometry import Ground, geodetic, locate, orbit_numbers
from slipmap.sentinel1.heights import extremes, open_heights
from slipmap.sentinel1.products import open_product
from slipmap.sentinel1.resample import TAPS, resample, weights
from slipmap.sentinel1.scene import (
    GROUND_PER_SLANT,
    GROUND_SPEED,
    Scene,
    SceneBurst,
    blocks,
    overlapping,
    read_scene,
)
from slipmap.sentinel1.tides import line_of_sight_tide
from slipmap.sentinel1.tops import multiply_carrier, sweep_of

_MARGIN = TAPS // 2 + 2  # samples read round what is needed


def run(
    products: Sequence[str | Path],
    dem: str | Path,
    settings: GeocodingSettings,
    grid: Grid,
    output: str | Path,
    *,
    orbits: str | None = None,
    shift: str | Path | None = None,
) -> None:
    """Geocode the products of one date onto `grid` and write one HDF5 file in OPERA CSLC-S1's layout.

    Parameters
    ----------
    products : SAFE folders or zips of one date and track. dem : elevation, m, that covers the grid.
    grid : projected, fine enough for the radar (pixels of 3–15 m). orbits : folder of orbit files,
        None: the annotation's own. shift : file of `shifts.run` whose azimuth shift is added to the
        zero-Doppler times.

    Raises
    ------
    InputError : see `read_scene`, `open_heights`; no burst sees the area; pixels that cannot be read.

    Notes
    -----
    Holds one burst (complex64, the part over the area) and one block of the grid at a time. Where bursts overlap, each
    pixel comes from the burst on whose edge it lies least.
    """
    opened = [open_product(Path(path)) for path in products]
    seconds = read_shift(shift) if shift else 0.0
    scene = read_scene(opened, settings, orbits)
    windows = blocks(grid)
    with open_heights(dem, settings.undulation, grid) as heights:
        low, high = extremes(heights, windows, dem)
        footprints = scene.footprints(grid, windows, (low, high))
        sees = overlapping(np.array([b.span for b in scene.bursts]), footprints)
        bursts = [b for b, row in zip(scene.bursts, sees, strict=True) if row.any()]
        sees = sees[sees.any(1)]
        if not bursts:
            raise InputError(
                f"{opened[0].path}: none of its {len(scene.bursts)} bursts sees the area; remove the product or "
                f"correct grid.bounds."
            )
        notes = _notes(settings, seconds) | {
            "independent_look_area": independent_look(bursts[0].swath, settings.whiten)
        }
        simulated = any(p.simulated for p in opened)
        limits, filled = np.array([b.limits for b in bursts]), 0
        with create_cslc(output, grid, scene, bursts, notes, simulated=simulated) as out:
            for number, burst in enumerate(bursts):
                its = np.flatnonzero(sees[number])
                part = BurstPart.load(burst, footprints[its], settings)
                for index in its:
                    window = windows[index]
                    near = np.flatnonzero(sees[:, index])
                    place = Place.of(grid, window, heights(window), scene, footprints[index], settings)
                    own = int(np.flatnonzero(near == number)[0])
                    values, count = part.values(place, limits[near], own, scene, settings, seconds)
                    out.update(values, window)
                    filled += count
            if filled == 0:
                raise InputError(
                    f"{opened[0].path}: its bursts lie beside the area; remove the product or correct grid.bounds."
                )
    share = filled / (grid.width * grid.height)
    print(f"{', '.join(b.name for b in bursts)}: {filled} pixels, {share:.1%} of the grid; {scene.orbit.source}")


def read_shift(path: str | Path) -> float:
    """The azimuth shift in a file that `shifts.run` wrote, s."""
    return float(json.loads(Path(path).read_text())["shift_seconds"])


def independent_look(swath: Swath, whiten: bool) -> float:
    """Ground, m², that is one independent look at mid swath: the inverse of the two equivalent bandwidths.

    That of a power spectrum S is (∫S)² / ∫S²: the whole band where the window has been taken off.
    """
    shares = []
    for window in (swath.range_window, swath.azimuth_window):
        f = np.linspace(-0.5, 0.5, 1001)
        power = (window + (1 - window) * np.cos(2 * np.pi * f)) ** 2
        shares.append(1.0 if whiten else float(power.mean() ** 2 / (power**2).mean()))
    incidence = np.radians(np.median(swath.grid.incidence))
    across = SPEED_OF_LIGHT / (2 * swath.range_bandwidth * shares[0] * np.sin(incidence))
    return float(across * GROUND_SPEED / (swath.azimuth_bandwidth * shares[1]))


def _notes(settings: GeocodingSettings, shift: float) -> dict[str, object]:
    return {
        "interpolation": f"least squares, {TAPS} x {TAPS} samples, after TOPS deramping",
        "spectral_whitening": str(settings.whiten),
        "topography_flattening": "True",
        "bistatic_azimuth_correction": str(settings.bistatic),
        "intra_pulse_range_correction": str(settings.intra_pulse),
        "static_troposphere": settings.troposphere,
        "solid_earth_tides": str(settings.tides),
        "coregistration": settings.coregistration,
        "azimuth_shift_seconds": shift,
        "calibration": settings.calibration,
    }


class Place:
    """Azimuth times, ranges and delays of one block of the grid.

    Attributes
    ----------
    times : (rows, cols) s after `epoch`. ranges : (rows, cols) m. delay : m, (rows, cols) or (1, 1).
    """

    def __init__(self, times: np.ndarray, ranges: np.ndarray, delay: np.ndarray, epoch: float) -> None:
        self.times, self.ranges, self.delay, self.epoch = times, ranges, delay, epoch

    @classmethod
    def of(
        cls,
        grid: Grid,
        window: Window,
        heights: np.ndarray,
        scene: Scene,
        footprint: np.ndarray,
        settings: GeocodingSettings,
    ) -> "Place":
        """Locate the pixels of `window`, whose ellipsoidal heights are given, in the radar's geometry."""
        ground = Ground.of(grid.window_grid(window))
        start, stop = float(footprint[0]), float(footprint[1])
        local = scene.orbit.local(start, stop)
        orbit = orbit_numbers(local, start, stop)
        times, ranges = np.empty(heights.shape), np.empty(heights.shape)
        locate(ground.base, ground.normal, heights.astype(np.float32), orbit, times, ranges)
        delay = np.zeros((1, 1), np.float32)
        centre = ground.base[:, 0, 0]
        if settings.troposphere == "static":
            satellite = float(np.linalg.norm(local.state((start + stop) / 2)[0]))
            latitude = float(geodetic(centre)[1])
            delay = slant_delay(heights, ranges, latitude, float(np.linalg.norm(centre)), satellite)
        if settings.tides:
            ranges -= line_of_sight_tide(grid.window_grid(window), scene.epoch, local, (start + stop) / 2)
        return cls(times, ranges, delay, float(orbit[0]))


class BurstPart:
    """The part of a burst that sees some ground: deramped pixels in memory.

    Attributes
    ----------
    pixels : (lines, 2 × samples) float32, real and imaginary part interleaved.
    """

    def __init__(self, burst: SceneBurst, pixels: np.ndarray, first: tuple[int, int], sweep: np.ndarray) -> None:
        self.burst, self.pixels, self.first, self.sweep = burst, pixels, first, sweep

    @classmethod
    def load(cls, burst: SceneBurst, footprints: np.ndarray, settings: GeocodingSettings) -> "BurstPart":
        """Read, calibrate and deramp what `footprints` (n, 4: times and ranges) need of `burst`."""
        swath, size = burst.swath, burst.burst
        step = swath.azimuth_time_interval
        first, last, near, far = size.valid
        # a bistatic shift of 0.3 ms is less than a line; a static delay or Doppler shift less than five samples
        extra = _MARGIN + 8
        lines = (
            max(first, int((footprints[:, 0].min() - size.start) / step) - extra),
            min(last + 1, int((footprints[:, 1].max() - size.start) / step) + extra),
        )
        tau = 2 * footprints[:, 2:] / SPEED_OF_LIGHT
        samples = (
            max(near, int((tau[:, 0].min() - swath.slant_range_time) * swath.range_sampling_rate) - extra),
            min(far + 1, int((tau[:, 1].max() - swath.slant_range_time) * swath.range_sampling_rate) + extra),
        )
        sweep = sweep_of(swath, size).numbers()
        if lines[1] - lines[0] < TAPS or samples[1] - samples[0] < TAPS:
            return cls(burst, np.zeros((TAPS, 2 * TAPS), np.float32), (lines[0], samples[0]), sweep)
        with burst.product.measurement(swath) as measurement:
            pixels = measurement.read(size, lines, samples)
        divisor = calibration(burst, settings.calibration, lines, samples)
        if divisor is not None:
            pixels /= divisor
        multiply_carrier(
            pixels,
            sweep,
            size.start + lines[0] * step,
            step,
            swath.slant_range_time + samples[0] / swath.range_sampling_rate,
            1 / swath.range_sampling_rate,
            -1.0,
        )
        return cls(burst, pixels.view(np.float32), (lines[0], samples[0]), sweep)

    def values(
        self,
        place: Place,
        limits: np.ndarray,
        own: int,
        scene: Scene,
        settings: GeocodingSettings,
        shift: float = 0.0,
        flatten: bool = True,
    ) -> tuple[np.ndarray, int]:
        """Values of a block, complex64 (rows, cols), and how many; NaN where another burst in `limits` sees better.

        Parameters
        ----------
        limits : (bursts, 6), see `SceneBurst.limits`; `own` is the row of this burst.
        """
        swath = self.burst.swath
        out = np.full(place.times.shape, NODATA)
        frame = np.array(
            [
                swath.azimuth_time_interval,
                swath.range_sampling_rate,
                scene.bistatic if settings.bistatic else np.nan,
                swath.azimuth_time_interval * GROUND_SPEED,
                swath.range_spacing * GROUND_PER_SLANT,
                shift,
                -1 / swath.chirp_rate if settings.intra_pulse else 0.0,
            ]
        )
        count = resample(
            self.pixels,
            place.times,
            place.ranges,
            place.delay,
            place.epoch,
            frame,
            limits,
            own,
            np.array(self.first, float),
            self.sweep,
            weights(swath.azimuth_bandwidth * swath.azimuth_time_interval, swath.azimuth_window, settings.whiten),
            weights(swath.range_bandwidth / swath.range_sampling_rate, swath.range_window, settings.whiten),
            swath.wavelength,
            flatten,
            out,
        )
        return out, int(count)
