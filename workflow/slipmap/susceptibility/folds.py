"""Ways to divide labelled pixels into folds: at random, in blocks, clusters or regions, and as far as the map is."""

from collections.abc import Iterable

import numpy as np
from scipy.stats import ks_2samp
from sklearn.cluster import KMeans
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from slipmap.errors import InputError
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.distances import fold_distances, mismatch, nearest, nearest_other

_CLUSTERINGS = 30  # numbers of clusters that kNNDM tries
_LARGEST = 0.5  # share of the pixels that one of its folds may hold
_CELLS = 2000  # places that it clusters; of more pixels near ones are taken together


def check_folds(sample: Sample, folds: int, key: str = "susceptibility.folds") -> None:
    """Raise `InputError` unless each fold can have a landslide and another pixel."""
    landslides = int((sample.labels == 1).sum())
    least, what = min((landslides, "landslide pixels"), (len(sample.labels) - landslides, "pixels outside landslides"))
    if least < folds:
        raise InputError(
            f"{key} is {folds}, but there are only {least} {what} with a value in every factor; give more "
            f"landslides or stable points, or fewer folds."
        )


def random_folds(sample: Sample, folds: int, seed: int) -> np.ndarray:
    """(pixels,) fold of each pixel, drawn at random with equal shares of both classes."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return _numbered(splitter.split(sample.values, sample.labels), len(sample.labels))


def block_folds(sample: Sample, folds: int, seed: int, block: int) -> np.ndarray:
    """(pixels,) fold of each pixel: whole blocks of `block` pixels, with shares of the classes as equal as they allow.

    Raises
    ------
    InputError : fewer blocks than folds.
    """
    groups = sample.blocks(block)
    if len(np.unique(groups)) < folds:
        raise InputError(
            f"susceptibility.block: the labelled pixels lie in {len(np.unique(groups))} blocks of {block} pixels, too "
            f"few for {folds} spatial folds; make block or folds smaller."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return _numbered(splitter.split(sample.values, sample.labels, groups), len(sample.labels))


def kmeans_folds(place: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """(pixels,) fold of each pixel: one of `folds` k-means clusters of the places (Brenning 2012, sperrorest)."""
    fold: np.ndarray = KMeans(folds, n_init=5, random_state=seed).fit_predict(place)
    return fold


def region_folds(regions: np.ndarray) -> np.ndarray:
    """(pixels,) fold of each pixel: the region it lies in, numbered from 0; each region is left out once.

    Raises
    ------
    InputError : there is one region alone.
    """
    names, fold = np.unique(regions, return_inverse=True)
    if len(names) < 2:
        raise InputError(
            "susceptibility.schemes names regions, but all labelled pixels lie in one; name a factor of classes in "
            "susceptibility.regions or more areas in with_areas, or leave regions out."
        )
    return fold


def knndm_folds(place: np.ndarray, prediction: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """(pixels,) fold of each pixel, so that distances to the other folds are those of the map to the sample.

    k-fold nearest-neighbour-distance matching (kNNDM; Linnenbrink et al. 2024, Geosci. Model Dev. 17, 5897, section 2):
    pixels that are as far from each other as the map is from them are divided at random; otherwise they are clustered
    into more and more clusters, which are dealt to the folds in order of their place on the first principal component,
    and the division of the least W stays. No fold holds more than half of the pixels.

    Parameters
    ----------
    place : (pixels, 2), m.
    prediction : (points, 2) of the mapped ground, m.
    seed : of the random division and of k-means, which is the clustering here.
    """
    rng = np.random.default_rng(seed)
    at_random = rng.permutation(np.arange(len(place)) % folds)
    wanted = nearest(prediction, place)
    # the alternative: leave-one-out distances are the shorter ones
    if ks_2samp(nearest_other(place), wanted, alternative="greater", method="asymp").pvalue >= 0.05:
        return at_random
    cells, of = _cells(place)
    weight = np.bincount(of)
    axis = np.linalg.svd(place - place.mean(axis=0), full_matrices=False)[2][0]
    order = (cells - place.mean(axis=0)) @ axis
    best, least = at_random, mismatch(fold_distances(place, at_random), wanted)
    most = max(folds, min(len(cells) - 2, len(place) - 2))
    for count in np.unique(np.geomspace(folds, most, _CLUSTERINGS).round().astype(int)):
        cluster = KMeans(int(count), n_init=1, random_state=seed).fit_predict(cells, sample_weight=weight)
        fold = _dealt(cluster, weight, order, folds)[of]
        shares = np.bincount(fold, minlength=folds) / len(place)
        if shares.max() > _LARGEST:
            continue
        w = mismatch(fold_distances(place, fold), wanted)
        if w < least:
            best, least = fold, w
    return best


def _dealt(cluster: np.ndarray, weight: np.ndarray, order: np.ndarray, folds: int) -> np.ndarray:
    """(cells,) fold of each cell: a cluster of a fold's size is a fold, the others are dealt in turn along `order`."""
    pixels = np.bincount(cluster, weight)
    middle = np.bincount(cluster, weight * order) / np.maximum(pixels, 1)
    fold = np.full(len(pixels), -1)
    ranked = np.argsort(middle, kind="stable")
    large = [c for c in ranked if pixels[c] >= pixels.sum() / folds]
    fold[large] = np.arange(len(large)) % folds
    rest = np.array([c for c in ranked if fold[c] < 0], int)
    free = np.setdiff1d(np.arange(folds), fold[large])
    if len(rest):
        free = free if len(free) else np.arange(folds)
        fold[rest] = free[np.arange(len(rest)) % len(free)]
    of_cell: np.ndarray = fold[cluster]
    return of_cell


def _cells(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `_CELLS` places (means of the pixels of square cells), and (pixels,) which of them each pixel is in."""
    side = 0.0
    while True:
        keys = place if side == 0 else np.floor((place - place.min(axis=0)) / side)
        _, of = np.unique(keys, axis=0, return_inverse=True)
        of = of.ravel()
        if of.max() < _CELLS:
            break
        side = side * 1.3 if side else float(np.ptp(place, axis=0).max()) / _CELLS
    count = np.bincount(of)
    return np.column_stack([np.bincount(of, place[:, i]) / count for i in (0, 1)]), of


def _numbered(splits: Iterable[tuple[np.ndarray, np.ndarray]], count: int) -> np.ndarray:
    fold = np.empty(count, np.int64)
    for number, (_, judge) in enumerate(splits):
        fold[judge] = number
    return fold
