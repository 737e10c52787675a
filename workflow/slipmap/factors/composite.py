"""Cloud-free composites: one observation for each pixel out of many scenes."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from slipmap.factors.align import expanded
from slipmap.factors.scenes import Scene, read_reflectance
from slipmap.grid import Grid


def median(stack: np.ndarray) -> np.ndarray:
    """Median along the first axis, NaN left out, (n, ...) → (...); NaN where nothing is left."""
    valid = np.isfinite(stack).any(axis=0)
    return np.where(valid, np.nanmedian(np.where(valid, stack, 0), axis=0), np.nan).astype(np.float32)


def first_valid(stack: np.ndarray) -> np.ndarray:
    """The first value along the first axis that is not NaN, (n, ...) → (...); NaN where there is none."""
    first = np.isfinite(stack).argmax(axis=0)
    return np.take_along_axis(stack, first[None], axis=0)[0]


def block(
    scenes: Sequence[Scene],
    names: Sequence[str],
    part: Grid,
    *,
    method: str = "median",
    buffer: int = 0,
    resampling: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, np.ndarray]:
    """Composite of a block.

    Parameters
    ----------
    scenes : for "least_cloud" from the least to the most cloudy.
    names : bands.
    part : grid of the block.
    method : "median" of each band over the clear observations, or "least_cloud": the first scene whose observation is
        clear, the same for every band.
    buffer : pixels around what is masked that are masked too.
    resampling : for each scene, band → GDAL resampling.

    Returns
    -------
    band → (rows, cols) float32 reflectance, NaN where no observation is clear.

    Notes
    -----
    Held in memory: the masks, and one band of every scene, of the block.
    """
    masks = [_mask(scene, part, buffer) for scene in scenes]
    reduce = median if method == "median" else first_valid
    found = {}
    stacks: dict[str, np.ndarray] = {}
    for name in names:
        stack = np.empty((len(scenes), *part.shape), np.float32)
        for n, scene in enumerate(scenes):
            how = resampling[n][name] if resampling else None
            stack[n] = read_reflectance(scene.bands[name], part, how)
            if masks[n] is not None:
                stack[n][masks[n]] = np.nan
        if method == "median":
            found[name] = reduce(stack)
        else:
            stacks[name] = stack
    if stacks:  # all the bands of a pixel from one scene: where any band is missing, none counts
        complete = np.logical_and.reduce([np.isfinite(stack) for stack in stacks.values()])
        found = {name: reduce(np.where(complete, stack, np.nan)) for name, stack in stacks.items()}
    return found


def cloudiness(scene: Scene, grid: Grid) -> float:
    """Share of the area that cannot be used in a scene, from a sample of about 256 × 256 pixels."""
    step = max(1, -(-max(grid.shape) // 256))
    sample = grid.coarsened(step, step)
    first = next(iter(scene.bands.values()))
    missing = np.isnan(read_reflectance(first, sample, "nearest"))
    if scene.unusable is not None:
        missing |= scene.unusable(sample)
    return float(missing.mean())


def _mask(scene: Scene, part: Grid, buffer: int) -> np.ndarray | None:
    if scene.unusable is None:
        return None
    if not buffer:
        return scene.unusable(part)
    wide = scene.unusable(expanded(part, buffer))
    reach = np.hypot(*np.mgrid[-buffer : buffer + 1, -buffer : buffer + 1]) <= buffer
    return ndimage.binary_dilation(wide, reach)[buffer:-buffer, buffer:-buffer]
