"""Pixels that stand out of the noise, clustered: which pixels make an active area."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
from rasterio.features import geometry_mask, shapes
from rasterio.windows import Window
from scipy import ndimage
from shapely import STRtree
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.ops import unary_union

from slipmap.config.motion import ActiveAreaSettings
from slipmap.deformation.geometry import MIN_SENSITIVITY
from slipmap.deformation.interferogram import with_margin
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction.motion import pixels_of

NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Standing:
    """Local means of a window, as `slipmap.motion.significance` writes them, with what the radar sees of the slope.

    Parameters
    ----------
    significance, velocity, deviation : (rows, cols), NaN off reliable pixels; mm/yr.
    sensitivity : share of downslope motion that the radar sees, signed; NaN where it is not known.
    level : bool, ground without a downslope direction to speak of.
    """

    significance: np.ndarray
    velocity: np.ndarray
    deviation: np.ndarray
    sensitivity: np.ndarray
    level: np.ndarray

    def strength(self, settings: ActiveAreaSettings) -> np.ndarray:
        """Significance of motion that counts, (rows, cols): negative if it is up the slope, 0 if it is not known.

        On a slope along which the radar sees nothing no motion counts as downslope; on level ground all does.
        """
        value = np.abs(self.significance)
        if settings.direction == "downslope":
            seen = np.where(np.abs(self.sensitivity) >= MIN_SENSITIVITY, np.sign(self.sensitivity), 0)
            value = np.where(self.level | np.isnan(self.sensitivity), value, self.significance * seen)
        return np.asarray(np.nan_to_num(value))

    def seeds(self, settings: ActiveAreaSettings) -> np.ndarray:
        """Pixels from which an area grows, (rows, cols) bool."""
        fast = np.nan_to_num(np.abs(self.velocity)) >= settings.min_velocity
        return np.asarray((self.strength(settings) >= settings.significance) & fast)

    def candidates(self, settings: ActiveAreaSettings) -> np.ndarray:
        """Pixels that belong to an area if they join its seeds, (rows, cols) bool."""
        return self.strength(settings) >= settings.edge


@dataclass(frozen=True)
class Reader:
    """Reads windows of the significance raster and, where there is a DEM, of sensitivity and downslope velocity."""

    significance: Path
    sensitivity: Path | None
    downslope: Path | None
    grid: Grid

    def at(self, window: Window) -> Standing:
        """What stands in a window."""
        values, velocity, deviation = raster.read(self.significance, window)
        if self.sensitivity is None or self.downslope is None:
            unknown = np.full(values.shape, np.nan)
            return Standing(values, velocity, deviation, unknown, np.ones(values.shape, bool))
        seen, projected = (raster.read(path, window, 1) for path in (self.sensitivity, self.downslope))
        # The projection is left out where the radar sees nothing of it, and on level ground.
        level = np.isnan(projected) & (np.abs(seen) >= MIN_SENSITIVITY) & np.isfinite(values)
        return Standing(values, velocity, deviation, seen, level)


@dataclass(frozen=True)
class Cluster:
    """An active area: its outline, the window of the grid around it, and its pixels there, (rows, cols) bool."""

    outline: MultiPolygon
    window: Window
    inside: np.ndarray


class Pixels(Protocol):
    """What stands out in a window, (rows, cols) bool."""

    def seeds(self, settings: Any) -> np.ndarray:
        """Pixels from which an area grows."""

    def candidates(self, settings: Any) -> np.ndarray:
        """Pixels that belong to an area if they join its seeds."""


class Source(Protocol):
    """Reads windows of a map whose pixels are to be clustered."""

    @property
    def grid(self) -> Grid:
        """Where the map lies."""

    def at(self, window: Window) -> Pixels:
        """What stands out in a window."""


class Clustering(Protocol):
    """How pixels are clustered: the settings of active areas, and of landslides of an event."""

    @property
    def min_pixels(self) -> int:
        """Least number of seeds in an area."""

    @property
    def gap(self) -> int:
        """Pixels by which areas are widened to close gaps between them."""


def clusters(reader: Source, settings: Clustering) -> Iterator[Cluster]:
    """The areas from north to south. Holds a block, or one area's pixels, and the outlines."""
    grid = reader.grid
    for region in _regions(reader, settings):
        window = pixels_of(region.bounds, grid)
        part = grid.window_grid(window)
        standing = reader.at(window)
        here = geometry_mask([region], part.shape, part.transform, invert=True)
        inside = standing.candidates(settings) & here
        if (standing.seeds(settings) & inside).sum() < settings.min_pixels:
            continue
        inside = _closed(inside, settings.gap)
        pieces = [shape(g) for g, _ in shapes(inside.astype(np.uint8), mask=inside, transform=part.transform)]
        merged = unary_union(pieces)
        yield Cluster(MultiPolygon(getattr(merged, "geoms", [merged])), window, inside)


def _regions(reader: Source, settings: Clustering) -> list[Polygon]:
    """Connected candidates, widened by ``gap`` pixels so that close ones join, as polygons from north to south.

    Those with too few seeds to become an area are left out at once: noise leaves many.
    """
    grid = reader.grid
    whole: list[Polygon] = []
    edges: list[tuple[Polygon, int]] = []
    for window in grid.blocks():
        outer, inner = with_margin(window, grid, settings.gap)
        standing = reader.at(outer)
        hits = _widened(standing.candidates(settings), settings.gap)[inner]
        number, count = ndimage.label(hits)
        seeds = np.bincount(number[hits & standing.seeds(settings)[inner]], minlength=count + 1)
        part = grid.window_grid(window)
        block = box(*part.bounds)
        for geometry, label in shapes(number.astype(np.int32), mask=hits, transform=part.transform):
            polygon, found = shape(geometry), int(seeds[int(label)])
            if polygon.intersects(block.exterior):
                edges.append((polygon, found))
            elif found >= settings.min_pixels:
                whole.append(polygon)
    return sorted(
        [*whole, *_across(edges, grid, settings)], key=lambda polygon: (-polygon.bounds[3], polygon.bounds[0])
    )


def _across(edges: list[tuple[Polygon, int]], grid: Grid, settings: Clustering) -> list[Polygon]:
    """What touches a block's edge, joined with what goes on in the next block; without those of too few seeds."""
    if not edges:
        return []
    pieces = [polygon for polygon, _ in edges]
    union = gpd.GeoSeries(pieces, crs=grid.crs).union_all()
    merged = list(getattr(union, "geoms", [union]))
    found = np.zeros(len(merged), int)
    inside, of = STRtree([piece.representative_point() for piece in pieces]).query(merged, predicate="contains")
    np.add.at(found, inside, np.array([seeds for _, seeds in edges])[of])
    return [polygon for polygon, seeds in zip(merged, found, strict=True) if seeds >= settings.min_pixels]


def _widened(hits: np.ndarray, by: int) -> np.ndarray:
    return ndimage.binary_dilation(hits, NEIGHBOURS, iterations=by) if by else hits


def _closed(hits: np.ndarray, by: int) -> np.ndarray:
    """`hits` with gaps of up to twice `by` pixels filled."""
    if not by:
        return hits
    wide = np.pad(hits, by)
    return np.asarray(ndimage.binary_closing(wide, NEIGHBOURS, iterations=by)[by:-by, by:-by])
