"""What Γ tells beside the linked phases, on request: its largest eigenvalues, and how far triplets are from closing."""

from collections.abc import Iterator

import numpy as np

from slipmap.deformation.phase_linking.covariance import NOTHING

BAND_BYTES = 16 * 2**20  # of matrices at a time
CLOSURE, EIGENVALUES = "closure.tif", "eigenvalues.tif"


def described(
    samples: np.ndarray, weights: np.ndarray, chosen: np.ndarray | None, *, closure: int | None, eigenvalues: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Closure, float32 (rows, cols), rad, and largest eigenvalues, (eigenvalues, rows, cols); None if not asked for.

    Parameters
    ----------
    samples, weights, chosen : as of `link.link`. closure : the first date whose triplets count; None: no closure.
    eigenvalues : how many, the largest first; 0: none.

    Notes
    -----
    The closure is the root mean square of arg(Γₖₗ Γₗₘ Γₘₖ) over the triplets of three dates next to each other, as far
    as all three have data; single looks always close, averages do not. NaN where no triplet has data. The eigenvalues
    of N dates with data sum to N: of ground that one scatterer explains the first is N, of noise all are about 1. A
    date without data adds an eigenvalue of 0.
    """
    if closure is None and not eigenvalues:
        return None, None
    shape = samples.shape[1:3]
    closures = None if closure is None else np.empty(shape, np.float32)
    largest = np.empty((eigenvalues, *shape), np.float32) if eigenvalues else None
    for rows, gamma in _gammas(samples, weights, chosen):
        if closures is not None:
            closures[rows] = _closure(gamma[..., closure:, closure:])
        if largest is not None:
            largest[:, rows] = np.moveaxis(np.linalg.eigvalsh(gamma)[..., : -eigenvalues - 1 : -1], -1, 0)
    return closures, largest


def _closure(gamma: np.ndarray) -> np.ndarray:
    """See `described`; of (…, dates, dates)."""
    first = np.arange(max(gamma.shape[-1] - 2, 0))
    product = gamma[..., first, first + 1] * gamma[..., first + 1, first + 2] * gamma[..., first + 2, first]
    there = np.abs(product) > NOTHING
    count = there.sum(axis=-1)
    squares = np.where(there, np.angle(product) ** 2, 0).sum(axis=-1)
    return np.where(count > 0, np.sqrt(squares / np.maximum(count, 1)), np.nan).astype(np.float32)


def _gammas(samples: np.ndarray, weights: np.ndarray, chosen: np.ndarray | None) -> Iterator[tuple[slice, np.ndarray]]:
    """Some rows at a time and their Γ, complex64 (rows, cols, dates, dates), 0 in rows of dates without data."""
    dates, rows, cols, _ = samples.shape
    half, size = len(weights) // 2, len(weights)
    step = max(1, BAND_BYTES // (8 * dates**2 * cols))
    for first in range(0, rows, step):
        last = min(rows, first + step)
        above, below = max(0, first - half), min(rows, last + half)
        margin = ((above - first + half, last + half - below), (half, half), (0, 0))
        own = np.moveaxis(np.nan_to_num(samples[:, above:below]), 0, 2)
        padded = np.pad(np.matmul(own, np.conj(np.swapaxes(own, -1, -2))), (*margin, (0, 0)))
        total = np.zeros((last - first, cols, dates, dates), np.complex64)
        for q in range(size**2):
            i, j = divmod(q, size)
            weight = np.full((last - first, cols), weights[i] * weights[j], np.float32)
            if chosen is not None:
                weight *= chosen[q, first:last]
            total += weight[..., None, None] * padded[i : i + last - first, j : j + cols]
        power = np.diagonal(total, axis1=-2, axis2=-1).real
        scale = np.where(power > NOTHING, 1 / np.sqrt(np.maximum(power, NOTHING)), 0)
        yield slice(first, last), total * scale[..., :, None] * scale[..., None, :]
