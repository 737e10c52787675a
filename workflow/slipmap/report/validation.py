"""Recovered against simulated truth: how well the deformation stage finds the velocity that the simulator put in."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import rasterio

from slipmap.io import raster
from slipmap.io.grid import Grid


@dataclass(frozen=True)
class VelocityTruth:
    """Recovered minus true line-of-sight velocity, over pixels of at least `coherence` temporal coherence.

    Parameters
    ----------
    pixels : coherent pixels. rms, bias : of recovered minus true, mm/yr.
    movers : pixels that truly move faster than `moving` mm/yr, coherent or not; movers_coherent : those coherent.
    movers_rms : of the coherent movers, mm/yr. slope, intercept : of recovered on true, ordinary least squares over
        the coherent movers. correlation : of the two there.
    """

    coherence: float
    moving: float
    pixels: int
    area_pixels: int
    rms: float
    bias: float
    movers: int
    movers_coherent: int
    movers_rms: float
    slope: float
    intercept: float
    correlation: float

    def row(self) -> dict[str, float]:
        """For a table."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def compare(
    recovered: np.ndarray, truth: np.ndarray, quality: np.ndarray, coherence: float, moving: float
) -> VelocityTruth:
    """Compare arrays of one shape; see `compare_rasters`."""
    sums = _Sums(coherence, moving)
    sums.add(recovered, truth, quality)
    return sums.result()


def compare_rasters(
    recovered: str | Path, truth: str | Path, quality: str | Path, *, coherence: float = 0.7, moving: float = 10.0
) -> VelocityTruth:
    """Compare a recovered velocity (mm/yr) with the simulated truth, block by block, on the recovered raster's grid.

    Parameters
    ----------
    quality : temporal coherence, on the grid of `recovered`.
    coherence : pixels of less are left out. moving : true |velocity| from which a pixel is a mover, mm/yr.
    """
    grid = Grid.from_raster(recovered)
    sums = _Sums(coherence, moving)
    with rasterio.open(recovered) as a, rasterio.open(quality) as b, raster.warped(truth, grid) as c:
        for window in grid.blocks():
            sums.add(*(raster.read_open(source, window, 1) for source in (a, c, b)))
    return sums.result()


class _Sums:
    """Running sums of a comparison; float64, so that the order of blocks does not matter to the digits shown."""

    def __init__(self, coherence: float, moving: float) -> None:
        self.coherence, self.moving = coherence, moving
        self.area = self.movers = 0
        self.coherent = np.zeros(3)  # n, Σ(r−t), Σ(r−t)²
        self.fast = np.zeros(6)  # n, Σt, Σr, Σt², Σr², Σtr

    def add(self, recovered: np.ndarray, truth: np.ndarray, quality: np.ndarray) -> None:
        recovered, truth = recovered.astype(np.float64), truth.astype(np.float64)
        known = np.isfinite(truth)
        fast = known & (np.abs(truth) > self.moving)
        good = known & np.isfinite(recovered) & (quality >= self.coherence)
        self.area += int(known.sum())
        self.movers += int(fast.sum())
        d = (recovered - truth)[good]
        self.coherent += (d.size, d.sum(), (d**2).sum())
        r, t = recovered[good & fast], truth[good & fast]
        self.fast += (r.size, t.sum(), r.sum(), (t**2).sum(), (r**2).sum(), (t * r).sum())

    def result(self) -> VelocityTruth:
        n, total, squares = self.coherent
        m, st, sr, stt, srr, str_ = self.fast
        some, several = n > 0, m > 2
        variance_t, variance_r = (stt - st**2 / m, srr - sr**2 / m) if several else (0.0, 0.0)
        covariance = str_ - st * sr / m if several else 0.0
        slope = covariance / variance_t if variance_t > 0 else float("nan")
        return VelocityTruth(
            coherence=self.coherence,
            moving=self.moving,
            pixels=int(n),
            area_pixels=self.area,
            rms=float(np.sqrt(squares / n)) if some else float("nan"),
            bias=float(total / n) if some else float("nan"),
            movers=self.movers,
            movers_coherent=int(m),
            movers_rms=float(np.sqrt(max(srr - 2 * str_ + stt, 0) / m)) if m else float("nan"),
            slope=float(slope),
            intercept=float((sr - slope * st) / m) if several else float("nan"),
            correlation=float(covariance / np.sqrt(variance_t * variance_r))
            if variance_t > 0 and variance_r > 0
            else float("nan"),
        )
