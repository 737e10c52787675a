"""Rain and soil moisture in the units in which they are delivered, as mm of each day and m3/m3."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.config.factors import AntecedentSettings, ClimateSettings
from slipmap.errors import InputError
from slipmap.inputs.cubes import Series

# factor to mm of the unit, and of what: a depth of its own step, or a rate for each of so many hours
RAIN = {
    **dict.fromkeys(("mm", "kgm-2", "kg/m2", "millimetre", "millimetres", "millimeter", "millimeters"), (1.0, None)),
    **dict.fromkeys(("mm/day", "mmday-1", "mm/d", "mmd-1", "kgm-2day-1", "kgm-2d-1", "mm/24h"), (1.0, 24.0)),
    **dict.fromkeys(("mm/hr", "mm/h", "mmhr-1", "mmh-1", "mmhour-1", "mm/hour", "kgm-2h-1"), (1.0, 1.0)),
    **dict.fromkeys(("kgm-2s-1", "kg/m2/s", "mm/s", "mms-1"), (1.0, 1 / 3600)),
    **dict.fromkeys(("m", "mofwaterequivalent", "metre", "metres"), (1000.0, None)),
    **dict.fromkeys(("m/day", "mday-1"), (1000.0, 24.0)),
    **dict.fromkeys(("m/s", "ms-1"), (1000.0, 1 / 3600)),
    "cm": (10.0, None),
    **dict.fromkeys(("cm/day", "cmday-1", "cm/d"), (10.0, 24.0)),
    **dict.fromkeys(("in/day", "inday-1", "inch/day", "inches/day", "in/d"), (25.4, 24.0)),
    **dict.fromkeys(("in/hr", "in/h", "inch/h", "inches/hour", "inh-1"), (25.4, 1.0)),
    **dict.fromkeys(("in", "inch", "inches"), (25.4, None)),
}
SOIL = {
    **dict.fromkeys(("m3/m3", "m3m-3", "m3.m-3", "cm3/cm3", "cm3cm-3", "1", "-"), 1.0),
    **dict.fromkeys(("%", "percent", "vol.%", "vol%", "m3/m3*100"), 0.01),
}
_DAY = 25.0  # hours
_RUN_UP = ("tp", "sf", "ro", "sro", "ssro", "smlt", "e")  # ERA5-Land's, which run up from 00 UTC
MOST_RAIN_IN_YEARS = 30_000.0  # mm in a layer without dates; the most in a year is 26,470 (Cherrapunji, 1860 to 1861)
MOST_RAIN = 2000.0  # mm in a day; the most on record is 1825 (La Reunion, 1966)


def volumetric(series: Series, settings: AntecedentSettings, path: str | Path, key: str) -> np.ndarray:
    """Volumetric soil moisture, m3/m3: (times, rows, cols) float32, NaN where unknown.

    Raises
    ------
    InputError : a unit that is none of it, or not said; values beyond 1.
    """
    unit = settings.soil_unit or series.units
    if not settings.soil_unit and _of_saturation(series):
        raise InputError(
            f"{key}: '{series.name}' of {path} may be a degree of saturation, as of ASCAT and Copernicus' SSM, and not "
            f"a share of the volume; multiply it by the porosity, or, if it is volumetric, set "
            f"factors.climate.soil_unit (m3/m3 or %)."
        )
    factor = SOIL.get(_compact(unit)) if unit else 1.0
    if factor is None:
        raise InputError(
            f"{key}: {path} is in '{unit}', which is no unit of volumetric soil moisture (m3/m3 or %); convert it, or "
            f"correct the unit (factors.climate.soil_unit)."
        )
    values = np.where(series.values < 0, np.nan, series.values * np.float32(factor))  # fill values are negative
    if np.nanmax(values, initial=0) > 1:
        raise InputError(
            f"{key}: {path} has values up to {np.nanmax(values):.4g}, not m3/m3 (0 to 1); set "
            f"factors.climate.soil_unit to what it is in ('%', say), or declare its fill value."
        )
    if not unit:
        raise InputError(f"{key}: {path} does not say its unit; set factors.climate.soil_unit (m3/m3 or %).")
    if factor != 1 and not settings.soil_unit and 0 < np.nanmax(values, initial=0) <= factor:
        raise InputError(
            f"{key}: {path} is in '{unit}' and has no value above 1, drier than any soil; set "
            f"factors.climate.soil_unit to what it is in (m3/m3, or % where that is right)."
        )
    return values


def _of_saturation(series: Series) -> bool:
    """Whether values may be shares of the pores, not of the volume: by their description, or as ASCAT names them."""
    told = re.search(r"satur|relative|degree of|wetness", series.description.lower())
    as_ascat = "ssm" in series.name.lower().split("_") or series.name.lower().startswith("surface_soil_moisture")
    return bool(told) or (as_ascat and SOIL.get(_compact(series.units)) == 0.01)


def undated_rain(series: Series, settings: ClimateSettings, path: str | Path, key: str) -> np.ndarray:
    """One layer of rain without a date, mm: (rows, cols) float64, NaN where unknown.

    Raises
    ------
    InputError : a unit that is not known, not said or that of a rate, whose time is not known; a fill value.
    """
    factor, hours = _rain_unit(series, settings, path, key)
    if hours not in (None, 24.0):  # a mean of mm/day is a climate as it is
        raise InputError(
            f"{key}: {path} is one layer without dates in '{settings.rain_unit or series.units}'; give a depth (mm), "
            f"or files with dates."
        )
    values = series.values[0].astype(np.float64) * factor
    odd = values[(values < 0) | (values > MOST_RAIN_IN_YEARS)]
    if odd.size:
        raise InputError(
            f"{key}: {path} has values like {odd[0] / factor:g}, which are no rain in mm; declare them as nodata "
            f"(gdal_edit.py -a_nodata {odd[0] / factor:g}), or set factors.climate.rain_unit."
        )
    return np.asarray(values)


def daily_totals(
    series: Series, settings: ClimateSettings, path: str | Path, key: str
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Rain of each whole day, mm: (days, (days, rows, cols)).

    Parameters
    ----------
    series : rain at daily or finer steps, as a depth of the step (mm, m, kg m-2) or a rate (mm/day, mm/h, kg m-2 s-1).
    settings : `accumulated`: depths run up from 00 UTC and the total of a day stands at 00 UTC of the next (ERA5-Land),
        which is all that need be there.

    Raises
    ------
    InputError : a unit that is not known or not said; depths that may be accumulated where the config does not say;
        accumulated rain without 00 UTC; no whole day; more rain than can fall.
    """
    factor, hours = _rain_unit(series, settings, path, key)
    step = _step_hours(series.dated())
    if step > _DAY:
        raise InputError(
            f"{key}: {path} has a value for every {step / 24:.3g} days, so the rain of a single day is unknown; give "
            f"daily or hourly rain, or one layer without a date."
        )
    _require_sure_depth(series, settings, path, key)
    values = series.values.astype(np.float64) * factor
    accumulated = _is_accumulated(series, values, step, settings, path, key) if hours is None else settings.accumulated
    if hours is not None:
        values = values * (step / hours)
    values = np.where(values < 0, np.nan, values)  # undeclared fill values are negative
    days = series.dated().normalize()
    if accumulated:
        midnight = series.dated() == days
        if not midnight.any():
            raise InputError(
                f"{key}: {path} has no value at 00 UTC, where rain that is accumulated over a day is read; give these "
                f"hours too, or set factors.climate.accumulated: false."
            )
        days, total = days[midnight] - pd.Timedelta(days=1), values[midnight]
    elif step >= 24:
        total = values
    else:
        unique, group = np.unique(days, return_inverse=True)
        total = np.zeros((len(unique), *values.shape[1:]))
        np.add.at(total, group, values)
        whole = np.bincount(group) >= round(24 / step)  # a day of which hours are missing has no total
        if not whole.any():
            raise InputError(f"{key}: {path} has no day with all its hours; give whole days.")
        days, total = pd.DatetimeIndex(unique)[whole], total[whole]
    most = np.nanmax(total, initial=0)
    if most > MOST_RAIN:
        raise InputError(
            f"{key}: {path} has values like {np.nanmax(series.values):g} {series.units}, {most:.3g} mm in a day, more "
            f"than can fall; declare them as _FillValue if they stand for nodata, or correct the unit "
            f"(factors.climate.rain_unit)."
        )
    return days, total


