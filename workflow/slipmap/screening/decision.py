"""Which factors go on, and why: one sentence each."""

import logging
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from slipmap.config.screening import ScreeningSettings
from slipmap.errors import InputError
from slipmap.screening.collinearity import variance_inflation
from slipmap.screening.correlation import strongest_pairs
from slipmap.screening.sampling import Coverage

log = logging.getLogger(__name__)
PERFECT = 1 - 1e-6  # |r| from which two float32 factors are the same information


def unusable(coverage: Mapping[str, Coverage], settings: ScreeningSettings, named: Collection[str]) -> dict[str, str]:
    """Factors that no statistic can be computed from, or that cover too little: {factor: reason}.

    Parameters
    ----------
    named : factors that the config asks for by name; the others are made because their input is there.

    Raises
    ------
    InputError : one of `named` is constant or has no value, and `settings.unusable` is "stop".
    """
    reasons = {}
    for name, c in coverage.items():
        if c.valid == 0 or c.constant:
            what = "has no value (all NaN)" if c.valid == 0 else f"is constant ({c.smallest:g} at every pixel)"
            if settings.unusable == "stop" and name in named:
                raise InputError(
                    f"factor '{name}' {what} on the training blocks, so it cannot be screened; correct its input, "
                    f"take its name out of the config (factors.include, experiments), or set screening.unusable: drop."
                )
            reasons[name] = f"It {what} on the training blocks."
            log.warning("factor '%s' %s on the training blocks: left out", name, what)
        elif c.share < settings.min_coverage and name not in settings.keep:
            reasons[name] = (
                f"It has a value at only {c.share:.0%} of the training pixels (at least "
                f"{settings.min_coverage:.0%} is asked for)."
            )
    return reasons


def decide(
    correlation: pd.DataFrame,
    columns: Mapping[str, np.ndarray],
    importance: pd.DataFrame,
    settings: ScreeningSettings,
) -> dict[str, str]:
    """Factors to drop: {factor: reason}.

    First, of each pair that is correlated beyond the limit (the strongest pair first, and only while both are still
    there) the less important goes. Then, one by one, the factor of the largest VIF beyond the limit goes, VIF being
    computed again each time. Last, what is below the least importance goes. Factors in `settings.keep` stay.

    Parameters
    ----------
    correlation : of the continuous factors, the coefficient that `settings.correlation` names.
    columns : design columns of every factor (`collinearity.design`).
    importance : see `importance.importances`; permutation importance decides, Gini breaks ties.
    """
    rank = importance.set_index("factor")
    weight = {name: (rank.permutation[name], rank.gini[name], name) for name in columns}
    dropped: dict[str, str] = {}
    for one, other, r in strongest_pairs(correlation, min(settings.max_correlation, PERFECT)):
        if one in dropped or other in dropped:
            continue
        free = [name for name in (one, other) if name not in settings.keep]
        if not free:
            continue
        worse = min(free, key=weight.__getitem__)
        better = other if worse == one else one
        why = "must stay" if better in settings.keep else "is the more important"
        if abs(r) > PERFECT:
            dropped[worse] = f"It is perfectly collinear with {better} (r = {r:+.3f}), which {why}."
        else:
            dropped[worse] = (
                f"It is correlated with {better} ({settings.correlation} r = {r:+.3f}, limit "
                f"{settings.max_correlation:g}), which {why}."
            )
    dropped |= _inflated({n: c for n, c in columns.items() if n not in dropped}, settings)
    if settings.min_importance is not None:
        for name in columns:
            fall = float(rank.permutation[name])
            if name not in dropped and name not in settings.keep and fall < settings.min_importance:
                dropped[name] = (
                    f"Its permutation importance is {fall:.4f} (at least {settings.min_importance:g} is asked for)."
                )
    return dropped


def _inflated(columns: dict[str, np.ndarray], settings: ScreeningSettings) -> dict[str, str]:
    dropped = {}
    while len(columns) > 1:
        vif = variance_inflation(columns).loc["VIF_PER_DF"]
        free = vif[[name for name in columns if name not in settings.keep]]
        if free.empty or free.max() <= settings.max_vif:
            break
        worst = str(free.idxmax())
        if np.isinf(free[worst]):
            dropped[worst] = "It is perfectly collinear: an exact linear combination of the other factors."
        else:
            dropped[worst] = (
                f"Its variance inflation factor given the others is {free[worst]:.1f} (limit {settings.max_vif:g})."
            )
        del columns[worst]
    return dropped


def table(names: list[str], dropped: Mapping[str, str], kept_because: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Columns ``factor``, ``kept`` (true or false), ``reason``."""
    kept_because = kept_because or {}
    passed = "It passes every threshold."
    return pd.DataFrame(
        {
            "factor": names,
            "kept": [name not in dropped for name in names],
            "reason": [dropped.get(name, kept_because.get(name, passed)) for name in names],
        }
    )
