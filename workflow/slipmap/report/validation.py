"""Recovered against simulated truth: how well the deformation stage finds the velocity that the simulator put in."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import rasterio

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report.histogram import Histogram


@dataclass(frozen=True)
class VelocityTruth:
    """Recovered minus true line-of-sight velocity, over pixels of at least the quality `least`.

    Parameters
    ----------
    pixels : those pixels. rms, bias : of recovered minus true, mm/yr.
    movers : pixels that truly move faster than `moving` mm/yr, whatever their quality; movers_kept : those of it.
    movers_rms : of these, mm/yr. slope, intercept : of recovered on true, ordinary least squares over
        these. correlation : of the two there.
    """

    least: float
    moving: float
    pixels: int
    area_pixels: int
    rms: float
    bias: float
    movers: int
    movers_kept: int
    movers_rms: float
    slope: float
    intercept: float
    correlation: float

    def row(self) -> dict[str, float]:
        """For a table."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def compare(
    recovered: np.ndarray, truth: np.ndarray, quality: np.ndarray, least: float, moving: float
) -> VelocityTruth:
    """Compare arrays of one shape; see `compare_rasters`."""
    sums = _Sums(least, moving)
    sums.add(recovered, truth, quality)
    return sums.result()


def compare_rasters(
    recovered: str | Path, truth: str | Path, quality: str | Path, *, least: float, moving: float = 10.0
) -> VelocityTruth:
    """Compare a recovered velocity (mm/yr) with the simulated truth, block by block, on the recovered raster's grid.

    Parameters
    ----------
    quality : temporal coherence, or a mask of 1 where the velocity is reliable; on the grid of `recovered`.
    least : pixels of less quality are left out. moving : true |velocity| from which a pixel is a mover, mm/yr.
    """
    sums = _Sums(least, moving)
    for block in _blocks(recovered, truth, quality):
        sums.add(*block)
    return sums.result()


def compare_offset(
    recovered: str | Path, truth: str | Path, quality: str | Path, *, least: float, still: float, moving: float = 10.0
) -> VelocityTruth:
    """As `compare_rasters`, less the median difference on ground of a truth below `still` mm/yr.

    That is the error of the reference, which all pixels share.
    """
    differences = Histogram()
    for found, expected, good in _blocks(recovered, truth, quality):
        here = (good >= least) & (np.abs(expected) < still) & np.isfinite(found)
        differences.add((found - expected)[here])
    offset = differences.median()
    sums = _Sums(least, moving)
    for found, expected, good in _blocks(recovered, truth, quality):
        sums.add(found - (offset if offset == offset else 0.0), expected, good)
    return sums.result()


def _blocks(recovered: str | Path, truth: str | Path, quality: str | Path) -> Iterator[tuple[np.ndarray, ...]]:
    grid = Grid.from_raster(recovered)
    with rasterio.open(recovered) as a, rasterio.open(quality) as b, raster.warped(truth, grid) as c:
        for window in grid.blocks():
            values, expected, good = (raster.read_open(source, window, 1) for source in (a, c, b))
            yield values, expected, good


class _Sums:
    """Running sums of a comparison; float64, so that the order of blocks does not matter to the digits shown."""

    def __init__(self, least: float, moving: float) -> None:
        self.least, self.moving = least, moving
        self.area = self.movers = 0
        self.good = np.zeros(3)  # n, Σ(r−t), Σ(r−t)²
        self.fast = np.zeros(6)  # n, Σt, Σr, Σt², Σr², Σtr

    def add(self, recovered: np.ndarray, truth: np.ndarray, quality: np.ndarray) -> None:
        recovered, truth = recovered.astype(np.float64), truth.astype(np.float64)
        known = np.isfinite(truth)
        fast = known & (np.abs(truth) > self.moving)
        good = known & np.isfinite(recovered) & (quality >= self.least)
        self.area += int(known.sum())
        self.movers += int(fast.sum())
        d = (recovered - truth)[good]
        self.good += (d.size, d.sum(), (d**2).sum())
        r, t = recovered[good & fast], truth[good & fast]
        self.fast += (r.size, t.sum(), r.sum(), (t**2).sum(), (r**2).sum(), (t * r).sum())

    def result(self) -> VelocityTruth:
        n, total, squares = self.good
        m, st, sr, stt, srr, str_ = self.fast
        some, several = n > 0, m > 2
        variance_t, variance_r = (stt - st**2 / m, srr - sr**2 / m) if several else (0.0, 0.0)
        covariance = str_ - st * sr / m if several else 0.0
        slope = covariance / variance_t if variance_t > 0 else float("nan")
        return VelocityTruth(
            least=self.least,
            moving=self.moving,
            pixels=int(n),
            area_pixels=self.area,
            rms=float(np.sqrt(squares / n)) if some else float("nan"),
            bias=float(total / n) if some else float("nan"),
            movers=self.movers,
            movers_kept=int(m),
            movers_rms=float(np.sqrt(max(srr - 2 * str_ + stt, 0) / m)) if m else float("nan"),
            slope=float(slope),
            intercept=float((sr - slope * st) / m) if several else float("nan"),
            correlation=float(covariance / np.sqrt(variance_t * variance_r))
            if variance_t > 0 and variance_r > 0
            else float("nan"),
        )
