"""Focused TOPS bursts of point scatterers: the forward model that geocoding inverts."""

import numba
import numpy as np

from slipmap.arrays import Complexes, Doubles, Floats
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.sentinel1.tops import carrier

TAPS = 12
PHASES = 256
TWO_PI = 2 * np.pi


def impulse_response(x: Doubles, bandwidth: float, window: float) -> Doubles:
    """Response at `x` samples from a point, of unit energy: the transform of a Hamming-weighted band.

    Parameters
    ----------
    bandwidth : share of the sampling rate. window : α in α + (1 − α) cos(2π f / B).
    """
    b: Doubles = np.asarray(x, float) * bandwidth
    side = (1 - window) / 2
    response: Doubles = window * np.sinc(b) + side * (np.sinc(b - 1) + np.sinc(b + 1))
    return response * float(np.sqrt(bandwidth / (window**2 + (1 - window) ** 2 / 2)))


def kernel(bandwidth: float, window: float) -> Floats:
    """`impulse_response` at 1/256 sample, cut off smoothly after six samples: (257, 12) float32.

    Row k is for a point k/256 after sample 0 and holds the samples −5 … 6.
    """
    places = np.arange(TAPS) - TAPS // 2 + 1
    x = places[None, :] - np.arange(PHASES + 1)[:, None] / PHASES
    edge: Doubles = np.clip(2 * (TAPS / 2 - np.abs(x)) / TAPS * 3, 0, 1)
    cut = np.sin(np.pi / 2 * edge) ** 2
    return np.asarray(impulse_response(x, bandwidth, window) * cut, np.float32)


@numba.njit(nogil=True, cache=True)
def add_scatterers(
    pixels: Floats,
    amplitudes: Complexes,
    times: Doubles,
    ranges: Doubles,
    frame: Doubles,
    sweep: Doubles,
    line_kernel: Floats,
    sample_kernel: Floats,
) -> None:
    """Add the responses of scatterers to a deramped burst.

    Parameters
    ----------
    pixels : (lines, 2 × samples) float32, real and imaginary part interleaved; written.
    amplitudes : (n,) complex64. times, ranges : (n,) zero-Doppler azimuth times, s, and apparent ranges, m.
    frame : start of the burst (s), line interval (s), τ of sample 0 (s), sampling rate (Hz), bistatic reference τ (s),
        wavelength (m). sweep : of `Sweep.numbers`.
    """
    lines, samples = pixels.shape[0], pixels.shape[1] // 2
    half = line_kernel.shape[1] // 2
    fractions = line_kernel.shape[0] - 1
    # both twice, for the real and the imaginary part of each sample, which then lie beside those of the pixels
    doubled = np.empty((fractions + 1, 4 * half), np.float32)
    for m in range(2 * half):
        doubled[:, 2 * m] = doubled[:, 2 * m + 1] = sample_kernel[:, m]
    parts = np.empty(4 * half, np.float32)
    for n in range(len(times)):
        tau = 2.0 * ranges[n] / SPEED_OF_LIGHT
        at = times[n] - (tau - frame[4]) / 2.0
        line = (at - frame[0]) / frame[1]
        i = int(np.floor(line))
        if i + half < 0 or i - half + 1 >= lines:
            continue
        sample = (tau - frame[2]) * frame[3]
        j = int(np.floor(sample))
        if j - half + 1 < 0 or j + half >= samples:
            continue
        turns = (carrier(sweep, at, tau)[0] + 2.0 * TWO_PI * ranges[n] / frame[5]) / TWO_PI
        angle = np.float32(-TWO_PI * (turns - np.floor(turns)))
        c, s = np.cos(angle), np.sin(angle)
        parts[::2] = amplitudes[n].real * c - amplitudes[n].imag * s
        parts[1::2] = amplitudes[n].real * s + amplitudes[n].imag * c
        row = line_kernel[int((line - i) * fractions + 0.5)]
        col = doubled[int((sample - j) * fractions + 0.5)]
        first = 2 * (j - half + 1)
        for k in range(2 * half):
            y = i - half + 1 + k
            if 0 <= y < lines:
                near = pixels[y, first : first + 4 * half]
                for q in range(4 * half):
                    near[q] += parts[q] * row[k] * col[q]
