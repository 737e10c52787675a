"""Which resampling brings a raster onto a grid, by what the raster shows and how fine it is."""

from pathlib import Path

import rasterio
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds

from slipmap.io.grid import Grid


def choose_resampling(source: str | Path | DatasetReader, grid: Grid, kind: str = "field") -> str:
    """GDAL resampling from a raster, a path or open, to `grid`.

    "nearest" where the pixels coincide (nothing is interpolated) and for `kind` "classes"; else, for fields,
    "average" where the raster is more than twice as fine as the grid, and for `kind` "surface" (elevation, whose
    derivatives are taken next) "cubic", else "bilinear".
    """
    if not isinstance(source, DatasetReader):
        with rasterio.open(source) as opened:
            return choose_resampling(opened, grid, kind)
    if kind == "classes" or pixel_offset(source, grid) is not None:
        return "nearest"
    bounds = transform_bounds(source.crs, CRS.from_user_input(grid.crs), *source.bounds)
    size = min(abs(bounds[2] - bounds[0]) / source.width, abs(bounds[3] - bounds[1]) / source.height)
    if size < 0.5 * min(grid.resolution):
        return "average"
    return "cubic" if kind == "surface" else "bilinear"


def pixel_offset(src: DatasetReader, grid: Grid) -> tuple[int, int] | None:
    """(row, column) in `src` of the corner of `grid` if the pixels of both coincide, else None."""
    t, g = src.transform, grid.transform
    if not src.crs or src.crs != CRS.from_user_input(grid.crs) or t.b or t.d:
        return None
    if abs(t.a - g.a) > 1e-6 * abs(g.a) or abs(t.e - g.e) > 1e-6 * abs(g.e):
        return None
    col, row = (g.c - t.c) / t.a, (g.f - t.f) / t.e
    if abs(col - round(col)) > 1e-3 or abs(row - round(row)) > 1e-3:
        return None
    return round(row), round(col)
