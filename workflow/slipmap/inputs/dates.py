"""Time axes of NetCDF files: numbers and a unit, in one of the calendars of the CF conventions, as dates."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slipmap.errors import InputError

_REAL = ("standard", "gregorian", "proleptic_gregorian", "")
_SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "h": 3600, "day": 86400,
            "d": 86400, "week": 604800, "millisecond": 1e-3, "msec": 1e-3, "ms": 1e-3, "microsecond": 1e-6}  # fmt: skip
_JULIAN_FROM, _JULIAN_TO = pd.Timestamp("1900-03-01"), pd.Timestamp("2100-02-28")  # leap years as in ours
_LONGEST = 9e9  # s, 285 years
_MONTHS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def decode(numbers: NDArray[Any], attributes: Mapping[str, Any], path: object, key: str) -> pd.DatetimeIndex:
    """Dates of a time axis, to the second.

    Parameters
    ----------
    numbers : (times,) as they stand in the file.
    attributes : of the axis: ``units`` ("days since 1970-01-01", or CDO's "day as %Y%m%d.%f") and ``calendar``.

    Notes
    -----
    julian: GPM's files say it of days that are ours; between 1900 and 2100 both calendars have the same dates. noleap
    (365_day): every date is one of ours, 29 February is missing. 360_day and all_leap have dates that no year has.

    Raises
    ------
    InputError : no unit, months or years as the unit, a calendar whose days are not real ones, numbers that are no
        times.
    """
    units = str(attributes.get("units", "")).strip()
    calendar = str(attributes.get("calendar", "")).strip().lower()
    if not units:
        raise InputError(f"{key}: the time axis of {path} has no units; write them ('days since 1970-01-01').")
    values = np.asarray(numbers, np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{key}: the time axis of {path} has gaps; fetch the file again, or leave those steps out.")
    if re.fullmatch(r"days? as %Y%m%d(\.%f)?", units):
        return _absolute(values, path, key)
    found = re.fullmatch(r"(\w+?)s?\s+since\s+(.+)", units, re.IGNORECASE)
    step = _SECONDS.get(found[1].lower()) if found else None
    if found is None or step is None:
        raise InputError(
            f"{key}: the time axis of {path} is in '{units}', whose length is not fixed or not known; write it as "
            f"days, hours or seconds since a date."
        )
    start = _start(found[2], path, key)
    seconds = values * step
    if calendar in ("noleap", "365_day"):
        return _noleap(start, seconds)
    if calendar == "julian":
        times = _shifted(start, seconds, path, key)
        if start < _JULIAN_FROM or times.max() > _JULIAN_TO:
            raise InputError(
                f"{key}: the time axis of {path} counts in the Julian calendar from {found[2]}, where it differs from "
                f"ours; write it with calendar 'standard'."
            )
        return times
    if calendar not in _REAL:
        raise InputError(
            f"{key}: the time axis of {path} has the calendar '{calendar}', whose days are not real ones; give rain or "
            f"soil moisture that was observed, or convert the calendar."
        )
    return _shifted(start, seconds, path, key)


def _start(text: str, path: object, key: str) -> pd.Timestamp:
    try:
        if not re.match(r"\d{4}-?\d", text.strip()):
            raise ValueError("01/02/2020 is January to some and February to others")
        start = pd.Timestamp(re.sub(r"\s*(UTC|GMT)$", "Z", text.strip(), flags=re.IGNORECASE))
    except ValueError:
        raise InputError(
            f"{key}: the time axis of {path} counts from '{text}', which is no date; write it as year-month-day."
        ) from None
    return start.tz_convert(None) if start.tzinfo is not None else start


def _shifted(start: pd.Timestamp, seconds: NDArray[np.float64], path: object, key: str) -> pd.DatetimeIndex:
    try:
        if np.abs(seconds).max(initial=0) > _LONGEST:
            raise OverflowError
        return pd.DatetimeIndex(start + pd.to_timedelta(np.round(seconds).astype("int64"), unit="s"))
    except (OverflowError, pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
        raise InputError(
            f"{key}: the time axis of {path} has numbers like {seconds[0]:.3g} s, which are no times; correct its "
            f"units."
        ) from None


def _absolute(values: NDArray[np.float64], path: object, key: str) -> pd.DatetimeIndex:
    """CDO's absolute time: 20200131.75 is 18 h of 31 January 2020."""
    days = np.floor(values)
    try:
        dates = pd.DatetimeIndex(pd.to_datetime([f"{day:.0f}" for day in days], format="%Y%m%d"))
    except ValueError as error:
        raise InputError(f"{key}: the time axis of {path} has {values[0]:g}, which is no date ({error}).") from None
    # a double holds 20200131.75 to 4e-9 of a day: to the nearest second
    return dates + pd.to_timedelta(np.round((values - days) * 86400).astype("int64"), unit="s")


def _noleap(start: pd.Timestamp, seconds: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Years of 365 days: the date that has that many such days since `start`."""
    of_year = int(_MONTHS[start.month - 1]) + min(start.day, 28 if start.month == 2 else 31) - 1
    clock = start - start.normalize()
    total: NDArray[np.int64] = np.round(seconds + clock.total_seconds()).astype("int64")
    days, rest = np.divmod(total, 86400)
    day: NDArray[np.int64]
    years, day = np.divmod(days + of_year, 365)
    months = np.searchsorted(_MONTHS, day, side="right")
    texts = [
        f"{start.year + y:04d}-{m:02d}-{d - _MONTHS[m - 1] + 1:02d}" for y, m, d in zip(years, months, day, strict=True)
    ]
    return pd.DatetimeIndex(pd.to_datetime(texts)) + pd.to_timedelta(rest, unit="s")
