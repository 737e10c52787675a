"""Interferograms of simulated speckle: many looks at circular Gaussian signals of known coherence."""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

FIRST_DAY = date(2021, 1, 9)


class Ground(NamedTuple):
    """`dates` every 12 days; coherence (first − floor) exp(−Δt/decay) + floor between two of them; `looks` averaged."""

    dates: int
    first: float
    decay: float
    floor: float
    looks: int

    def days(self) -> list[date]:
        """The dates."""
        return [FIRST_DAY + timedelta(days=12 * k) for k in range(self.dates)]

    def coherence(self) -> np.ndarray:
        """(dates, dates) float64, ones on the diagonal."""
        lag = 12.0 * np.abs(np.subtract.outer(np.arange(self.dates), np.arange(self.dates)))
        matrix = (self.first - self.floor) * np.exp(-lag / self.decay) + self.floor
        np.fill_diagonal(matrix, 1)
        return matrix

    def pairs(self, longest: int) -> np.ndarray:
        """(pairs, 2): every pair of dates up to `longest` days apart."""
        return np.array(
            [(i, j) for i in range(self.dates) for j in range(i + 1, self.dates) if 12 * (j - i) <= longest]
        )


def sample_covariance(coherence: np.ndarray, looks: int, pixels: int, rng: np.random.Generator) -> np.ndarray:
    """Normalised sample covariances of `looks` draws, complex (pixels, dates, dates), by Bartlett's decomposition."""
    n = len(coherence)
    factor = np.zeros((pixels, n, n), complex)
    below = np.tril_indices(n, -1)
    normal = rng.standard_normal((2, pixels, len(below[0])))
    factor[:, below[0], below[1]] = (normal[0] + 1j * normal[1]) / np.sqrt(2)
    factor[:, np.arange(n), np.arange(n)] = np.sqrt(rng.gamma(looks - np.arange(n), size=(pixels, n)))
    factor = np.linalg.cholesky(coherence + 1e-12 * np.eye(n)) @ factor
    covariance = factor @ factor.conj().swapaxes(1, 2)
    amplitude = np.sqrt(np.einsum("pii->pi", covariance).real)
    return covariance / (amplitude[:, :, None] * amplitude[:, None, :])


def interferograms(
    ground: Ground, numbers: np.ndarray, pixels: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Phase (rad) and estimated coherence of each pair, (pairs, pixels) float32; ground that does not move."""
    values = sample_covariance(ground.coherence(), ground.looks, pixels, rng)[:, numbers[:, 1], numbers[:, 0]].T
    return np.angle(values).astype(np.float32), np.abs(values).astype(np.float32)
