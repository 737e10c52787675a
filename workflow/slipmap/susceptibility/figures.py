"""ROC and calibration figures of the compared models."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from slipmap.io.atomic import write_aside

TITLES = {
    "random": "Random folds",
    "blocks": "Blocks of the range of autocorrelation",
    "kmeans": "k-means of the places",
    "knndm": "Distances matched (kNNDM)",
    "regions": "Region left out",
    "test": "Held-out test blocks",
}


def roc(curves: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]], path: str | Path) -> None:
    """ROC curves, one panel for each scheme; the AUC in the legend is of the pooled predictions drawn.

    Parameters
    ----------
    curves : (scheme, model) → labels and probabilities.
    """
    schemes = list(dict.fromkeys(scheme for scheme, _ in curves))
    figure, axes = _panels(schemes)
    for axis, scheme in zip(axes, schemes, strict=True):
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
        for (s, model), (labels, probability) in curves.items():
            if s == scheme and labels.min() != labels.max():
                false, true, _ = roc_curve(labels, probability)
                axis.plot(false, true, linewidth=1.2, label=f"{model} {roc_auc_score(labels, probability):.3f}")
        axis.set(xlabel="False positive rate", ylabel="True positive rate", aspect="equal")
        axis.legend(
            title="AUC" if scheme == "test" else "AUC, folds pooled", loc="lower right", fontsize=7, title_fontsize=7
        )
    _save(figure, path)


def roc_table(curves: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]], points: int = 200) -> pd.DataFrame:
    """The curves that `roc` draws: ``scheme``, ``model``, ``false_positive_rate``, ``true_positive_rate``, ``auc``.

    Parameters
    ----------
    curves : (scheme, model) → labels and probabilities; without both classes it has no curve.
    points : of a curve at most.
    """
    parts = []
    for (scheme, model), (labels, probability) in curves.items():
        if labels.min() == labels.max():
            continue
        false, true, _ = roc_curve(labels, probability)
        kept = np.unique(np.linspace(0, len(false) - 1, min(points, len(false))).round().astype(int))
        auc = roc_auc_score(labels, probability)
        part = {"scheme": scheme, "model": model, "false_positive_rate": false[kept], "true_positive_rate": true[kept]}
        parts.append(pd.DataFrame(part | {"auc": auc}))
    columns = ["scheme", "model", "false_positive_rate", "true_positive_rate", "auc"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def calibration(table: pd.DataFrame, path: str | Path) -> None:
    """Calibration curves, a panel for each scheme, from `crossvalidation.reliability` with ``scheme`` and ``model``."""
    schemes = list(dict.fromkeys(table.scheme))
    figure, axes = _panels(schemes)
    for axis, scheme in zip(axes, schemes, strict=True):
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
        for model, part in table[table.scheme == scheme].groupby("model", sort=False):
            axis.plot(part.predicted, part.observed, marker=".", linewidth=1.0, label=model)
        axis.set(xlabel="Predicted", ylabel="Observed share of landslides", aspect="equal")
        axis.legend(loc="upper left", fontsize=7)
    _save(figure, path)


def _panels(schemes: list[str]) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(4.4 * len(schemes), 4.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(schemes), sharex=True, sharey=True))
    # A fixed order of colours that eleven models do not exhaust.
    colours = matplotlib.colormaps["tab20"](np.linspace(0, 1, 20))[[0, 2, 4, 6, 8, 10, 12, 14, 16, 18]]
    for axis, scheme in zip(axes, schemes, strict=True):
        axis.set_prop_cycle(color=colours)
        axis.set_title(TITLES.get(scheme, scheme), fontsize=10)
    return figure, axes


def _save(figure: Figure, path: str | Path) -> None:
    with write_aside(path) as aside:
        figure.savefig(aside, dpi=110, metadata={"Software": None})
