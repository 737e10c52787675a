"""Prediction sets with a stated coverage: split conformal prediction on validation ground (Vovk et al. 2005).

A pixel's set holds "landslide", "other ground", both or neither. For each class a threshold is cut on the map's own
probabilities at validation pixels of that class, so that the sets of at least the stated share of them hold it
(label-conditional, or Mondrian, conformal prediction; Sadinle et al. 2019, J. Am. Stat. Assoc. 114, 223). Landslides
are rare: coverage over all pixels together would be reached without finding one.

The coverage holds for ground that is exchangeable with the validation ground: validation and test blocks drawn by
chance from one area are; another valley, another event or another sensor is not, and nothing then holds. Pixels of one
block go together, so it holds on average over draws of blocks, and one draw of few blocks scatters round it. The
epoch, calibration and threshold of a network were chosen on the same validation ground: a slight gain for the map.
"""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from slipmap.codes import BACKGROUND, LANDSLIDE, TEST, VALIDATION
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

CODES = {0: "neither", 1: "other ground", 2: "landslide", 3: "either"}
_BINS = 100_000  # steps of the probability in which pixels are counted


@dataclass(frozen=True)
class Thresholds:
    """Where the two classes enter a set.

    Parameters
    ----------
    landslide : least probability of a set with "landslide". other : largest of a set with "other ground".
    """

    landslide: float
    other: float

    def sets(self, probability: NDArray[np.floating]) -> NDArray[np.uint8]:
        """One of `CODES` for each pixel; `CLASS_NODATA` where the probability is missing."""
        known = np.isfinite(probability)
        found = 2 * (probability >= self.landslide) + (probability <= self.other)
        return np.where(known, found, raster.CLASS_NODATA).astype(np.uint8)


def thresholds(landslide: NDArray[np.integer], other: NDArray[np.integer], coverage: float) -> Thresholds:
    """Cut the thresholds on validation pixels.

    Parameters
    ----------
    landslide, other : validation pixels of each class by probability, in equal steps from 0 to 1.
    coverage : share of each class whose set shall hold it.

    Raises
    ------
    InputError : too few pixels of a class for that coverage, 1 / (1 - coverage) at least.
    """
    steps = np.linspace(0, 1, len(landslide) + 1)
    missed = {}
    for name, counts in (("landslide", landslide), ("other", other)):
        pixels = int(counts.sum())
        # of pixels + 1 exchangeable ranks so many may be missed
        missed[name] = int(np.floor((pixels + 1) * (1 - coverage)))
        if missed[name] < 1:
            raise InputError(
                f"prediction.coverage is {coverage:g}, but validation ground has only {pixels} {name} pixels; ask for "
                f"less, or give validation more ground (split.ratios)."
            )
    low = int(np.searchsorted(np.cumsum(landslide), missed["landslide"]))
    high = int(np.searchsorted(np.cumsum(other[::-1]), missed["other"]))
    return Thresholds(float(steps[low]), float(steps[len(other) - high]))


def run(
    probability_tif: str | Path,
    inventory_tif: str | Path,
    split_tif: str | Path,
    coverage: float,
    sets_tif: str | Path,
    record_json: str | Path,
) -> dict[str, Any]:
    """Map the prediction sets and count what they hold on test ground.

    Parameters
    ----------
    probability_tif, inventory_tif, split_tif : of one area.
    coverage : stated for each class.
    record_json : thresholds, stated coverage, its measure on test ground for each class (null without test pixels), and
        the share of the mapped ground that has each set.

    Notes
    -----
    Holds one block and the counts of pixels by probability.
    """
    grid = Grid.from_raster(probability_tif)
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(path)) for path in (probability_tif, inventory_tif, split_tif)]
        counts = {split: np.zeros((2, _BINS), np.int64) for split in (VALIDATION, TEST)}
        whole = np.zeros(_BINS, np.int64)
        for window in grid.blocks():
            p, label, split = (raster.read_open(source, window, 1) for source in sources)
            known = np.isfinite(p)
            step = np.minimum((np.where(known, p, 0) * _BINS).astype(np.int64), _BINS - 1)
            whole += np.bincount(step[known], minlength=_BINS)
            for number, count in counts.items():
                for label_code in (BACKGROUND, LANDSLIDE):
                    chosen = known & (split == number) & (label == label_code)
                    count[label_code] += np.bincount(step[chosen], minlength=_BINS)
        cut = thresholds(counts[VALIDATION][LANDSLIDE], counts[VALIDATION][BACKGROUND], coverage)
        _write(sources[0], grid, cut, coverage, sets_tif)
    middle = (np.arange(_BINS) + 0.5) / _BINS
    code = cut.sets(middle)
    test = counts[TEST]
    record = {
        "stated_coverage": coverage,
        "test_coverage": {
            "landslide": _share(test[LANDSLIDE], code >= 2),
            "other": _share(test[BACKGROUND], code % 2 == 1),
        },
        "landslide_from": cut.landslide,
        "other_to": cut.other,
        "shares": {name: _share(whole, code == number) for number, name in CODES.items()},
    }
    write_text(record_json, json.dumps(record, indent=1) + "\n")
    return record


def _write(source: rasterio.io.DatasetReader, grid: Grid, cut: Thresholds, coverage: float, path: str | Path) -> None:
    about = {"coverage": f"{coverage:g}", "landslide_from": f"{cut.landslide:.6g}", "other_to": f"{cut.other:.6g}"}
    with raster.create(
        path, grid, bands=["set"], units="1", long_name="conformal prediction set", dtype="uint8", categories=CODES,
        tags=about,
    ) as writer:  # fmt: skip
        for window in grid.blocks():
            writer.write(cut.sets(raster.read_open(source, window, 1)), window)


def _share(counts: NDArray[np.integer], chosen: NDArray[np.bool_]) -> float | None:
    total = int(counts.sum())
    return float(counts[chosen].sum() / total) if total else None