def _rain_unit(series: Series, settings: ClimateSettings, path: str | Path, key: str) -> tuple[float, float | None]:
    """Factor to mm, and the hours for which a rate counts (None: a depth of its step)."""
    unit = settings.rain_unit or series.units
    if not unit:
        raise InputError(
            f"{key}: {path} does not say the unit of '{series.name}'; set factors.climate.rain_unit (mm/day, mm/h, mm, "
            f"m or kg m-2 s-1)."
        )
    if _compact(unit) not in RAIN:
        raise InputError(
            f"{key}: {path} is in '{unit}', which is no unit of rain that slipmap knows; convert it to mm/day and set "
            f"its units, or set factors.climate.rain_unit."
        )
    return RAIN[_compact(unit)]


def _require_sure_depth(series: Series, settings: ClimateSettings, path: str | Path, key: str) -> None:
    """GeoTIFFs seldom say their unit, mm: but they may be metres or inches where nothing is as much as a millimetre."""
    most = float(np.nanmax(series.values, initial=0))
    if series.assumed and not settings.rain_unit and 0 < most < 1:
        raise InputError(
            f"{key}: {path} does not say its unit and has no value above {most:.3g}; set factors.climate.rain_unit to "
            f"what it is in (mm/day, mm or m)."
        )


def _is_accumulated(
    series: Series, values: np.ndarray, step: float, settings: ClimateSettings, path: str | Path, key: str
) -> bool:
    """Whether depths run up from 00 UTC; asked where the file leaves it open."""
    if settings.accumulated is not None:
        return settings.accumulated
    named = series.name.lower() in _RUN_UP
    if step >= 24 and not (series.accumulates or named) and _never_falls(values):
        raise InputError(
            f"{key}: '{series.name}' of {path} never falls from one day to the next, as rain summed up from a first "
            f"day on; give the rain of each day, or set factors.climate.accumulated: false if it is that."
        )
    if not (series.accumulates or named or (step < 24 and _runs_up(values, series.times))):
        return False
    raise InputError(
        f"{key}: '{series.name}' of {path} may add up from 00 UTC, as in ERA5-Land, or be the rain of each step, as in "
        f"ERA5; set factors.climate.accumulated: true for the first, false for the second."
    )


def _runs_up(values: np.ndarray, times: pd.DatetimeIndex) -> bool:
    """Whether no depth is less than the one before it in the same day (from 01 to 24 h), with rain on some steps."""
    belongs = (times - pd.Timedelta(seconds=1)).normalize()
    same = np.asarray(belongs[1:] == belongs[:-1])
    steps = np.diff(values, axis=0)[same]
    return bool(steps.size and (steps[np.isfinite(steps)] >= 0).all() and (steps > 0).sum() >= 6)


def _never_falls(values: np.ndarray) -> bool:
    """Whether no cell has less than the day before, over a week at least in which it rained."""
    steps = np.diff(values, axis=0)
    known = steps[np.isfinite(steps)]
    return len(steps) >= 7 and bool(known.size and (known >= 0).all()) and int((known > 0).sum()) > known.size // 4


def _step_hours(times: pd.DatetimeIndex) -> float:
    if len(times) < 2:
        return 24.0
    return float(np.median(np.diff(times.to_numpy()) / np.timedelta64(1, "h")))


def _compact(units: str) -> str:
    return units.lower().replace(" ", "").replace("**", "").replace("^", "").replace("*", "")
