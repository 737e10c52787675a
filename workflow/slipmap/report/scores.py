"""Test scores of the experiments side by side, and what the deformation rate adds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from slipmap.report.sources import Experiment
from slipmap.training.summary import independence_of

# (pooling, score) → how the page calls it; one F1 for a map, all others are in scores.csv
SHOWN = {
    ("pooled_over_pixels", "precision"): "Precision",
    ("pooled_over_pixels", "recall"): "Recall",
    ("pooled_over_pixels", "f1"): "F1 of the landslide class",
    ("pooled_over_pixels", "iou"): "Overlap with the inventory (IoU), %",
    ("pooled_over_pixels", "miou"): "Mean overlap of both classes (mIoU), %",
    ("pooled_over_pixels", "kappa"): "Cohen's kappa",
    ("pooled_over_pixels", "overall_accuracy"): "Overall accuracy",
    ("pooled_over_pixels", "auc_roc"): "Area under ROC",
    ("pooled_over_pixels", "average_precision"): "Average precision",
    ("pooled_over_pixels", "brier"): "Brier score (lower is better)",
    ("pooled_over_pixels", "expected_calibration_error"): "Expected calibration error (lower is better)",
    ("boundary", "f1"): "Boundary F1",
    ("objects", "detection_rate"): "Landslides found (half their pixels or more)",
    ("objects", "object_precision"): "Found objects that are on a landslide",
}

MEANINGS = {
    "Precision": "of the pixels called landslide, the share that the inventory has as landslide; the rest are false "
    "alarms, or landslides that nobody mapped.",
    "Recall": "of the inventory's landslide pixels, the share that is found.",
    "F1": "one number for both (their harmonic mean): 1 is perfect, 0 is nothing right.",
    "Overlap (IoU)": "what map and inventory share, divided by what either covers; stricter than F1.",
    "Overall accuracy": "share of all pixels that are right. With few landslides a map without any has a high one.",
    "Cohen's kappa": "agreement beyond what chance would give.",
    "Area under ROC": "the chance that a landslide pixel gets a higher probability than another; 0.5 is guessing.",
    "Brier score": "mean squared error of the probability.",
    "Expected calibration error": "how far probabilities lie from frequencies, on average.",
}


def side_by_side(experiments: Mapping[str, Experiment]) -> pd.DataFrame:
    """Every score of every experiment: columns pooling, score, then {experiment} and {experiment}_std."""
    tables = []
    for name, experiment in experiments.items():
        if experiment.metrics is None:
            continue
        columns = {"mean": name, "std": f"{name}_std"}
        tables.append(experiment.metrics.set_index(["pooling", "score"])[list(columns)].rename(columns=columns))
    if not tables:
        return pd.DataFrame(columns=["pooling", "score"])
    joined = pd.concat(tables, axis=1)
    pair = deformation_pair(experiments)
    if pair:
        joined["difference"] = joined[pair[1]] - joined[pair[0]]
    joined["independence"] = independence_of(test for e in experiments.values() for test in e.tests)
    return joined.reset_index()


def deformation_pair(experiments: Mapping[str, Experiment]) -> tuple[str, str] | None:
    """(without, with): two experiments that differ by the deformation rate alone, if there are such."""
    bands = {name: set(e.tests[0]["bands"]) for name, e in experiments.items() if e.tests}
    for without, fewer in bands.items():
        for other, more in bands.items():
            a, b = experiments[without].settings, experiments[other].settings
            if more - fewer == {"velocity"} and not fewer - more and _recipe(a) == _recipe(b):
                return without, other
    return None


def _recipe(settings: object) -> tuple:
    return settings.dataset, settings.train_areas, settings.test_areas, settings.model, settings.training


def shown_rows(table: pd.DataFrame, names: Sequence[str]) -> list[dict]:
    """The rows of `side_by_side` that the page shows, in the order of `SHOWN`, numbers as text."""
    rows = []
    keyed = table.set_index(["pooling", "score"])
    for key, label in SHOWN.items():
        if key not in keyed.index:
            continue
        row = keyed.loc[key]
        percent = label.endswith("%")
        cells = [_score(row[name], row.get(f"{name}_std", np.nan), percent) for name in names]
        difference = _signed(row["difference"], percent) if "difference" in keyed.columns else ""
        rows.append({"label": label, "pooling": key[0].replace("_", " "), "cells": cells, "difference": difference})
    return rows


def _score(value: float, spread: float, percent: bool) -> str:
    if not np.isfinite(value):
        return "not defined"
    text = f"{100 * value:.1f}" if percent else f"{value:.3f}"
    return f"{text} ± {100 * spread:.1f}" if percent and np.isfinite(spread) else (
        f"{text} ± {spread:.3f}" if np.isfinite(spread) else text
    )  # fmt: skip


def _signed(value: float, percent: bool) -> str:
    text = f"{100 * value:+.1f}" if percent else f"{value:+.3f}"
    return "" if not np.isfinite(value) else text.replace("-", "−")
