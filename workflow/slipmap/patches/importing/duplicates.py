"""Images that are the same image: byte for byte, or nearly (mirrored, turned, brightened, recompressed)."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slipmap.io.grid import Box
from slipmap.patches import ground

SIDE = 16  # pixels of a thumbnail
_ROWS = 512  # thumbnails compared at once


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Small copy of an image by which near duplicates are found: (bands, 16, 16) float32 of mean 0 and norm 1 in all.

    Parameters
    ----------
    image : (bands, rows, cols); missing values count as the band's mean. An image without contrast becomes all 0 and
        resembles nothing.
    """
    small = np.empty((len(image), SIDE, SIDE), np.float32)
    for band, out in zip(image, small, strict=True):
        known = np.isfinite(band)
        filled = np.where(known, band, band[known].mean() if known.any() else 0)
        out[:] = _shrink(filled)
        out -= out.mean()
        spread = out.std()
        out /= spread if spread > 1e-6 * max(1.0, np.abs(filled).max()) else np.inf
    norm = np.linalg.norm(small)
    return small / norm if norm else small


def near_duplicates(thumbnails: np.ndarray, threshold: float) -> list[tuple[int, int, float]]:
    """Pairs (i, j, correlation), i < j, whose thumbnails correlate at least `threshold` in any of the 8 orientations.

    Parameters
    ----------
    thumbnails : (n, bands, 16, 16) from `thumbnail`.

    Notes
    -----
    All pairs are compared, as matrix products: 8 n² × 768 multiplications, seconds for 4,000 images. Holds n × 512
    correlations.
    """
    n = len(thumbnails)
    flat = thumbnails.reshape(n, -1)
    pairs: dict[tuple[int, int], float] = {}
    for turned in _orientations(thumbnails):
        other = turned.reshape(n, -1)
        for start in range(0, n, _ROWS):
            correlation = flat[start : start + _ROWS] @ other.T
            rows, cols = np.nonzero(correlation >= threshold)
            for i, j in zip(rows + start, cols, strict=True):
                if i != j:
                    pair = (int(min(i, j)), int(max(i, j)))
                    pairs[pair] = max(pairs.get(pair, 0.0), float(correlation[i - start, j]))
    return [(i, j, value) for (i, j), value in sorted(pairs.items())]


def overlapping(bounds: Sequence[Box | None], crs: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of images whose ground overlaps (`slipmap.patches.ground`); those without bounds are not compared."""
    placed = [(i, box) for i, box in enumerate(bounds) if box is not None]
    pairs = ground.overlapping([box for _, box in placed], [crs[i] for i, _ in placed])
    return [(placed[i][0], placed[j][0]) for i, j in pairs]


def groups(n: int, pairs: Sequence[tuple[int, int]], names: Sequence[str]) -> NDArray[np.int32]:
    """Number of the group of each of `n` samples: those of a pair, or of one non-empty name, are together."""
    first: dict[str, int] = {}
    links = list(pairs)
    for i, name in enumerate(names):
        if name:
            links.append((first.setdefault(name, i), i))
    rows, cols = np.array(links, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, cols)), shape=(n, n))
    numbers: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return numbers


def _shrink(band: np.ndarray) -> np.ndarray:
    rows, cols = band.shape
    small: np.ndarray
    if rows % SIDE == 0 and cols % SIDE == 0:  # block means
        small = band.reshape(SIDE, rows // SIDE, SIDE, cols // SIDE).mean(axis=(1, 3))
        return small
    if rows < SIDE or cols < SIDE:
        small = zoom(band, (SIDE / rows, SIDE / cols), order=1, grid_mode=True, mode="nearest")
        return small
    edges = [np.linspace(0, n, SIDE + 1).astype(int)[:-1] for n in (rows, cols)]
    sums = np.add.reduceat(np.add.reduceat(band, edges[0], axis=0), edges[1], axis=1)
    sizes = [np.diff(np.append(e, n)) for e, n in zip(edges, (rows, cols), strict=True)]
    small = sums / np.outer(*sizes)
    return small


def _orientations(thumbnails: np.ndarray) -> Iterator[np.ndarray]:
    for mirrored in (thumbnails, thumbnails[..., ::-1]):
        for quarters in range(4):
            yield np.rot90(mirrored, quarters, axes=(-2, -1))
