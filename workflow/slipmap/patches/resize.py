"""Fit an image into a square, keeping its shape; what is left over is padding that loss and metrics ignore.

MsASNet (Remote Sens. 2024, 16, 1712, §2.1) shrinks images larger than 512 pixels and puts the others as they are in the
middle of zeros; here padding is NaN and unknown.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from slipmap.codes import IGNORE


def fit(image: np.ndarray, mask: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Put an image in the middle of `size` × `size` pixels; a larger one is shrunk first, until its longer side fits.

    Parameters
    ----------
    image : (bands, rows, cols) float, NaN where missing. Resampled bilinearly; a pixel that a missing value would
        reach is missing.
    mask : (rows, cols) uint8. Nearest neighbour, so that it stays 0, 1 and 255.
    size : pixels.

    Returns
    -------
    image : (bands, size, size) float32, NaN in the padding.
    mask : (size, size) uint8, 255 in the padding.
    """
    rows, cols = mask.shape
    scale = min(1.0, size / max(rows, cols))
    height, width = (max(1, round(n * scale)) for n in (rows, cols))
    top, left = (size - height) // 2, (size - width) // 2
    inside = (slice(top, top + height), slice(left, left + width))
    fitted = np.full((len(image), size, size), np.nan, np.float32)
    labels = np.full((size, size), IGNORE, np.uint8)
    factor = (height / rows, width / cols)
    for band, out in zip(image, fitted, strict=True):
        out[inside] = _resample(band, (height, width), factor)
    labels[inside] = mask[np.ix_(*(_nearest(n, m) for n, m in ((rows, height), (cols, width))))]
    return fitted, labels


def _resample(band: np.ndarray, shape: tuple[int, int], factor: tuple[float, float]) -> np.ndarray:
    if band.shape == shape:
        return band
    resampled: np.ndarray = zoom(band, factor, order=1, mode="nearest", grid_mode=True)
    assert resampled.shape == shape
    return resampled


def _nearest(length: int, wanted: int) -> NDArray[np.int64]:
    """For each of `wanted` pixels along an axis, the one of `length` pixels in which its centre lies."""
    nearest: NDArray[np.int64] = np.minimum(((np.arange(wanted) + 0.5) * length / wanted).astype(int), length - 1)
    return nearest
