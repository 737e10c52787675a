"""Linked phases of a block of SLCs in memory."""

from dataclasses import dataclass

import numba
import numpy as np
from scipy import ndimage

from slipmap.arrays import Flags, Floats
from slipmap.deformation.phase_linking import kernel, on_device
from slipmap.deformation.phase_linking.covariance import MOST_WINDOW
from slipmap.deformation.phase_linking.decorrelation import LEAST_LOOKS
from slipmap.parallel import each

ROWS = 64  # of a strip: the rows of a window before it are computed again
WIDE = 32  # columns of a strip: its sums stay in the processor's cache
MOST_BY_CHANCE = 0.85
SCATTER = np.pi / np.sqrt(3)  # rad, standard deviation of a phase that says nothing


@dataclass(frozen=True)
class Linked:
    """What phase linking makes of a block.

    Parameters
    ----------
    phasors : complex64 (dates, rows, cols), of length 1, relative to the first date with data; 0 where a date has none.
    fit : float32 (rows, cols), goodness of fit −1 … 1. neighbours : float32 (rows, cols), pixels averaged.
    looks : float32 (rows, cols), independent looks of the average.
    bound : float32 (dates, rows, cols), Cramér–Rao standard deviation of the phase, rad; None if not asked for.
    blend : float32 (rows, cols), the β that was used.
    """

    phasors: np.ndarray
    fit: np.ndarray
    neighbours: np.ndarray
    looks: np.ndarray
    bound: np.ndarray | None
    blend: np.ndarray

    def part(self, first: int, inner: tuple[slice, slice]) -> "Linked":
        """Of some rows and columns, without the phases of the dates before `first`."""
        bound = None if self.bound is None else self.bound[first:, *inner]
        maps = (self.fit[inner], self.neighbours[inner], self.looks[inner], bound, self.blend[inner])
        return Linked(self.phasors[first:, *inner], *maps)


def link(
    samples: np.ndarray,
    weights: np.ndarray,
    *,
    estimator: str = "emi",
    regularisation: float = 0.5,
    looks: float = 1.0,
    chosen: np.ndarray | None = None,
    bound: bool = True,
    threads: int = 1,
    device: str = "cpu",
) -> Linked:
    """Link the phases of a block.

    Parameters
    ----------
    samples : complex64 (dates, rows, cols, looks), C order: the SLC pixels of each output pixel; NaN where no data.
    weights : float32 (window,), odd, at most 31: of rows and of columns. looks : independent ones in a pixel.
    estimator : "emi" or "evd". regularisation : β of (1 − β) |Γ| + β I, raised in pixels where that is not definite.
    chosen : bool (window², rows, cols), which neighbours count, row by row of the window; None: all.
    device : "cpu": the kernel, on `threads`; "gpu": torch on the GPU (`on_device`).
    """
    if len(weights) > MOST_WINDOW or len(weights) % 2 == 0:
        raise ValueError(f"a window of {len(weights)} pixels; give an odd number up to {MOST_WINDOW}")
    numbers = np.ascontiguousarray(samples, np.complex64).view(np.float32)
    neighbours, independent = _averaged(_with_data(numbers), weights, chosen, looks)
    if device == "gpu":
        phasors, fit, deviation, blend = on_device.phases(
            samples, weights, estimator=estimator, regularisation=regularisation, chosen=chosen, bound=bound
        )
    else:
        phasors, fit, deviation, blend = _by_kernel(
            numbers,
            weights,
            estimator=estimator,
            regularisation=regularisation,
            chosen=chosen,
            bound=bound,
            threads=threads,
        )
    if deviation is not None:
        deviation /= np.sqrt(2 * np.maximum(independent, np.float32(1e-6)))
        np.minimum(deviation, np.float32(SCATTER), out=deviation)
        deviation[1:, independent < LEAST_LOOKS] = SCATTER  # the coherence of one look is 1 whatever it sees
    return Linked(phasors, np.where(neighbours > 0, fit, np.nan), neighbours, independent, deviation, blend)


