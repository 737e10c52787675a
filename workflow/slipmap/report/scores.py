"""Test scores of the experiments side by side, and what the deformation rate adds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from slipmap.config.run import ExperimentSettings
from slipmap.factors import catalogue
from slipmap.report.context import Context
from slipmap.report.sources import Experiment
from slipmap.training.summary import independence_of

MOTION = ("deformation", "motion")  # families of factors that the radar's series gives
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
    for pair, column in difference_columns(experiments).items():
        for name, values in _difference(joined, experiments, *pair).items():
            joined[f"{column}{name}"] = values
    joined["independence"] = independence_of(test for e in experiments.values() for test in e.tests)
    return joined.reset_index()


def difference_columns(experiments: Mapping[str, Experiment]) -> dict[tuple[str, str], str]:
    """(without, with) → the column of their difference, of each of `motion_pairs`."""
    pairs = motion_pairs(experiments)
    return {pair: f"difference_{pair[1]}_{pair[0]}" if k else "difference" for k, pair in enumerate(pairs)}


def _difference(
    joined: pd.DataFrame, experiments: Mapping[str, Experiment], without: str, other: str
) -> dict[str, np.ndarray]:
    """With minus without: "" the mean, "_std" the standard deviation over seeds that both have, each with itself."""
    found = {"": (joined[other] - joined[without]).to_numpy()}
    one, two = ({test["seed"]: test for test in experiments[name].tests if "seed" in test} for name in (without, other))
    seeds = sorted(one.keys() & two.keys())
    if len(seeds) > 1:
        by_seed = [[_value(of[seed], key) for key in joined.index] for of in (two, one) for seed in seeds]
        apart = np.array(by_seed[: len(seeds)], float) - np.array(by_seed[len(seeds) :], float)
        found["_std"] = np.std(apart, axis=0, ddof=1)
    return found


def _value(test: Mapping[str, Any], key: tuple[str, str]) -> float:
    value = test.get(key[0], {}).get(key[1])
    return np.nan if value is None else value


def motion_pairs(experiments: Mapping[str, Experiment]) -> dict[tuple[str, str], list[str]]:
    """(without, with) → the factors of motion in which alone two experiments differ; the deformation rate alone first.

    Where a third lies between two, they are no pair.
    """
    bands = {name: set(e.tests[0]["bands"]) for name, e in experiments.items() if e.tests}
    found = {}
    for without, fewer in bands.items():
        for other, more in bands.items():
            added = more - fewer
            a, b = experiments[without].settings, experiments[other].settings
            between = any(fewer < middle < more for middle in bands.values())
            if fewer < more and not between and all(map(_is_motion, added)) and _recipe(a) == _recipe(b):
                found[without, other] = sorted(added)
    return dict(sorted(found.items(), key=lambda item: item[1] != ["velocity"]))


def _is_motion(name: str) -> bool:
    factor = catalogue.find(name)
    return factor is not None and factor.family in MOTION


def deformation_pair(experiments: Mapping[str, Experiment]) -> tuple[str, str] | None:
    """(without, with): two experiments that differ by factors of motion alone, the rate first, if there are such."""
    return next(iter(motion_pairs(experiments)), None)


def in_words(added: Sequence[str]) -> str:
    """What factors of motion are called in a sentence."""
    names = ["deformation rate" if name == "velocity" else name.replace("_", " ") for name in added]
    return "the " + (" and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0])


def _recipe(settings: ExperimentSettings) -> tuple[object, ...]:
    return settings.dataset, settings.train_areas, settings.test_areas, settings.model, settings.training


def shown_rows(table: pd.DataFrame, names: Sequence[str], differences: Sequence[str] = ()) -> list[Context]:
    """The rows of `side_by_side` that the page shows, in the order of `SHOWN`, numbers as text.

    Parameters
    ----------
    differences : columns of differences that are shown.
    """
    rows = []
    keyed = table.set_index(["pooling", "score"])
    for key, label in SHOWN.items():
        if key not in keyed.index:
            continue
        row = keyed.loc[key]
        percent = label.endswith("%")
        cells = [_score(row[name], row.get(f"{name}_std", np.nan), percent) for name in names]
        apart = [_signed(row[name], row.get(f"{name}_std", np.nan), percent) for name in differences]
        rows.append({"label": label, "pooling": key[0].replace("_", " "), "cells": cells, "differences": apart})
    return rows


def _score(value: float, spread: float, percent: bool) -> str:
    if not np.isfinite(value):
        return "not defined"
    text = f"{100 * value:.1f}" if percent else f"{value:.3f}"
    return f"{text} ± {100 * spread:.1f}" if percent and np.isfinite(spread) else (
        f"{text} ± {spread:.3f}" if np.isfinite(spread) else text
    )  # fmt: skip


def _signed(value: float, spread: float, percent: bool) -> str:
    if not np.isfinite(value):
        return ""
    text = _score(value, spread, percent)
    return text.replace("-", "−") if text.startswith("-") else f"+{text}"
