"""From factor values to the columns a model takes: classes one-hot, numbers as they are or standardised."""

from collections.abc import Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def encoder(names: Sequence[str], categorical: Sequence[str] = (), *, standardise: bool) -> ColumnTransformer:
    """Transformer of (pixels, factors) arrays; classes come after numbers, unseen classes become all zero."""
    numbers = [i for i, name in enumerate(names) if name not in categorical]
    classes = [i for i, name in enumerate(names) if name in categorical]
    return ColumnTransformer(
        [
            ("numbers", StandardScaler() if standardise else "passthrough", numbers),
            ("classes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), classes),
        ]
    )


def owners(fitted: ColumnTransformer, names: Sequence[str]) -> np.ndarray:
    """For each column that a fitted `encoder` makes, the position in `names` of the factor it came from."""
    (_, _, numbers), (_, one_hot, classes) = fitted.transformers_
    widths = [len(c) for c in one_hot.categories_] if classes else []
    return np.concatenate([np.asarray(numbers, int), np.repeat(np.asarray(classes, int), widths)])
