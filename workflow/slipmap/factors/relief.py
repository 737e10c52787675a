"""Relief in a neighbourhood: roughness, terrain ruggedness and topographic position."""

import numpy as np
from numba import njit

from slipmap.config.factors import TerrainSettings
from slipmap.factors.block import Array, Block


def roughness_reach(number: None, resolution: tuple[float, float], settings: TerrainSettings) -> int:
    """Pixels around a block that the roughness looks at."""
    return settings.roughness_window // 2


def position_reach(metres: int, resolution: tuple[float, float], settings: TerrainSettings) -> int:
    """Pixels around a block that the topographic position within `metres` looks at."""
    return max(1, round(metres / min(resolution)))


def roughness_of(block: Block) -> Array:
    """Return the roughness of a block, (rows, cols), m."""
    window = block.settings.roughness_window
    return roughness(block.elevation(window // 2), window)


def ruggedness_of(block: Block) -> Array:
    """Return the terrain ruggedness index of a block, (rows, cols), m."""
    return ruggedness(block.elevation(1))


def position_of(block: Block) -> Array:
    """Return the topographic position within `block.number` metres of a block, (rows, cols), m."""
    radius = position_reach(block.number or 0, block.resolution, block.settings)
    return position(block.elevation(radius), radius)


def roughness(elevation: np.ndarray, window: int) -> np.ndarray:
    """Largest minus smallest elevation in a square window (Wilson et al. 2007, Marine Geodesy 30, 3-35), metres.

    Parameters
    ----------
    elevation : (rows + window − 1, cols + window − 1), NaN where unknown.
    window : odd side, pixels. NaN neighbours are left out; a NaN centre stays NaN.
    """
    return _roughness(np.ascontiguousarray(elevation, np.float32), window)


def ruggedness(elevation: np.ndarray) -> np.ndarray:
    """Terrain ruggedness index of (rows + 2, cols + 2) elevations, metres (Riley et al. 1999, Intermt. J. Sci. 5, 23).

    The root of the sum of squared differences to the eight neighbours; a missing neighbour counts as no difference.
    """
    return _ruggedness(np.ascontiguousarray(elevation, np.float32))


def position(elevation: np.ndarray, radius: int) -> np.ndarray:
    """Topographic position index: elevation less the mean within `radius` pixels, metres (positive on ridges).

    Parameters
    ----------
    elevation : (rows + 2 radius, cols + 2 radius), NaN where unknown.
    radius : of the circle; pixels whose centre is within it count, the central one too (Weiss 2001).

    Notes
    -----
    Cost per pixel grows with the radius, not with its square: a circle is a stack of rows, and sums along a row come
    from running sums.
    """
    half = np.array([int(np.sqrt(radius * radius - i * i)) for i in range(-radius, radius + 1)], np.int64)
    known = np.isfinite(elevation)
    base = float(elevation[known].mean()) if known.any() else 0.0  # keeps running sums small, hence exact
    return _position(np.ascontiguousarray(elevation, np.float32), half, base)


@njit(nogil=True, cache=True)
def _roughness(z: np.ndarray, window: int) -> np.ndarray:
    h = window // 2
    out = np.empty((z.shape[0] - 2 * h, z.shape[1] - 2 * h), np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            centre = z[i + h, j + h]
            if np.isnan(centre):
                out[i, j] = np.nan
                continue
            low = high = centre
            for a in range(i, i + window):
                for b in range(j, j + window):
                    if z[a, b] < low:
                        low = z[a, b]
                    elif z[a, b] > high:
                        high = z[a, b]
            out[i, j] = high - low
    return out


@njit(nogil=True, cache=True)
def _ruggedness(z: np.ndarray) -> np.ndarray:
    out = np.empty((z.shape[0] - 2, z.shape[1] - 2), np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            centre = np.float64(z[i + 1, j + 1])
            total = 0.0
            for a in range(i, i + 3):
                for b in range(j, j + 3):
                    d = z[a, b] - centre
                    if d == d:
                        total += d * d
            out[i, j] = np.sqrt(total) if centre == centre else np.nan
    return out


@njit(nogil=True, cache=True)
def _position(z: np.ndarray, half: np.ndarray, base: float) -> np.ndarray:
    radius = half.size // 2
    rows, cols = z.shape[0] - 2 * radius, z.shape[1] - 2 * radius
    total = np.zeros((rows, cols))
    count = np.zeros((rows, cols), np.int64)
    run = np.zeros(z.shape[1] + 1)
    seen = np.zeros(z.shape[1] + 1, np.int64)
    for a in range(z.shape[0]):
        for b in range(z.shape[1]):
            known = z[a, b] == z[a, b]
            run[b + 1] = run[b] + (z[a, b] - base if known else 0.0)
            seen[b + 1] = seen[b] + (1 if known else 0)
        for k in range(2 * radius + 1):
            i = a - k
            if i < 0 or i >= rows:
                continue
            w = half[k]
            for j in range(cols):
                left, right = j + radius - w, j + radius + w + 1
                total[i, j] += run[right] - run[left]
                count[i, j] += seen[right] - seen[left]
    out = np.empty((rows, cols), np.float32)
    for i in range(rows):
        for j in range(cols):
            centre = z[i + radius, j + radius]
            out[i, j] = centre - base - total[i, j] / count[i, j] if centre == centre else np.nan
    return out
