"""Motion taken out before neighbours are averaged, and put back after: at the edges of moving ground they differ by it.

A first pass over a small window finds where ground moves against its surroundings. There each pixel's rate follows from
its own SLC pixels alone, since neighbours across an edge would lend it theirs, and from the rates next to it
(`rate_field`). What is taken out is put back exactly, so that an error e of the rates becomes e less its average over
the window. Rates are therefore smoothed: averaging then meets the noise of single pixels hardly at all, and the error
of a smooth field twice.
"""

import numpy as np
from scipy import ndimage

from slipmap.deformation.phase_linking import rate_field
from slipmap.parallel import each

LEAST_DATES = 10  # of fewer, a periodogram tells no rate from noise
FASTEST = 15.0  # rad/yr, 66 mm/yr in C band
STEP = 0.5  # rad/yr: an eighth of a turn in 1.5 years
SLOWEST = 0.8  # rad/yr; ground where nothing is faster is averaged as it is
AT_ONCE = 2**10  # pixels whose likelihoods are looked at together
CLEAR = 0.6  # peak of a periodogram that is no noise
SURROUNDINGS = 25  # pixels, side of what a pixel moves against
AROUND = 4  # pixels round moving ground whose rates are looked for too
SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)  # of the field of rates, rows and columns
SHARP = 6.0  # rad/yr (26 mm/yr in C band) between neighbours: an edge, across which nothing is smoothed
REACH = SURROUNDINGS // 2 + 3 + AROUND + rate_field.ROUNDS  # pixels on which a rate depends; 3: two medians, a mean


def rates(
    phasors: np.ndarray,
    fit: np.ndarray,
    years: np.ndarray,
    samples: np.ndarray,
    looks: float = 1.0,
    threads: int = 1,
) -> np.ndarray:
    """Rate of each pixel against its surroundings, rad/yr, float32 (rows, cols); 0 away from moving ground.

    Parameters
    ----------
    phasors : complex64 (dates, rows, cols), first linked phases, 0 where no data. fit : their goodness of fit.
    years : (dates,). samples : complex64 (dates, rows, cols, SLC pixels of a pixel). looks : independent ones of these.
    """
    if len(phasors) < LEAST_DATES:
        return np.zeros(fit.shape, np.float32)
    time = (years - years.mean()).astype(np.float32)
    tried = np.arange(-FASTEST, FASTEST + STEP / 2, STEP, dtype=np.float32)
    turns = np.exp(-1j * tried[:, None] * time).astype(np.complex64)
    weight = np.clip(np.nan_to_num(fit), 0, 1) ** 2
    around = np.empty(phasors.shape, np.complex64)
    each(lambda k: _surroundings(phasors[k] * weight, around[k]), range(len(phasors)), threads)
    moving = _moving(phasors, around, turns, tried, threads)
    near = ndimage.binary_dilation(moving, np.ones((3, 3)), AROUND)
    if not near.any():
        return np.zeros(fit.shape, np.float32)
    rows, cols = np.nonzero(near)
    cost = np.empty((len(rows), len(tried)), np.float32)

    def likelihoods(part: slice) -> None:
        own = np.nan_to_num(samples[:, rows[part], cols[part]]) * np.conj(around[:, rows[part], cols[part]])[..., None]
        cost[part] = _unlikely(own, turns, looks)

    each(likelihoods, _parts(len(rows)), threads)
    found = np.zeros(fit.shape, np.float32)
    found[rows, cols] = rate_field.smooth_rates(cost, near, tried, threads)
    return _smooth(ndimage.median_filter(found, 3))


def _parts(pixels: int) -> list[slice]:
    return [slice(start, start + AT_ONCE) for start in range(0, pixels, AT_ONCE)]


def _surroundings(date: np.ndarray, out: np.ndarray) -> None:
    """Phasors of the mean of the surroundings of a date's weighted phasors."""
    mean = ndimage.uniform_filter(date.real, SURROUNDINGS) + 1j * ndimage.uniform_filter(date.imag, SURROUNDINGS)
    size = np.abs(mean)
    np.divide(mean, np.where(size > 0, size, 1), out=out)


def _moving(phasors: np.ndarray, around: np.ndarray, turns: np.ndarray, tried: np.ndarray, threads: int) -> np.ndarray:
    """Where a periodogram against the surroundings has a clear peak at a rate that counts, bool (rows, cols).

    Parameters
    ----------
    phasors, around : (dates, rows, cols).
    """
    own, other = phasors.reshape(len(phasors), -1), around.reshape(len(around), -1)
    found, peak = np.empty(own.shape[1], np.float32), np.empty(own.shape[1], np.float32)

    def periodograms(part: slice) -> None:
        power = np.abs(turns @ (own[:, part] * np.conj(other[:, part]))) / len(own)
        found[part], peak[part] = tried[power.argmax(axis=0)], power.max(axis=0)

    each(periodograms, _parts(own.shape[1]), threads)
    found[(peak < CLEAR) | (np.abs(found) < SLOWEST)] = 0
    return np.asarray(ndimage.median_filter(found.reshape(phasors.shape[1:]), 3) != 0)


def _smooth(rate: np.ndarray) -> np.ndarray:
    """Mean of each pixel and those of its neighbours that move nearly as it does, float32 (rows, cols)."""
    padded = np.pad(rate, 1, mode="edge")
    total, share = np.zeros_like(rate), np.zeros_like(rate)
    for (i, j), weight in np.ndenumerate(np.outer(SMOOTH, SMOOTH)):
        other = padded[i : i + rate.shape[0], j : j + rate.shape[1]]
        alike = weight * (np.abs(other - rate) <= SHARP)
        total += alike * other
        share += alike
    return np.asarray(total / share)


def _unlikely(own: np.ndarray, turns: np.ndarray, looks: float) -> np.ndarray:
    """Less the logarithm of the likelihood of each rate, float32 (pixels, rates), up to a constant.

    With the share Q of a pixel's power that one rate explains, of N dates and L independent looks of constant signal in
    white noise, it is N L ln(1 − Q).

    Parameters
    ----------
    own : complex64 (dates, pixels, SLC pixels), SLCs without the phase of the surroundings.
    """
    dates, pixels, cells = own.shape
    total = np.square(np.abs(own)).sum(axis=(0, 2))
    power = np.square(np.abs(turns @ own.reshape(dates, -1))).reshape(len(turns), pixels, cells).sum(axis=-1)
    share = power / np.maximum(total * dates, 1e-20)
    return np.asarray((dates * looks * np.log1p(-np.minimum(share, 0.98))).T, np.float32)


def turned(
    values: np.ndarray,
    rate: np.ndarray,
    years: np.ndarray,
    sign: int,
    out: np.ndarray | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Values of all dates, (dates, rows, cols, …), with the phase sign · rate · time added; complex64.

    Parameters
    ----------
    out : where they go, `values` themselves for instance; None: into an array of its own.
    """
    result = np.empty(values.shape, np.complex64) if out is None else out

    def turn(k: int) -> None:
        phasor = np.exp(1j * np.float32(sign * years[k]) * rate).astype(np.complex64)
        np.multiply(values[k], phasor.reshape(rate.shape + (1,) * (values.ndim - 3)), out=result[k])

    each(turn, range(len(years)), threads)
    return result
