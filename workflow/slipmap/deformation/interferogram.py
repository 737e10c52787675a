"""From two SLCs to one interferogram: multilooking, coherence, Goldstein filter.

NumPy only, so that a job starts fast: a network has hundreds of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from slipmap.deformation.slc_file import SlcFile, open_slc
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid
from slipmap.sentinel1.looks import multilook, pixel_looks

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.deformation import InterferogramSettings

BANDS = ("phase", "phase_averaged", "phase_unfiltered", "coherence")


def boxcar(array: np.ndarray, window: int) -> np.ndarray:
    """Sum over `window` × `window` pixels (odd) centred on each; beyond the edge counts as zero."""
    return weighted_sum(array, np.ones(window, np.float32))


def window_weights(size: int, kind: str) -> np.ndarray:
    """Weights of a row of `size` pixels (odd), float32: "plain": ones, "triangular": 1 2 3 2 1."""
    half = size // 2
    falling = half + 1.0 - np.abs(np.arange(-half, half + 1))
    return (falling if kind == "triangular" else np.ones(size)).astype(np.float32)


def weighted_sum(array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over the pixels round each, with the product of the `weights` of row and column; zero beyond the edge.

    Parameters
    ----------
    weights : (window,) float32, symmetric, window odd.
    """
    half = len(weights) // 2
    for axis in (0, 1):
        total = array * weights[half]
        for shift in range(1, half + 1):
            ahead = [slice(None)] * 2
            behind = [slice(None)] * 2
            ahead[axis], behind[axis] = slice(shift, None), slice(None, -shift)
            side = array * weights[half + shift]
            total[tuple(behind)] += side[tuple(ahead)]
            total[tuple(ahead)] += side[tuple(behind)]
        array = total
    return array


