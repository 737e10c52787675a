"""Displacement histories on a coarse lattice, so that a click anywhere on the map has one."""

from pathlib import Path

import h5netcdf
import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from slipmap.deformation.reliability import RELIABLE
from slipmap.deformation.timeseries import series_grid
from slipmap.io.grid import Grid
from slipmap.report.context import Context
from slipmap.report.tabular import plain

LATTICE = 40  # points along the longer side
MAPS = ("reliability", "velocity", "velocity_std", "temporal_coherence")


def histories(path: str | Path, area: Grid) -> Context | None:
    """Series (mm) of reliable pixels on a lattice: {"dates", "reach", "items": [{"at", "series", "fact"}]}.

    "fact" is velocity ± standard deviation (mm/yr) and temporal coherence, as text.

    Parameters
    ----------
    path : ``timeseries.nc``. area : the area's grid; "at" (column, row) and "reach" are in its pixels.

    Returns
    -------
    None where no pixel of the lattice is reliable, by the series' own map ``reliability``.

    Notes
    -----
    Reads one chunk of pixels at a time, `LATTICE` times `LATTICE` of them at most.
    """
    with h5netcdf.File(path, "r") as file:
        grid, dates = series_grid(file)
        deviation = file.variables.get("displacement_std")
        displacement = file.variables["displacement"]
        height, width = grid.shape
        step = max(1, max(height, width) // LATTICE)
        rows, cols = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
        maps = {name: _lattice(file, name, rows, cols) for name in MAPS}
        good = maps["reliability"] == RELIABLE
        items = []
        inverse = ~area.transform
        for i, row in enumerate(rows):
            if not good[i].any():
                continue
            xs, ys = grid.coordinates(cols + 0.5, np.full(len(cols), row + 0.5))
            xs, ys = transform(CRS.from_user_input(grid.crs), CRS.from_user_input(area.crs), xs, ys)
            line = displacement[:, int(row), :][:, cols]
            spread = None if deviation is None else deviation[:, int(row), :][:, cols]
            for j in np.flatnonzero(good[i] & np.isfinite(line).any(axis=0)):
                at = inverse @ (xs[j], ys[j])
                rate, error, fit = (maps[name][i, j] for name in ("velocity", "velocity_std", "temporal_coherence"))
                fact = f"{plain(rate, 1)} ± {plain(error, 1)} mm/yr, temporal coherence {plain(fit, 2)}"
                item = {"at": [round(at[0], 1), round(at[1], 1)], "series": rounded(line[:, j]), "fact": fact}
                items.append(item if spread is None else item | {"std": rounded(spread[:, j])})
    if not items:
        return None
    reach = 0.75 * step * _pixel_ratio(grid, area)
    return {"dates": dates, "reach": round(reach, 1), "items": items}


def _lattice(file: h5netcdf.File, name: str, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """A map at rows and columns; NaN where the file has no such map."""
    if name not in file.variables:
        return np.full((len(rows), len(cols)), np.nan)
    return np.stack([file.variables[name][int(row), :][cols] for row in rows])


def rounded(values: np.ndarray) -> list[float | None]:
    """Millimetres with one digit; None where there is no value."""
    return [round(float(v), 1) if np.isfinite(v) else None for v in values]


def _pixel_ratio(grid: Grid, area: Grid) -> float:
    """Pixels of `area` in one pixel of `grid`, at its middle."""
    ends = [grid.transform @ (grid.width / 2 + k, grid.height / 2 + k) for k in (0, 1)]
    own, other = CRS.from_user_input(grid.crs), CRS.from_user_input(area.crs)
    xs, ys = transform(own, other, [e[0] for e in ends], [e[1] for e in ends])
    return float(np.hypot(xs[1] - xs[0], ys[1] - ys[0]) / np.hypot(*area.resolution))
