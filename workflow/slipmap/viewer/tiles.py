"""Tiles of rasters, read by rio-tiler and coloured as the report colours them.

Tiles are 256 pixels wide and lie on the area's own grid, not on a world-wide one: at zoom 0 a pixel of a tile is a
pixel of the grid, at zoom z 2^z of them. Column and row of the grid begin in its upper left corner.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rio_tiler.errors import RioTilerError
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from slipmap.io.grid import Grid

SIZE = 256


def tile(path: Path, legend: Mapping[str, Any], grid: Grid, z: int, x: int, y: int, *, minus: float = 0.0) -> bytes:
    """PNG of a tile; transparent where there is no data.

    Parameters
    ----------
    legend : colours, as `slipmap.report.pictures.Picture` has them. z, x, y : zoom, column and row of the tile.
    minus : taken off the values before they are coloured.
    """
    span = SIZE / 2.0**z
    left, top = grid.transform @ (x * span, y * span)
    right, bottom = grid.transform @ ((x + 1) * span, (y + 1) * span)
    crs = CRS.from_user_input(grid.crs)
    try:
        with Reader(str(path)) as source:
            read = source.part(
                (left, bottom, right, top), bounds_crs=crs, dst_crs=crs, width=SIZE, height=SIZE, indexes=1
            )
        values, known = read.array[0].data.astype(np.float32), ~np.ma.getmaskarray(read.array)[0]
    except RioTilerError:
        values, known = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), bool)
    known &= np.isfinite(values)
    rgba = colour(np.where(known, values - minus, np.nan), legend)
    picture: bytes = ImageData(
        np.ma.array(rgba[..., :3].transpose(2, 0, 1), mask=False), alpha_mask=rgba[..., 3]
    ).render(img_format="PNG")
    return picture


def colour(values: np.ndarray, legend: Mapping[str, Any]) -> np.ndarray:
    """Values (rows, columns) with NaN as (rows, columns, 4) colours by a legend; classes without a name are hidden."""
    out = np.zeros((*values.shape, 4), np.uint8)
    known = np.isfinite(values)
    if legend["kind"] == "classes":
        for item in legend["items"]:
            out[known & (values == item["value"])] = (*_rgb(item["colour"]), 255)
        return out
    ramp = np.array([_rgb(c) for c in legend["colours"]], np.uint8)
    low, high = legend["min"], legend["max"]
    level = np.clip(np.nan_to_num((values - low) / (high - low) * len(ramp)), 0, len(ramp) - 1).astype(int)
    out[..., :3] = ramp[level]
    out[..., 3] = np.where(known, 255, 0)
    return out


def _rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
