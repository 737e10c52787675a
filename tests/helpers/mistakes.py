"""Inputs with one deliberate mistake each: what `slipmap check` must find by itself, and what its sentence must name.

Each function writes a small file into the current folder and returns what the area (or the whole config) says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from affine import Affine

from helpers.input_writers import (
    BOUNDS,
    CRS,
    TRANSFORM,
    heights,
)


@dataclass(frozen=True)
class Mistake:
    """One mistake: the clause of the contract, the kind of input, what the sentence must say, how it is made."""

    name: str
    clause: str
    kind: str
    says: tuple[str, ...]
    make: Callable[[], dict]


MISTAKES: list[Mistake] = []
ROTATED = TRANSFORM @ Affine.rotation(15)
GRID = {"crs": CRS, "resolution": 12.5, "bounds": list(BOUNDS)}


def mistake(clause: str, kind: str, *says: str):
    """Register what the decorated function writes."""

    def register(make: Callable[[], dict]) -> Callable[[], dict]:
        MISTAKES.append(Mistake(make.__name__, clause, kind, says, make))
        return make

    return register


def ready(path, *bands):
    return {"inputs": {"ready_factors": {"path": path, "bands": list(bands)}}}


def lithology(path, attribute="rock", **factors):
    return {"inputs": {"lithology": {"path": path, "attribute": attribute}}, "factors": factors}


def points(label="kind", **options):
    return {"inputs": {"inventory": "p.csv", "inventory_points": {"label": label} | options}}


def corner(value, share=0.3):
    """The plane with `value` in its upper left corner."""
    made = heights()
    size = int(160 * share)
    made[:size, :size] = value
    return made
