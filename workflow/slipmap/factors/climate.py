"""Rain and soil moisture before an event: nothing here looks past the cut-off date."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.config.factors import ClimateSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.factors.coarse import Series, cut, read_series, write_on_grid
from slipmap.factors.names import rain_lag, rain_lags
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)
_DAILY = {"mm", "mm/day", "mmday-1", "mm/d", "mmd-1", "kgm-2", "kgm-2day-1", "kgm-2d-1", ""}
_HOURLY = {"mm/hr", "mm/h", "mmhr-1", "mmh-1", "mmhour-1", "mm/hour"}
_METRES = {"m", "mofwaterequivalent"}
_PER_SECOND = {"kgm-2s-1", "kg/m2/s", "mm/s", "mms-1"}
_PERCENT = {"%", "percent"}


def run_rain(
    path: str | Path,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: ClimateSettings | None = None,
    *,
    key: str = "inputs.rainfall",
) -> None:
    """Make rain factors.

    Parameters
    ----------
    path : see `slipmap.factors.coarse.read_series`. Units mm, mm/day, mm/h, m (ERA5-Land) or kg m-2 s-1.
    outputs : factor → file: rainfall (mm in the window up to the cut-off), rain_intensity (P, mm/h), rain_duration
        (D, days), rain_lag_N (mm, of the day N days before the cut-off); P and D as in equation 5 of the
        LSI paper, see `intensity_and_duration`.

    Raises
    ------
    InputError : the series does not cover the window before the cut-off; P or D are asked of rain without dates.
    """
    settings = settings or ClimateSettings()
    factors = catalogue.made_by("rain", outputs)
    series = read_series(path, grid, key, "rainfall")
    dated = set(outputs) - {"rainfall"}
    if series.times is None and dated:
        raise InputError(
            f"{key}: {path} is one layer without dates, so {' and '.join(sorted(dated))} cannot be made; give "
            f"daily rain or leave them out (factors.exclude)."
        )
    if series.times is None:
        layers = {"rainfall": series.values[0]}
        span = "as given, without dates"
    else:
        days, daily = daily_totals(series, settings.accumulated, path, key)
        days, daily = antecedent(days, daily, settings, path, key)
        intensity, duration = intensity_and_duration(daily, settings.wet_day, settings.event)
        layers = {"rainfall": daily.sum(axis=0), "rain_intensity": intensity, "rain_duration": duration}
        for name in rain_lags(outputs):
            if rain_lag(name) >= len(daily):
                raise InputError(
                    f"factors.extra names '{name}', but only {len(daily)} days count (factors.climate.window); raise "
                    f"the window or leave the factor out."
                )
            layers[name] = daily[-1 - rain_lag(name)]
        span = f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
    text = {name: (one.units, one.title(name, period=span, event=settings.event)) for name, one in factors.items()}
    tags: dict[str, object] = {
        "source": Path(path).name, "period": span, "wet_day": f"{settings.wet_day:g} mm", "event": settings.event,
        "resampling": settings.resampling,
    }  # fmt: skip
    write_on_grid(layers, series.grid, grid, dict(outputs), settings.resampling, text.__getitem__, tags)


def run_soil(
    path: str | Path,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: ClimateSettings | None = None,
    *,
    key: str = "inputs.soil_moisture",
) -> None:
    """Make soil factors: soil_moisture (m3/m3, mean of the window up to the cut-off) and smi (see `moisture_index`)."""
    settings = settings or ClimateSettings()
    factors = catalogue.made_by("soil", outputs)
    series = read_series(path, grid, key, "soil_moisture")
    values = series.values / 100 if _compact(series.units) in _PERCENT else series.values
    values = np.where(values < 0, np.nan, values)  # undeclared fill values of SMOS and AMSR2 are negative
    if np.nanmax(values, initial=0) > 1:
        raise InputError(
            f"{key}: {path} has values up to {np.nanmax(values):.4g}, not m3/m3 (0 to 1); convert it, or set "
            f"its units to '%'."
        )
    if series.times is None:
        if "smi" in outputs:
            raise InputError(
                f"{key}: {path} is one layer without dates, so smi, which compares a cell with its own past, "
                f"cannot be made; give a series or leave smi out."
            )
        layers, span = {"soil_moisture": values[0]}, "as given, without dates"
    else:
        end = _cutoff(series.times, settings, path, key)
        past = cut(Series(values, series.times, series.grid, series.units), end)
        recent = past.dated() > end - pd.Timedelta(days=settings.window - 1) - pd.Timedelta(seconds=1)
        if not recent.any():
            raise InputError(
                f"{key}: {path} has nothing in the {settings.window} days up to {end:%Y-%m-%d}; give a series that "
                f"reaches the cut-off (factors.climate.cutoff)."
            )
        mean = _nanmean(past.values[recent])
        layers = {"soil_moisture": mean, "smi": moisture_index(mean, past.values)}
        counted = past.dated()[recent]
        span = f"{counted[0]:%Y-%m-%d} to {counted[-1]:%Y-%m-%d}"
    text = {name: (one.units, one.title(name, period=span)) for name, one in factors.items()}
    tags: dict[str, object] = {"source": Path(path).name, "period": span, "resampling": settings.resampling}
    write_on_grid(layers, series.grid, grid, dict(outputs), settings.resampling, text.__getitem__, tags)


def daily_totals(series: Series, accumulated: bool, path: str | Path, key: str) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Rain of each whole day, mm: (days, (days, rows, cols)).

    Parameters
    ----------
    series : rain in mm or mm/day (of the day), mm/h (rate), m (depth), kg m-2 s-1 (rate), at daily or finer steps.
    accumulated : depths run up from 00 UTC and the total of a day stands at 00 UTC of the next (ERA5-Land), which is
        all that need be there.

    Raises
    ------
    InputError : units that are not known; accumulated rain without 00 UTC; no whole day.
    """
    unit = _compact(series.units)
    values = series.values.astype(np.float64)
    times = series.dated()
    step = _step_hours(times)
    if unit in _METRES:
        values = values * 1000.0
    elif unit in _HOURLY:
        values = values * step
    elif unit in _PER_SECOND:
        values = values * 3600.0 * step
    elif unit not in _DAILY:
        raise InputError(
            f"{key}: {path} is in '{series.units}', which is not understood; convert it to mm/day and set its units."
        )
    elif "d" in unit and step < 24:
        values = values * (step / 24)  # a rate per day at finer steps
    values = np.where(values < 0, np.nan, values)  # undeclared fill values are negative
    days = times.normalize()
    if accumulated:
        midnight = times == days
        if not midnight.any():
            raise InputError(
                f"{key}: {path} has no value at 00 UTC, where rain that is accumulated over a day is read; give these "
                f"hours too, or set factors.climate.accumulated: false."
            )
        return days[midnight] - pd.Timedelta(days=1), values[midnight]
    if step >= 24:
        return days, values
    unique, group = np.unique(days, return_inverse=True)
    total = np.zeros((len(unique), *values.shape[1:]))
    np.add.at(total, group, values)
    whole = np.bincount(group) >= round(24 / step)  # a day of which hours are missing has no total
    if not whole.any():
        raise InputError(f"{key}: {path} has no day with all its hours; give whole days.")
    return pd.DatetimeIndex(unique)[whole], total[whole]


