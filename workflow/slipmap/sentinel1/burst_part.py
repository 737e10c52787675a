"""A burst's pixels on a block of the grid: where the block lies in the radar's geometry, and the values there."""

from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.io.grid import Grid
from slipmap.sentinel1.calibration import calibration
from slipmap.sentinel1.delays import slant_delay
from slipmap.sentinel1.geometry import Ground, geodetic, locate, orbit_numbers
from slipmap.sentinel1.resample import TAPS, resample, weights
from slipmap.sentinel1.scene import GROUND_PER_SLANT, GROUND_SPEED, Scene, SceneBurst
from slipmap.sentinel1.tides import line_of_sight_tide
from slipmap.sentinel1.tops import multiply_carrier, sweep_of

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.geocoding import GeocodingSettings

NODATA = np.complex64(complex(np.nan, np.nan))
_MARGIN = TAPS // 2 + 2  # samples read round what is needed


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
        settings: "GeocodingSettings",
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
    def load(cls, burst: SceneBurst, footprints: np.ndarray, settings: "GeocodingSettings") -> "BurstPart":
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
        settings: "GeocodingSettings",
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
