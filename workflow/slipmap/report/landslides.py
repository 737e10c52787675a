"""Landslide outlines and displacement histories as the interactive map wants them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from shapely.geometry import MultiPolygon, Polygon

from slipmap.io.grid import Grid
from slipmap.report.tabular import plain

SERIES_LAYER = "displacement"
# attribute → (label, unit, digits after the point)
LABELS = {
    "landslide": ("Landslide", "", 0),
    "motion": ("Motion", "", 0),
    "inventory": ("Against the inventory", "", 0),
    "place": ("Place", "", 0),
    "area_m2": ("Area", "m²", 0),
    "probability_mean": ("Mean probability", "", 2),
    "probability_max": ("Highest probability", "", 2),
    "uncertainty_mean": ("Mean uncertainty", "", 3),
    "slope_mean": ("Mean slope", "°", 1),
    "aspect_mean": ("Mean aspect, from north", "°", 0),
    "elevation_min": ("Lowest point", "m", 0),
    "elevation_max": ("Highest point", "m", 0),
    "lithology": ("Lithology", "", 0),
    "velocity_mean": ("Mean velocity in the line of sight", "mm/yr", 1),
    "velocity_min": ("Lowest velocity", "mm/yr", 1),
    "velocity_max": ("Highest velocity", "mm/yr", 1),
    "velocity_downslope": ("Velocity downslope", "mm/yr", 1),
    "velocity_downslope_std": ("Standard deviation of the velocity downslope", "mm/yr", 1),
    "detectable_velocity": ("Slowest downslope motion that could have been seen", "mm/yr", 1),
    "aliasing_velocity": ("Fastest downslope motion that could have been followed", "mm/yr", 0),
    "velocity_std": ("Standard deviation of the velocity", "mm/yr", 1),
    "coherent_share": ("Share of pixels with reliable velocity", "", 2),
    "sensitivity": ("Sensitivity to downslope motion", "", 2),
}

# what the table of landslides shows, and its headings
HEADINGS = {
    "landslide": "No.",
    "motion": "Motion",
    "inventory": "Inventory",
    "area_m2": "Area, m²",
    "probability_mean": "Probability",
    "velocity_downslope": "Downslope, mm/yr",
    "slope_mean": "Slope, °",
}


def read(path: str | Path) -> gpd.GeoDataFrame:
    """Landslides of a map, the largest first, with a "place" inside each: latitude and longitude as text."""
    frame = gpd.read_file(path, layer="landslides")
    inside = frame.representative_point().to_crs("EPSG:4326")
    frame["place"] = [_degrees(point.y, "N", "S") + ", " + _degrees(point.x, "E", "W") for point in inside]
    return frame.sort_values(["area_m2", "landslide"], ascending=[False, True]).reset_index(drop=True)


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.5f}° {positive if value >= 0 else negative}"


def read_series(path: str | Path) -> pd.DataFrame | None:
    """Displacement of each landslide at each date (columns landslide, date, displacement_mm), where there is any."""
    if SERIES_LAYER not in pyogrio.list_layers(path)[:, 0]:
        return None
    table = pyogrio.read_dataframe(path, layer=SERIES_LAYER, read_geometry=False)
    return table if len(table) else None


def for_viewer(frame: gpd.GeoDataFrame, series: pd.DataFrame | None, shown: Grid, most: int) -> dict:
    """Outlines in pixels of the pictures, attributes as text, and histories: {"dates", "items"}.

    Parameters
    ----------
    frame : as `read` gives it. shown : grid of the pictures. most : no more than so many, the first ones.
    """
    inverse = ~shown.transform
    tolerance = 0.3 * min(shown.resolution)
    dates: list[str] = []
    histories: dict[int, list] = {}
    if series is not None:
        wide = series.pivot(index="landslide", columns="date", values="displacement_mm").sort_index(axis=1)
        dates = [str(d)[:10] for d in wide.columns]
        histories = {int(n): [_number(v, 1) for v in row] for n, row in zip(wide.index, wide.to_numpy(), strict=True)}
    names = [name for name in LABELS if name in frame.columns]
    items = []
    for record, geometry in zip(frame[names].to_dict("records"), frame.geometry[:most], strict=False):
        rings = [
            [_pixel(inverse, x, y) for x, y in ring.coords[:-1]]
            for polygon in _polygons(geometry.simplify(tolerance))
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        item = {"id": int(record["landslide"]), "rings": rings, "attributes": attributes(record)}
        if item["id"] in histories:
            item["series"] = histories[item["id"]]
        item |= {name: str(record[name]) for name in ("motion", "inventory") if name in record}
        items.append(item)
    return {"dates": dates, "items": items}


def attributes(record: dict) -> list[list[str]]:
    """[label, value with unit] of the attributes that a landslide has."""
    rows = []
    for name, (label, unit, digits) in LABELS.items():
        value = None if name == "landslide" else record.get(name)
        if value is None or value != value:
            continue
        if isinstance(value, str):
            text = value
        else:
            text = f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "−")
            text += unit if unit == "°" else f"\u00a0{unit}" if unit else ""
        rows.append([label, text])
    return rows


def first_to_look_at(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Moving landslides first, then those not in the inventory, each the largest first."""
    still = frame["motion"] != "moving" if "motion" in frame else False
    known = frame["inventory"] != "new" if "inventory" in frame else False
    ordered = frame.assign(_still=still, _known=known, _small=-frame["area_m2"])
    return ordered.sort_values(["_still", "_known", "_small", "landslide"]).drop(columns=["_still", "_known", "_small"])


def table_rows(frame: gpd.GeoDataFrame, most: int = 12) -> tuple[list[str], list[list[str]]]:
    """Headings and text rows of the first `most` landslides for a table; the first column is the number."""
    names = [name for name in HEADINGS if name in frame.columns]
    rows = [[_cell(record, name) for name in names] for record in frame.head(most).to_dict("records")]
    return [HEADINGS[name] for name in names], rows


def _cell(record: dict, name: str) -> str:
    value = record[name]
    if value is None or value != value:
        return "–"
    if isinstance(value, str):
        return value
    text = plain(value, LABELS[name][2])
    spread = record.get("uncertainty_mean") if name == "probability_mean" else None
    return text if spread is None or spread != spread else f"{text} ± {plain(spread, 2)}"


def _polygons(geometry: Polygon | MultiPolygon) -> list[Polygon]:
    return list(getattr(geometry, "geoms", [geometry]))


def _pixel(inverse: object, x: float, y: float) -> list[float]:
    col, row = inverse @ (x, y)
    return [round(col, 1), round(row, 1)]


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