def beyond_chance(linked: Linked, weights: np.ndarray, looks: float) -> np.ndarray:
    """Goodness of fit less what few looks fit by chance, −1 … 1: of noise it is then that of many looks.

    One look fits exactly, whatever it sees; from a dozen on (30 dates) their number does not matter. The formula
    follows 99 of 100 pixels of simulated noise, of 1 to 40 looks and 6 to 60 dates. Where these fit to 0.85 by chance,
    nothing is left. The middle of a window, if it weighs more than the rest, leaves fewer looks to the others.

    Parameters
    ----------
    weights, looks : of `link`.
    """
    dates, of_middle = len(linked.phasors), np.square(weights).sum() / weights.max() / weights.sum()
    many = np.maximum(linked.looks * np.float32(of_middle**2), np.minimum(linked.looks, looks))
    chance = np.maximum(1.03 * np.exp(-np.maximum(many - 1, 0) / (2.6 + 15 / dates + 350 / dates**2)) - 0.03, 0)
    left = np.maximum((linked.fit - chance) / np.maximum(1 - chance, 1 - MOST_BY_CHANCE), -1)
    return np.asarray(np.where(chance > MOST_BY_CHANCE, np.minimum(linked.fit, 0), left), np.float32)


def _by_kernel(
    numbers: np.ndarray,
    weights: np.ndarray,
    *,
    estimator: str,
    regularisation: float,
    chosen: np.ndarray | None,
    bound: bool,
    threads: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """As `on_device.phases`, by the compiled kernel; `numbers` float32 (dates, rows, cols, 2 · looks)."""
    dates, rows, cols, _ = numbers.shape
    linked = np.empty((dates, rows, cols), np.complex64)
    fit, used = (np.empty((rows, cols), np.float32) for _ in range(2))
    deviation = np.empty((dates, rows, cols), np.float32) if bound else None
    mask = np.zeros((0, 1, 1), bool) if chosen is None else chosen
    kind = {"evd": kernel.EVD, "emi": kernel.EMI}[estimator]

    def work(part: tuple[int, int]) -> None:
        first, column = part
        last, end = min(rows, first + ROWS), min(cols, column + WIDE)
        high, wide = last - first, end - column
        phasors = np.empty((dates, 2, high, WIDE), np.float32)
        fits, blends = (np.empty((high, WIDE), np.float32) for _ in range(2))
        deviations = np.empty((dates if bound else 1, high, WIDE), np.float32)
        kernel.strip(
            numbers, first, last, column, WIDE, weights, mask, kind, np.float32(regularisation), bound,
            phasors.reshape(-1), fits.reshape(-1), deviations.reshape(-1), blends.reshape(-1),
        )  # fmt: skip
        place = np.s_[first:last, column:end]
        linked.real[:, *place], linked.imag[:, *place] = phasors[:, 0, :, :wide], phasors[:, 1, :, :wide]
        fit[place], used[place] = fits[:, :wide], blends[:, :wide]
        if deviation is not None:
            deviation[:, *place] = deviations[..., :wide]

    each(work, [(r, c) for r in range(0, rows, ROWS) for c in range(0, cols, WIDE)], threads)
    return linked, fit, deviation, used


@numba.njit(cache=True)
def _with_data(numbers: Floats) -> Flags:
    """Pixels with data on a date or more, bool (rows, cols), of float32 (dates, rows, cols, numbers)."""
    dates, rows, cols, parts = numbers.shape
    found = np.zeros((rows, cols), np.bool_)
    for r in range(rows):
        for c in range(cols):
            for k in range(dates * parts):
                if abs(numbers[k // parts, r, c, k % parts]) > 0:  # what is not a number is not
                    found[r, c] = True
                    break
    return found


def _averaged(
    data: np.ndarray, weights: np.ndarray, chosen: np.ndarray | None, looks: float
) -> tuple[np.ndarray, np.ndarray]:
    """How many pixels with data were averaged, and their independent looks, (Σw)² / Σw² of a pixel's; (rows, cols)."""
    if chosen is None:
        count, total, squares = (_summed(data, row) for row in (np.ones_like(weights), weights, weights**2))
    else:
        rows, cols = data.shape
        half = len(weights) // 2
        padded = np.pad(data, half)
        count, total, squares = (np.zeros(data.shape, np.float32) for _ in range(3))
        for q, weight in enumerate(np.outer(weights, weights).ravel()):
            i, j = divmod(q, len(weights))
            there = padded[i : i + rows, j : j + cols] & chosen[q]
            count += there
            total += weight * there
            squares += weight**2 * there
    independent = looks * np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    return count, independent.astype(np.float32)


def _summed(data: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sum of the pixels of each window, float32 (rows, cols); 0 beyond the edge."""
    found = data.astype(np.float32)
    for axis in (0, 1):
        found = ndimage.correlate1d(found, weights, axis, mode="constant")
    return found
