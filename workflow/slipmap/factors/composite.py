"""Cloud-free composites: one observation for each pixel out of many scenes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit
from scipy import ndimage

from slipmap.factors.align import expanded
from slipmap.factors.scene import Scene, read_reflectance
from slipmap.io.grid import Grid


def median(stack: np.ndarray) -> np.ndarray:
    """Median along the first axis, NaN left out, (n, rows, cols) float32 → (rows, cols); NaN where nothing is left."""
    return _median(np.ascontiguousarray(stack, np.float32))


@njit(nogil=True, cache=True)
def _median(stack: np.ndarray) -> np.ndarray:
    count, rows, cols = stack.shape
    out = np.empty((rows, cols), np.float32)
    values = np.empty(count, np.float32)
    for i in range(rows):
        for j in range(cols):
            n = 0
            for k in range(count):
                value = stack[k, i, j]
                if value == value:  # insertion sort: a pixel has few observations
                    at = n
                    while at > 0 and values[at - 1] > value:
                        values[at] = values[at - 1]
                        at -= 1
                    values[at] = value
                    n += 1
            if n == 0:
                out[i, j] = np.nan
            elif n % 2:
                out[i, j] = values[n // 2]
            else:
                out[i, j] = 0.5 * (values[n // 2 - 1] + values[n // 2])
    return out


def first_valid(stack: np.ndarray) -> np.ndarray:
    """The first value along the first axis that is not NaN, (n, ...) → (...); NaN where there is none."""
    first = np.isfinite(stack).argmax(axis=0)
    found: np.ndarray = np.take_along_axis(stack, first[None], axis=0)[0]
    return found


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
    Held in memory, of the block: the masks, and those bands of every scene that share a file (all, for "least_cloud").
    """
    masks = [_mask(scene, part, buffer) for scene in scenes]
    groups = _groups(scenes, names) if method == "median" else [list(names)]
    found: dict[str, np.ndarray] = {}
    for group in groups:
        stack = np.empty((len(group), len(scenes), *part.shape), np.float32)
        for n, scene in enumerate(scenes):
            stack[:, n] = _observations(scene, group, part, resampling[n] if resampling else None)
            if masks[n] is not None:
                stack[:, n][:, masks[n]] = np.nan
        if method == "least_cloud":  # all bands of a pixel from one scene: where one is missing, none counts
            stack[:, ~np.isfinite(stack).all(axis=0)] = np.nan
        reduce = median if method == "median" else first_valid
        found |= {name: reduce(observations) for name, observations in zip(group, stack, strict=True)}
    return found


def _groups(scenes: Sequence[Scene], names: Sequence[str]) -> list[list[str]]:
    """Bands that share files in every scene, so that they are read together, and no more are held than that."""
    together: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        together.setdefault(tuple(scene.bands[name].path for scene in scenes), []).append(name)
    return list(together.values())


def _observations(scene: Scene, names: Sequence[str], part: Grid, resampling: Mapping[str, str] | None) -> np.ndarray:
    """Reflectance of some bands of a scene, (bands, rows, cols), each file opened once."""
    out = np.empty((len(names), *part.shape), np.float32)
    for group in _groups([scene], names):
        how = resampling[group[0]] if resampling else None
        at = [list(names).index(name) for name in group]
        out[at] = read_reflectance([scene.bands[name] for name in group], part, how)
    return out


def cloudiness(scene: Scene, grid: Grid) -> float:
    """Share of the area that cannot be used in a scene, from a sample of about 256 × 256 pixels."""
    step = max(1, -(-max(grid.shape) // 256))
    sample = grid.coarsened(step, step)
    first = next(iter(scene.bands.values()))
    missing = np.isnan(read_reflectance([first], sample, "nearest")[0])
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
    masked: np.ndarray = ndimage.binary_dilation(wide, reach)[buffer:-buffer, buffer:-buffer]
    return masked
