"""What share of the area each factor covers, and whether it varies at all."""

import csv
import io
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio

from slipmap.errors import InputError
from slipmap.factors.align import WIDE_BLOCK
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)
COLUMNS = ("factor", "units", "valid_percent", "minimum", "maximum", "mean", "std", "note")


def run(factors: Mapping[str, str | Path], grid: Grid, out: str | Path) -> None:
    """Write one row for each factor, then one, "all", for the pixels where every factor is known.

    Parameters
    ----------
    factors : name → file, each on `grid`.
    out : the CSV, columns `COLUMNS`; mean and std (population) of valid pixels. Classes have no mean.

    Raises
    ------
    InputError : a factor does not lie on the grid, or is empty: nothing could be learnt from it.
    """
    rows = []
    opened = {}
    try:
        for name, path in factors.items():
            opened[name] = rasterio.open(path)
            if not Grid.from_raster(path).matches(grid):
                raise InputError(f"{path} does not lie on the area's grid; delete it and run again.")
        sums = {name: _Sums() for name in factors}
        complete = 0
        for window in grid.blocks(WIDE_BLOCK):
            known = np.ones((int(window.height), int(window.width)), bool)
            for name, src in opened.items():
                block = raster.read_open(src, window, 1)
                sums[name].add(block)
                known &= np.isfinite(block)
            complete += int(known.sum())
        pixels = grid.width * grid.height
        for name, src in opened.items():
            rows.append(_row(name, src, sums[name], pixels, factors[name]))
    finally:
        for src in opened.values():
            src.close()
    rows.append({"factor": "all", "valid_percent": f"{100 * complete / pixels:.3f}"})
    if not complete:
        worst = min((row for row in rows[:-1]), key=lambda row: float(row["valid_percent"]))
        log.warning("no pixel of the area has every factor; '%s' covers least", worst["factor"])
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out, text.getvalue())


class _Sums:
    """Count, mean, spread and range of blocks, added up exactly enough (Chan et al. 1983)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.low, self.high = np.inf, -np.inf

    def add(self, block: np.ndarray) -> None:
        values = block[np.isfinite(block)].astype(np.float64)
        if not values.size:
            return
        mean, squares = values.mean(), ((values - values.mean()) ** 2).sum()
        total = self.count + values.size
        step = mean - self.mean
        self.squares += squares + step**2 * self.count * values.size / total
        self.mean += step * values.size / total
        self.count = total
        self.low, self.high = min(self.low, values.min()), max(self.high, values.max())


def _row(name: str, src: rasterio.DatasetReader, sums: _Sums, pixels: int, path: str | Path) -> dict[str, str]:
    if not sums.count:
        raise InputError(
            f"{path}: the factor '{name}' has no valid pixel in the area; check its input, or leave it "
            f"out (factors.exclude)."
        )
    classes = src.dtypes[0] == "uint8"
    constant = sums.low == sums.high
    if constant:
        log.warning("the factor '%s' is %g everywhere; it can tell nothing and screening will drop it", name, sums.low)
    return {
        "factor": name,
        "units": src.units[0] or src.tags(1).get("units", ""),
        "valid_percent": f"{100 * sums.count / pixels:.3f}",
        "minimum": f"{sums.low:.6g}",
        "maximum": f"{sums.high:.6g}",
        "mean": "" if classes else f"{sums.mean:.6g}",
        "std": "" if classes else f"{np.sqrt(sums.squares / sums.count):.6g}",
        "note": "constant" if constant else "",
    }
