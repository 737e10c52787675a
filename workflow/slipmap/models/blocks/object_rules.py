"""Object-based rules on a map of landslides: what is too small or too ragged to be one is taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def keep_objects(found: NDArray[np.bool_], least_pixels: int, least_compactness: float) -> NDArray[np.bool_]:
    """Return `found` with the objects that pass the rules.

    Parameters
    ----------
    found
        (rows, columns) bool: where a landslide was found. An object is what hangs together by sides of pixels.
    least_pixels
        Smallest object.
    least_compactness
        Smallest 4 π area / perimeter², the perimeter along the sides of the pixels: π/4 of a square, less of a road.
    """
    labels, count = ndimage.label(found)
    if not count:
        return found
    area = np.bincount(labels.ravel(), minlength=count + 1)
    perimeter = np.zeros(count + 1)
    ground = np.pad(labels, 1)
    for shift in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        open_side = (ground != 0) & (np.roll(ground, shift, (0, 1)) == 0)
        perimeter += np.bincount(ground[open_side], minlength=count + 1)
    compactness = 4 * np.pi * area / np.maximum(perimeter, 1) ** 2
    keep = (area >= least_pixels) & (compactness >= least_compactness)
    keep[0] = False
    kept: NDArray[np.bool_] = keep[labels]
    return kept
