"""Persistent scatterers: pixels whose own phase is better than an average with neighbours (Ferretti et al. 2001)."""

import numpy as np

from slipmap.deformation.phase_linking.link import Linked

LEAST_DATES = 20  # of fewer, speckle is now and then as even as a persistent scatterer
LEAST_DISPERSION = 0.005  # no radar is so stable: amplitudes that are all equal were made so, and tell nothing


def dispersion(samples: np.ndarray) -> np.ndarray:
    """Amplitude dispersion σ/μ over the dates of each SLC pixel, float32 (rows, cols, looks); infinite with a gap."""
    total = np.zeros(samples.shape[1:], np.float32)
    squares = np.zeros_like(total)
    whole = np.ones(total.shape, bool)
    for date in samples:
        amplitude = np.nan_to_num(np.abs(date))
        whole &= amplitude > 0
        total += amplitude
        squares += amplitude**2
    mean = total / len(samples)
    variance = np.maximum(squares / len(samples) - mean**2, 0)
    return np.where(whole, np.sqrt(variance) / np.where(mean > 0, mean, 1), np.inf).astype(np.float32)


def keep_persistent(linked: Linked, samples: np.ndarray, most: float, before: int = 0) -> np.ndarray:
    """Give pixels with a persistent scatterer its own phases, in `linked`; returns which they are, bool (rows, cols).

    A pixel has one where the least dispersed of its SLC pixels has an amplitude dispersion D below `most`. Its phase
    then has about the standard deviation D (rad) on each date, so that its goodness of fit is exp(−D²). Of fewer than
    `LEAST_DATES` dates none is. The first `before` of them are compressed SLCs, whose amplitudes do not count; but
    where they are 0 at the scatterer and not in the rest of its pixel, the scatterer's phase would be relative to
    another date than its pixel's, and it is none.
    """
    if len(samples) - before < LEAST_DATES or not most:
        return np.zeros(linked.fit.shape, bool)
    found = dispersion(samples[before:])
    found[found < LEAST_DISPERSION] = np.inf
    best = found.argmin(axis=-1)
    least = np.take_along_axis(found, best[..., None], -1)[..., 0]
    persistent = least < most
    earlier = np.take_along_axis(samples[:before], best[None, ..., None], -1)[..., 0]
    persistent &= (np.nan_to_num(np.abs(earlier)) > 0).any(axis=0) | (linked.phasors[:before] == 0).all(axis=0)
    rows, cols = np.nonzero(persistent)
    own = samples[:, rows, cols, best[rows, cols]]
    size = np.nan_to_num(np.abs(own))  # that of a compressed SLC may be 0: no earlier date has data there
    own = np.where(size > 0, own / np.where(size > 0, size, 1), 0)
    datum = np.take_along_axis(own, (size > 0).argmax(axis=0)[None], 0)
    spread = least[rows, cols]
    linked.phasors[:, rows, cols] = own * np.conj(datum)
    linked.fit[rows, cols] = np.exp(-(spread**2))
    linked.neighbours[rows, cols] = linked.looks[rows, cols] = 1
    if linked.bound is not None:
        linked.bound[:, rows, cols] = spread * np.sqrt(2)  # relative to the first date
        linked.bound[0, rows, cols] = 0
    return persistent
