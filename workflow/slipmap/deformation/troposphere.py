"""Delays of weather models along the line of sight, and what each way of removing the troposphere leaves over."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.arrays import Doubles, Integers
from slipmap.deformation import correction
from slipmap.deformation.velocity import TimeModel
from slipmap.deformation.weather_delays import KEY, Delays, find
from slipmap.errors import InputError
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import in_unit
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import LineOfSight, line_of_sight

WAYS = ("none", "elevation", "model", "both")
BY_ELEVATION, BY_MODEL = ("elevation", "both"), ("model", "both")
COMPARED = 5000  # pixels at the least of the sample on which the ways are compared
COLUMNS = ("troposphere", "rms_mm", "used")


@dataclass(frozen=True)
class ModelDelay:
    """Apparent displacement (mm, towards the satellite, relative to the first date) by the delays of a weather model.

    Parameters
    ----------
    delays : of all `dates`. grid : of the interferograms. sight : for the way from the zenith to the line of sight.
    dem : elevation (m), where the delays have levels; taken as height above the ellipsoid: what an undulation adds is
        the same all over an area, and so goes with the reference.
    """

    delays: Delays
    dates: Sequence[date]
    grid: Grid
    sight: LineOfSight | None
    dem: str | None

    def at(self, window: Window) -> np.ndarray:
        """(dates, rows, cols) of a window."""
        (r0, r1), (c0, c1) = window.toranges()
        rows, cols = np.meshgrid(np.arange(r0, r1), np.arange(c0, c1), indexing="ij")
        found = self._of(window, rows.ravel() - r0, cols.ravel() - c0)
        return found.reshape(len(self.dates), *rows.shape)

    def at_pixels(self, rows: np.ndarray, cols: np.ndarray, side: int) -> np.ndarray:
        """(dates, pixels) of some pixels; `side` of the blocks in which other rasters are read."""
        found = np.full((len(self.dates), len(rows)), np.nan)
        for window in self.grid.blocks(side):
            (r0, r1), (c0, c1) = window.toranges()
            inside = (rows >= r0) & (rows < r1) & (cols >= c0) & (cols < c1)
            if inside.any():
                found[:, inside] = self._of(window, rows[inside] - r0, cols[inside] - c0)
        return found

    def _of(self, window: Window, rows: Integers, cols: Integers) -> Doubles:
        """(dates, points) at `rows` and `cols` of a window."""
        x, y = self.grid.coordinates(cols + window.col_off + 0.5, rows + window.row_off + 0.5)
        height = None
        if self.delays.levels:
            with raster.warped(str(self.dem), self.grid) as source:
                height = raster.read_open(source, window, 1)[rows, cols]
        delay = self.delays.at(self.dates, x, y, self.grid.crs, height)
        if not self.delays.slant:
            assert self.sight is not None
            delay = delay / self.sight.read(window, self.grid)[2][rows, cols].astype(np.float64)
        moved: Doubles = -1000 * (delay - delay[:1])
        return moved


def model_delay(
    path: str | Path, dates: Sequence[date], grid: Grid, stack_json: str | Path, dem: str | Path | None
) -> ModelDelay:
    """The delays under `path` on the way to the satellite.

    Raises
    ------
    InputError : as `weather_delays.find`; no DEM for delays on levels; no incidence angle for delays at the zenith.
    """
    delays = find(path, dates, grid)
    if delays.levels and dem is None:
        raise InputError(f"{KEY}: {delays.source}'s delays depend on the height; give inputs.dem.")
    sight = None if delays.slant else line_of_sight(stack_json)
    if sight is None and not delays.slant:
        raise InputError(
            f"{KEY}: {delays.source}'s delays are those at the zenith, and the files tell no incidence angle and "
            f"heading; set inputs.sentinel1.incidence, or put geometry.tif beside the files."
        )
    height = None if dem is None else in_unit(dem, ELEVATION, "inputs.dem", vertical=True)
    return ModelDelay(delays, dates, grid, sight, height)


def compare(
    series: np.ndarray,
    modelled: np.ndarray | None,
    designs: dict[str, tuple[list[str], np.ndarray]],
    model: TimeModel,
    moving: float,
    used: str,
) -> list[dict[str, object]]:
    """What each way of removing the troposphere leaves over of the series of stable pixels; `COLUMNS`, one row a way.

    The rest is the root mean square of what neither the ramp, nor the way, nor the model of time explains, mm, over
    pixels that stand still by the way in use, the same for all ways.

    Parameters
    ----------
    series : (dates, pixels), mm. modelled : (dates, pixels), mm, by the weather model; None: there is none.
    designs : terms and design matrix (pixels, terms) of the surfaces without elevation ("none") and with it.
    moving : mm/yr; faster pixels do not count. used : the way that the config asks for.
    """
    if series.shape[1] == 0:
        return []
    few = slice(None, None, max(1, series.shape[1] // COMPARED))
    series, modelled = series[:, few], None if modelled is None else modelled[:, few]
    designs = {way: (terms, design[few]) for way, (terms, design) in designs.items()}
    operator = model.row("velocity")
    rest = np.eye(len(series)) - model.design @ model.inverse
    ways = [w for w in WAYS if (w not in BY_MODEL or modelled is not None) and _design(w) in designs]
    left = {}
    for way in ways:
        values = series - modelled if way in BY_MODEL and modelled is not None else series
        terms, design = designs[_design(way)]
        if terms:
            surfaces = correction.fit_surfaces(values, design, operator, terms, moving)
            values = values - surfaces.coefficients @ design.T
        left[way] = values - np.median(values, axis=1, keepdims=True)
    rate = operator @ left[used if used in left else ways[0]]
    still = np.abs(rate - np.median(rate)) <= moving
    still |= not still.any()
    return [
        {
            "troposphere": way,
            "rms_mm": round(float(np.sqrt(np.mean((rest @ values[:, still]) ** 2))), 4),
            "used": way == used,
        }
        for way, values in left.items()
    ]


def _design(way: str) -> str:
    return "elevation" if way in BY_ELEVATION else "none"


def write_table(path: str | Path, rows: Sequence[dict[str, object]]) -> None:
    """Write ``troposphere.csv``, and say on the console which way leaves least."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())
    if len(rows) > 1:
        least = min(rows, key=lambda row: float(str(row["rms_mm"])))
        chosen = ", ".join(f"{row['troposphere']} {row['rms_mm']} mm" for row in rows)
        print(f"troposphere: {least['troposphere']} leaves the smallest residuals ({chosen})")
