"""Rain and soil moisture looked at before any work: by their own readers, the steps that count alone."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from slipmap.config.factors import AntecedentSettings, ClimateSettings
from slipmap.errors import InputError
from slipmap.factors.climate import antecedent, cutoff_of, recent_of, require_dates
from slipmap.factors.climate_units import daily_totals, undated_rain, volumetric
from slipmap.inputs.cubes import Pick, Series, read_series
from slipmap.io.grid import Grid


def check_rain(
    path: str | Path, grid: Grid, names: Collection[str], settings: ClimateSettings, key: str = "inputs.rainfall"
) -> None:
    """Raise `InputError` where the factors `names` cannot be made: as `run_rain`, of the steps that count alone."""
    series = read_series(path, grid, key, "rainfall", _counting(settings))
    require_dates(series, set(names) - {"rainfall"}, path, key)
    if series.times is None:
        values = undated_rain(series, settings, path, key)[None]
    else:
        _, values = antecedent(*daily_totals(series, settings, path, key), settings, path, key)
    _require_values(values, series, grid, path, key)


def check_soil(
    path: str | Path,
    grid: Grid,
    names: Collection[str],
    settings: AntecedentSettings,
    key: str = "inputs.soil_moisture",
) -> None:
    """Raise `InputError` where the factors `names` cannot be made: as `run_soil`, of the steps that count alone."""
    series = read_series(path, grid, key, "soil_moisture", _counting(settings))
    values = volumetric(series, settings, path, key)
    require_dates(series, set(names) & {"smi"}, path, key)
    if series.times is not None:
        end = cutoff_of(series.times, settings, path, key)
        values = values[recent_of(series.times, end, settings, path, key) & (series.times < end + pd.Timedelta(days=1))]
    _require_values(values, series, grid, path, key)


def _counting(settings: AntecedentSettings) -> Pick:
    """The steps from the window's first day to the one after the cut-off, and one more each way.

    The one more tells how long a step is. All steps are taken where the cut-off is beyond them.
    """

    def pick(times: pd.DatetimeIndex) -> np.ndarray:
        last = times.max().normalize()
        end = pd.Timestamp(settings.cutoff) if settings.cutoff else last
        wanted = (times >= end - pd.Timedelta(days=settings.window)) & (times < end + pd.Timedelta(days=2))
        inside = times.min().normalize() <= end <= last
        if not (inside and wanted.any()):
            return np.arange(len(times))
        order = np.argsort(times, kind="stable")
        found = np.flatnonzero(wanted[order])
        return np.sort(order[max(found[0] - 1, 0) : found[-1] + 2])

    return pick


def _require_values(values: np.ndarray, series: Series, grid: Grid, path: str | Path, key: str) -> None:
    """Some cell in the area has a value on every day that counts."""
    known = np.isfinite(values).all(axis=0)
    coarse = series.grid
    crs = CRS.from_user_input(coarse.crs)
    left, bottom, right, top = transform_bounds(CRS.from_user_input(grid.crs), crs, *grid.bounds)
    right += 360.0 * (right < left)
    turn = 360.0 * round((coarse.bounds[0] - left) / 360.0) if crs.is_geographic else 0.0
    (x0, y0), (x1, y1) = ~coarse.transform @ (left + turn, top), ~coarse.transform @ (right + turn, bottom)
    rows = slice(max(int(np.floor(y0)), 0), max(int(np.ceil(y1)), 1))
    cols = slice(max(int(np.floor(x0)), 0), max(int(np.ceil(x1)), 1))
    if not known[rows, cols].any():
        raise InputError(
            f"{key}: {path} has no value in the area on the days that count; give a product that covers it, or fill "
            f"the gaps."
        )
