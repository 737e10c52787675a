"""Pearson and Spearman correlation of factors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata


def pearson(values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Pearson product-moment correlation (Li et al. 2024, eq. 1).

    Parameters
    ----------
    values : (pixels, factors), finite.
    names : factors, in the order of the columns.

    Returns
    -------
    (factors, factors) table, 1 on the diagonal.
    """
    if not len(names):
        return pd.DataFrame()
    matrix = np.atleast_2d(np.corrcoef(values.astype(np.float64), rowvar=False))
    np.fill_diagonal(matrix, 1.0)
    return pd.DataFrame(np.clip(matrix, -1, 1), index=list(names), columns=list(names))


def spearman(values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Spearman rank correlation: Pearson's on mid-ranks, so that ties are right. As `pearson`."""
    return pearson(rankdata(values, axis=0) if len(names) else values, names)


def strongest_pairs(matrix: pd.DataFrame, limit: float) -> list[tuple[str, str, float]]:
    """Pairs with |r| above `limit`, strongest first: (one, other, r)."""
    if len(matrix) < 2:
        return []
    rows, cols = np.triu_indices(len(matrix), k=1)
    r = matrix.to_numpy()[rows, cols]
    order = np.argsort(-np.abs(r), kind="stable")
    names = list(matrix.columns)
    return [(names[rows[i]], names[cols[i]], float(r[i])) for i in order if abs(r[i]) > limit]
