"""When the observations were made that a map is drawn from, as the tags of its factors say."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import rasterio

# tags of our rasters with days in them, YYYYMMDD or YYYY-MM-DD; and SCENES_BEFORE, SCENES_AFTER
_KEYS = ("SCENES", "FIRST_DATE", "LAST_DATE", "ACQUISITION_DATE", "PERIOD")


def dates_of(rasters: Iterable[str | Path]) -> list[date]:
    """Days of observation that the tags of `rasters` name, sorted; empty where none does."""
    found: set[date] = set()
    for path in rasters:
        with rasterio.open(path) as source:
            found |= dates_in(source.tags())
    return sorted(found)


def dates_in(tags: Mapping[str, str]) -> set[date]:
    """Days of observation that tags name."""
    found = set()
    for key, value in tags.items():
        if key.upper() in _KEYS or key.upper().startswith("SCENES_"):
            for year, month, day in re.findall(r"(\d{4})-?(\d{2})-?(\d{2})", value):
                found.add(date(int(year), int(month), int(day)))
    return found


def interval_tags(rasters: Iterable[str | Path]) -> dict[str, str]:
    """FIRST_DATE and LAST_DATE of the observations, for the tags of what is made from `rasters`."""
    days = dates_of(rasters)
    return {"FIRST_DATE": days[0].isoformat(), "LAST_DATE": days[-1].isoformat()} if days else {}
