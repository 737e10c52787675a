"""Outlines of a class map: connected pixels as polygons, joined across blocks, their corners cut."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.features import shapes
from shapely.geometry import LinearRing, Polygon, box, shape
from shapely.geometry.base import BaseGeometry

from slipmap.codes import LANDSLIDE
from slipmap.io.grid import Grid


def outlines(classes: str | Path, grid: Grid, min_area: float) -> gpd.GeoDataFrame:
    """Connected landslide pixels (4-neighbours) of a class map as polygons of at least `min_area` m².

    They are numbered from north to south, then west to east, before the small ones are left out: a landslide keeps its
    number ("landslide", from 1, with gaps) whatever `min_area` is. Read in blocks; the pieces of a landslide that
    crosses blocks are joined along the blocks' edges. Holds one block and the outlines.
    """
    pieces: list[BaseGeometry] = []
    edges: list[BaseGeometry] = []
    with rasterio.open(classes) as source:
        for window in grid.blocks():
            block = source.read(1, window=window)
            hits = block == LANDSLIDE
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
    order = np.lexsort((frame.bounds["minx"], -frame.bounds["maxy"])) if len(frame) else np.zeros(0, int)
    frame = frame.iloc[order].reset_index(drop=True)
    frame.insert(0, "landslide", np.arange(1, len(frame) + 1))
    return frame[frame["area_m2"] >= min_area].reset_index(drop=True)


def smoothed(polygon: Polygon, pixel: float) -> Polygon:
    """Cut the corners of an outline made of pixel edges: its vertices become the middles of those edges.

    No point moves by more than √2/4 of a pixel; outlines that touch at a corner come apart, and none ever overlap.

    Parameters
    ----------
    pixel : side of a pixel, in the polygon's units.
    """
    return Polygon(_middles(polygon.exterior, pixel), [_middles(ring, pixel) for ring in polygon.interiors])


def _middles(ring: LinearRing, pixel: float) -> np.ndarray:
    """Middles of the pixel edges along a ring, those on straight stretches left out."""
    corners = np.asarray(ring.coords)
    steps = np.diff(corners, axis=0)
    counts = np.maximum(np.rint(np.abs(steps).sum(axis=1) / pixel).astype(int), 1)
    points = np.concatenate(
        [
            corner + (np.arange(count)[:, None] + 0.5) / count * step
            for corner, step, count in zip(corners, steps, counts, strict=False)
        ]
    )
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-6 * pixel**2
    return np.asarray(points[turns])
