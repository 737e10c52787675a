"""Cross-validation on given folds, and the scores of Zheng et al. (2025), Table 2."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from slipmap.errors import InputError
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.classical import Classifier
from slipmap.susceptibility.interval import Influence, auc_interval

SCORES = ("accuracy", "auc", "brier", "rmse")


def scores(labels: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Accuracy at `threshold`, area under the ROC curve, Brier score and its root.

    Parameters
    ----------
    labels : (n,) 1 landslide, 0 not.
    probability : (n,) in 0-1.

    Returns
    -------
    ``accuracy``, ``auc`` (NaN where only one class is there), ``brier`` (mean squared error of the probability, the
    paper's eq. 18) and ``rmse`` (its root, which the paper's MSE column looks like).
    """
    labels = np.asarray(labels)
    brier = float(np.mean((probability - labels) ** 2))
    both = labels.min() != labels.max()
    return {
        "accuracy": float(np.mean((probability >= threshold) == (labels == 1))),
        "auc": float(roc_auc_score(labels, probability)) if both else float("nan"),
        "brier": brier,
        "rmse": brier**0.5,
    }


def cross_validate(
    build: Mapping[int, Callable[[], Classifier]], sample: Sample, fold: np.ndarray, groups: np.ndarray | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fit on all folds but one and predict that one, for each.

    Parameters
    ----------
    build : for each fold, what makes the unfitted model that judges it.
    fold : (pixels,) fold of each pixel.
    groups : (pixels,) groups of a mixed model.

    Returns
    -------
    table : one row for each fold: ``fold``, ``pixels``, ``threshold`` (fitted on the other folds) and the scores.
    probability : (pixels,) of each pixel from the model that did not see its fold; NaN for a fold whose other folds
        hold one class alone.

    Raises
    ------
    InputError : that is so for every fold.
    """
    rows, probability = [], np.full(len(sample.labels), np.nan)
    for number in np.unique(fold):
        judge = fold == number
        if len(np.unique(sample.labels[~judge])) < 2:
            continue
        model = build[int(number)]().fit(sample.take(~judge), None if groups is None else groups[~judge])
        probability[judge] = model.predict(sample.columns(model.names)[judge])
        rows.append(
            {"fold": int(number), "pixels": int(judge.sum()), "threshold": model.threshold}
            | scores(sample.labels[judge], probability[judge], model.threshold)
        )
    if not rows:
        raise InputError(
            "susceptibility.folds: no fold can be judged, since outside each fold there are only landslides or only "
            "stable ground; give more points, or make susceptibility.block or folds smaller."
        )
    return pd.DataFrame(rows), probability


def cross_validate_each(
    builds: Sequence[Mapping[int, Callable[[], Classifier]]],
    sample: Sample,
    fold: np.ndarray,
    groups: np.ndarray | None = None,
) -> list[tuple[pd.DataFrame, np.ndarray]]:
    """`cross_validate` of several models, one after another."""
    return [cross_validate(build, sample, fold, groups) for build in builds]


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over folds (and repeats) of each score: one row for each scheme and model."""
    grouped = table.groupby(["model", "scheme"], sort=False)[list(SCORES)]
    means, spread = grouped.mean(), grouped.std()
    out = means.join(spread, rsuffix="_std").reset_index()
    return out[["model", "scheme", *(c for s in SCORES for c in (s, f"{s}_std"))]]


def with_intervals(
    means: pd.DataFrame, found: Mapping[tuple[str, str], Sequence[Influence]], labels: np.ndarray, block: np.ndarray
) -> pd.DataFrame:
    """A `summary` with ``auc_low`` and ``auc_high``, the limits of the 95 % interval of each AUROC.

    Parameters
    ----------
    found : (scheme, model) → influence of each pixel, for every repeat.
    block : (pixels,) block whose pixels count as one piece of evidence (`interval.auc_interval`).
    """
    limits = [auc_interval(found[row.scheme, row.model], labels, block) for row in means.itertuples()]
    out = means.copy()
    after = out.columns.get_loc("auc_std") + 1
    for i, name in enumerate(("auc_low", "auc_high")):
        out.insert(after + i, name, [pair[i] for pair in limits])
    return out


def reliability(labels: np.ndarray, probability: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Calibration curve: mean prediction and observed share of landslides in bins of equal numbers.

    At most `bins` bins, of at least 20 pixels each: the share in fewer is chance.
    """
    bins = min(bins, max(1, len(labels) // 20))
    edges = np.unique(np.quantile(probability, np.arange(1, bins) / bins))
    index = np.searchsorted(edges, probability, side="right")
    frame = pd.DataFrame({"bin": index, "predicted": probability, "observed": labels})
    out = frame.groupby("bin").agg(
        predicted=("predicted", "mean"), observed=("observed", "mean"), pixels=("observed", "size")
    )
    return out.reset_index(drop=True)
