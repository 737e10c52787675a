"""Kinematics of every pixel: acceleration, annual cycle, step, change of velocity, and class of trend, as maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import h5netcdf
import numpy as np
from rasterio.windows import Window

from slipmap.deformation.reference import pixel_metres
from slipmap.deformation.timeseries import SeriesFile, series_grid
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion import trends
from slipmap.motion.background import Field
from slipmap.motion.trends import CLASSES, LEAST_DATES, Model

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.motion import KinematicsSettings

BANDS = {
    "acceleration": ("mm/yr2", "acceleration in the line of sight, beside the annual cycle"),
    "acceleration_std": ("mm/yr2", "standard deviation of the acceleration"),
    "acceleration_significance": ("1", "statistic of the acceleration over its limit: from 1 on it is significant"),
    "annual_amplitude": ("mm", "amplitude of the annual cycle"),
    "annual_amplitude_std": ("mm", "standard deviation of the amplitude"),
    "annual_phase": ("days", "day of the year of the largest displacement towards the satellite"),
    "annual_phase_std": ("days", "standard deviation of that day"),
    "step": ("mm", "largest step of the displacement, positive towards the satellite"),
    "step_std": ("mm", "standard deviation of the step, its date taken as known"),
    "step_significance": ("1", "statistic of the step over its limit: from 1 on it is significant"),
    "step_date": ("year", "decimal year of the first date after the step"),
    "velocity_change": ("mm/yr", "largest change of velocity"),
    "velocity_change_std": ("mm/yr", "standard deviation of the change, its date taken as known"),
    "velocity_change_significance": ("1", "statistic of the change over its limit: from 1 on it is significant"),
    "velocity_change_date": ("year", "decimal year of the change of velocity"),
}
SIDE = 256  # pixels, of the blocks
AT_ONCE = 4096  # pixels whose series are fitted together: as much as a processor's cache holds
SAMPLE = 2000  # pixels from which the correlation of the dates' errors is estimated
CELL = 1500.0  # m, side of the cells in which the excess of the noise is looked at
LEAST_SIDE = 16  # pixels, of a cell
LEAST_PIXELS, PIXELS = 40, 100  # of a cell, with whole series: that make it known; that are looked at
TOO_FEW = "the series has {count} dates, and kinematics takes {least} at least"


@dataclass(frozen=True)
class Kinematics:
    """The models of a stack's dates, and those of series with gaps, as they come.

    Parameters
    ----------
    dates : of the stack. correlation : of neighbouring dates' errors. limits : of the families on these dates; series
        with gaps are held to the same. excess : variance of the area's noise over that of independent noise.
        noise : the bulk of each statistic of independent noise.
    """

    dates: Sequence[date]
    settings: "KinematicsSettings"
    correlation: float
    limits: dict[str, float]
    excess: dict[str, float]
    noise: dict[str, float] = field(default_factory=dict)

    def fit(
        self, series: np.ndarray, excess: Mapping[str, np.ndarray] | None = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Bands by name and classes of series (dates, pixels), mm; NaN and 255 with fewer than `LEAST_DATES` dates.

        `excess` is that of the ground around each pixel, (pixels,) by name, where it is known.
        """
        pixels = series.shape[1]
        bands = {name: np.full(pixels, np.nan) for name in BANDS}
        classes = np.full(pixels, raster.CLASS_NODATA, np.uint8)
        for seen, here in _patterns(np.isfinite(series)):
            if seen.sum() < LEAST_DATES:
                continue
            days = [day for day, there in zip(self.dates, seen, strict=True) if there]
            model = self.model(days)
            first = days[0].timetuple().tm_yday
            for some in (here[k : k + AT_ONCE] for k in range(0, len(here), AT_ONCE)):
                if excess is not None:
                    model = replace(model, excess={name: of[some] for name, of in excess.items()})
                found = trends.fit(model, series[np.ix_(seen, some)], first, self.settings.false_alarms)
                for name in BANDS:
                    bands[name][some] = (
                        _years(days, found.values[name]) if name.endswith("date") else found.values[name]
                    )
                classes[some] = found.classes
        return bands, classes

    def model(self, days: Sequence[date]) -> Model:
        """The models of the dates that some pixels have."""
        margin = self.settings.margin_dates
        return trends.build(days, margin=margin, correlation=self.correlation, limits=self.limits, excess=self.excess)


def prepare(dates: Sequence[date], sample: np.ndarray, settings: "KinematicsSettings") -> Kinematics:
    """Models and limits for `dates`; the correlation of errors from `sample`, (dates, pixels) without gaps."""
    margin = settings.margin_dates
    found = trends.correlation_of(dates, sample, margin=margin) if sample.shape[1] else 0.0
    plain = trends.build(dates, margin=margin, correlation=found)
    return Kinematics(dates, settings, found, *trends.limits_of(plain, settings.false_alarms, sample))


