"""Variance inflation factors and tolerance, generalised to factors of classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

EXACT = 1e7  # float32 input leaves an exact linear dependence a variance inflation of this order or more


def design(values: np.ndarray, names: Sequence[str], categorical: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Standardised columns of every factor: one for a number, one for each class but the first for classes.

    Parameters
    ----------
    values : (pixels, factors), finite.

    Returns
    -------
    {factor: (pixels, degrees of freedom)}, each column of mean 0 and length 1.
    """
    columns = {}
    for number, name in enumerate(names):
        column = values[:, number].astype(np.float64)
        if name in categorical:
            block = (column[:, None] == np.unique(column)[None, 1:]).astype(np.float64)
        else:
            block = column[:, None]
        block = block - block.mean(axis=0)
        length = np.linalg.norm(block, axis=0)
        columns[name] = block / np.where(length > 0, length, 1)
    return columns


def variance_inflation(columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """VIF and tolerance of every factor against all others, with intercept.

    For a number VIF = 1 / (1 − R²) (Li et al. 2024, eq. 2), the diagonal of the inverse correlation matrix. For
    classes the generalised VIF of Fox and Monette (1992), det R11 · det R22 / det R, which equals the product of
    1 / (1 − ρ²) over the canonical correlations ρ with the other factors, the form used here: it stays right when
    the others depend on each other exactly.

    Parameters
    ----------
    columns : see `design`.

    Returns
    -------
    Rows ``VIF``, ``TOL`` (= 1 / VIF; the layout of Li et al. 2024, Table 2), ``DF`` (degrees of freedom) and
    ``VIF_PER_DF`` (= GVIF^(1/DF): comparable with the VIF of a number); one column for each factor. An exact
    linear combination of others has VIF ∞ and TOL 0.
    """
    # All inner products, hence all that follows, survive in the small triangle of one QR decomposition.
    triangle = np.asarray(np.linalg.qr(np.hstack(list(columns.values())), mode="r"))
    edges = np.cumsum([0] + [block.shape[1] for block in columns.values()])
    table = {}
    for number, name in enumerate(columns):
        own = np.arange(edges[number], edges[number + 1])
        one, rest = _basis(triangle[:, own]), _basis(np.delete(triangle, own, axis=1))
        rho = np.linalg.svd(one.T @ rest, compute_uv=False) if rest.size and one.size else np.zeros(0)
        unexplained = np.prod(1 - np.minimum(rho, 1) ** 2)
        vif = 1 / unexplained if unexplained > 1 / EXACT else np.inf
        df = max(1, one.shape[1])
        table[name] = {"VIF": vif, "TOL": 1 / vif, "DF": df, "VIF_PER_DF": vif ** (1 / df)}
    return pd.DataFrame(table)


def _basis(block: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the columns of `block`, exact dependences left out."""
    if not block.size:
        return block
    u, s, _ = np.linalg.svd(block, full_matrices=False)
    return u[:, s > 1e-4 * s[0]]
