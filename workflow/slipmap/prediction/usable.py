"""Whether a map's probabilities are of use as such: the alarm for a map that is blank, flat or full."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from slipmap.codes import LANDSLIDE
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.prediction import unseen

_BINS = 10_000
_TAILS = (0.001, 0.999)  # shares of the ground between which the range is measured
LEAST_RANGE = 0.1  # of probability
MOST_OUTLINED = 0.5  # of the ground


def run(
    probability_tif: str | Path,
    class_tif: str | Path,
    factors: Mapping[str, str | Path],
    record_json: str | Path,
    tests: Sequence[str | Path],
    method: str,
    out_json: str | Path,
) -> dict[str, Any]:
    """Judge a map and write what was found.

    Parameters
    ----------
    probability_tif, class_tif : of the map.
    factors : name → raster of the area.
    record_json : model.json of the weights.
    tests : ``test_metrics.json`` of each seed, where the area has test ground.
    method : ``prediction.calibration`` of the map.
    out_json : ``usable``; ``alarms``, sentences that say what is wrong and what to do; the numbers behind them:
        ``range`` (0.1 and 99.9 % of the ground lie below), ``outlined`` (share of the ground), ``brier_skill`` on test
        ground (null where there is none); ``unseen``: classes that training did not see
        (`slipmap.prediction.unseen.unseen_classes`), and ``unseen_said``, a sentence.

    Notes
    -----
    Holds one block and a histogram.
    """
    counts, outlined, known = np.zeros(_BINS, np.int64), 0, 0
    grid = Grid.from_raster(probability_tif)
    with rasterio.open(probability_tif) as probability, rasterio.open(class_tif) as classes:
        for window in grid.blocks():
            p = raster.read_open(probability, window, 1)
            p = p[np.isfinite(p)]
            counts += np.bincount(np.minimum((p * _BINS).astype(int), _BINS - 1), minlength=_BINS)
            mapped = raster.read_open(classes, window, 1)
            outlined += int((mapped == LANDSLIDE).sum())
            known += int(np.isfinite(mapped).sum())
    skill = brier_skill([json.loads(Path(path).read_text(encoding="utf-8")) for path in tests], method)
    record = judge(_range(counts), outlined / known if known else 0.0, skill)
    found = unseen.unseen_classes(json.loads(Path(record_json).read_text(encoding="utf-8")), factors)
    record |= {"unseen": found, "unseen_said": unseen.said(found)}
    write_text(out_json, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return record


def judge(span: tuple[float, float], outlined: float, skill: float | None) -> dict[str, Any]:
    """What `run` writes, from the numbers."""
    alarms = []
    if span[1] - span[0] < LEAST_RANGE:
        alarms.append(
            f"Nearly all probabilities lie between {span[0]:.3f} and {span[1]:.3f}: the map is all but blank. Train "
            f"longer (training.epochs), with a wider model or more landslides, and use the order of the pixels alone."
        )
    if skill is not None and skill <= 0:
        alarms.append(
            f"On test ground the probabilities are no better than one number for the whole area (Brier skill "
            f"{skill:.2f}). Do not read them as chances of a landslide; use them as a ranking, if at all."
        )
    if outlined > MOST_OUTLINED:
        alarms.append(
            f"{outlined:.0%} of the ground is outlined as landslide. The threshold found nothing to tell landslides "
            f"from other ground by; train longer, or check the inventory and the factors."
        )
    if outlined == 0:
        alarms.append(
            "No pixel of the map reaches the threshold, so nothing is outlined. Train longer or check that the factors "
            "are those of the area trained in."
        )
    numbers = {"range": list(span), "outlined": outlined, "brier_skill": skill}
    return {"usable": not alarms, "alarms": alarms, **numbers}


def brier_skill(tests: Sequence[Mapping[str, Any]], method: str) -> float | None:
    """1 - Brier score / that of the share of landslides everywhere, on test ground, mean over seeds; None: unknown."""
    found = []
    for test in tests:
        chosen = test.get("calibration_chosen") if method == "best" else method
        brier = (test["calibration"].get(chosen) or {}).get("brier")
        counts = test["counts"]
        landslides = counts["true_positive"] + counts["false_negative"]
        share = landslides / max(sum(counts.values()), 1)
        if brier is not None and 0 < share < 1:
            found.append(1 - brier / (share * (1 - share)))
    return float(np.mean(found)) if found else None


def _range(counts: np.ndarray) -> tuple[float, float]:
    if not counts.any():
        return 0.0, 0.0
    below = counts.cumsum() / counts.sum()
    low, high = (int(np.searchsorted(below, share)) for share in _TAILS)
    return low / _BINS, (high + 1) / _BINS
