"""Which images show the same ground, whatever CRS each is in."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from rasterio.errors import CRSError
from rasterio.warp import transform

from slipmap.errors import InputError

_TOUCH = 1e-6  # share of the smaller one that neighbours may seem to share by rounding; a pixel of 512 x 512 is 4e-6


def overlapping(bounds: ArrayLike, crs: Sequence[str]) -> NDArray[np.int64]:
    """Pairs (i, j), i < j, of images whose ground overlaps: (pairs, 2) int. Neighbours that touch do not.

    Parameters
    ----------
    bounds : (n, 4) left, bottom, right, top in the CRS of each.
    crs : of each; those without one ("") are compared among themselves only.

    Raises
    ------
    InputError : a CRS that is none, where several must be compared.
    """
    boxes, names = np.asarray(bounds, float).reshape(-1, 4), np.asarray(crs, object)
    pairs = [np.empty((0, 2), np.int64)]
    for named in (True, False):
        members = np.flatnonzero((names != "") == named)
        if members.size < 2:
            continue
        shapes = _footprints(boxes[members], names[members])
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        first, second = first[first < second], second[first < second]
        shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        smaller = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
        inside = shared > _TOUCH * smaller
        pairs.append(np.column_stack([members[first[inside]], members[second[inside]]]))
    return np.concatenate(pairs)


def _footprints(bounds: NDArray[np.float64], crs: NDArray[np.object_]) -> NDArray[np.object_]:
    """Polygons of `bounds` in one CRS: their own if they have but one, else longitude and latitude."""
    left, bottom, right, top = bounds.T
    corners = np.stack([[left, right, right, left], [bottom, bottom, top, top]]).transpose(2, 1, 0)
    names = set(crs)
    if len(names) > 1:
        for name in names:
            here = crs == name
            try:
                degrees = transform(name, "EPSG:4326", *corners[here].reshape(-1, 2).T)
            except CRSError as error:
                raise InputError(f"'{name}' is no coordinate reference system; correct it in the images.") from error
            corners[here] = np.transpose(degrees).reshape(-1, 4, 2)
    polygons: NDArray[np.object_] = shapely.polygons(corners)
    return polygons
