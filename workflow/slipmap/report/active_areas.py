"""Active deformation areas in the report: a table, and which networks outline them too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from slipmap.config.motion import ActiveAreaSettings
from slipmap.io.grid import Grid
from slipmap.motion.describe import QUALITY_NAMES
from slipmap.report import ground
from slipmap.report.landslides import SERIES_LAYER, WORDS, Kind, areas_within, for_viewer, places
from slipmap.report.sources import Sources
from slipmap.report.tabular import plain, table, with_spread
from slipmap.report.words import many

MOST = 12  # rows of the table
LABELS = {
    "area": ("No.", "", 0),
    "quality": ("Quality of its series", "", 0),
    "trend": ("Trend", "", 0),
    "inventory": ("Against the inventory", "", 0),
    "landslides": ("Landslides of the last map that it lies in", "", 0),
    "place": ("Place", "", 0),
    "area_ha": ("Area", "ha", 2),
    "ground": ("Outside the ground that the last map's model learnt from", "", 0),
    "velocity_mean": ("Mean velocity in the line of sight", "mm/yr", 1),
    "velocity_mean_std": ("Its standard deviation", "mm/yr", 1),
    "velocity_max": ("Largest velocity in the line of sight", "mm/yr", 1),
    "velocity_max_std": ("Standard deviation of the largest", "mm/yr", 1),
    "downslope_mean": ("Mean velocity downslope", "mm/yr", 1),
    "downslope_mean_std": ("Standard deviation downslope", "mm/yr", 1),
    "significance": ("Times the noise of the ground around it", "", 1),
}
COLUMNS = ("area", "quality", "trend", "inventory", "area_ha", "velocity_mean", "downslope_mean", "significance")
KIND = Kind("Active area", "area", LABELS, COLUMNS)
RULE = (
    "An active area is where at least {min_pixels} reliable pixels move at {min_velocity:g} mm/yr or more in the line "
    "of sight and by {significance:g} × the noise of the ground around them or more, with the pixels around that reach "
    "{edge:g} ×; velocities are against the ground around, ± one standard deviation. It needs no inventory and no "
    "network. The mean velocity is of pixels smoothed with their neighbours; the straight line through the series is "
    "of the pixels as they are, a little steeper where a small area is fast. The mean velocity is what lists and cards "
    "give."
)


def read(path: str | Path) -> gpd.GeoDataFrame:
    """Active areas, the most significant first."""
    frame = pyogrio.read_dataframe(path, layer="active_areas")
    return frame.sort_values(["significance", "area"], ascending=[False, True]).reset_index(drop=True)


def of(sources: Sources) -> gpd.GeoDataFrame | None:
    """The areas of `sources`, with how much of each is unlike what the last map's model learnt from; None: not made."""
    if not sources.active_areas:
        return None
    last = list(sources.mapped.values())[-1].maps if sources.mapped else {}
    return ground.with_share(read(sources.active_areas), last.get("applicability"))


def numbers(frame: gpd.GeoDataFrame, drawn: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """The table of the areas, with the share of each that the outlines of each experiment's map cover.

    Parameters
    ----------
    drawn : landslides of each experiment's map, in the CRS of `frame`.
    """
    found = pd.DataFrame(frame.drop(columns=["geometry", "ground", "landslides"], errors="ignore"))
    for name, outlines in drawn.items():
        if "active_area" in outlines:
            within = areas_within(outlines)
            found[f"landslides_{name}"] = [_listed(within.get(int(area), [])) for area in frame["area"]]
        union = outlines.geometry.union_all()
        found[f"covered_by_{name}"] = frame.geometry.intersection(union).area / frame.area
    return found


def in_landslides(frame: gpd.GeoDataFrame, landslides: pd.DataFrame) -> gpd.GeoDataFrame:
    """`frame` with the numbers of the landslides of whose motion each area tells ("landslides")."""
    within = areas_within(landslides)
    return frame.assign(landslides=[_listed(within.get(int(area), [])) for area in frame["area"]])


def _listed(numbers: list[int]) -> str | None:
    return ", ".join(str(number) for number in numbers) or None


def for_explore(frame: gpd.GeoDataFrame, path: Path, grid: Grid, most: int) -> dict[str, Any]:
    """The areas as Explore shows them (`slipmap.report.landslides.for_viewer`); `path` holds their series."""
    in_words = frame.assign(quality=[QUALITY_NAMES[int(code)] for code in frame["quality"]], place=places(frame))
    series = None
    if SERIES_LAYER in pyogrio.list_layers(path)[:, 0]:
        series = pyogrio.read_dataframe(path, layer=SERIES_LAYER, read_geometry=False)
    return for_viewer(in_words, series if series is not None and len(series) else None, grid, most, KIND)


def section(found: pd.DataFrame, settings: ActiveAreaSettings) -> dict[str, Any]:
    """What the page says of them: text, and the table of the most significant."""
    text = [f"{len(found)} active {many(len(found), 'area')}. " + RULE.format(**settings.model_dump())]
    if len(found):
        text += [
            f"{int((found[f'covered_by_{name}'] > 0).sum())} of them touch a landslide that {name} outlines."
            for name in (column.removeprefix("covered_by_") for column in found if column.startswith("covered_by_"))
        ]
        if "inventory" in found:
            text.append(f"{int((found['inventory'] == 'matched').sum())} share ground with the inventory.")
    if len(found) > MOST:
        text.append(
            f"{MOST} of {len(found)} shown, those that stand out most; all are in Explore and in active_areas.csv."
        )
    head = ["No.", "Area, ha", "Mean, mm/yr", "Largest, mm/yr", "Downslope, mm/yr", "Quality", "Trend"]
    head += ["Inventory"] if "inventory" in found else []
    rows = [
        [
            str(int(one["area"])),
            plain(one["area_m2"] / 1e4, 2),
            *(
                with_spread(one[name], one[f"{name}_std"], 1)
                for name in ("velocity_mean", "velocity_max", "downslope_mean")
            ),
            QUALITY_NAMES[int(one["quality"])],
            one["trend"] or "–",
            *([WORDS.get(one["inventory"], one["inventory"])] if "inventory" in found else []),
        ]
        for one in found.head(MOST).to_dict("records")
    ]
    return {"text": text, "table": table(head, rows, numeric=range(5))}
