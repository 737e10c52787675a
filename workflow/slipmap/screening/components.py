"""Principal components of the factors (Zheng et al. 2025, section 2.3)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def scale(values: np.ndarray, scaling: str) -> np.ndarray:
    """Scale each column to 0–1 ("minmax") or to mean 0 and standard deviation 1 ("standard"), float64."""
    values = values.astype(np.float64)
    if scaling == "minmax":
        low, high = values.min(axis=0), values.max(axis=0)
        return np.asarray((values - low) / np.where(high > low, high - low, 1))
    spread = values.std(axis=0, ddof=1)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1))


def principal_components(values: np.ndarray, names: Sequence[str], scaling: str = "minmax") -> pd.DataFrame:
    """Principal components, strongest first.

    Parameters
    ----------
    values : (pixels, factors), finite.
    scaling : "minmax" or "standard", see `scale`.

    Returns
    -------
    One row for each component: ``component``, ``variance`` (of the scaled factors), ``share``, ``cumulative`` and the
    loading of each factor (unit eigenvector; the largest loading of each component is positive).
    """
    if not len(names):
        return pd.DataFrame(columns=["component", "variance", "share", "cumulative"])
    scaled = scale(values, scaling)
    covariance = np.atleast_2d(np.cov(scaled, rowvar=False))
    variance, vectors = np.linalg.eigh(covariance)
    variance, vectors = np.maximum(variance[::-1], 0), vectors[:, ::-1]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(variance))])
    share = variance / variance.sum()
    table = pd.DataFrame(
        {
            "component": np.arange(1, len(variance) + 1),
            "variance": variance,
            "share": share,
            "cumulative": np.cumsum(share),
        }
    )
    return table.join(pd.DataFrame(vectors.T, columns=list(names)))
