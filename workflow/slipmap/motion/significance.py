"""How far the velocity of each place stands out of the noise around it: local means over their standard deviation.

A velocity map has noise that neighbours share: what the atmosphere left, over hundreds of metres, and what filters
spread, over a few pixels. A pixel's own standard deviation knows neither. So the median of the surroundings is taken
off, neighbours are averaged with their weights, and the scatter of these local means around (its robust estimate, for
most of the ground stands still) says how much more they scatter than independent pixels would.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rasterio.windows import Window
from scipy import ndimage

from slipmap.config.motion import ActiveAreaSettings
from slipmap.deformation.geometry import LAYOVER, SHADOW, pixel_size
from slipmap.deformation.interferogram import with_margin
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion.background import Field, by_cells, scatter

BANDS = {
    "significance": ("1", "local mean velocity over its standard deviation"),
    "velocity": ("mm/yr", "local mean of the line-of-sight velocity against the ground around it"),
    "velocity_std": ("mm/yr", "standard deviation of the local mean, neighbours' common noise with it"),
}
REACH = 3.0  # standard deviations of the Gaussian weights that are summed
RELIABLE = 1  # in mask.tif


@dataclass(frozen=True)
class LocalMean:
    """Local means of the reliable velocities, block by block.

    Parameters
    ----------
    velocity, deviation, mask : rasters (mm/yr, mm/yr, 1 where reliable) on `grid`.
    averaging : raster of the part of `deviation` that is no noise but motion which averaging hides, mm/yr: ground that
        stands still has none, so that it says nothing against standing out.
    visibility : raster of layover and shadow, where there is one: several places in one pixel, or none.
    sigma : standard deviation of the Gaussian weights, pixels (rows, cols).
    background : velocity of the surroundings, mm/yr. excess : by how much local means scatter more than independent
        pixels would, at least 1.
    """

    velocity: Path
    deviation: Path
    mask: Path
    averaging: Path | None
    visibility: Path | None
    grid: Grid
    sigma: tuple[float, float]
    background: Field | None = None
    excess: Field | None = None

    def reliable(self, window: Window) -> np.ndarray:
        """Velocity as it is in a window, (rows, cols); NaN where it is not reliable."""
        known = raster.read(self.mask, window, 1) == RELIABLE
        if self.visibility is not None:
            known &= ~np.isin(raster.read(self.visibility, window, 1), (LAYOVER, SHADOW))
        return np.where(known, raster.read(self.velocity, window, 1).astype(np.float64), np.nan)

    def at(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Local mean and its standard deviation (mm/yr) in a window, (rows, cols); NaN off reliable pixels.

        The mean is weighted by 1/σ² and the Gaussian: m = Σ g w v / Σ g w, with σm² = Σ g² w / (Σ g w)².
        """
        outer, inner = with_margin(window, self.grid, int(np.ceil(REACH * max(self.sigma))))
        values, deviation = self.reliable(outer), raster.read(self.deviation, outer, 1).astype(np.float64)
        if self.averaging is not None:
            hidden = raster.read(self.averaging, outer, 1).astype(np.float64)
            deviation = np.sqrt(np.maximum(deviation**2 - hidden**2, 0))
        if self.background is not None:
            values = values - self.background.at(outer)
        known = np.isfinite(values) & (deviation > 0)
        weight = np.where(known, 1 / np.where(known, deviation, 1) ** 2, 0)
        total = self._sum(weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self._sum(weight * np.where(known, values, 0)) / total
            std = np.sqrt(self._sum(weight, squared=True)) / total
        mean, std = (np.where(known, array, np.nan)[inner] for array in (mean, std))
        return mean, std if self.excess is None else std * self.excess.at(window)

    def _sum(self, array: np.ndarray, squared: bool = False) -> np.ndarray:
        """Σ g·array over the surroundings of each pixel, or Σ g²·array."""
        for axis, sigma in enumerate(self.sigma):
            reach = np.arange(-np.ceil(REACH * sigma), np.ceil(REACH * sigma) + 1)
            kernel = np.exp(-0.5 * (reach / sigma) ** 2) if sigma > 0 else np.ones(1)
            kernel /= kernel.sum()
            array = ndimage.correlate1d(array, kernel**2 if squared else kernel, axis=axis, mode="constant")
        return array


def local_mean(files: Mapping[str, str | Path], settings: ActiveAreaSettings) -> LocalMean:
    """What `run` writes, to be read block by block; `files` as there. Two passes over the velocity."""
    grid = Grid.from_raster(files["velocity"])
    x, y = pixel_size(grid)
    plain = LocalMean(
        Path(files["velocity"]),
        Path(files["velocity_std"]),
        Path(files["mask"]),
        Path(files["averaging_std"]) if "averaging_std" in files else None,
        Path(files["visibility"]) if "visibility" in files else None,
        grid,
        (settings.smoothing / y, settings.smoothing / x),
    )
    if settings.background is None:
        return plain
    side = max(8, round(settings.background / np.hypot(x, y) * np.sqrt(2)))
    level = replace(plain, background=by_cells(plain.reliable, lambda v: float(np.median(v)), grid, side))
    excess = by_cells(lambda window: np.divide(*level.at(window)), scatter, grid, side)
    if excess is None:  # nothing is reliable
        return level
    # Never less than the stated standard deviation, nor than that of the area as a whole: a quiet cell is chance.
    least = max(1.0, float(np.median(excess.cells)))
    return replace(level, excess=replace(excess, cells=np.maximum(excess.cells, least)))


def run(
    files: Mapping[str, str | Path], settings: ActiveAreaSettings, output: str | Path, tags: Mapping[str, str]
) -> None:
    """Write `BANDS` as one raster on the velocity's grid, block by block.

    Parameters
    ----------
    files : velocity, velocity_std and mask, averaging_std where it is known, visibility where there is a DEM.
    tags : what the raster says of itself.
    """
    means = local_mean(files, settings)
    units, names = ([about[k] for about in BANDS.values()] for k in (0, 1))
    with ExitStack() as stack:
        out = stack.enter_context(
            raster.create(output, means.grid, bands=list(BANDS), units=units, long_name=names, tags=tags)
        )
        for window in means.grid.blocks():
            mean, std = means.at(window)
            out.write(np.stack([mean / std, mean, std]).astype(np.float32), window)