def run(
    timeseries: str | Path,
    mask: str | Path,
    settings: "KinematicsSettings",
    kinematics: str | Path,
    trend: str | Path,
    tags: dict[str, str],
) -> None:
    """Write the rasters of `BANDS` and of `CLASSES`, for reliable pixels, block by block.

    With fewer than `LEAST_DATES` dates both are nodata, and the log and the tag LEFT_OUT say why.
    """
    with h5netcdf.File(timeseries, "r") as file, ExitStack() as stack:
        grid, days = series_grid(file)
        dates, series = [date.fromisoformat(day) for day in days], SeriesFile(file, grid)
        models, around = None, {}
        if len(dates) < LEAST_DATES:
            tags = tags | {"LEFT_OUT": TOO_FEW.format(count=len(dates), least=LEAST_DATES)}
            print(f"kinematics, trend: nodata, {tags['LEFT_OUT']}")
        else:
            models = prepare(dates, sample_series(series, mask), settings)
            around = local_excess(models, series, mask)
            more = ", ".join(f"{name} {value:.2f}" for name, value in models.excess.items())
            tags = tags | {"CORRELATION_OF_NEIGHBOURING_DATES": f"{models.correlation:.2f}", "EXCESS_VARIANCE": more}
        out = stack.enter_context(_bands(kinematics, grid, tags))
        classes = stack.enter_context(
            raster.create(
                trend, grid, bands=["trend"], units="1", long_name="class of the trend of the displacement",
                dtype="uint8", categories=CLASSES, tags=tags,
            )
        )  # fmt: skip
        for window in grid.blocks(SIDE):
            values = np.full((len(BANDS), window.height * window.width), np.nan, np.float32)
            found = np.full(values.shape[1], raster.CLASS_NODATA, np.uint8)
            known = _reliable(mask, window)
            if models is not None and known.any():
                here = {name: field.at(window).ravel()[known] for name, field in around.items()}
                bands, found[known] = models.fit(_read(series, window)[:, known], here)
                values[:, known] = [bands[name] for name in BANDS]
            out.write(values.reshape(-1, window.height, window.width), window)
            classes.write(found.reshape(window.height, window.width), window)


def local_excess(models: Kinematics, series: SeriesFile, mask: str | Path) -> dict[str, Field]:
    """The excess of the noise's variance all over the area: that of each cell of `CELL` metres, no less than overall.

    What is left of the atmosphere, and of a season that the dates do not span, differs from hillside to hillside: near
    the reference it is all that is left. Three quarters of the ground of a cell are taken to move steadily.
    """
    grid = series.grid
    side = max(LEAST_SIDE, round(CELL / pixel_metres(grid)))
    model = models.model(models.dates)
    shape = (-(-grid.height // side), -(-grid.width // side))
    cells = {name: np.full(shape, value) for name, value in models.excess.items()}
    for window in grid.blocks(side * max(1, SIDE // side)):
        known = _reliable(mask, window).reshape(int(window.height), int(window.width))
        if not known.any():
            continue
        values = series.read(window)
        for row in range(0, known.shape[0], side):
            for col in range(0, known.shape[1], side):
                cell = np.s_[row : row + side, col : col + side]
                found = values[:, *cell][:, known[cell]].astype(np.float64)
                found = found[:, np.isfinite(found).all(axis=0)]
                if found.shape[1] >= LEAST_PIXELS:
                    at = (int(window.row_off) + row) // side, (int(window.col_off) + col) // side
                    few = found[:, :: -(-found.shape[1] // PIXELS)]
                    for name, value in trends.excess_of(model, few, models.noise).items():
                        cells[name][at] = max(cells[name][at], value)
    return {name: Field(of, side) for name, of in cells.items()}


def _bands(path: str | Path, grid: Grid, tags: dict[str, str]) -> AbstractContextManager[raster.RasterWriter]:
    units, names = ([about[k] for about in BANDS.values()] for k in (0, 1))
    return raster.create(path, grid, bands=list(BANDS), units=units, long_name=names, tags=tags)


def _read(series: SeriesFile, window: Window) -> np.ndarray:
    """Displacement in a window, (dates, pixels) float64."""
    values = series.read(window)
    return values.reshape(len(values), -1).astype(np.float64)


def _reliable(mask: str | Path, window: Window) -> np.ndarray:
    return np.asarray(raster.read(mask, window, 1).ravel() == 1)


def sample_series(series: SeriesFile, mask: str | Path) -> np.ndarray:
    """Series without gaps of reliable pixels spread over the area, (dates, at most about `SAMPLE` pixels)."""
    windows = list(series.grid.blocks(SIDE))
    each = -(-SAMPLE // len(windows))
    parts = []
    for window in windows[:: max(1, len(windows) // 64)]:
        whole = _read(series, window)[:, _reliable(mask, window)]
        whole = whole[:, np.isfinite(whole).all(axis=0)]
        # a copy, not a view: a view would hold every block that was read
        parts.append(whole[:, :: max(1, whole.shape[1] // max(each, SAMPLE // 64))].copy())
    return np.concatenate(parts, axis=1)


def _patterns(seen: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Dates that some pixels have, (dates,) bool, and which pixels those are, pattern by pattern."""
    whole = seen.all(axis=0)
    if whole.any():
        yield np.ones(len(seen), bool), np.flatnonzero(whole)
    rest = np.flatnonzero(~whole)
    patterns, which = np.unique(seen[:, rest], axis=1, return_inverse=True)
    for number in range(patterns.shape[1] if rest.size else 0):
        yield patterns[:, number], rest[which == number]


def _years(days: Sequence[date], index: np.ndarray) -> np.ndarray:
    """Decimal years of the dates at `index`."""
    decimal = np.array([day.year + (day.timetuple().tm_yday - 1) / 365.25 for day in days])
    return np.asarray(decimal[index.astype(int)])
