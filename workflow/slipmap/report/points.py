"""Displacement histories on a coarse lattice, so that a click anywhere on the map has one."""

from pathlib import Path

import h5netcdf
import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from slipmap.io.grid import Grid
from slipmap.prediction.motion import series_grid

LATTICE = 40  # points along the longer side
LEAST_COHERENCE = 0.7


def histories(path: str | Path, shown: Grid) -> dict | None:
    """Series (mm) of reliable pixels on a lattice: {"dates", "reach", "items": [{"at": [col, row], "series"}]}.

    Parameters
    ----------
    path : ``timeseries.nc``. shown : grid of the pictures; "at" and "reach" are in its pixels.

    Returns
    -------
    None where no pixel of the lattice is reliable (temporal coherence `LEAST_COHERENCE` or more).

    Notes
    -----
    Reads one chunk of pixels at a time, `LATTICE` times `LATTICE` of them at most.
    """
    with h5netcdf.File(path, "r") as file:
        grid, dates = series_grid(file)
        displacement, quality = file.variables["displacement"], file.variables["temporal_coherence"]
        height, width = grid.shape
        step = max(1, max(height, width) // LATTICE)
        rows, cols = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
        good = np.stack([quality[int(row), :][cols] for row in rows]) >= LEAST_COHERENCE
        items = []
        inverse = ~shown.transform
        for i, row in enumerate(rows):
            if not good[i].any():
                continue
            xs, ys = grid.transform @ (cols + 0.5, np.full(len(cols), row + 0.5))
            xs, ys = transform(CRS.from_user_input(grid.crs), CRS.from_user_input(shown.crs), xs, ys)
            line = displacement[:, int(row), :][:, cols]
            for j in np.flatnonzero(good[i] & np.isfinite(line).any(axis=0)):
                at = inverse @ (xs[j], ys[j])
                series = [round(float(v), 1) if np.isfinite(v) else None for v in line[:, j]]
                items.append({"at": [round(at[0], 1), round(at[1], 1)], "series": series})
    if not items:
        return None
    reach = 0.75 * step * _pixel_ratio(grid, shown)
    return {"dates": dates, "reach": round(reach, 1), "items": items}


def _pixel_ratio(grid: Grid, shown: Grid) -> float:
    """Pixels of `shown` in one pixel of `grid`, at its middle."""
    ends = [grid.transform @ (grid.width / 2 + k, grid.height / 2 + k) for k in (0, 1)]
    own, other = CRS.from_user_input(grid.crs), CRS.from_user_input(shown.crs)
    xs, ys = transform(own, other, [e[0] for e in ends], [e[1] for e in ends])
    return float(np.hypot(xs[1] - xs[0], ys[1] - ys[0]) / np.hypot(*shown.resolution))
