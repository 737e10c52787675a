"""How far the ground that scores come from lies from the ground that was learnt from, in one store or several."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from slipmap.patches.distance import LEAST, MEDIAN
from slipmap.patches.store import read_attributes, read_index


def to_training(learnt: Sequence[str | Path], tested: str | Path) -> dict[str, float | None]:
    """Distance of the test ground of a store to the training ground of those learnt from, m: ``median`` and ``least``.

    Within a store it is that of the split's pixels; between stores it is that of patches' footprints. None where the
    ground of one of them is not known.
    """
    found = []
    for store in learnt:
        if Path(store).resolve() == Path(tested).resolve():
            split: Mapping[str, Any] = read_attributes(store).get("split") or {}
            keys = [key.removeprefix("SPLIT_").lower() for key in (MEDIAN, LEAST)]
            found.append(tuple(float(split[key]) if key in split else None for key in keys))
        else:
            found.append(_between(read_index(store), read_index(tested)))
    if not found or any(None in pair for pair in found):
        return {"median": None, "least": None}
    return {"median": min(median for median, _ in found), "least": min(least for _, least in found)}


def said(distance: Mapping[str, float | None]) -> str:
    """The distances of `to_training` as the end of a sentence; "" where they are not known."""
    if distance["median"] is None:
        return ""
    return (
        f"; test ground lies {distance['median']:,.0f} m from training ground (median), {distance['least']:,.0f} m at "
        f"least"
    )


def _between(learnt: pd.DataFrame, tested: pd.DataFrame) -> tuple[float | None, float | None]:
    learnt, tested = learnt[learnt["split"] == "training"], tested[tested["split"] == "test"]
    parts = [part[(part["crs"] != "") & part["x"].notna()] for part in (learnt, tested)]
    if any(len(part) < len(whole) or part.empty for part, whole in zip(parts, (learnt, tested), strict=True)):
        return None, None
    middle = _corners(parts[1], "EPSG:4326").mean(axis=(0, 1))
    flat = f"+proj=aeqd +lat_0={middle[1]:.6f} +lon_0={middle[0]:.6f} +datum=WGS84 +units=m"
    ours, theirs = (shapely.polygons(_corners(part, flat)) for part in parts)
    _, metres = shapely.STRtree(ours).query_nearest(theirs, return_distance=True, all_matches=False)
    return float(np.median(metres)), float(metres.min())


def _corners(patches: pd.DataFrame, crs: str) -> np.ndarray:
    """Corners of the patches' footprints in `crs`: (patches, 4, 2)."""
    left, top = patches["x"].to_numpy(), patches["y"].to_numpy()
    right, bottom = left + patches["extent_x"].to_numpy(), top - patches["extent_y"].to_numpy()
    corners = np.stack([[left, right, right, left], [bottom, bottom, top, top]]).transpose(2, 1, 0).astype(float)
    for name in patches["crs"].unique():
        here = (patches["crs"] == name).to_numpy()
        moved = Transformer.from_crs(name, crs, always_xy=True).transform(*corners[here].reshape(-1, 2).T)
        corners[here] = np.transpose(moved).reshape(-1, 4, 2)
    return corners
