"""Where a class map and the inventory agree, counted on each split's ground."""

from pathlib import Path

import numpy as np
import pandas as pd
import rasterio

from slipmap.codes import IGNORE, LANDSLIDE, SPLIT_CLASSES
from slipmap.io.grid import Grid

COLUMNS = [
    "ground",
    "true_positive",
    "false_positive",
    "false_negative",
    "true_negative",
    "precision",
    "recall",
    "f1",
    "iou",
]


def count(classes: str | Path, inventory: str | Path, split: str | Path | None) -> pd.DataFrame:
    """One row for each ground (training, validation, test, left out between them) with `COLUMNS`; pixels.

    Only test ground says how well a map does on ground that was not learnt from. Block by block; pixels unknown in
    the map or in the inventory are not counted.
    """
    grid = Grid.from_raster(classes)
    names = {**SPLIT_CLASSES, IGNORE: "between (left out)"} if split else {0: "all"}
    totals = {code: np.zeros(4, np.int64) for code in names}
    with rasterio.open(classes) as a, rasterio.open(inventory) as b:
        c = rasterio.open(split) if split else None
        try:
            for window in grid.blocks():
                found, truth = a.read(1, window=window), b.read(1, window=window)
                ground = c.read(1, window=window) if c else np.zeros_like(found)
                known = (found != IGNORE) & (truth != IGNORE)
                for code, total in totals.items():
                    here = known & (ground == code)
                    f, t = found[here] == LANDSLIDE, truth[here] == LANDSLIDE
                    total += ((f & t).sum(), (f & ~t).sum(), (~f & t).sum(), (~f & ~t).sum())
        finally:
            if c:
                c.close()
    return pd.DataFrame([_row(names[code], total) for code, total in totals.items() if total.any()], columns=COLUMNS)


def on_test_ground(counted: pd.DataFrame | None, experiment: str) -> pd.DataFrame:
    """The rows of map_agreement of an experiment on test ground; none where nothing was counted."""
    if counted is None:
        return pd.DataFrame()
    return counted[(counted["experiment"] == experiment) & (counted["ground"] == "test")]


def _row(ground: str, counts: np.ndarray) -> dict[str, str | float]:
    tp, fp, fn, tn = (int(n) for n in counts)
    return {
        "ground": ground,
        "true_positive": tp,
        "false_positive": fp,
        "false_negative": fn,
        "true_negative": tn,
        "precision": tp / (tp + fp) if tp + fp else np.nan,
        "recall": tp / (tp + fn) if tp + fn else np.nan,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else np.nan,
        "iou": tp / (tp + fp + fn) if tp + fp + fn else np.nan,
    }
