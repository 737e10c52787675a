"""How far the products beside the velocity are right on simulated ground: its standard deviation, the DEM error."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import rasterio

from slipmap.colours import BLUE, ORANGE
from slipmap.deformation.reliability import RELIABLE
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report.charts import Line, chart
from slipmap.report.tabular import plain

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
BINS = np.arange(-11.0, 12.0, 2.0)  # m, edges of the classes of true DEM error


def interval_coverage(found: Mapping[str, Path], truth: str | Path) -> pd.DataFrame:
    """How often the intervals velocity ± z · velocity_std hold the truth: columns nominal, measured, pixels.

    Block by block over the pixels that the mask calls reliable. One simulated area is one draw of the
    atmosphere, which neighbouring pixels share: of many areas the measured shares would scatter about these.
    """
    limits = np.array([NormalDist().inv_cdf((1 + level) / 2) for level in LEVELS])
    inside, pixels = np.zeros(len(LEVELS), np.int64), 0
    for velocity, deviation, expected, good in _blocks(found, ("velocity", "velocity_std"), truth):
        away = np.abs(velocity - expected)[good] / deviation[good]
        inside += np.searchsorted(np.sort(away), limits, side="right")
        pixels += away.size
    return pd.DataFrame({"nominal": LEVELS, "measured": inside / max(pixels, 1), "pixels": pixels})


def dem_errors(found: Mapping[str, Path], truth: str | Path) -> pd.DataFrame:
    """Estimated DEM error by classes of the true one, m: columns true, estimated (mean), deviation, pixels.

    What the reference point's own error adds to all pixels alike, the mean difference, is taken off.
    """
    edges = np.concatenate([[-np.inf], BINS, [np.inf]])
    sums = np.zeros((4, len(edges) - 1))  # n, Σ true, Σ estimated, Σ estimated²
    for estimated, expected, good in _blocks(found, ("dem_error",), truth):
        e, t = estimated[good].astype(np.float64), expected[good].astype(np.float64)
        place = np.digitize(t, BINS)
        for row, values in enumerate((np.ones_like(t), t, e, e**2)):
            sums[row] += np.bincount(place, values, minlength=sums.shape[1])
    n, true, mean, squares = sums
    kept = n >= 100
    n, true, mean, squares = n[kept], true[kept] / n[kept], mean[kept] / n[kept], squares[kept] / n[kept]
    shift = np.average(mean - true, weights=n) if n.size else 0.0
    deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    return pd.DataFrame({"true": true, "estimated": mean - shift, "deviation": deviation, "pixels": n.astype(int)})


def _blocks(found: Mapping[str, Path], names: tuple[str, ...], truth: str | Path) -> Iterator[tuple[np.ndarray, ...]]:
    """Blocks of the products `names`, of the truth, and where all are known and reliable."""
    grid = Grid.from_raster(found[names[0]])
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(found[name])) for name in (*names, "mask")]
        real = stack.enter_context(raster.warped(truth, grid))
        for window in grid.blocks():
            *values, mask = (raster.read_open(source, window, 1) for source in sources)
            expected = raster.read_open(real, window, 1)
            known = np.isfinite(expected) & (mask == RELIABLE)
            yield (*values, expected, np.logical_and.reduce([known, *(np.isfinite(v) for v in values)]))


def charts(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Figures (svg, caption) of what of the tables "velocity_intervals" and "dem_error_truth" there is."""
    made = []
    if "velocity_intervals" in tables:
        table = tables["velocity_intervals"]
        at95 = float(table.loc[table["nominal"] == 0.95, "measured"].iloc[0])
        svg = chart(
            [Line("", list(table["nominal"]), list(table["measured"]), BLUE, markers=True)],
            title="Coverage of the velocity's intervals",
            x_label="nominal share of an interval",
            y_label="share that holds the truth",
            x_range=(0, 1),
            y_range=(0, 1),
            diagonal=True,
        )
        caption = (
            f"Standard deviation of the velocity: 95 % intervals hold the simulated truth at {at95:.0%} of pixels."
        )
        made.append({"svg": svg, "caption": caption})
    if len(tables.get("dem_error_truth", ())) > 1:
        table = tables["dem_error_truth"]
        slope = np.polyfit(table["true"], table["estimated"], 1, w=np.sqrt(table["pixels"]))[0]
        spread = [
            Line("", list(table["true"]), list(table["estimated"] + side * table["deviation"]), ORANGE, dash="4 3")
            for side in (-1, 1)
        ]
        svg = chart(
            [Line("mean", list(table["true"]), list(table["estimated"]), BLUE, markers=True), *spread],
            title="DEM error, estimated against simulated",
            x_label="simulated DEM error (m)",
            y_label="estimated DEM error (m)",
            diagonal=True,
        )
        caption = f"DEM error by classes of the simulated one; slope {plain(slope, 2)}. Dashed: one standard deviation."
        made.append({"svg": svg, "caption": caption})
    return made
