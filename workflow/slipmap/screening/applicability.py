"""Area of applicability: where what is mapped resembles what was learnt from (Meyer and Pebesma 2021).

Methods in Ecology and Evolution 12, 1620, section 2: factors are standardised by the training pixels and weighted by
importance (`separability`); the dissimilarity index of a pixel is its distance to the nearest training pixel over the
mean distance of training pixels from each other. It lies inside the area of applicability where the index is at most
the largest one that training pixels have towards pixels of other folds, outliers aside.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.io import raster
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

OUTSIDE, INSIDE, UNSEEN = 0, 1, 2  # codes of the mask
CODES = {OUTSIDE: "outside", INSIDE: "inside", UNSEEN: "class unseen in training"}
_CHUNK = 128  # pixels whose distances to all training pixels are held at once


@dataclass(frozen=True)
class Applicability:
    """What a model learnt from, as points in the space of its factors.

    Parameters
    ----------
    names : factors, in the order of the columns. classes : of the factors of classes, the codes seen in training.
    centre, scale : (columns,) what a column is moved and multiplied by: weight over standard deviation.
    points : (training pixels, columns) in that space.
    mean_distance : of all pairs of training pixels.
    training : (training pixels,) dissimilarity index of each towards other folds.
    threshold : the largest index of the inside.
    """

    names: tuple[str, ...]
    classes: Mapping[str, NDArray[np.int64]]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    points: NDArray[np.float64]
    mean_distance: float
    training: NDArray[np.float64]
    threshold: float

    def dissimilarity(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """(pixels,) dissimilarity index of (pixels, factors) raw values; a missing value counts as the mean."""
        return nearest(self._placed(values), self.points) / self.mean_distance

    def judge(self, values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Dissimilarity index, and one of `CODES`, of (pixels, factors) raw values."""
        index = self.dissimilarity(values)
        code = np.where(index <= self.threshold, INSIDE, OUTSIDE).astype(np.uint8)
        for name, seen in self.classes.items():
            column = values[:, self.names.index(name)]
            code[np.isfinite(column) & ~np.isin(column, seen)] = UNSEEN
        return index, code

    def _placed(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        placed = (columns(values, self.names, self.classes)[0] - self.centre) * self.scale
        return np.nan_to_num(placed)


@dataclass(frozen=True)
class Outputs:
    """Where a map of applicability goes: index (float32), mask (uint8 of `CODES`), shares (JSON)."""

    index: str | Path
    mask: str | Path
    shares: str | Path


def fit(
    values: NDArray[np.floating],
    names: Sequence[str],
    folds: NDArray[np.integer],
    *,
    weights: Mapping[str, float] | None = None,
    classes: Mapping[str, Sequence[int]] | None = None,
) -> Applicability:
    """The area of applicability of a model that learnt from these pixels.

    Parameters
    ----------
    values : (pixels, factors) raw values, NaN where an optional one is missing.
    folds : (pixels,) pixels of one fold are no evidence for each other: blocks, images.
    weights : importance of each factor; negative ones count as 0. None, or none above 0: all the same.
    classes : of each factor of classes, the codes that training saw (the sample may lack a rare one).

    Raises
    ------
    InputError : all pixels are of one fold, or alike.
    """
    names, seen = tuple(names), {k: np.asarray(sorted(v)) for k, v in (classes or {}).items()}
    encoded, owner = columns(values, names, seen)
    spread = np.nanstd(encoded, axis=0, ddof=1)
    weight = np.array([max(0.0, (weights or {}).get(name, 0.0)) for name in names])
    weight = weight if weight.any() else np.ones(len(names))
    with np.errstate(divide="ignore"):
        scale = np.where(spread > 0, weight[owner] / spread, 0.0)
    centre = np.nanmean(encoded, axis=0)
    points = np.nan_to_num((encoded - centre) * scale)
    mean = mean_distance(points)
    if len(np.unique(folds)) < 2 or not mean > 0:
        raise InputError(
            "The training pixels lie in one block or are all alike, so no area of applicability can be found; train on "
            "more ground."
        )
    towards = np.empty(len(points))
    for fold in np.unique(folds):
        own = folds == fold
        towards[own] = nearest(points[own], points[~own])
    training = towards / mean
    return Applicability(names, seen, centre, scale, points, mean, training, whisker(training))


def nearest(places: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(places,) distance of each of (places, columns) to the nearest of (points, columns).

    All pairs are compared, by products of matrices: in twenty dimensions a tree looks at most of its points as
    well, and one after another. Which is nearest is found in single precision, how far it is in double.
    """
    found = np.empty(len(places))
    # |a − b|² is smallest where a·b − |b|²/2 is largest: one product for both terms, and memory that stays in the cache
    ours = np.vstack([points.T, -np.square(points).sum(axis=1) / 2]).astype(np.float32)
    theirs = np.ones((_CHUNK, len(ours)), np.float32)
    likeness = np.empty((_CHUNK, len(points)), np.float32)
    for start in range(0, len(places), _CHUNK):
        part = places[start : start + _CHUNK]
        theirs[: len(part), :-1] = part
        closest = np.matmul(theirs[: len(part)], ours, out=likeness[: len(part)]).argmax(axis=1)
        found[start : start + _CHUNK] = np.linalg.norm(part - points[closest], axis=1)
    return found


def separability(
    values: NDArray[np.floating],
    labels: NDArray[np.integer],
    names: Sequence[str],
    classes: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, float] | None:
    """Importance of each factor, 0.5 to 1: how well it alone tells landslides (label 1) from other ground.

    The area under the ROC curve of the factor, or 1 less it where landslides have the small values; the largest of the
    columns of a class or an azimuth. None where the labels are of one kind. This is what `filterVarImp` of R's caret
    gives, which the authors' package CAST takes for models without an importance of their own.

    Permutation importance is not used: where factors are correlated it leaves nearly all of it to one of them. Then the
    distance is of that factor alone, its bulk lies so dense that the threshold is almost 0, and rare ground such as
    landslides is called outside although the model learnt from it. Here no factor counts less than half of another.
    """
    found = dict.fromkeys(names, 0.5)
    if len(np.unique(labels)) < 2:
        return None
    seen = {k: np.asarray(sorted(v)) for k, v in (classes or {}).items()}
    encoded, owner = columns(values, names, seen)
    for column, i in zip(encoded.T, owner, strict=True):
        known = np.isfinite(column)
        slides = labels[known] == 1
        pairs = int(slides.sum()) * int((~slides).sum())
        if pairs:
            above = rankdata(column[known])[slides].sum() - slides.sum() * (slides.sum() + 1) / 2
            found[names[i]] = max(found[names[i]], above / pairs, 1 - above / pairs)
    return found


def mean_distance(points: NDArray[np.float64]) -> float:
    """Mean distance of all pairs of (points, columns); 0 of a point alone."""
    chunks = (cdist(points[first : first + _CHUNK], points).sum() for first in range(0, len(points), _CHUNK))
    return float(sum(chunks) / max(len(points) * (len(points) - 1), 1))


def whisker(index: NDArray[np.float64]) -> float:
    """The largest index that is no more than 1.5 interquartile ranges above the upper quartile."""
    low, high = np.quantile(index, (0.25, 0.75))
    return float(index[index <= high + 1.5 * (high - low)].max())


def columns(
    values: NDArray[np.floating], names: Sequence[str], classes: Mapping[str, NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Factors as columns of numbers: a class as 0 or 1, an azimuth as its sine and cosine; and whose each column is."""
    made, owner = [], []
    for i, name in enumerate(names):
        column = np.asarray(values[:, i], np.float64)
        factor = catalogue.find(name)
        if name in classes:
            own = [(column == code).astype(np.float64) for code in classes[name]]
        elif factor and factor.direction and factor.direction.part == "azimuth":
            own = [np.sin(np.radians(column)), np.cos(np.radians(column))]
        else:
            own = [column]
        made += own
        owner += [i] * len(own)
    return np.column_stack(made), np.array(owner)


def write(
    area: Applicability,
    read: Callable[[Window], tuple[NDArray[np.float32], NDArray[np.bool_]]],
    grid: Grid,
    outputs: Outputs,
) -> dict[str, Any]:
    """Write index, mask and shares, block by block; `read` gives (factors, rows, cols) and where to judge."""
    counts = np.zeros(len(CODES), np.int64)
    about = {"threshold": f"{area.threshold:.6g}", "source": "Meyer and Pebesma 2021"}
    with (
        raster.create(
            outputs.index, grid, bands=["dissimilarity"], units="1", long_name="dissimilarity index", tags=about
        ) as index,
        raster.create(
            outputs.mask, grid, bands=["applicability"], units="1", long_name="area of applicability", dtype="uint8",
            categories=CODES, tags=about,
        ) as mask,
    ):  # fmt: skip
        for window in grid.blocks():
            block, known = read(window)
            far = np.full(known.shape, np.nan, np.float32)
            code = np.full(known.shape, raster.CLASS_NODATA, np.uint8)
            if known.any():
                far[known], code[known] = area.judge(block[:, known].T)
            counts += np.bincount(code[known], minlength=len(CODES))
            index.write(far, window)
            mask.write(code, window)
    total = max(int(counts.sum()), 1)
    shares = {CODES[code]: float(count / total) for code, count in enumerate(counts)}
    record = {"shares": shares, "threshold": area.threshold, "training_pixels": len(area.points)}
    write_text(outputs.shares, json.dumps(record, indent=1) + "\n")
    return record
