"""Landslide polygons from the class map, each with what an analyst asks of it."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.features import geometry_mask, shapes
from rasterio.windows import Window, from_bounds
from shapely.geometry import box, shape

from slipmap import raster
from slipmap.atomic import write_aside
from slipmap.config.prediction import PredictionSettings
from slipmap.errors import SlipmapError
from slipmap.grid import Grid

# attribute → (factor, statistic); an attribute whose factor the area has not is left out
ATTRIBUTES = {
    "probability_mean": ("probability", "mean"),
    "probability_max": ("probability", "max"),
    "uncertainty_mean": ("uncertainty", "mean"),
    "slope_mean": ("slope", "mean"),
    "elevation_min": ("elevation", "min"),
    "elevation_max": ("elevation", "max"),
    "velocity_mean": ("velocity", "mean"),
    "velocity_min": ("velocity", "min"),
    "velocity_max": ("velocity", "max"),
}
_STATISTICS = {"mean": np.mean, "min": np.min, "max": np.max}


def outlines(classes: str | Path, grid: Grid, min_area: float) -> gpd.GeoDataFrame:
    """Connected landslide pixels (4-neighbours) of a class map as polygons of at least `min_area` m².

    Read in blocks; the pieces of a landslide that crosses blocks are joined along the blocks' edges. Holds one block
    and the outlines.
    """
    pieces, edges = [], []
    with rasterio.open(classes) as source:
        for window in grid.blocks():
            block = source.read(1, window=window)
            hits = block == 1
            if not hits.any():
                continue
            part = grid.window_grid(window)
            inner = box(*part.bounds)
            for geometry, _ in shapes(block, mask=hits, transform=part.transform):
                polygon = shape(geometry)
                (edges if polygon.intersects(inner.exterior) else pieces).append(polygon)
    if edges:  # only what touches a block's edge can go on in the next block
        merged = gpd.GeoSeries(edges, crs=grid.crs).union_all()
        pieces += list(getattr(merged, "geoms", [merged]))
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(pieces, crs=grid.crs))
    frame["area_m2"] = frame.area
    frame = frame[frame["area_m2"] >= min_area]
    order = np.lexsort((frame.bounds["minx"], -frame.bounds["maxy"])) if len(frame) else []
    frame = frame.iloc[order].reset_index(drop=True)
    frame.insert(0, "landslide", np.arange(1, len(frame) + 1))
    return frame


def describe(frame: gpd.GeoDataFrame, layers: Mapping[str, str | Path], grid: Grid) -> gpd.GeoDataFrame:
    """Add `ATTRIBUTES` of the layers that there are; holds one landslide's pixels at a time."""
    frame = frame.copy()
    needed = {name: path for name, path in layers.items() if name in {factor for factor, _ in ATTRIBUTES.values()}}
    table = {key: np.full(len(frame), np.nan) for key, (factor, _) in ATTRIBUTES.items() if factor in needed}
    sources = {name: rasterio.open(path) for name, path in needed.items()}
    try:
        for row, geometry in enumerate(frame.geometry):
            window = _pixels(geometry.bounds, grid)
            part = grid.window_grid(window)
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            values = {name: raster.read_open(source, window, 1)[inside] for name, source in sources.items()}
            for key, column in table.items():
                factor, statistic = ATTRIBUTES[key]
                finite = values[factor][np.isfinite(values[factor])]
                if finite.size:
                    column[row] = _STATISTICS[statistic](finite)
    finally:
        for source in sources.values():
            source.close()
    return frame.assign(**table)


def match_inventory(frame: gpd.GeoDataFrame, inventory: str | Path) -> pd.Series:
    """ "matched" where a landslide shares a pixel with the inventory raster, else "new"."""
    grid = Grid.from_raster(inventory)
    found = []
    with rasterio.open(inventory) as source:
        for geometry in frame.geometry:
            window = _pixels(geometry.bounds, grid)
            part = grid.window_grid(window)
            inside = geometry_mask([geometry], part.shape, part.transform, invert=True)
            found.append("matched" if (source.read(1, window=window)[inside] == 1).any() else "new")
    return pd.Series(found, index=frame.index, dtype=str)


def run(
    classes: str | Path,
    layers: Mapping[str, str | Path],
    inventory: str | Path | None,
    settings: PredictionSettings,
    output: str | Path,
) -> None:
    """Write ``landslides.gpkg`` (layer "landslides") from a class map.

    Parameters
    ----------
    layers : probability, uncertainty and factors by name, on the map's grid.
    inventory : the inventory raster of the area, or None.
    """
    if Path(output).suffix != ".gpkg":
        raise SlipmapError(f"{output}: landslides are written as GeoPackage; name the file .gpkg.")
    grid = Grid.from_raster(classes)
    frame = describe(outlines(classes, grid, settings.min_area), layers, grid)
    if inventory is not None:
        frame["inventory"] = match_inventory(frame, inventory)
    with write_aside(output) as aside:
        frame.to_file(aside, layer="landslides", driver="GPKG", engine="pyogrio", geometry_type="Polygon")


def _pixels(bounds: tuple[float, float, float, float], grid: Grid) -> Window:
    window = from_bounds(*bounds, transform=grid.transform).round_offsets().round_lengths()
    return window.intersection(Window(0, 0, grid.width, grid.height))