def antecedent(
    days: pd.DatetimeIndex, daily: np.ndarray, settings: ClimateSettings, path: str | Path, key: str
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """The last `settings.window` days up to the cut-off.

    Raises
    ------
    InputError : a day of the window is missing.
    """
    end = _cutoff(days, settings, path, key)
    wanted = pd.date_range(end - pd.Timedelta(days=settings.window - 1), end, freq="D")
    missing = wanted.difference(days)
    if len(missing):
        raise InputError(
            f"{key}: {path} has no rain for {len(missing)} of the {settings.window} days up to {end:%Y-%m-%d} (first "
            f"{missing[0]:%Y-%m-%d}; it runs from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}); complete it, every hour "
            f"of a day if it has hours, or change factors.climate.cutoff or window."
        )
    return wanted, daily[days.get_indexer(wanted)]


def intensity_and_duration(daily: np.ndarray, wet_day: float, event: str = "spell") -> tuple[np.ndarray, np.ndarray]:
    """Event-mean intensity P, mm/h, and duration D, days, of equation 5 of the LSI paper.

    Parameters
    ----------
    daily : (days, rows, cols) mm, the last day that of the cut-off.
    wet_day : mm from which a day is wet.
    event : "spell": the run of wet days with most rain (of equals the last); "window": all wet days.

    Returns
    -------
    (P, D), (rows, cols) float32 each. P = rain of the event / (24 D). No wet day: P = D = 0. NaN where a day is NaN.
    The paper does not say how P and D come from rain; this is slipmap's reading.
    """
    wet = daily >= max(wet_day, np.finfo(np.float64).tiny)
    if event == "window":
        total, length = np.where(wet, daily, 0).sum(axis=0), wet.sum(axis=0).astype(float)
    else:
        total = np.zeros(daily.shape[1:])
        length = np.zeros(daily.shape[1:])
        run_total, run_length = total.copy(), length.copy()
        for rain, is_wet in zip(daily, wet, strict=True):
            run_total = np.where(is_wet, run_total + rain, 0)
            run_length = np.where(is_wet, run_length + 1, 0)
            better = is_wet & (run_total >= total)
            total, length = np.where(better, run_total, total), np.where(better, run_length, length)
    unknown = np.isnan(daily).any(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        intensity = np.where(length > 0, total / (24 * length), 0)
    return (
        np.where(unknown, np.nan, intensity).astype(np.float32),
        np.where(unknown, np.nan, length).astype(np.float32),
    )


def moisture_index(now: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Soil moisture index: `now` between the driest (0) and the wettest (1) of each cell's own record.

    The LSI paper takes its SMI from SMOS and AMSR2 without a formula, then scales it from 0 to 1 by minimum and
    maximum; taken over time in each cell, as here, that also removes the bias between soils and sensors.

    Parameters
    ----------
    now : (rows, cols) m3/m3. record : (times, rows, cols) m3/m3 up to the cut-off. NaN where the record is constant.
    """
    known = np.isfinite(record)
    low = np.where(known, record, np.inf).min(axis=0)
    high = np.where(known, record, -np.inf).max(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(high > low, (now - low) / (high - low), np.nan)
    return np.clip(scaled, 0, 1).astype(np.float32)


def _cutoff(times: pd.DatetimeIndex, settings: ClimateSettings, path: str | Path, key: str) -> pd.Timestamp:
    first, last = times[0].normalize(), times[-1].normalize()
    if settings.cutoff is None:
        log.warning("%s: factors.climate.cutoff is not set; the last day of %s, %s, is taken", key, path, last.date())
        return last
    end = pd.Timestamp(settings.cutoff)
    if not first <= end <= last:
        raise InputError(
            f"{key}: {path} runs from {first:%Y-%m-%d} to {last:%Y-%m-%d} and does not reach the cut-off "
            f"{end:%Y-%m-%d} (factors.climate.cutoff); give a longer series or another date."
        )
    return end


def _step_hours(times: pd.DatetimeIndex) -> float:
    if len(times) < 2:
        return 24.0
    return float(np.median(np.diff(times.to_numpy()) / np.timedelta64(1, "h")))


def _nanmean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: np.ndarray = np.where(known, values, 0).sum(axis=0) / count
    return mean.astype(np.float32)


def _compact(units: str) -> str:
    return units.lower().replace(" ", "").replace("**", "").replace("^", "").replace("*", "")
