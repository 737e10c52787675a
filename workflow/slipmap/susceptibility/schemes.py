"""The divisions of a cross-validation by every scheme, and which scheme judges at the distances of the map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from slipmap.config.susceptibility import ComparisonSettings, Scheme
from slipmap.errors import InputError
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.areas import AreaFiles, places
from slipmap.susceptibility.autocorrelation import BlockSide, block_side
from slipmap.susceptibility.distances import distance_table, fold_distances, ground_points, nearest
from slipmap.susceptibility.folds import block_folds, kmeans_folds, knndm_folds, random_folds, region_folds


@dataclass(frozen=True)
class Ground:
    """Where the pixels of a sample lie, and where a map will be made.

    Parameters
    ----------
    sample, area : of `areas.pool`.
    place : (pixels, 2), m.
    prediction : (points, 2) of the ground that is mapped, m.
    block : side of the blocks.
    regions : (pixels,) region of each pixel; None where there are none.
    """

    sample: Sample
    area: np.ndarray
    place: np.ndarray
    prediction: np.ndarray
    block: BlockSide
    regions: np.ndarray | None

    @property
    def blocks(self) -> np.ndarray:
        """(pixels,) block of each pixel."""
        return self.sample.blocks(self.block.pixels)

    def schemes(self, settings: ComparisonSettings) -> tuple[Scheme, ...]:
        """The schemes asked for; all that can be made where none is named."""
        if settings.schemes is not None:
            return tuple(settings.schemes)
        return ("random", "blocks", "kmeans", "knndm", *(("regions",) if self.regions is not None else ()))


def ground(
    areas: Mapping[str, AreaFiles],
    sample: Sample,
    area: np.ndarray,
    names: Sequence[str],
    settings: ComparisonSettings,
) -> Ground:
    """What the schemes need to know of a `pool`; `names` are the factors that a map needs."""
    first = next(iter(areas.values()))
    place = places(sample, area, areas)
    pixel = float(np.mean(first.resolution))
    side = block_side(sample.select(names), place, pixel, settings.block, least=max(10, 2 * settings.folds))
    return Ground(
        sample,
        area,
        place,
        ground_points(first, names, settings.seed),
        side,
        _regions(sample, area, settings),
    )


def divisions(found: Ground, settings: ComparisonSettings) -> dict[str, list[np.ndarray]]:
    """Scheme → (pixels,) fold of each pixel, for every repeat. Regions can be left out in one way alone.

    Raises
    ------
    InputError : see `slipmap.susceptibility.folds`.
    """
    out: dict[str, list[np.ndarray]] = {}
    for scheme in found.schemes(settings):
        repeats = 1 if scheme == "regions" else settings.repeats
        out[scheme] = [division(found, scheme, settings.folds, settings.seed + repeat) for repeat in range(repeats)]
    return out


def division(found: Ground, scheme: str, folds: int, seed: int) -> np.ndarray:
    """(pixels,) fold of each pixel by one scheme."""
    match scheme:
        case "random":
            return random_folds(found.sample, folds, seed)
        case "blocks":
            return block_folds(found.sample, folds, seed, found.block.pixels)
        case "kmeans":
            return kmeans_folds(found.place, folds, seed)
        case "knndm":
            return knndm_folds(found.place, found.prediction, folds, seed)
        case "regions" if found.regions is not None:
            return region_folds(found.regions)
    raise InputError(
        "susceptibility.schemes names regions, but there are none; name a factor of classes in susceptibility.regions "
        "or more areas in with_areas, or leave regions out."
    )


def distances(found: Ground, divided: Mapping[str, Sequence[np.ndarray]]) -> pd.DataFrame:
    """`distances.distance_table` of the schemes: the default is that of the least W."""
    far = {scheme: [fold_distances(found.place, fold) for fold in folds] for scheme, folds in divided.items()}
    return distance_table(nearest(found.prediction, found.place), far)


def _regions(sample: Sample, area: np.ndarray, settings: ComparisonSettings) -> np.ndarray | None:
    if settings.regions is None:
        return area if len(np.unique(area)) > 1 else None
    if settings.regions not in sample.categories:
        raise InputError(
            f"susceptibility.regions names '{settings.regions}', which is no factor of classes; name one whose classes "
            f"are the regions, or more areas in with_areas."
        )
    return sample.column(settings.regions).astype(int)
