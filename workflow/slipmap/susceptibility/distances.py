"""How far what is predicted lies from what was learnt from: in a cross-validation, and in the map."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import wasserstein_distance

from slipmap.screening.layers import opened
from slipmap.screening.sampling import priority
from slipmap.susceptibility.areas import AreaFiles

POINTS = 1000  # of the mapped ground


def ground_points(files: AreaFiles, names: Sequence[str], seed: int, count: int = POINTS) -> np.ndarray:
    """(points, 2) places, m, of pixels drawn uniformly from all ground that a map of `names` covers.

    In the frame of `areas.places`, for the first area. The same whatever the blocks; one block in memory.
    """
    ranks, rows, cols = np.empty(0, np.uint64), np.empty(0, int), np.empty(0, int)
    with opened({name: files.factors[name] for name in names}) as layers:
        for window in layers.grid.blocks():
            r, c = np.nonzero(np.isfinite(layers.values(window)).all(axis=0))
            r, c = r + int(window.row_off), c + int(window.col_off)
            rank = priority(r * layers.grid.width + c, seed)
            ranks, rows, cols = np.append(ranks, rank), np.append(rows, r), np.append(cols, c)
            kept = np.argsort(ranks, kind="stable")[:count]
            ranks, rows, cols = ranks[kept], rows[kept], cols[kept]
    points: np.ndarray = np.column_stack([cols, rows]) * np.array(files.resolution)
    return points


def nearest(place: np.ndarray, to: np.ndarray) -> np.ndarray:
    """(points,) distance to the nearest of `to`, m."""
    distance: np.ndarray = cKDTree(to).query(place)[0]
    return distance


def nearest_other(place: np.ndarray) -> np.ndarray:
    """(points,) distance to the nearest other point, m: leave-one-out."""
    distance: np.ndarray = cKDTree(place).query(place, k=2)[0][:, 1]
    return distance


def fold_distances(place: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(pixels,) distance of every pixel to the nearest of another fold, m."""
    out = np.full(len(place), np.nan)
    for number in np.unique(fold):
        judged = fold == number
        if not judged.all():
            out[judged] = nearest(place[judged], place[~judged])
    return out


def mismatch(one: np.ndarray, other: np.ndarray) -> float:
    """W, m: the area between the two cumulative distributions of distances (Linnenbrink et al. 2024, eq. 1)."""
    return float(wasserstein_distance(one[np.isfinite(one)], other[np.isfinite(other)]))


def distance_table(prediction: np.ndarray, schemes: dict[str, list[np.ndarray]]) -> pd.DataFrame:
    """Quartiles of the distances of prediction and of each scheme, and W of each scheme, m.

    Parameters
    ----------
    prediction : (points,) of the mapped ground to the sample.
    schemes : scheme → `fold_distances` of every repeat.

    Returns
    -------
    ``scheme`` (``prediction`` first), ``quarter``, ``median``, ``three_quarters``, ``w`` (mean over repeats) and
    ``default``: true for the least W.
    """
    rows = [_row("prediction", prediction, np.nan)]
    for scheme, repeats in schemes.items():
        rows.append(_row(scheme, np.concatenate(repeats), float(np.mean([mismatch(d, prediction) for d in repeats]))))
    table = pd.DataFrame(rows)
    table["default"] = table.w == table.w.min()
    return table


def _row(scheme: str, distance: np.ndarray, w: float) -> dict[str, object]:
    low, middle, high = np.nanquantile(distance, (0.25, 0.5, 0.75))
    return {"scheme": scheme, "quarter": low, "median": middle, "three_quarters": high, "w": w}
