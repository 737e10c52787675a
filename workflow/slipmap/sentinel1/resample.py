"""Interpolation of deramped bursts, and the reramped, flattened value at a ground point."""

from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Complexes, Doubles, Floats
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.sentinel1.tops import carrier

TAPS = 8  # in each direction
PHASES = 512  # fractions of a sample for which weights are tabulated
TWO_PI = 2 * np.pi


def correlation(lags: NDArray[np.number], bandwidth: float, window: float) -> Doubles:
    """Autocorrelation of a signal whose spectrum is white times a squared Hamming window.

    Parameters
    ----------
    lags : samples. bandwidth : as a share of the sampling rate. window : α in α + (1 − α) cos(2π f / B), 1: none.
    """
    b = 1 - window
    # the square of the window: α² + b²/2 + 2αb cos + b²/2 cos of twice the argument
    terms = ((window**2 + b**2 / 2, 0), (2 * window * b, 1), (b**2 / 2, 2))
    x = np.asarray(lags, float) * bandwidth
    total = np.zeros_like(x)
    for c, k in terms:
        total += c * (np.sinc(x + k) + np.sinc(x - k)) / 2
    return total / terms[0][0]


def whitened_correlation(lags: NDArray[np.number], bandwidth: float, window: float) -> Doubles:
    """Correlation of the same signal with itself whitened (its spectrum over the window), 1 at lag 0."""
    x = np.asarray(lags, float) * bandwidth
    return np.sinc(x) + (1 - window) / (2 * window) * (np.sinc(x + 1) + np.sinc(x - 1))


@cache
def weights(bandwidth: float, window: float, whiten: bool = False, taps: int = TAPS, phases: int = PHASES) -> Floats:
    """Least-squares interpolator of a band-limited signal: (phases + 1, taps) float32.

    Row k holds the weights of the samples −taps/2 + 1 … taps/2 round a point k/phases after sample 0. They minimise the
    mean square error for a stationary signal of the processed band's spectrum (Wiener interpolation; Yen 1956), which
    for so few taps errs far less than any windowed sinc.

    Parameters
    ----------
    bandwidth : processed bandwidth as a share of the sampling rate. window : its Hamming coefficient.
    whiten : take the window off again: resolution as of the whole band, 1.2 times as many independent looks in either
        direction (for α = 0.75), side lobes of −13 instead of −21 dB.
    """
    places = np.arange(taps) - taps // 2 + 1
    noise = 1e-3 if whiten else 1e-7  # taking the window off must not blow up what lies beyond the band
    matrix = correlation(places[:, None] - places[None, :], bandwidth, window) + noise * np.eye(taps)
    wanted = (whitened_correlation if whiten else correlation)(
        np.arange(phases + 1)[:, None] / phases - places[None, :], bandwidth, window
    )
    return np.ascontiguousarray(np.linalg.solve(matrix, wanted.T).T.astype(np.float32))


@numba.njit(inline="always")
def interpolate(
    pixels: Floats, line: float, sample: float, line_weights: Floats, sample_weights: Floats
) -> tuple[np.float32, np.float32]:
    """Real and imaginary part at fractional (line, sample).

    `pixels` is (lines, 2 × samples) float32, parts interleaved; the caller sees to it that all taps lie inside.
    """
    i, j = int(np.floor(line)), int(np.floor(sample))
    # round to the nearest tabulated fraction: at 1/512 sample the phase errs by 0.2 degrees at the band's edge at most
    row = line_weights[int((line - i) * (line_weights.shape[0] - 1) + 0.5)]
    col = sample_weights[int((sample - j) * (sample_weights.shape[0] - 1) + 0.5)]
    first = 2 * (j - TAPS // 2 + 1)
    real = np.float32(0)
    imaginary = np.float32(0)
    for k in range(TAPS):  # a constant number, so that the loops are unrolled: twice as fast
        at = i - TAPS // 2 + 1 + k
        re = np.float32(0)
        im = np.float32(0)
        for m in range(TAPS):
            re += col[m] * pixels[at, first + 2 * m]
            im += col[m] * pixels[at, first + 2 * m + 1]
        real += row[k] * re
        imaginary += row[k] * im
    return real, imaginary


@numba.njit(parallel=True, cache=True)
def resample(
    pixels: Floats,
    times: Doubles,
    ranges: Doubles,
    extra: Floats,
    epoch: float,
    frame: Doubles,
    limits: Doubles,
    own: int,
    timing: NDArray[np.number],
    sweep: Doubles,
    line_weights: Floats,
    sample_weights: Floats,
    wavelength: float,
    flatten: bool,
    out: Complexes,
) -> int:
    """Fill `out` where burst `own` is the one that sees a pixel best; returns how many pixels were filled.

    Parameters
    ----------
    pixels : deramped part of the burst, (lines, 2 × samples) float32, real and imaginary interleaved.
    times, ranges : of `locate`, times after `epoch` (s). extra : (rows, cols) float32 delay added to the range for the
        place in the image (m), or (1, 1).
    frame : line interval (s), sampling rate (Hz), bistatic reference τ (s; NaN: no correction), metres per line, metres
        per sample, azimuth shift (s), range time per Doppler (−1/chirp rate; 0: no intra-pulse correction).
    limits : (bursts, 6): start (s), τ of sample 0 (s), first and last valid line, first and last valid sample.
    timing : burst's first loaded line and sample. sweep : of `Sweep.numbers`.
    flatten : multiply by exp(+j 4π R/λ). out : (rows, cols) complex64, untouched where another burst is better.
    """
    rows, cols = times.shape
    half = TAPS // 2
    counts = np.zeros(rows, np.int64)
    for i in numba.prange(rows):
        for j in range(cols):
            r = ranges[i, j]
            if not np.isfinite(r):
                continue
            delay = extra[i, j] if extra.shape[0] > 1 or extra.shape[1] > 1 else extra[0, 0]
            tau = 2.0 * (r + delay) / SPEED_OF_LIGHT
            time = times[i, j] + epoch + frame[5]
            at = time  # azimuth time at which the processor has put it
            if np.isfinite(frame[2]):
                at -= (tau - frame[2]) / 2.0
            place = tau
            if frame[6] != 0.0:
                place += frame[6] * carrier(sweep, at, tau)[1]
            best = 0.0
            which = -1
            for b in range(limits.shape[0]):
                line = (at - limits[b, 0]) / frame[0]
                sample = (place - limits[b, 1]) * frame[1]
                inside = min(
                    min(line - limits[b, 2], limits[b, 3] - line) * frame[3],
                    min(sample - limits[b, 4], limits[b, 5] - sample) * frame[4],
                )
                if inside > best:
                    best, which = inside, b
            if which != own:
                continue
            line = (at - limits[own, 0]) / frame[0] - timing[0]
            sample = (place - limits[own, 1]) * frame[1] - timing[1]
            if (
                line < half - 1
                or sample < half - 1
                or line >= pixels.shape[0] - half
                or sample >= pixels.shape[1] // 2 - half
            ):
                continue
            re, im = interpolate(pixels, line, sample, line_weights, sample_weights)
            phase = carrier(sweep, at, place)[0]
            if flatten:
                phase += 2.0 * TWO_PI * r / wavelength
            turns = phase / TWO_PI
            angle = np.float32(TWO_PI * (turns - np.floor(turns)))
            c, s = np.cos(angle), np.sin(angle)
            out[i, j] = complex(re * c - im * s, re * s + im * c)
            counts[i] += 1
    return int(counts.sum())
