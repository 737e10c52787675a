"""Looks: SLC pixels averaged into one, and how many of them are independent."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.float32, np.float64, np.complex64)


def multilook(array: NDArray[Number], looks: tuple[int, int]) -> NDArray[Number]:
    """Mean over blocks of `looks` (rows, columns); rows and columns that fill no block are left out.

    Parameters
    ----------
    array : (rows, cols), real or complex.
    """
    rows, cols = array.shape[0] // looks[0], array.shape[1] // looks[1]
    blocks = array[: rows * looks[0], : cols * looks[1]].reshape(rows, looks[0], cols, looks[1])
    total = blocks[:, 0, :, 0].copy()  # adding the few slices is several times faster than mean(axis=(1, 3))
    for i in range(looks[0]):
        for j in range(looks[1]):
            if i or j:
                total += blocks[:, i, :, j]
    return total / np.float32(looks[0] * looks[1])


def pixel_looks(looks: tuple[int, int], area: float, cell: float | None) -> float:
    """Independent looks in one multilooked pixel.

    Parameters
    ----------
    looks : (rows, columns) of SLC pixels in it. area : of the pixel, m². cell : ground that is one independent look,
        m²; None: every SLC pixel is one.
    """
    pixels = float(looks[0] * looks[1])
    return min(pixels, area / cell) if cell else pixels
