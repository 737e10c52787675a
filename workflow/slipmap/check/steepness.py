"""Whether landslides lie on steep ground, which they do where DEM and inventory fit together."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.features import rasterize
from scipy import ndimage

from slipmap.codes import LANDSLIDE
from slipmap.inputs import inventory
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import in_unit
from slipmap.io import raster
from slipmap.io.grid import Grid

_SIDE = 1024  # pixels of the look, a side: seconds, whatever the area


class Look(NamedTuple):
    """Landslides as they lie on the DEM.

    Parameters
    ----------
    on, off : median slope of ground with and without landslides, degrees; NaN where the DEM or such ground lacks.
    patches : connected patches of landslide pixels, None where not every pixel was looked at.
    share : % of the known ground that they take.
    """

    on: float
    off: float
    patches: int | None
    share: float


def look(dem: str | None, path: str, layer: str | None, grid: Grid, key: str) -> Look:
    """Landslides of the inventory at `path` and the slope of the DEM at `dem`, on at most 1024 x 1024 pixels.

    Parameters
    ----------
    key : ``areas.NAME.inputs``, for messages.
    """
    step = max(1, -(-max(grid.shape) // _SIDE))
    seen = grid.coarsened(step, step) if step < min(grid.shape) else grid
    labels = _labels(path, layer, grid, seen, f"{key}.inventory")
    here = labels == LANDSLIDE
    known = np.isfinite(labels)
    share = 100 * here.sum() / max(known.sum(), 1)
    patches = int(ndimage.label(here, np.ones((3, 3)))[1]) if step == 1 else None
    on = off = np.nan
    if dem and Path(dem).is_file() and min(seen.shape) > 1:
        slope = _slope(dem, seen, f"{key}.dem")
        on, off = (_median(slope[part]) for part in (here, known & ~here))
    return Look(on, off, patches, float(share))


def _labels(path: str, layer: str | None, grid: Grid, seen: Grid, key: str) -> np.ndarray:
    """(rows, cols) float32 at the centres of the pixels of `seen`: 1 landslide, 0 none, NaN unknown."""
    if inventory.is_vector(path):
        shapes = inventory.read_landslides(path, grid, key, layer).geometry
        return np.asarray(rasterize(shapes, out_shape=seen.shape, transform=seen.transform, dtype="float32"))
    return inventory.labels(path, seen, key)


def _slope(dem: str, grid: Grid, key: str) -> np.ndarray:
    """(rows, cols) degrees, by central differences."""
    with raster.warped(in_unit(dem, ELEVATION, key, vertical=True), grid, "bilinear") as source:
        down, across = np.gradient(raster.read_open(source, None, 1), *reversed(grid.resolution))
    return np.asarray(np.degrees(np.arctan(np.hypot(down, across))))


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
