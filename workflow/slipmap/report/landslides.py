"""Landslide outlines and displacement histories as the interactive map wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from affine import Affine
from shapely.geometry import MultiPolygon, Polygon

from slipmap.io.grid import Grid
from slipmap.report import ground
from slipmap.report.sources import Experiment
from slipmap.report.tabular import degrees

SERIES_LAYER = "displacement"
# attribute → (label, unit, digits after the point)
LABELS = {
    "landslide": ("No.", "", 0),
    "motion": ("Motion", "", 0),
    "motion_because": ("How that was decided", "", 0),
    "active_area": ("Active areas in it", "", 0),
    "inventory": ("Against the inventory", "", 0),
    "place": ("Place", "", 0),
    "area_ha": ("Area", "ha", 2),
    "ground": ("Outside the ground that the model learnt from", "", 0),
    "active_velocity": ("Mean velocity downslope of the (first) active area", "mm/yr", 1),
    "active_velocity_std": ("Standard deviation of that of the active area", "mm/yr", 1),
    "active_share": ("Share of it in active areas", "", 2),
    "velocity_downslope": ("Mean velocity downslope of the outline", "mm/yr", 1),
    "velocity_downslope_std": ("Standard deviation of the velocity downslope", "mm/yr", 1),
    "detectable_velocity": ("Slowest downslope motion that could have been seen", "mm/yr", 1),
    "aliasing_velocity": ("Fastest downslope motion that could have been followed", "mm/yr", 0),
    "velocity_mean": ("Mean velocity of the outline in the line of sight", "mm/yr", 1),
    "velocity_std": ("Standard deviation of the velocity", "mm/yr", 1),
    "coherent_share": ("Share of pixels with reliable velocity", "", 2),
    "sensitivity": ("Sensitivity to downslope motion", "", 2),
    "probability_mean": ("Mean probability", "", 2),
    "probability_max": ("Highest probability", "", 2),
    "uncertainty_mean": ("Mean spread of the probability", "", 2),
    "slope_mean": ("Mean slope", "°", 1),
    "aspect_mean": ("Mean aspect, from north", "°", 0),
    "elevation_min": ("Lowest point", "m", 0),
    "elevation_max": ("Highest point", "m", 0),
    "lithology": ("Lithology", "", 0),
}

# what the table of landslides shows
COLUMNS = ("landslide", "motion", "inventory", "area_ha", "probability_mean", "velocity_downslope", "slope_mean")
# quantity → its standard deviation, where that is not called {quantity}_std
SPREADS = {"velocity_mean": "velocity_std"}
MOVE = ("moving", "moves in part", "moves, not downslope")
# words of the files → words of the page
WORDS = {"new": "not in the inventory", "matched": "in the inventory"}


@dataclass(frozen=True)
class Kind:
    """What outlines are.

    Parameters
    ----------
    noun : what one is called. key : attribute that numbers them. labels : attribute → (label, unit, digits).
    columns : attributes that the table shows.
    """

    noun: str
    key: str
    labels: Mapping[str, tuple[str, str, int]]
    columns: Sequence[str]


LANDSLIDES = Kind("Landslide", "landslide", LABELS, COLUMNS)


def of_map(members: str) -> Kind:
    """Landslides of a map whose uncertainty is the spread between `members` ("mirrored views", say)."""
    label, unit, digits = LABELS["uncertainty_mean"]
    spread = (f"{label} between {members}" if members else label, unit, digits)
    return replace(LANDSLIDES, labels=LABELS | {"uncertainty_mean": spread})


def drawn(experiments: Mapping[str, Experiment]) -> dict[str, gpd.GeoDataFrame]:
    """Landslides of each map (`read`), with how much of each is unlike what the model learnt from."""
    return {
        name: ground.with_share(read(e.maps["landslides"]), e.maps.get("applicability"))
        for name, e in experiments.items()
        if "landslides" in e.maps
    }


def read(path: str | Path) -> gpd.GeoDataFrame:
    """Landslides of a map, the largest first, with a "place" inside each: latitude and longitude as text."""
    frame = gpd.read_file(path, layer="landslides")
    frame["place"] = places(frame)
    return frame.sort_values(["area_m2", "landslide"], ascending=[False, True]).reset_index(drop=True)


def inside(outline: Polygon | MultiPolygon) -> tuple[float, float]:
    """A point inside an outline."""
    point = outline.representative_point()
    return point.x, point.y


def places(frame: gpd.GeoDataFrame) -> list[str]:
    """Latitude and longitude of a point inside each outline, as text."""
    inside = frame.representative_point().to_crs("EPSG:4326")
    return [degrees(point.y, point.x, 5) for point in inside]


def read_series(path: str | Path) -> pd.DataFrame | None:
    """Displacement of each landslide at each date (columns landslide, date, displacement_mm), where there is any."""
    if SERIES_LAYER not in pyogrio.list_layers(path)[:, 0]:
        return None
    table = pyogrio.read_dataframe(path, layer=SERIES_LAYER, read_geometry=False)
    return table if len(table) else None


def for_viewer(
    frame: gpd.GeoDataFrame, series: pd.DataFrame | None, grid: Grid, most: int, kind: Kind
) -> dict[str, Any]:
    """What Explore shows of outlines: {"noun", "fields", "columns", "dates", "items"}.

    Parameters
    ----------
    frame : as `read` gives it; "area_m2" is shown in hectares. grid : of the area; outlines are in its pixels.
    most : no more than so many, the first ones. kind : what they are.

    Returns
    -------
    "fields" : [name, label, unit, digits after the point, field of the standard deviation or ""].
    "items" : {"id", "rings", "at": [latitude, longitude], "values" of the fields, "series" at the dates, mm}.
    """
    inverse = ~grid.transform
    if "area_m2" in frame:
        frame = frame.assign(area_ha=frame["area_m2"] / 1e4)
    tolerance = 0.3 * min(grid.resolution)
    dates, histories = _histories(series, kind.key)
    names = [name for name in kind.labels if name in frame.columns]
    shown = frame[:most]
    inside = shown.representative_point().to_crs("EPSG:4326")
    items = []
    for record, geometry, at in zip(shown[names].to_dict("records"), shown.geometry, inside, strict=True):
        rings = [
            [_pixel(inverse, x, y) for x, y in ring.coords[:-1]]
            for polygon in _polygons(geometry.simplify(tolerance))
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        values = [_value(record[name], kind.labels[name][2]) for name in names]
        item = {"id": int(record[kind.key]), "rings": rings, "values": values}
        item["at"] = [round(at.y, 6), round(at.x, 6)]
        if item["id"] in histories:
            item["series"] = histories[item["id"]]
        items.append(item)
    fields = [[name, *kind.labels[name], _spread(name, names)] for name in names]
    columns = [name for name in kind.columns if name in names]
    return {"noun": kind.noun, "fields": fields, "columns": columns, "dates": dates, "items": items}


def _spread(name: str, names: Sequence[str]) -> str:
    """The field that is the standard deviation of `name`, which the page shows behind a ±; "" where there is none."""
    return next((other for other in (f"{name}_std", SPREADS.get(name, "")) if other in names), "")


def _histories(series: pd.DataFrame | None, key: str) -> tuple[list[str], dict[int, list[float | None]]]:
    """Dates, and the displacement at each of every outline that has one, mm."""
    if series is None:
        return [], {}
    wide = series.pivot(index=key, columns="date", values="displacement_mm").sort_index(axis=1)
    rows = zip(wide.index, wide.to_numpy(), strict=True)
    return [str(d)[:10] for d in wide.columns], {int(n): [_number(v, 1) for v in row] for n, row in rows}


def _value(value: str | float | None, digits: int) -> str | float | None:
    """A value as the page has it: rounded, in words, None where it is not known."""
    if value is None or value != value:
        return None
    return WORDS.get(value, value) if isinstance(value, str) else _number(float(value), digits)


def first_to_look_at(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Those that move (`moves`) first, then those not in the inventory; the largest first."""
    still = ~moves(frame)
    known = frame["inventory"] != "new" if "inventory" in frame else False
    ordered = frame.assign(_still=still, _known=known, _small=-frame["area_m2"])
    return ordered.sort_values(["_still", "_known", "_small", "landslide"]).drop(columns=["_still", "_known", "_small"])


def moves(frame: pd.DataFrame) -> pd.Series:
    """Which landslides move: those called so by their mean velocity, and all with an active area in them."""
    known = frame["motion"].isin(MOVE) if "motion" in frame else pd.Series(False, index=frame.index)
    return known | frame["active_area"].notna() if "active_area" in frame else known


def areas_within(frame: pd.DataFrame) -> dict[int, list[int]]:
    """Active area → the landslides of a map of whose motion it tells, the largest first."""
    found: dict[int, list[int]] = {}
    if "active_area" in frame:
        for number, areas in zip(frame["landslide"], frame["active_area"], strict=True):
            for area in str(areas).split(", ") if isinstance(areas, str) else ():
                found.setdefault(int(area), []).append(int(number))
    return found


def _polygons(geometry: Polygon | MultiPolygon) -> list[Polygon]:
    return list(getattr(geometry, "geoms", [geometry]))


def _pixel(inverse: Affine, x: float, y: float) -> list[float]:
    col, row = inverse @ (x, y)
    return [round(col, 1), round(row, 1)]


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
