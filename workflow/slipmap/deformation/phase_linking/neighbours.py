"""Which neighbours of a pixel scatter as it does: two tests of their amplitudes over all dates."""

import numba
import numpy as np

from slipmap.arrays import Flags, Floats

EMPTY = 1e-20  # power below which a pixel has no data


def power(samples: np.ndarray) -> np.ndarray:
    """Mean power of each date's cell, float32 (dates, rows, cols), of (dates, rows, cols, looks); 0 without data."""
    result = np.empty(samples.shape[:3], np.float32)
    for date, out in zip(samples, result, strict=True):
        np.nan_to_num(date.real**2 + date.imag**2).mean(axis=-1, out=out)
    return result


def homogeneous(samples: np.ndarray, size: int, test: str, significance: float, looks: float) -> np.ndarray | None:
    """Neighbours in a window of `size` × `size` pixels that the test does not tell from the middle.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, looks per pixel). looks : independent ones.
    test : "glrt": ratio of the likelihoods of one mean power or two (exponential speckle); "ks": Kolmogorov–Smirnov,
        of the distributions of the dates' amplitudes; "none": all count.
    significance : share of like neighbours that the test may reject.

    Returns
    -------
    bool (size², rows, cols), row by row of the window, the middle always true; None for "none". Neighbours beyond the
    edge or without data are false.
    """
    if test == "none":
        return None
    powers = power(samples)
    if test == "glrt":
        from scipy.special import chdtri

        count = (powers > EMPTY).sum(axis=0).astype(np.float32)
        mean = np.divide(powers.sum(axis=0), count, out=np.zeros_like(count), where=count > 0)
        return _alike_in_mean(mean, count * np.float32(looks), size, np.float32(chdtri(1, significance)))
    dates = len(powers)
    ordered = np.ascontiguousarray(np.moveaxis(powers, 0, -1))
    ordered.sort(axis=-1)
    distance = np.sqrt(-np.log(significance / 2) / dates)
    return _alike_in_distribution(ordered, size, np.float32(distance))


@numba.njit(cache=True)
def _alike_in_mean(mean: Floats, count: Floats, size: int, limit: np.float32) -> Flags:
    """−2 ln Λ of two means of `count` exponential samples each is χ² with one degree of freedom."""
    rows, cols = mean.shape
    half = size // 2
    found = np.zeros((size * size, rows, cols), np.bool_)
    for q in range(size * size):
        dr, dc = q // size - half, q % size - half
        for r in range(max(0, -dr), min(rows, rows - dr)):
            for c in range(max(0, -dc), min(cols, cols - dc)):
                a, b = mean[r, c], mean[r + dr, c + dc]
                if a <= EMPTY or b <= EMPTY:
                    continue
                m, n = count[r, c], count[r + dr, c + dc]
                both = (m * a + n * b) / (m + n)
                ratio = 2 * ((m + n) * np.log(both) - m * np.log(a) - n * np.log(b))
                found[q, r, c] = ratio <= limit or (dr == 0 and dc == 0)
    return found


@numba.njit(cache=True)
def _alike_in_distribution(ordered: Floats, size: int, limit: np.float32) -> Flags:
    """Largest difference of two empirical distributions of equal size, from ordered samples; ties are one step."""
    rows, cols, dates = ordered.shape
    half = size // 2
    found = np.zeros((size * size, rows, cols), np.bool_)
    for q in range(size * size // 2 + 1):  # the other half by symmetry
        dr, dc = q // size - half, q % size - half
        for r in range(max(0, -dr), min(rows, rows - dr)):
            for c in range(max(0, -dc), min(cols, cols - dc)):
                own, other = ordered[r, c], ordered[r + dr, c + dc]
                if own[dates - 1] <= EMPTY or other[dates - 1] <= EMPTY:
                    continue
                i, j, most = 0, 0, 0
                while i < dates and j < dates:
                    step = min(own[i], other[j])
                    while i < dates and own[i] <= step:
                        i += 1
                    while j < dates and other[j] <= step:
                        j += 1
                    most = max(most, abs(i - j))
                alike = most <= limit * dates or (dr == 0 and dc == 0)
                found[q, r, c] = alike
                found[size * size - 1 - q, r + dr, c + dc] = alike
    return found