def form(
    reference: np.ndarray, secondary: np.ndarray, looks: tuple[int, int], window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Multilooked interferogram reference × conj(secondary) and its coherence.

    The coherence is |Σ s₁s₂*| / √(Σ|s₁|² Σ|s₂|²) over `window` × `window` multilooked pixels, so over
    window² · looks SLC pixels; `coherence_floor` tells its bias, `pixel_looks` how many of them are independent.

    Parameters
    ----------
    reference, secondary : (rows, cols) complex64 SLCs, zero or NaN where there is no data.
    looks : (rows, columns) of SLC pixels in one pixel. window : side of the coherence window, odd.

    Returns
    -------
    complex64 and float32, (rows // looks[0], cols // looks[1]); the coherence is NaN where there is no data.
    """
    cross = multilook(reference * np.conj(secondary), looks)
    powers = [multilook(s.real**2 + s.imag**2, looks) for s in (reference, secondary)]
    empty = ~(np.isfinite(cross) & (powers[0] > 0) & (powers[1] > 0))
    for array in (cross, *powers):
        array[empty] = 0
    product = boxcar(powers[0], window) * boxcar(powers[1], window)
    with np.errstate(invalid="ignore", divide="ignore"):
        coherence = np.abs(boxcar(cross, window)) / np.sqrt(product)
    coherence = np.minimum(coherence, 1).astype(np.float32)
    coherence[empty] = np.nan
    return cross, coherence


def triangle(window: int) -> np.ndarray:
    """Weights of `window` pixels (odd) in a row that fall linearly from the middle, (window,) float32: 1 2 1 for 3."""
    half = window // 2
    return half + 1 - np.abs(np.arange(-half, half + 1, dtype=np.float32))


def averaged_pixels(window: int) -> float:
    """Independent pixels whose plain mean is as noisy as `average`: (Σw)²/Σw², 7.1 for a window of 3."""
    weights = triangle(window)
    return float((weights.sum() ** 2 / (weights**2).sum()) ** 2)


def average(interferogram: np.ndarray, window: int) -> np.ndarray:
    """Mean of the interferogram over `window` × `window` pixels (odd) with weights that fall linearly from the middle.

    The amplitude weighs: for a distributed scatterer the phase of the sum is the most likely one (Rodriguez & Martin
    1992); a mean of phases alone would take the noise of its weak pixels for as good as the rest. The taper keeps the
    edges of small slides sharper than a box that leaves as much noise.

    Parameters
    ----------
    interferogram : (rows, cols) complex64, zero where there is no data.

    Returns
    -------
    complex64, (rows, cols), zero where there is no data.
    """
    return np.where(interferogram == 0, 0, weighted_sum(interferogram, triangle(window)))


def relative(interferogram: np.ndarray, window: int) -> np.ndarray:
    """The interferogram over the mean amplitude of `window` × `window` pixels (odd), complex64.

    What an average over a larger patch needs: weak pixels weigh less than their neighbours, and a bright slope no more
    than a dark one.
    """
    amplitude = np.abs(interferogram)
    mean = boxcar(amplitude, window) / np.maximum(boxcar((amplitude > 0).astype(np.float32), window), 1)
    return np.where(mean > 0, interferogram / np.where(mean > 0, mean, 1), 0).astype(np.complex64)


def smooth(interferogram: np.ndarray, settings: "InterferogramSettings") -> tuple[np.ndarray, np.ndarray]:
    """The interferogram averaged for the inversion, and that filtered for unwrapping: both complex64, (rows, cols)."""
    averaged = average(interferogram, settings.phase_window)
    even = relative(averaged, settings.coherence_window)
    return averaged, goldstein(even, settings.goldstein_alpha, settings.goldstein_patch)


def coherence_floor(looks: float) -> float:
    """Mean estimated coherence of `looks` samples that have none: √(π/4L) (Touzi et al. 1999, for large L)."""
    return float(np.sqrt(np.pi / (4 * looks)))


def goldstein(interferogram: np.ndarray, alpha: float, patch: int = 32) -> np.ndarray:
    """Goldstein & Werner (1998) filter: each patch's spectrum times its smoothed amplitude to the power `alpha`.

    Patches of `patch` × `patch` pixels lie every half patch from the corner; their results are blended with
    weights that fall linearly to the patch's edge.

    Parameters
    ----------
    interferogram : (rows, cols) complex64; zero where there is no data.
    alpha : 0 returns the phase unchanged; 1 filters most.
    patch : even.

    Returns
    -------
    complex64, (rows, cols); only its phase has a meaning.
    """
    if alpha == 0:
        return interferogram
    rows, cols = interferogram.shape
    step = patch // 2
    # A half patch before and whole patches behind, so that every pixel lies in four patches.
    high, wide = (-(-n // step) * step + patch for n in (rows, cols))
    padded = np.zeros((high, wide), np.complex64)
    padded[step : step + rows, step : step + cols] = interferogram
    view = np.lib.stride_tricks.sliding_window_view(padded, (patch, patch))[::step, ::step]
    spectrum = np.fft.fft2(view)
    amplitude = np.abs(spectrum)
    smoothed = np.zeros_like(amplitude)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            smoothed += np.roll(amplitude, (i, j), axis=(2, 3))
    peak = smoothed.max(axis=(2, 3), keepdims=True)
    smoothed /= np.where(peak > 0, peak, 1)
    filtered = np.fft.ifft2(spectrum * smoothed**alpha)
    ramp = 1 - np.abs(np.arange(patch) + 0.5 - step) / step
    filtered *= np.outer(ramp, ramp)
    result = np.zeros((high, wide), np.complex64)
    for i in range(filtered.shape[0]):
        line = result[i * step : i * step + patch]
        # Patches of one parity do not overlap in a row: added as whole rows.
        for parity in (0, 1):
            some = filtered[i, parity::2]
            if len(some):
                strip = some.transpose(1, 0, 2).reshape(patch, -1)
                line[:, parity * step : parity * step + strip.shape[1]] += strip
    return result[step : step + rows, step : step + cols]


@dataclass(frozen=True)
class Interferogram:
    """A whole interferogram: phases (rad) and coherence, float32 (rows, cols), NaN without data.

    Parameters
    ----------
    samples : independent samples behind each coherence.
    """

    grid: Grid
    samples: float
    filtered: np.ndarray
    averaged: np.ndarray
    unfiltered: np.ndarray
    coherence: np.ndarray


def formed(pair: Pair, settings: "InterferogramSettings", block: int = BLOCK) -> Interferogram:
    """Form the interferogram of `pair`, all of it in memory.

    Works block by block, each with as much round it as its pixels depend on, which makes the result that of the whole.

    Raises
    ------
    InputError : the SLCs' grids differ, or no pixel has data in both.
    """
    looks, patch = settings.slc_looks, settings.goldstein_patch
    reference, secondary = pair.files["reference"], pair.files["secondary"]
    reach = settings.phase_window // 2 + settings.coherence_window // 2
    with open_slc(reference) as first, open_slc(secondary) as second:
        if not first.grid.matches(second.grid):
            raise InputError(f"{secondary}: its grid is not that of {reference}; resample one of them.")
        grid, cell = first.grid.coarsened(looks[1], looks[0]), first.cell
        bands = np.empty((len(BANDS), *grid.shape), np.float32)
        for window in grid.blocks(block):
            outer, inner = with_patches(window, grid, patch, reach)
            slcs = _read(first, outer, looks), _read(second, outer, looks)
            cross, coherence = form(*slcs, looks, settings.coherence_window)
            averaged, filtered = smooth(cross, settings)
            part = bands[(slice(None), *window.toslices())]
            for k, values in enumerate((filtered, averaged, cross)):
                part[k] = np.angle(values[inner])
            part[3] = coherence[inner]
            part[:, np.isnan(part[3])] = np.nan
    there = np.isfinite(bands[3])
    if not there.any() or not np.nansum(bands[3]):
        raise InputError(f"{reference} and {secondary}: they have no pixel with data in common; remove one of the two.")
    print(f"{pair.name}: mean coherence {np.nanmean(bands[3], dtype=np.float64):.3f} over {there.sum()} pixels")
    samples = pixel_looks(looks, float(np.prod(grid.resolution)), cell) * settings.coherence_window**2
    return Interferogram(grid, samples, *bands)


def run(pair: Pair, settings: "InterferogramSettings", output: str | Path) -> None:
    """Write the interferogram of `pair`: phase filtered, averaged and as it is (rad), and coherence, as a COG."""
    made = formed(pair, settings)
    raster.write(
        output,
        made.grid,
        np.stack([made.filtered, made.averaged, made.unfiltered, made.coherence]),
        bands=BANDS,
        units=("rad", "rad", "rad", "1"),
        compress="zstd",
        long_name=(
            "interferometric phase, Goldstein filtered",
            f"interferometric phase, weighted mean of {settings.phase_window} x {settings.phase_window} pixels",
            "interferometric phase",
            "coherence",
        ),
        tags={
            "REFERENCE_DATE": pair.reference,
            "SECONDARY_DATE": pair.secondary,
            "TEMPORAL_BASELINE_DAYS": pair.days,
            "PERPENDICULAR_BASELINE_M": pair.perpendicular_baseline,
            "SIGN": "reference * conj(secondary); displacement towards the satellite = -wavelength * phase / (4 pi)",
            "COHERENCE_SAMPLES": f"{made.samples:.4g}",
            "COHERENCE_BIAS": f"{coherence_floor(made.samples):.3f} is the mean estimate where there is no coherence",
        },
    )


def with_patches(window: Window, grid: Grid, patch: int, reach: int) -> tuple[Window, tuple[slice, slice]]:
    """As `with_margin`, with all Goldstein patches of the grid that cover `window`, and `reach` pixels round them.

    The whole grid's patches begin at multiples of half a `patch`, so the margin does too.
    """
    step = patch // 2

    def needed(start: int, length: int, end: int) -> tuple[int, int]:
        first = ((start // step - 1) * step - reach) // step * step
        last = ((start + length - 1) // step + 2) * step + reach
        return max(0, first), min(end, -(-last // step) * step)

    rows = needed(int(window.row_off), int(window.height), grid.height)
    cols = needed(int(window.col_off), int(window.width), grid.width)
    return _inside(window, rows, cols)


def with_margin(window: Window, grid: Grid, margin: int) -> tuple[Window, tuple[slice, slice]]:
    """`window` with `margin` pixels more on each side inside the grid, and where it lies in that."""
    rows = max(0, window.row_off - margin), min(grid.height, window.row_off + window.height + margin)
    cols = max(0, window.col_off - margin), min(grid.width, window.col_off + window.width + margin)
    return _inside(window, rows, cols)


def _inside(window: Window, rows: tuple[int, int], cols: tuple[int, int]) -> tuple[Window, tuple[slice, slice]]:
    """The window from `rows` and `cols` (first, one past the last), and where `window` lies in it."""
    top, left = window.row_off - rows[0], window.col_off - cols[0]
    inner = (slice(top, top + window.height), slice(left, left + window.width))
    return Window.from_slices(rows, cols), inner


def _read(slc: SlcFile, window: Window, looks: tuple[int, int]) -> np.ndarray:
    rows, cols = looks
    return slc.read(Window(window.col_off * cols, window.row_off * rows, window.width * cols, window.height * rows))
