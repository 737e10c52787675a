"""The phase that the TOPS sweep leaves in a focused burst (Miranda 2014/2017, ESA-EOPG-CSCOP-TN-0052).

While the antenna is steered from aft to fore, the Doppler centroid of the raw data rises by kₛ = 2 v kψ f₀ / c (Hz/s);
in the focused image, where lines are zero-Doppler times, by

    kₜ(τ) = kₐ kₛ / (kₐ − kₛ),    kₐ(τ) < 0 the Doppler rate of a target.

The impulse response of a target at η₀ is then the low-pass one times exp j(φ(η) − φ(η₀)) with

    φ(η, τ) = π kₜ (η − η_ref)² + 2π f_c (η − η_ref),    η_ref(τ) = f_c(τ_mid)/kₐ(τ_mid) − f_c(τ)/kₐ(τ),

f_c the Doppler centroid at the burst's middle, η the time from there. Deramping multiplies by exp(−jφ) and leaves a
signal that can be interpolated; reramping multiplies by exp(+jφ) at the new place.
"""

from dataclasses import dataclass

import numba
import numpy as np

from slipmap.arrays import Complexes, Doubles
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.sentinel1.annotation import Burst, Polynomial, Swath


@dataclass(frozen=True)
class Sweep:
    """φ(η, τ) of one burst.

    Parameters
    ----------
    middle : azimuth time of η = 0, s. antenna_rate : kₛ, Hz/s. fm_rate : kₐ(τ). doppler : f_c(τ).
    reference : f_c/kₐ at mid swath, s.
    """

    middle: float
    antenna_rate: float
    fm_rate: Polynomial
    doppler: Polynomial
    reference: float

    def parts(self, slant_range_time: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """kₜ (Hz/s), η_ref (s) and f_c (Hz) at `slant_range_time` (s)."""
        rate, centroid = self.fm_rate(slant_range_time), self.doppler(slant_range_time)
        return rate * self.antenna_rate / (rate - self.antenna_rate), self.reference - centroid / rate, centroid

    def phase(self, eta: Doubles, slant_range_time: Doubles) -> Doubles:
        """φ, rad, at η and τ (s; shapes that broadcast)."""
        rate, reference, centroid = self.parts(slant_range_time)
        x = eta - reference
        return np.pi * rate * x * x + 2 * np.pi * centroid * x

    def frequency(self, eta: Doubles, slant_range_time: Doubles) -> Doubles:
        """Doppler centroid of the focused image, ∂φ/∂η / 2π, Hz."""
        rate, reference, centroid = self.parts(slant_range_time)
        return rate * (eta - reference) + centroid

    def numbers(self) -> Doubles:
        """Everything as one array for compiled code; see `carrier`."""
        polynomials = [
            value for p in (self.fm_rate, self.doppler) for value in (p.t0, *(list(p.coefficients) + [0.0] * 5)[:5])
        ]
        return np.array([self.middle, self.antenna_rate, self.reference, *polynomials])


def sweep_of(swath: Swath, burst: Burst) -> Sweep:
    """The sweep of `burst`: polynomials nearest in time to its middle, satellite speed there."""
    middle = burst.start + burst.lines / 2 * swath.azimuth_time_interval
    _, velocity = swath.orbit.local(middle, middle).state(middle)
    rate = 2 * float(np.linalg.norm(velocity)) * swath.steering_rate * swath.radar_frequency / SPEED_OF_LIGHT
    fm_rate, doppler = (min(found, key=lambda p: abs(p.time - middle)) for found in (swath.fm_rates, swath.doppler))
    centre = swath.middle_range_time
    return Sweep(middle, rate, fm_rate, doppler, float(doppler(centre) / fm_rate(centre)))


@numba.njit(inline="always")
def carrier(numbers: Doubles, time: float, tau: float) -> tuple[float, float]:
    """Phase φ (rad) and its frequency (Hz) at azimuth time `time` and slant range time `tau`; of `Sweep.numbers`."""
    d = tau - numbers[3]
    rate = numbers[4] + d * (numbers[5] + d * (numbers[6] + d * (numbers[7] + d * numbers[8])))
    d = tau - numbers[9]
    centroid = numbers[10] + d * (numbers[11] + d * (numbers[12] + d * (numbers[13] + d * numbers[14])))
    x = time - numbers[0] - numbers[2] + centroid / rate
    sweep = rate * numbers[1] / (rate - numbers[1])
    return np.pi * x * (sweep * x + 2.0 * centroid), sweep * x + centroid


@numba.njit(parallel=True, cache=True)
def multiply_carrier(
    pixels: Complexes, numbers: Doubles, time: float, interval: float, tau: float, step: float, sign: float
) -> None:
    """Multiply `pixels` (lines, samples; complex64) by exp(j sign φ) in place: −1 deramps, +1 reramps.

    Parameters
    ----------
    time, interval : azimuth time of the first line and from line to line, s. tau, step : slant range time of the first
        sample and from sample to sample, s.
    """
    lines, samples = pixels.shape
    for i in numba.prange(lines):
        at = time + i * interval
        for j in range(samples):
            phase, _ = carrier(numbers, at, tau + j * step)
            turns = phase / (2.0 * np.pi)
            angle = np.float32(sign * 2.0 * np.pi * (turns - np.floor(turns)))
            pixels[i, j] *= complex(np.cos(angle), np.sin(angle))
