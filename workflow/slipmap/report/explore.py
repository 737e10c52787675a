"""What Explore shows, as plain data: of the report, where pictures are in it, and of ``slipmap view``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from slipmap.colours import CASING, MOTION, OUTLINE
from slipmap.io.grid import Grid
from slipmap.prediction import motion
from slipmap.report import active_areas, events, landslides, points, worth
from slipmap.report.layers import Layer
from slipmap.report.sources import Sources

ACTIVE = "active areas"
ABOUT = (
    "Ground that moves, by the radar alone. The mean velocity is of pixels smoothed with their neighbours; the line of "
    "the chart is of the pixels as they are, a little steeper where a small area is fast. The mean velocity is what "
    "lists and cards give."
)


def frame(grid: Grid, area: str, layers: Sequence[Layer | Mapping[str, Any]], shown: Sequence[str]) -> dict[str, Any]:
    """Ground and layers: size (pixels of the area), corner, pixel size (m), what is shown at first.

    "latitude" and "longitude" are coefficients of 1, u, v, u², uv, v², u³, u²v, uv², v³ of the share u of the width and
    v of the height, fitted to the area's projection (within a metre for areas up to 300 km).

    Parameters
    ----------
    shown : names of the outlines; landslides of the last map are shown at first, else of the event, else active areas.
    """
    left, _, _, top = grid.bounds
    data = [layer.data() if isinstance(layer, Layer) else dict(layer) for layer in layers]
    first = next((layer["id"] for layer in data if layer.pop("shown", False) and layer["kind"] == "theme"), "")
    maps = [name for name in shown if name not in (ACTIVE, events.NEW, events.EVENT)]
    others = [name for name in (events.EVENT, ACTIVE) if name in shown]
    latitude, longitude = degrees(grid)
    return {
        "area": area,
        "width": grid.width,
        "height": grid.height,
        "metres": float(np.mean(grid.resolution)),
        "crs": grid.crs if len(grid.crs) < 20 else "",
        "left": left,
        "top": top,
        "latitude": latitude,
        "longitude": longitude,
        "layers": data,
        "first": first or next((layer["id"] for layer in data if layer["kind"] == "theme"), ""),
        "chosen": [*maps[-1:], *others, ""][0],
        "motion": MOTION,
        "outline": OUTLINE,
        "casing": CASING,
    }


def degrees(grid: Grid) -> tuple[list[float], list[float]]:
    """Coefficients of latitude and longitude over the grid; see `frame`."""
    u, v = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 1, 9)))
    xs, ys = grid.coordinates(u * grid.width, v * grid.height)
    longitude, latitude = transform(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), xs, ys)
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v, u**3, u * u * v, u * v * v, v**3], axis=1)
    fitted = (np.linalg.lstsq(terms, np.asarray(values), rcond=None)[0] for values in (latitude, longitude))
    one, other = ([round(float(c), 9) for c in coefficients] for coefficients in fitted)
    return one, other


def motion_rule(sources: Sources, experiment: str) -> str:
    """By what rule the landslides of an experiment's map are moving, not moving, or not observable."""
    rule = motion.RULE.format(**sources.experiments[experiment].settings.prediction.model_dump())
    for column in ("detectable_velocity", "aliasing_velocity"):  # the page's words for columns of the file
        rule = re.sub(rf"{column} \((.*?)\)", r"\1", rule)
    return rule


def outlines(
    sources: Sources, drawn: Mapping[str, gpd.GeoDataFrame], areas: gpd.GeoDataFrame | None, most: int
) -> dict[str, Any]:
    """Outlines of each map, of the event, of what is new and active areas, with their series: {"landslides"}."""
    found = {}
    for name, outlined in drawn.items():
        series = landslides.read_series(sources.experiments[name].maps["landslides"])
        about = sources.experiments[name].about
        kind = landslides.of_map(worth.members(sources.experiments[name]))
        data = landslides.for_viewer(outlined, series, sources.grid, most, kind)
        rule = motion_rule(sources, name) if "motion" in outlined else ""
        found[name] = {"title": f"{name}: landslides", "about": about, "rule": rule} | data
    if areas is not None and len(areas) and sources.active_areas:
        if drawn and "active_area" in list(drawn.values())[-1]:
            areas = active_areas.in_landslides(areas, list(drawn.values())[-1])
        data = active_areas.for_explore(areas, sources.active_areas, sources.grid, most)
        found[ACTIVE] = {"title": "Active areas", "about": ABOUT} | data
    found = events.outlines(sources, sources.grid, most) | found  # landslides of the last map stay what is shown first
    return {"landslides": found}


def series(sources: Sources) -> dict[str, Any]:
    """The series of a lattice of places: {"points"}, for a page that cannot ask for any pixel's."""
    path = sources.deformation.get("timeseries")
    return {"points": points.histories(path, sources.grid)} if path else {}
