"""From patch stores to what the loop takes: which bands, normalised how, which patches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from slipmap.errors import InputError, nearest
from slipmap.patches.normalisation import Statistics, pool
from slipmap.patches.store import load_statistics


def choose_bands(
    stores: Sequence[Path], selection: Path | None, factors: Sequence[str] | None, exclude: Sequence[str]
) -> tuple[list[str], Statistics]:
    """Return the bands that an experiment uses, in the stores' order, and their statistics over all stores.

    Parameters
    ----------
    stores
        Patch stores; all have the same bands in the same order.
    selection
        ``selection.json`` of the screening stage, used when `factors` is None.
    factors
        Bands to use; None: those of the selection, or all.
    exclude
        Bands to leave out of these.

    Raises
    ------
    InputError
        If the stores differ, a name is unknown, or nothing is left.
    """
    if not stores:
        raise InputError("There is no patch store to learn from; give the experiment train_areas with an inventory.")
    statistics = pool([load_statistics(store) for store in stores])
    known = statistics.names
    if factors is None:
        factors = json.loads(Path(selection).read_text(encoding="utf-8"))["factors"] if selection else known
    for key, names in (("factors", factors), ("exclude", exclude)):
        for name in names:
            if name not in known:
                raise InputError(
                    f"The experiment's {key} name a band '{name}' that {stores[0]} does not hold{nearest(name, known)}"
                )
    chosen = [name for name in known if name in factors and name not in exclude]
    if not chosen:
        raise InputError("The experiment's factors, less exclude, leave no band to learn from; take in at least one.")
    return chosen, statistics.select(chosen)
