"""Random and spatially blocked cross-validation side by side, and the scores of Zheng et al. (2025), Table 2."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from slipmap.errors import InputError
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.classical import Classifier

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


def check_folds(sample: Sample, folds: int, key: str = "susceptibility.folds") -> None:
    """Raise `InputError` unless each fold can have a landslide and another pixel."""
    landslides = int((sample.labels == 1).sum())
    least, what = min((landslides, "landslide pixels"), (len(sample.labels) - landslides, "pixels outside landslides"))
    if least < folds:
        raise InputError(
            f"{key} is {folds}, but there are only {least} {what} with a value in every factor; give more "
            f"landslides or stable points, or fewer folds."
        )


def random_folds(sample: Sample, folds: int, seed: int) -> np.ndarray:
    """(pixels,) fold of each pixel, drawn at random with equal shares of both classes."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return _numbered(splitter.split(sample.values, sample.labels), len(sample.labels))


def spatial_folds(sample: Sample, folds: int, seed: int, block: int, method: str = "blocks") -> np.ndarray:
    """(pixels,) fold of each pixel, near pixels together.

    Parameters
    ----------
    block : side of a block, pixels of the grid.
    method : "blocks" deals whole blocks to folds with shares of the classes as equal as blocks allow; "kmeans" makes
        each of `folds` clusters of the coordinates one fold (Brenning 2012, sperrorest).

    Raises
    ------
    InputError : fewer blocks than folds.
    """
    if method == "kmeans":
        place = np.column_stack([sample.cols, sample.rows]).astype(np.float64)
        return KMeans(folds, n_init=5, random_state=seed).fit_predict(place)
    groups = sample.blocks(block)
    if len(np.unique(groups)) < folds:
        raise InputError(
            f"susceptibility.block: the labelled pixels lie in {len(np.unique(groups))} blocks of {block} pixels, too "
            f"few for {folds} spatial folds; make block or folds smaller."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return _numbered(splitter.split(sample.values, sample.labels, groups), len(sample.labels))


def _numbered(splits: object, count: int) -> np.ndarray:
    fold = np.empty(count, np.int64)
    for number, (_, judge) in enumerate(splits):
        fold[judge] = number
    return fold


def cross_validate(
    build: Callable[[], Classifier], sample: Sample, fold: np.ndarray, groups: np.ndarray | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Fit on all folds but one and predict that one, for each.

    Parameters
    ----------
    build : makes an unfitted model.
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
        model = build().fit(sample.take(~judge), None if groups is None else groups[~judge])
        probability[judge] = model.predict(sample.columns(model.names)[judge])
        rows.append(
            {"fold": int(number), "pixels": int(judge.sum()), "threshold": model.threshold}
            | scores(sample.labels[judge], probability[judge], model.threshold)
        )
    if not rows:
        raise InputError(
            "susceptibility.folds: no fold can be judged, since the others hold landslides or stable ground alone; "
            "give more points, or make susceptibility.block or folds smaller."
        )
    return pd.DataFrame(rows), probability


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over folds (and repeats) of each score: one row for each scheme and model."""
    grouped = table.groupby(["model", "scheme"], sort=False)[list(SCORES)]
    means, spread = grouped.mean(), grouped.std()
    out = means.join(spread, rsuffix="_std").reset_index()
    return out[["model", "scheme", *(c for s in SCORES for c in (s, f"{s}_std"))]]


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
