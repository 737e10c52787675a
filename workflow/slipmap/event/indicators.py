"""Coherence and backscatter of a block of images about an event: before it, across it, after it.

Coherence in Fisher's z, whose scatter hardly depends on its level; backscatter in dB.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from slipmap.deformation.interferogram import boxcar, with_margin
from slipmap.event.images import Images
from slipmap.io.grid import Grid
from slipmap.sentinel1.looks import multilook

HIGHEST = 0.999  # coherence that Fisher's z is taken of
Read = Callable[[int, Window], np.ndarray]  # image number, window of the SLC's grid → complex64


@dataclass(frozen=True)
class Change:
    """One indicator of a block, each (rows, cols) float32, NaN where it is not known.

    Parameters
    ----------
    before : mean before the event; across : after it (of coherence: across it). scatter : standard deviation of those
        before, NaN with fewer than 2. later : coherence of the pair after the event. count : of values before.
    """

    before: np.ndarray
    across: np.ndarray
    scatter: np.ndarray
    count: int
    later: np.ndarray | None = None

    @property
    def difference(self) -> np.ndarray:
        """Across minus before; of coherence also minus later, where a pair after the event tells that."""
        parts = [self.before] if self.count else []
        parts += [] if self.later is None else [self.later]
        return np.asarray(len(parts) * self.across - sum(parts)) if parts else self.across


def coherence_and_backscatter(
    read: Read, images: Images, window: Window, grid: Grid, looks: tuple[int, int], side: int, *, coherence: bool = True
) -> tuple[Change | None, Change]:
    """Indicators in `window` of `grid` (the multilooked one).

    Parameters
    ----------
    looks : SLC pixels (rows, columns) in a pixel. side : of the window of averages, pixels.
    """
    outer, inner = with_margin(window, grid, side // 2)
    rows, cols = looks
    fine = Window(outer.col_off * cols, outer.row_off * rows, outer.width * cols, outer.height * rows)
    slcs = [np.nan_to_num(read(k, fine)) for k in range(len(images.all))]
    powers = []
    for slc in slcs:
        power = multilook(slc.real**2 + slc.imag**2, looks)
        powers.append(np.where(power > 0, power, np.nan).astype(np.float32))
    empty = [np.isnan(power) for power in powers]
    sums = [boxcar(np.nan_to_num(power), side) for power in powers]
    pixels = [boxcar((~gap).astype(np.float32), side) for gap in empty]

    def fisher(pair: tuple[int, int]) -> np.ndarray:
        i, j = pair
        cross, gap = multilook(slcs[i] * np.conj(slcs[j]), looks), empty[i] | empty[j]
        both = [sums[i], sums[j]]
        if (gap != empty[i]).any() or (gap != empty[j]).any():  # only what both images saw counts
            cross[gap] = 0
            both = [boxcar(np.where(gap, 0, powers[k]).astype(np.float32), side) for k in pair]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.abs(boxcar(cross, side)) / np.sqrt(both[0] * both[1])
        found[gap] = np.nan
        return np.asarray(np.arctanh(np.minimum(found, HIGHEST))[inner], np.float32)

    def decibels(k: int) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = 10 * np.log10(sums[k] / pixels[k])
        found[empty[k]] = np.nan
        return np.asarray(found[inner], np.float32)

    split = len(images.before)
    levels = [decibels(k) for k in range(len(images.all))]
    backscatter = _change(levels[:split], np.mean(levels[split:], axis=0))
    if not coherence:
        return None, backscatter
    later = None if images.later is None else fisher(images.later)
    return _change([fisher(pair) for pair in images.earlier], fisher(images.across), later), backscatter


def _change(before: list[np.ndarray], across: np.ndarray, later: np.ndarray | None = None) -> Change:
    nothing = np.full(across.shape, np.nan, np.float32)
    mean = np.mean(before, axis=0) if before else nothing
    scatter = np.std(before, axis=0, ddof=1) if len(before) > 1 else nothing
    return Change(mean, across, scatter, len(before), later)
