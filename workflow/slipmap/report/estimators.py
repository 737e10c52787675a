"""The velocities of two estimators side by side: how far each agrees with the truth, and both with each other.

Block by block, so that memory does not grow with the area.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio

from slipmap.colours import BLUE
from slipmap.deformation.reliability import RELIABLE
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report.charts import Line, chart
from slipmap.report.histogram import Histogram
from slipmap.report.tabular import plain, table
from slipmap.report.validation import VelocityTruth, compare_offset

NAMES = {"phase_linking": "linked phases", "sbas": "SBAS"}
STILL = 1.0  # mm/yr of truth below which ground is still
WIDTH, SHOWN = 0.5, 15.0  # mm/yr, step and ends of the figure


def compare(found: Mapping[str, Mapping[str, Path]], truth: Path | None) -> dict[str, pd.DataFrame]:
    """Tables of two estimators, "estimators" and "estimator_difference", by the names of their CSV files.

    Parameters
    ----------
    found
        Estimator → "velocity" (mm/yr) and "mask", on one grid; the area's own first.
    truth
        Simulated velocity (mm/yr); None where the ground is real.
    """
    rows = []
    for name, files in found.items():
        row: dict[str, Any] = {"estimator": name, "reliable_share": _share(files["mask"])}
        if truth is not None:
            row |= _against(compare_offset(files["velocity"], truth, files["mask"], least=RELIABLE, still=STILL))
        rows.append(row)
    difference = _difference(*found.values())
    middles, shares = difference.shares(WIDTH, SHOWN)
    return {
        "estimators": pd.DataFrame(rows),
        "estimator_difference": pd.DataFrame({"difference": middles, "share": shares}).assign(
            both_reliable=int(difference.counts.sum()), median=difference.median(), scatter=difference.scatter()
        ),
    }


def _against(judged: VelocityTruth) -> dict[str, float]:
    return {
        "rms": judged.rms,
        "movers": judged.movers,
        "movers_reliable_share": judged.movers_kept / judged.movers if judged.movers else float("nan"),
        "movers_rms": judged.movers_rms,
        "slope": judged.slope,
    }


def _share(mask: Path) -> float:
    grid, good = Grid.from_raster(mask), 0
    with rasterio.open(mask) as source:
        for window in grid.blocks():
            good += int((raster.read_open(source, window, 1) == RELIABLE).sum())
    return good / (grid.width * grid.height)


def _difference(own: Mapping[str, Path], other: Mapping[str, Path]) -> Histogram:
    """Differences, own minus other, where both are reliable."""
    made = Histogram()
    for a, b, good in _both(own, other):
        made.add((a - b)[good])
    return made


def _both(own: Mapping[str, Path], other: Mapping[str, Path]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of both velocities, and where both are reliable."""
    grid = Grid.from_raster(own["velocity"])
    with ExitStack() as stack:
        sources = [
            stack.enter_context(rasterio.open(one[name])) for one in (own, other) for name in ("velocity", "mask")
        ]
        for window in grid.blocks():
            a, mask_a, b, mask_b = (raster.read_open(source, window, 1) for source in sources)
            yield a, b, (mask_a == RELIABLE) & (mask_b == RELIABLE) & np.isfinite(a) & np.isfinite(b)


def section(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any] | None:
    """Text, table and figure of both estimators; None where one stands alone."""
    if "estimators" not in tables:
        return None
    rows, difference = tables["estimators"], tables["estimator_difference"]
    first, second = (NAMES[name] for name in rows["estimator"])
    told = difference.iloc[0]
    text = [
        f"The velocity of this report is that of {first}; that of {second} was made of the same SLCs to be compared "
        f"with. Where both are reliable ({told.both_reliable:.0f} pixels), their difference, {first} minus {second}, "
        f"has the median {plain(told['median'], 2)} mm/yr and a scatter of {plain(told.scatter, 2)} mm/yr."
    ]
    known = "rms" in rows
    if known:
        text.append(
            f"Errors are those against the simulated truth, where each is reliable, less their median on still ground "
            f"(truth below {STILL:g} mm/yr): the error of its reference, which all pixels share."
        )
    body = [[NAMES[row.estimator], f"{100 * row.reliable_share:.0f}", *(_judged(row) if known else ())]
            for row in rows.itertuples()]  # fmt: skip
    head = ["velocity of", "ground called reliable, %"]
    if known:
        head += ["its rms error, mm/yr", "movers (> 10 mm/yr) called reliable, %", "their rms error, mm/yr", "slope"]
    figure = chart(
        [Line("", list(difference["difference"]), list(100 * difference["share"]), BLUE)],
        title=f"Velocity by {first} minus that by {second}",
        x_label="difference (mm/yr)",
        y_label="pixels (%)",
    )
    caption = (
        f"Difference of the velocities, {first} minus {second}, where both are reliable, in steps of {WIDTH:g} mm/yr."
    )
    return {
        "title": f"{first[:1].upper()}{first[1:]} beside {second}",
        "text": text,
        "table": table(head, body, numeric=range(1, len(head))),
        "charts": [{"svg": figure, "caption": caption}],
    }


def _judged(row: Any) -> tuple[str, ...]:
    share = 100 * row.movers_reliable_share
    return plain(row.rms, 2), plain(share, 0), plain(row.movers_rms, 2), plain(row.slope, 3)
