"""Simulated stacks of speckle of known coherence, and their linked phases by NumPy's float64 eigendecomposition."""

import numpy as np

LEAST_PIVOT = 0.02


def coherence_of(dates, tau=40.0, first=0.7, last=0.2):
    """Coherences that decay with `tau` days from `first` to `last`, dates 12 days apart."""
    days = 12.0 * np.arange(dates)
    matrix = (first - last) * np.exp(-np.abs(days[:, None] - days) / tau) + last
    np.fill_diagonal(matrix, 1)
    return matrix


def speckle(coherence, rows, cols, looks=4, seed=0, phases=None):
    """Circular Gaussian samples of that coherence, complex64 (dates, rows, cols, looks); `phases` of the dates, rad."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((2, rows, cols, looks, len(coherence)))
    values = (white[0] + 1j * white[1]) @ np.linalg.cholesky(coherence).T / np.sqrt(2)
    if phases is not None:
        values = values * np.exp(1j * phases)
    return np.ascontiguousarray(np.moveaxis(values, -1, 0)).astype(np.complex64)


def matrix_of(samples, weights, r, c, chosen=None):
    """Sample coherence matrix of a pixel's window, complex128."""
    half, size = len(weights) // 2, len(weights)
    total = 0
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            inside = 0 <= r + i < samples.shape[1] and 0 <= c + j < samples.shape[2]
            if inside and (chosen is None or chosen[(i + half) * size + j + half, r, c]):
                z = samples[:, r + i, c + j].astype(complex)
                total = total + weights[i + half] * weights[j + half] * (z @ z.conj().T)
    power = np.sqrt(np.diag(total).real)
    return total / np.outer(power, power)


def exact(gamma, estimator, beta):
    """Phasors, goodness of fit, β and relative distance to the next eigenvalue, by NumPy's eigh."""
    n = len(gamma)
    if estimator == "emi":
        while (np.linalg.eigvalsh(size := (1 - beta) * np.abs(gamma) + beta * np.eye(n))[0] <= 0) or (
            np.diag(np.linalg.cholesky(size)).min() ** 2 < LEAST_PIVOT
        ):
            beta += 0.1
        values, vectors = np.linalg.eigh(np.linalg.inv(size) * gamma)
        v, gap = vectors[:, 0], (values[1] - values[0]) / values[0]
    else:
        values, vectors = np.linalg.eigh(gamma)
        v, gap = vectors[:, -1], (values[-1] - values[-2]) / values[-1]
    u = v / np.abs(v) * np.conj(v[0] / np.abs(v[0]))
    lower = np.tril_indices(n, -1)
    return u, np.cos(np.angle(gamma * np.outer(u.conj(), u)))[lower].mean(), beta, gap
