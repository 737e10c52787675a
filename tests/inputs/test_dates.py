"""Time axes in every calendar: against the standard library's dates and by hand."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipmap.errors import InputError
from slipmap.inputs.dates import decode


def days(numbers, units, calendar="standard"):
    return decode(np.asarray(numbers), {"units": units, "calendar": calendar}, "r.nc", "inputs.rainfall")


@given(st.integers(0, 40000), st.sampled_from(["standard", "gregorian", "proleptic_gregorian", "julian"]))
def test_days_since_1970(number, calendar):
    """Between 1900 and 2100 the Julian calendar has the same leap years."""
    truth = date(1970, 1, 1) + timedelta(days=number)
    assert days([number], "days since 1970-01-01 00:00:00Z", calendar)[0].date() == truth


@given(st.dates(date(1980, 1, 1), date(2090, 12, 31)), st.dates(date(1970, 1, 1), date(1979, 12, 31)))
def test_years_without_29_february(day, start):
    """Count the days of the plain calendar, but for the 29ths of February."""
    if (day.month, day.day) == (2, 29) or (start.month, start.day) == (2, 29):
        return
    leap = sum(
        start <= date(year, 2, 29) < day
        for year in range(start.year, day.year + 1)
        if pd.Timestamp(year, 1, 1).is_leap_year
    )
    number = (day - start).days - leap
    assert days([number], f"days since {start}", "noleap")[0].date() == day


@pytest.mark.parametrize(
    ("number", "units"),
    [
        (20200131.75, "day as %Y%m%d.%f"),
        (43860 * 24 + 18 + 24 * 0, "hours since 1900-01-01 00:00:0.0"),
        ((43860 * 24 + 18) * 60, "minutes since 1900-01-01"),
        (1580493600, "seconds since 1970-01-01 00:00:00 UTC"),
        (18292 * 24 + 20, "hours since 1970-01-01 00:00:00 +02:00"),
    ],
)
def test_one_time_in_many_units(number, units):
    assert days([number], units)[0] == pd.Timestamp("2020-01-31 18:00" if "1900" not in units else "2020-02-01 18:00")


@pytest.mark.parametrize(
    ("number", "units", "calendar", "words"),
    [
        (58, "days since 2021-01-01", "360_day", "calendar '360_day'"),
        (58, "days since 2021-01-01", "all_leap", "calendar 'all_leap'"),
        (3, "months since 2021-01-01", "standard", "months since"),
        (3, "years since 2021-01-01", "standard", "years since"),
        (3, "days since the flood", "standard", "no date"),
        (3, "days since 1850-01-01", "julian", "Julian calendar"),
        (1e300, "days since 1970-01-01", "standard", "no times"),
        (np.nan, "days since 1970-01-01", "standard", "gaps"),
        (20201301.0, "day as %Y%m%d.%f", "standard", "no date"),
        (3, "", "standard", "no units"),
    ],
)
def test_what_is_no_date_is_refused(number, units, calendar, words):
    with pytest.raises(InputError, match=f"inputs.rainfall: .*r.nc.*{words}"):
        days([number], units, calendar)
