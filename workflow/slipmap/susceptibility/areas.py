"""The rasters of the areas that models learn from, and one sample of all of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from slipmap.config.susceptibility import ClassicalSettings
from slipmap.errors import InputError
from slipmap.factors.names import require
from slipmap.io.grid import Grid
from slipmap.screening.layers import opened
from slipmap.screening.sampling import Sample, draw

APART = 10  # extents of the largest area that lie between two areas of a pooled sample


@dataclass(frozen=True)
class AreaFiles:
    """The rasters of one area: {factor: path}, the inventory and (where there is one) the split."""

    factors: Mapping[str, str | Path]
    inventory: str | Path
    split: str | Path | None = None

    @property
    def resolution(self) -> tuple[float, float]:
        """Size of a pixel (x, y), m."""
        x, y = Grid.from_raster(next(iter(self.factors.values()))).resolution
        return abs(x), abs(y)


def area_files(
    names: Mapping[str, Sequence[str]],
    factors: Sequence[str | Path],
    inventories: Sequence[str | Path],
    splits: Sequence[str | Path],
) -> dict[str, AreaFiles]:
    """Sort the flat lists of a rule's inputs by area.

    Parameters
    ----------
    names : {area: its factors}, in the order of the inputs.
    factors : rasters of all areas, one after another.
    inventories, splits : one for each area.
    """
    rest = iter(factors)
    return {
        area: AreaFiles({name: next(rest) for name in own}, inventory, split)
        for (area, own), inventory, split in zip(names.items(), inventories, splits, strict=True)
    }


def read_selection(path: str | Path) -> list[str]:
    """The factors that screening let through (selection.json)."""
    factors: list[str] = json.loads(Path(path).read_text(encoding="utf-8"))["factors"]
    return factors


def pool(
    areas: Mapping[str, AreaFiles],
    names: Sequence[str],
    settings: ClassicalSettings,
    splits: Sequence[int] | None,
) -> tuple[Sample, np.ndarray]:
    """One sample of all `areas`, and (pixels,) the number of the area that each pixel lies in.

    Rows of later areas are shifted by `APART` extents, so that no block spans two areas and no neighbour is in another.
    """
    samples = []
    for area, files in areas.items():
        require(names, files.factors, f"areas.{area}: susceptibility")
        with opened({name: files.factors[name] for name in names}, files.inventory, files.split) as layers:
            samples.append(draw(layers, settings.sample, settings.seed, splits=splits))
    if len(samples) == 1:
        return samples[0], np.zeros(len(samples[0].labels), np.int64)
    for sample, area in zip(samples, areas, strict=True):
        if sample.categories != samples[0].categories:
            raise InputError(
                f"areas.{area}: the classes of {', '.join(sample.categories)} differ from those of "
                f"{next(iter(areas))}; areas can be pooled only with the same classes under the same numbers."
            )
    step = (APART + 1) * (1 + max(int(max(s.rows.max(), s.cols.max())) for s in samples))
    merged = replace(
        samples[0],
        values=np.concatenate([s.values for s in samples]),
        labels=np.concatenate([s.labels for s in samples]),
        rows=np.concatenate([s.rows + number * step for number, s in enumerate(samples)]),
        cols=np.concatenate([s.cols for s in samples]),
        population={k: sum(s.population[k] for s in samples) for k in samples[0].population},
    )
    return merged, np.repeat(np.arange(len(samples)), [len(s.labels) for s in samples])


def places(sample: Sample, area: np.ndarray, areas: Mapping[str, AreaFiles]) -> np.ndarray:
    """(pixels, 2) easting and distance southwards of every pixel of a `pool`, m, from the first area's corner."""
    size = np.array([files.resolution for files in areas.values()])[area]
    found: np.ndarray = np.column_stack([sample.cols, sample.rows]) * size
    return found
