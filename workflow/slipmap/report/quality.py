"""On how much of the ground a velocity is reliable, and why not elsewhere."""

import numpy as np

from slipmap.deformation.reliability import CLASSES, RELIABLE
from slipmap.io.grid import Grid
from slipmap.report.pictures import load
from slipmap.report.sources import Sources

LEAST = 0.005  # of the ground: a class with less is not named


def shares(sources: Sources, shown: Grid) -> dict[str, float]:
    """Share of the ground of each class of reliability, by its name, and "no data"; empty where there is none."""
    if "reliability" not in sources.deformation:
        return {}
    found = load(sources.deformation["reliability"], shown, classes=True)
    named = {name: float((found == code).mean()) for code, name in CLASSES.items()}
    return named | {"no data": float((~np.isin(found, list(CLASSES))).mean())}


def in_words(sources: Sources, shown: Grid, *, reasons: bool = False) -> str:
    """The `shares` in a row, largest first: "reliable 71 %, low coherence 20 %"; `reasons`: without the reliable."""
    named = shares(sources, shown)
    if reasons:
        named.pop(CLASSES[RELIABLE], None)
    ordered = sorted(named.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {100 * share:.0f}\u202f%" for name, share in ordered if share >= LEAST)
