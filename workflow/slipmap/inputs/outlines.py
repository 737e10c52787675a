"""Outlines as pixels: every landslide is kept, with about its own area."""

import math
from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window

from slipmap.io.grid import Grid

Shapes = NDArray[np.object_]
_MANY = 16  # pixels touched from which an outline is long


def burner(shapes: Shapes, grid: Grid) -> Callable[[Window], NDArray[np.uint8]]:
    """A function that draws the outlines and points in a window of `grid`: (rows, cols) uint8, 1 where one is.

    A pixel has an outline when its centre lies in it, or a point lies in the pixel. An outline that holds no centre, or
    is slimmer than a pixel, gets as many of the pixels that it touches as its area has, one at least: by centres it
    would be lost or widened, and all that it touches would be several times its area. Parts of one feature count as
    outlines of their own.
    """
    shapes = shapely.get_parts(shapes)
    small = finer_than_pixels(shapes, grid)
    rows, cols = _own_pixels(shapes[small], grid)
    large = shapes[~small]
    index = shapely.STRtree(large)

    def draw(window: Window) -> NDArray[np.uint8]:
        part = grid.window_grid(window)
        block = np.zeros(part.shape, np.uint8)
        here = index.query(shapely.box(*part.bounds), predicate="intersects")
        if len(here):
            rasterize(large[np.sort(here)], out=block, transform=part.transform)
        top, left = int(window.row_off), int(window.col_off)
        inside = (rows >= top) & (rows < top + part.height) & (cols >= left) & (cols < left + part.width)
        block[rows[inside] - top, cols[inside] - left] = 1
        return block

    return draw


def finer_than_pixels(shapes: Shapes, grid: Grid) -> NDArray[np.bool_]:
    """(shapes,) polygons whose mean width, twice the area over the perimeter, is below a pixel, or without a centre.

    A convex polygon holds a circle whose radius is its area over its perimeter; with a radius of a pixel that
    circle holds a centre. Only polygons below that are drawn, each in the pixels around it.
    """
    polygons = shapely.get_dimensions(shapes) == 2
    size = max(grid.resolution)
    width = 2 * shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9)
    fine: NDArray[np.bool_] = polygons & (width < size)
    for number in np.flatnonzero(polygons & ~fine & (width < 2 * size)):
        around = grid.window_grid(_around(shapes[number], grid))
        drawn = rasterize([shapes[number]], out_shape=around.shape, transform=around.transform, dtype="uint8")
        fine[number] = not drawn.any()
    return fine


def _around(shape: shapely.Geometry, grid: Grid) -> Window:
    """Window of the pixels that a shape may touch."""
    left, bottom, right, top = shapely.bounds(shape)
    col, row = np.floor(~grid.transform @ (left, top)).astype(int)
    last_col, last_row = np.ceil(~grid.transform @ (right, bottom)).astype(int)
    return Window(col, row, max(last_col - col, 1), max(last_row - row, 1))


def _own_pixels(shapes: Shapes, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(rows, columns) of pixels for fine outlines: those that are covered most, as many as have the outline's area.

    Of a long outline, which covers many pixels alike, they lie along its whole length: one is taken each time that the
    area passed, pixel by pixel, has grown by one. What rounding takes from one outline, the next gets: together they
    keep their area too, whatever share of a pixel each has.
    """
    found: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    left_over = 0.0  # pixels, between -0.5 and 0.5
    rx, ry = grid.resolution
    for shape in shapes:
        window = _around(shape, grid)
        part = grid.window_grid(window)
        left, top = part.transform.c, part.transform.f
        rows, cols = np.indices(part.shape).reshape(2, -1)
        boxes = shapely.box(left + cols * rx, top - (rows + 1) * ry, left + (cols + 1) * rx, top - rows * ry)
        share: NDArray[np.float64] = shapely.area(shapely.intersection(shape, boxes)) / (rx * ry)
        wanted = float(share.sum()) + left_over
        count = min(math.floor(wanted + 0.5), int(np.count_nonzero(share)))
        if count >= 1:
            left_over = float(np.clip(wanted - count, -0.5, 0.5))
        if count > 1 and np.count_nonzero(share) > _MANY:
            passed = np.floor((np.cumsum(share) / share.sum() * count) + 0.5)
            chosen = np.flatnonzero(np.diff(passed, prepend=0) > 0)
        else:
            chosen = np.argsort(-share, kind="stable")[: max(count, 1)]
        found.append(np.stack([rows[chosen] + int(window.row_off), cols[chosen] + int(window.col_off)], axis=1))
    places = np.concatenate(found)
    return places[:, 0], places[:, 1]
