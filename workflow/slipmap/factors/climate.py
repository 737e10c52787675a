"""Rain and soil moisture before an event: nothing here looks past the cut-off date."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.config.factors import AntecedentSettings, ClimateSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.factors.climate_units import daily_totals, undated_rain, volumetric
from slipmap.factors.coarse import cut, write_on_grid
from slipmap.factors.names import rain_lag, rain_lags
from slipmap.inputs.cubes import Series, read_series
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)


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
    path : see `slipmap.inputs.cubes.read_series`. Units mm, mm/day, mm/h, m (ERA5-Land) or kg m-2 s-1.
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
        layers = {"rainfall": undated_rain(series, settings, path, key)}
        span = "as given, without dates"
    else:
        days, daily = daily_totals(series, settings, path, key)
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
    values = volumetric(series, settings, path, key)
    if series.times is None:
        require_dates(series, set(outputs) & {"smi"}, path, key)
        layers, span = {"soil_moisture": values[0]}, "as given, without dates"
    else:
        end = cutoff_of(series.dated(), settings, path, key)
        past = cut(replace(series, values=values), end)
        recent = recent_of(past.dated(), end, settings, path, key)
        mean = _nanmean(past.values[recent])
        layers = {"soil_moisture": mean, "smi": moisture_index(mean, past.values)}
        counted = past.dated()[recent]
        span = f"{counted[0]:%Y-%m-%d} to {counted[-1]:%Y-%m-%d}"
    text = {name: (one.units, one.title(name, period=span)) for name, one in factors.items()}
    tags: dict[str, object] = {"source": Path(path).name, "period": span, "resampling": settings.resampling}
    write_on_grid(layers, series.grid, grid, dict(outputs), settings.resampling, text.__getitem__, tags)


def antecedent(
    days: pd.DatetimeIndex, daily: np.ndarray, settings: ClimateSettings, path: str | Path, key: str
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """The last `settings.window` days up to the cut-off.

    Raises
    ------
    InputError : a day of the window is missing.
    """
    end = cutoff_of(days, settings, path, key)
    wanted = pd.date_range(end - pd.Timedelta(days=settings.window - 1), end, freq="D")
    missing = wanted.difference(days)
    if len(missing):
        raise InputError(
            f"{key}: {path} has no rain for {len(missing)} of the {settings.window} days up to {end:%Y-%m-%d} (first "
            f"{missing[0]:%Y-%m-%d}; it runs from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}); complete it, every hour "
            f"of a day if it has hours, or change factors.climate.cutoff or window."
        )
    return wanted, daily[days.get_indexer(wanted)]


def recent_of(
    times: pd.DatetimeIndex, end: pd.Timestamp, settings: AntecedentSettings, path: str | Path, key: str
) -> np.ndarray:
    """(times,) bool: those in the window up to the day `end`."""
    recent = times > end - pd.Timedelta(days=settings.window - 1) - pd.Timedelta(seconds=1)
    if not recent.any():
        raise InputError(
            f"{key}: {path} has nothing in the {settings.window} days up to {end:%Y-%m-%d}; give a series that "
            f"reaches the cut-off (factors.climate.cutoff)."
        )
    return np.asarray(recent)


def require_dates(series: Series, dated: Collection[str], path: str | Path, key: str) -> None:
    """Raise `InputError` where factors `dated` need dates and the series of `path` has none."""
    if series.times is None and dated:
        raise InputError(
            f"{key}: {path} is one layer without dates, so {' and '.join(sorted(dated))} cannot be made; give a daily "
            f"series or leave them out (factors.exclude)."
        )


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


def cutoff_of(times: pd.DatetimeIndex, settings: AntecedentSettings, path: str | Path, key: str) -> pd.Timestamp:
    """Last day that counts: the setting's, or that of the series; `InputError` if the series does not reach it."""
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


def _nanmean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: np.ndarray = np.where(known, values, 0).sum(axis=0) / count
    return mean.astype(np.float32)
