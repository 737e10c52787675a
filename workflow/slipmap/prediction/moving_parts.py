"""Active areas in landslide outlines: what moves there, beside what the mean velocity of the outline says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from slipmap.prediction.motion import ELSEWHERE, IN_PART, LEAST_SHARE, MOST, MOVING, SLOW, STILL, UNSEEN

LEAST_INSIDE = 0.5  # of an active area in an outline; it then tells of the outline, however large that is
COLUMNS = (
    "active_area",
    "active_share",
    "active_velocity",
    "active_velocity_std",
    "motion_by",
    "motion_because",
)
MEAN, ACTIVE, BOTH = "mean velocity", "active area", "mean velocity and active area"
_NOTHING = {
    STILL: "Its mean velocity is within two standard deviations of zero, and no active area lies in it.",
    UNSEEN: "The radar sees too little of downslope motion, or too few pixels are reliable; no active area lies in it.",
}


def read(path: str | Path) -> gpd.GeoDataFrame:
    """Active areas of ``active_areas.gpkg``."""
    return pyogrio.read_dataframe(path, layer="active_areas")


def pairs(outlines: gpd.GeoSeries, areas: gpd.GeoSeries) -> pd.DataFrame:
    """Which active areas tell of which outline: rows "outline" and "area" (positions), "share" (of the outline).

    An active area tells of an outline if it covers at least a tenth of it, or at least half of the area lies in it.
    The largest share of an outline comes first. Both lie in one CRS.
    """
    outlined, active = np.array(outlines.values), np.array(areas.values)
    area, outline = outlines.sindex.query(active, predicate="intersects") if len(active) else np.zeros((2, 0), int)
    common = shapely.area(shapely.intersection(outlined[outline], active[area]))
    share, inside = common / shapely.area(outlined[outline]), common / shapely.area(active[area])
    found = pd.DataFrame({"outline": outline, "area": area, "share": share})
    found = found[(share >= LEAST_SHARE) | (inside >= LEAST_INSIDE)]
    return found.sort_values(["outline", "share", "area"], ascending=[True, False, True]).reset_index(drop=True)


def with_active_areas(frame: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, fast: float) -> gpd.GeoDataFrame:
    """Landslides with `COLUMNS`, their "motion" (`slipmap.prediction.motion.RULE`) decided by both kinds of evidence.

    Parameters
    ----------
    frame : with the columns of `slipmap.prediction.motion.describe_motion`; "motion" may be missing, and then stays so.
    areas : active areas in the CRS of `frame`. fast : downslope velocity from which ground counts as moving, mm/yr.

    Notes
    -----
    "active_velocity" is the mean downslope velocity of the area that covers most of the outline, of all its pixels,
    mm/yr, NaN where that is not downhill; "active_share" is the share of the outline in all its areas together.
    """
    told = dict(list(pairs(frame.geometry, areas.geometry).groupby("outline")))
    records = areas.drop(columns="geometry").to_dict("records")
    rows = []
    for position, one in enumerate(frame.drop(columns="geometry").to_dict("records")):
        here = told.get(position)
        found = _evidence([records[k] for k in here["area"]], float(here["share"].sum())) if here is not None else {}
        rows.append(found | _decided(one, found, fast))
    columns = list(COLUMNS) if "motion" in frame else [c for c in COLUMNS if not c.startswith("motion")]
    table = pd.DataFrame(rows, columns=columns + (["motion"] if "motion" in frame else []), index=frame.index)
    texts = ["active_area", *([c for c in table if c.startswith("motion")])]
    table = table.astype({name: object for name in texts} | {name: float for name in table if name not in texts})
    return frame.drop(columns=[c for c in table if c in frame]).join(table)


def _evidence(areas: list[dict[str, Any]], share: float) -> dict[str, Any]:
    """What the active areas of an outline say of it, the one that covers most of it first."""
    main = areas[0]
    downhill = main["downslope_mean"] > 0
    return {
        "active_area": ", ".join(str(int(one["area"])) for one in areas),
        "active_share": min(share, 1.0),
        "active_velocity": main["downslope_mean"] if downhill else np.nan,
        "active_velocity_std": main["downslope_mean_std"] if downhill else np.nan,
        "sight": (main["velocity_mean"], main["velocity_mean_std"]),
    }


def _decided(one: Mapping[str, Any], active: Mapping[str, Any], fast: float) -> dict[str, str]:
    """The class of an outline's motion, by which evidence it moves ("": it does not), and why, in a sentence."""
    own = one.get("motion", UNSEEN)
    moves = own not in (STILL, UNSEEN)
    kind = _kind(own, active, fast)
    said = [_of_mean(one)] if moves else []
    if active:
        said.append(_of_areas(active))
        said += [] if moves else [f"its own mean velocity alone shows {'nothing' if own == UNSEEN else 'no motion'}"]
    by = (BOTH if moves else ACTIVE) if active else (MEAN if moves else "")
    because = "; ".join(said)
    return {
        "motion": kind,
        "motion_by": by,
        "motion_because": f"{because[0].upper()}{because[1:]}." if said else _NOTHING[own],
    }


def _kind(own: str, active: Mapping[str, Any], fast: float) -> str:
    if own == MOVING or not active:
        return own
    if active["active_share"] < MOST:
        return IN_PART
    if active["active_velocity"] != active["active_velocity"]:
        return ELSEWHERE
    return MOVING if active["active_velocity"] >= fast else SLOW


def _of_mean(one: Mapping[str, Any]) -> str:
    rate, spread = f"{one['velocity_downslope']:.1f}", f"{one['velocity_downslope_std']:.1f}"
    times = f", {abs(float(rate) / float(spread)):.1f} standard deviations" if float(spread) else ""
    return f"its mean velocity is {_signed(rate)} ± {spread} mm/yr downslope{times}"


def _of_areas(active: Mapping[str, Any]) -> str:
    names = active["active_area"].split(", ")
    rate, spread, end = active["active_velocity"], active["active_velocity_std"], "downslope"
    if rate != rate:
        (rate, spread), end = active["sight"], "in the line of sight, which is not downslope"
    speed = f"{_signed(f'{rate:.1f}')} ± {spread:.1f} mm/yr {end}"
    share = f"{max(1, round(100 * active['active_share']))}\u202f% of it"
    if len(names) == 1:
        return f"active area {names[0]}, which covers {share}, moves {speed}"
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"active areas {listed} cover {share}, of which the first moves {speed}"


def _signed(number: str) -> str:
    return number.replace("-", "−")
