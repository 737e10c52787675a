"""Checks of what patch stores promise: no ground, no copy and no window in two splits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.codes import UNKNOWN
from slipmap.errors import InputError
from slipmap.patches.ground import overlapping
from slipmap.patches.normalisation import check_order
from slipmap.patches.store import load_statistics, read_attributes, read_index


def check_stores(stores: Sequence[str | Path]) -> None:
    """Raise `InputError` if stores that are trained or tested on together leak into one another, or do not match.

    Checked are: the same bands in the same order; no image (by content) in two splits; no augmented copy outside its
    parent's split, none outside training; no patch of one area over ground that another area's patch of another split
    shows, whatever the CRS of each. That no patch of one area shows another split's ground is by construction
    (`slipmap.patches.store.build`).

    Notes
    -----
    Reads the indices and the stores' metadata, no pixel.
    """
    first = load_statistics(stores[0]).names
    for store in stores[1:]:
        check_order(load_statistics(store).names, first, Path(store).name, Path(stores[0]).name)
    index = pd.concat([read_index(store).assign(store=i) for i, store in enumerate(stores)], ignore_index=True)
    _check_digests(index)
    _check_copies(index)
    if len(stores) > 1:  # within a store it is so by construction
        _check_ground(index)


def check_tested(learnt: Sequence[str | Path], tested: Sequence[str | Path]) -> None:
    """Raise `InputError` if what is scored in `tested` was learnt from in `learnt`: the same image, or the same ground.

    Parameters
    ----------
    learnt : stores whose training and validation patches a model has seen.
    tested : stores whose test patches it is scored on; may be among `learnt`.

    Notes
    -----
    Reads the indices, no pixel.
    """
    if not learnt:
        return
    stores = list(dict.fromkeys([Path(store).resolve() for store in (*learnt, *tested)]))
    seen, scored = ({Path(store).resolve() for store in given} for given in (learnt, tested))
    parts = []
    for number, store in enumerate(stores):
        index = read_index(store).assign(store=number)
        test = index["split"] == "test"
        parts.append(index[(~test & (store in seen)) | (test & (store in scored))])
    index = pd.concat(parts, ignore_index=True)
    _check_digests(index)
    if len(stores) > 1:
        _check_ground(index)


def _check_digests(index: pd.DataFrame) -> None:
    seen = index.groupby("digest")["split"].nunique()
    for digest in seen[seen > 1].index[:1]:
        same = index[index["digest"] == digest].drop_duplicates("split")
        places = " and ".join(f"{row.area} {row.source} ({row.split})" for row in same.itertuples())
        raise InputError(f"The same image is in two splits: {places}; remove one and build the patches again.")


def _check_copies(index: pd.DataFrame) -> None:
    copies = index[index["parent"] >= 0]
    if copies.empty:
        return
    split = index.set_index(["store", "patch"])["split"]
    parents = split.loc[pd.MultiIndex.from_frame(copies[["store", "parent"]])].to_numpy()
    wrong = copies[(copies["split"].to_numpy() != "training") | (parents != "training")]
    if not wrong.empty:
        row = wrong.iloc[0]
        raise InputError(
            f"Patch {row['patch']} of {row['area']} is an augmented copy ({row['augmentation']}) in {row['split']}; "
            f"only training has copies: build the patches again."
        )


def _check_ground(index: pd.DataFrame) -> None:
    placed = index[(index["parent"] < 0) & (index["crs"] != "") & index["x"].notna()]
    x, y = placed["x"], placed["y"]
    bounds = np.column_stack([x, y - placed["extent_y"], x + placed["extent_x"], y])
    a, b = overlapping(bounds, placed["crs"]).T
    split, store = placed["split"].to_numpy(), placed["store"].to_numpy()
    crossing = np.flatnonzero((store[a] != store[b]) & (split[a] != split[b]))
    if crossing.size:
        i, j = placed.iloc[a[crossing[0]]], placed.iloc[b[crossing[0]]]
        raise InputError(
            f"Areas '{i['area']}' and '{j['area']}' overlap on the ground, where one has {i['split']} and the "
            f"other {j['split']} patches; move their bounds apart."
        )


def describe_independence(store: str | Path) -> str:
    """How far the test patches of a store are independent of those learnt from: what every table of scores says."""
    return str((read_attributes(store).get("split") or {}).get("independence") or f"{UNKNOWN} (the store does not say)")
