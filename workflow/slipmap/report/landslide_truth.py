"""Outlines on simulated ground against the landslides that the simulator placed: which are real, which truly move."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from slipmap.report.context import Context
from slipmap.report.tabular import from_frame

COLUMNS = ["experiment", "said", "outlines", "on a landslide", "on a moving landslide"]
NEW = "not in the inventory"
_WORDS = {"matched": "matches the inventory", "new": NEW}


def compare(drawn: Mapping[str, gpd.GeoDataFrame], truth: str | Path) -> pd.DataFrame:
    """For all outlines of each map, and for what each said of inventory and motion: how many are on a true landslide.

    Parameters
    ----------
    drawn : outlines of each experiment's map. truth : ``truth/landslides.gpkg``, with the column "moving".

    Returns
    -------
    `COLUMNS`; an outline is on a landslide where it shares ground with one.
    """
    real = gpd.read_file(truth)
    rows = []
    for name, frame in drawn.items():
        hits = gpd.sjoin(frame[["geometry"]], real[["moving", "geometry"]], predicate="intersects")
        found = frame.assign(real=frame.index.isin(hits.index), moves=frame.index.isin(hits.index[hits["moving"]]))
        rows.append(_row(name, "all", found))
        for column in ("inventory", "motion"):
            for value, part in found.groupby(column, sort=True) if column in found else ():
                rows.append(_row(name, _WORDS.get(value, value), part))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(name: str, said: str, part: pd.DataFrame) -> list[Any]:
    return [name, said, len(part), int(part["real"].sum()), int(part["moves"].sum())]


def section(compared: pd.DataFrame | None) -> Context | None:
    """What the page says of `compare`."""
    if compared is None:
        return None
    return {
        "text": "What the outlines claim, beside the landslides that the simulator placed: how many of those called "
        "new are false alarms, how many of those without detected movement do move. On real ground nobody can make "
        "this table, and the shares there are other ones.",
        "table": from_frame(compared),
    }
