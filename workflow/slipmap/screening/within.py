"""Screening of a sample in memory: what the pixels of some folds say about which factors stay."""

import numpy as np
import pandas as pd

from slipmap.config.screening import ScreeningSettings
from slipmap.errors import InputError
from slipmap.screening import collinearity, correlation, decision, importance
from slipmap.screening.sampling import Sample


def screened(sample: Sample, settings: ScreeningSettings) -> list[str]:
    """Names of the factors that stay, by the thresholds of `settings`, judged on the pixels of `sample` alone.

    A factor with one value goes. Importance is worked out only where a decision hangs on it.

    Raises
    ------
    InputError : no factor stays.
    """
    varied = [name for name in sample.names if sample.column(name).min() < sample.column(name).max()]
    sample = sample.select(varied)
    numbers = sample.columns(sample.continuous)
    deciding = (correlation.pearson if settings.correlation == "pearson" else correlation.spearman)(
        numbers, sample.continuous
    )
    columns = collinearity.design(sample.values, sample.names, list(sample.categories))
    pairs = correlation.strongest_pairs(deciding, min(settings.max_correlation, decision.PERFECT))
    undecided = [pair[:2] for pair in pairs if not set(pair[:2]) & set(settings.keep)]
    asked = varied if settings.min_importance is not None else {name for pair in undecided for name in pair}
    if asked:
        ranked = importance.deciding(
            sample, asked, trees=settings.trees, permutations=settings.permutations, seed=settings.seed
        )
    else:
        ranked = pd.DataFrame({"factor": varied, "gini": np.nan, "permutation": np.nan})
    dropped = decision.decide(deciding, columns, ranked, settings) if varied else {}
    kept = [name for name in varied if name not in dropped]
    if not kept:
        raise InputError(
            "screening: no factor stays in a fold of the cross-validation; loosen screening.min_importance or "
            "name factors in susceptibility.factors."
        )
    return kept
