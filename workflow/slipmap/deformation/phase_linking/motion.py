"""Motion taken out before neighbours are averaged, and put back after: at the edges of moving ground they differ by it.

The rate of each pixel against its surroundings is the peak of the periodogram of its first linked phases. Any error of
it only leaves motion in the average: what is taken out is put back exactly.
"""

import numpy as np
from scipy import ndimage

LEAST_DATES = 10  # of fewer, a periodogram tells no rate from noise
FASTEST = 15.0  # rad/yr, 66 mm/yr in C band
STEP = 0.4  # rad/yr: a tenth of a turn in 1.5 years
SLOWEST = 0.8  # rad/yr; slower ground is averaged as it is
CLEAR = 0.6  # peak of a periodogram that is no noise
SURROUNDINGS = 25  # pixels, side of what a pixel moves against


def rates(phasors: np.ndarray, fit: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Rate of each pixel against its surroundings, rad/yr, float32 (rows, cols); 0 where slow or not clear.

    Parameters
    ----------
    phasors : complex64 (dates, rows, cols), 0 where no data. fit : goodness of fit. years : (dates,).
    """
    dates = len(phasors)
    if dates < LEAST_DATES:
        return np.zeros(fit.shape, np.float32)
    time = (years - years.mean()).astype(np.float32)
    tried = np.arange(-FASTEST, FASTEST + STEP / 2, STEP, dtype=np.float32)
    turns = np.exp(-1j * tried[:, None] * time).astype(np.complex64)
    weight = np.clip(np.nan_to_num(fit), 0, 1) ** 2
    own = np.stack([_against(date, weight) for date in phasors]).reshape(dates, -1)
    found, peak = np.empty(own.shape[1], np.float32), np.empty(own.shape[1], np.float32)
    for start in range(0, own.shape[1], 2**14):
        part = slice(start, start + 2**14)
        power = np.abs(turns @ own[:, part]) / dates
        found[part], peak[part] = _vertex(power, tried)
    found[(peak < CLEAR) | (np.abs(found) < SLOWEST)] = 0
    return ndimage.median_filter(found.reshape(fit.shape), 3)


def _against(date: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A date's phasors relative to the weighted mean of their surroundings."""
    weighed = date * weight
    mean = ndimage.uniform_filter(weighed.real, SURROUNDINGS) + 1j * ndimage.uniform_filter(weighed.imag, SURROUNDINGS)
    size = np.abs(mean)
    return (date * np.conj(mean) / np.where(size > 0, size, 1)).astype(np.complex64)


def _vertex(power: np.ndarray, tried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place and height of the largest of (rates, pixels), the place by a parabola through its neighbours."""
    at = np.clip(power.argmax(axis=0), 1, len(tried) - 2)
    pixels = np.arange(power.shape[1])
    before, top, after = (power[at + k, pixels] for k in (-1, 0, 1))
    bend = before - 2 * top + after
    aside = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0)
    return tried[at] + STEP * np.clip(aside, -1, 1), power.max(axis=0)


def turned(values: np.ndarray, rate: np.ndarray, years: np.ndarray, sign: int) -> np.ndarray:
    """Values of all dates, (dates, rows, cols, …), with the phase sign · rate · time added; complex64."""
    out = np.empty(values.shape, np.complex64)
    for k, year in enumerate(years):
        phasor = np.exp(1j * np.float32(sign * year) * rate).astype(np.complex64)
        np.multiply(values[k], phasor.reshape(rate.shape + (1,) * (values.ndim - 3)), out=out[k])
    return out
