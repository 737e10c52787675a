"""Mean and spread of scores over seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slipmap.io.atomic import write_aside

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("pooled_over_pixels", "mean_over_images", "boundary", "objects")


def run(metrics: Sequence[Path], out_csv: Path) -> pd.DataFrame:
    """Write one row for each score: its mean, spread and range over the seeds.

    Parameters
    ----------
    metrics
        ``test_metrics.json`` of each seed.
    out_csv
        Where the table goes: columns ``pooling``, ``score``, ``mean``, ``std`` (sample standard deviation; empty with
        one seed), ``min``, ``max``, ``seeds`` (where the score is defined), ``test_distance`` (median
        distance of test ground to training ground, m; empty where the ground is not known), ``independence`` (how far
        test patches are independent of training patches).

    Returns
    -------
    DataFrame
        The table.
    """
    table = over_seeds([json.loads(Path(path).read_text(encoding="utf-8")) for path in metrics])
    with write_aside(out_csv) as aside:
        table.to_csv(aside, index=False, float_format="%.6g")
    return table


def over_seeds(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table that :func:`run` writes, from what the JSON files hold."""
    import pandas as pd

    rows = []
    independence, distance = independence_of(results), distance_of(results)
    for group in GROUPS:
        for score, first in results[0][group].items():
            if isinstance(first, Mapping | list) or score in ("tolerance_pixels", "overlap_that_counts"):
                continue
            values = np.array([result[group][score] for result in results], dtype=float)  # None becomes NaN
            values = values[~np.isnan(values)]
            some = values.size > 0
            rows.append(
                {
                    "pooling": group,
                    "score": score,
                    "mean": values.mean() if some else np.nan,
                    "std": values.std(ddof=1) if values.size > 1 else np.nan,
                    "min": values.min() if some else np.nan,
                    "max": values.max() if some else np.nan,
                    "seeds": values.size,
                    "test_distance": distance,
                    "independence": independence,
                }
            )
    return pd.DataFrame(rows)


def distance_of(results: Iterable[Mapping[str, Any]]) -> float:
    """Return the median distance of the test ground to training ground, m; NaN where it is not known."""
    known = [result["test_distance"] for result in results if result["test_distance"] is not None]
    return min(known, default=float("nan"))


def independence_of(results: Iterable[Mapping[str, Any]]) -> str:
    """Return what scores say of the independence of their test patches, each statement once."""
    return "; ".join(dict.fromkeys(said for result in results for said in result["independence"]))
