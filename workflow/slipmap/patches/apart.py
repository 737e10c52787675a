"""How far the ground that scores come from lies from the ground that was learnt from, in one store or several."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from slipmap.errors import InputError
from slipmap.patches.distance import LEAST, MEDIAN
from slipmap.patches.ground import overlapping
from slipmap.patches.store import read_attributes, read_index

_PLACE = ("area", "x", "y", "extent_x", "extent_y", "crs", "block", "parent")


def to_training(learnt: Sequence[str | Path], tested: str | Path) -> dict[str, float | None]:
    """Distance of the test ground of a store to the training ground of those learnt from, m: ``median`` and ``least``.

    Within a store it is that of the split's pixels; between stores it is that of patches' footprints. None where the
    ground of one of them is not known.
    """
    found: list[tuple[float | None, float | None]] = []
    for store in learnt:
        if Path(store).resolve() == Path(tested).resolve():
            split: Mapping[str, Any] = read_attributes(store).get("split") or {}
            median, least = (split.get(key.removeprefix("SPLIT_").lower()) for key in (MEDIAN, LEAST))
            found.append((None if median is None else float(median), None if least is None else float(least)))
        else:
            found.append(_between(_index(store), _index(tested)))
    known = [(median, least) for median, least in found if median is not None and least is not None]
    if not known or len(known) < len(found):
        return {"median": None, "least": None}
    return {"median": min(median for median, _ in known), "least": min(least for _, least in known)}


def learnt_ground(stores: Sequence[str | Path]) -> list[dict[str, Any]]:
    """The ground of training and validation patches, to go with the weights: whoever learns on knows what they saw.

    Returns
    -------
    One entry for each area and CRS: ``area``, ``split`` (tells one division of an area from another), ``crs`` and
    ``bounds``, [left, bottom, right, top] of each block of an area or image of a data set; none where images have no
    place.
    """
    found = []
    for store in stores:
        index, split = _index(store), _division(store)
        index = index[(index["split"] != "test") & (index["parent"] < 0)]
        for (area, crs), patches in index.groupby(["area", "crs"], sort=True):
            placed = patches[patches["x"].notna()].assign(
                right=lambda rows: rows["x"] + rows["extent_x"], bottom=lambda rows: rows["y"] - rows["extent_y"]
            )
            unit = np.where(placed["block"] >= 0, placed["block"], -1 - placed["patch"])
            box = placed.groupby(unit).agg({"x": "min", "bottom": "min", "right": "max", "y": "max"})
            bounds = box.to_numpy(float).tolist() if crs else []
            found.append({"area": str(area), "split": split, "crs": str(crs), "bounds": bounds})
    return found


def _index(store: str | Path) -> pd.DataFrame:
    """The index of a store, with empty places where it has none."""
    index = read_index(store)
    index = index.reindex(columns=list(dict.fromkeys([*index.columns, *_PLACE])))
    return index.assign(crs=index["crs"].fillna(""), parent=index["parent"].fillna(-1), block=index["block"].fillna(-1))


def _division(store: str | Path) -> str:
    """What the division of a store's ground follows from, as a digest."""
    known = read_attributes(store)
    settings = known.get("settings") or {}
    drawn = {"source": settings["source"], "seed": settings.get("seed")} if settings.get("source") else {}
    text = json.dumps([known.get("split"), drawn], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_seen(seen: Sequence[Mapping[str, Any]], tested: str | Path) -> str:
    """Compare ground that weights saw before this run with the test ground of a store.

    Returns
    -------
    What is to be said beside the scores: that the ground of some is not known; else "".

    Raises
    ------
    InputError : they overlap.
    """
    index = _index(tested)
    index = index[(index["split"] == "test") & (index["parent"] < 0)]
    placed = index[(index["crs"] != "") & index["x"].notna()]
    # The same division of the same area keeps its test ground apart, though windows may reach beyond their blocks.
    alike = {(area, _division(tested)) for area in index["area"].unique()}
    seen = [ground for ground in seen if (ground["area"], ground.get("split")) not in alike]
    rows = [(ground["area"], ground["crs"], box) for ground in seen for box in ground["bounds"]]
    if rows and len(placed):
        left, top = placed["x"].to_numpy(), placed["y"].to_numpy()
        test = np.column_stack([left, top - placed["extent_y"], left + placed["extent_x"], top])
        bounds = np.concatenate([np.array([box for *_, box in rows]), test])
        pairs = overlapping(bounds, [*(crs for _, crs, _ in rows), *placed["crs"]])
        crossing = pairs[(pairs[:, 0] < len(rows)) & (pairs[:, 1] >= len(rows))]
        if crossing.size:
            area = placed["area"].iloc[crossing[0, 1] - len(rows)]
            raise InputError(
                f"training.initial_weights: they learnt from ground of '{rows[crossing[0, 0]][0]}' that is test ground "
                f"of '{area}' here; begin with other weights, or split both areas alike."
            )
    unknown = sorted({ground["area"] for ground in seen if not ground["bounds"]})
    if unknown or (seen and len(placed) < len(index)):
        return f"; initial weights learnt from {', '.join(unknown) or 'ground'} of unknown place"
    return ""


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
