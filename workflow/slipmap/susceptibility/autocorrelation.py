"""How far landslides resemble their neighbours: the empirical variogram, its range, and blocks of that size."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from scipy.spatial.distance import pdist
from sklearn.linear_model import LogisticRegression

from slipmap.screening.encoding import encoder
from slipmap.screening.sampling import Sample, priority

MOST = 1500  # pixels whose pairs are looked at
BINS, FEWEST = 18, 30  # lags of a variogram, and pairs that one needs
LEAST_BLOCKS = 10
_EXPLAINED = 0.5  # share of the variogram's variance below which it is taken as flat


@dataclass(frozen=True)
class BlockSide:
    """Side of the blocks, and where it comes from.

    Parameters
    ----------
    pixels : the side.
    range : range of autocorrelation, m; NaN where none was found or none was asked for.
    source : one sentence.
    """

    pixels: int
    range: float
    source: str


def residuals(sample: Sample) -> np.ndarray:
    """(pixels,) label minus the probability of a logistic regression on all factors of the sample.

    What factors explain is no matter of neighbourhood: autocorrelation of the rest is what makes near pixels easy.
    """
    columns = encoder(sample.names, list(sample.categories), standardise=True).fit_transform(sample.values)
    fitted = LogisticRegression(max_iter=2000).fit(columns, sample.labels)
    left: np.ndarray = sample.labels - fitted.predict_proba(columns)[:, 1]
    return left


def variogram(place: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Empirical semivariance γ(h) = mean of (z_i − z_j)² / 2 over pairs at about the distance h (Matheron 1963).

    Parameters
    ----------
    place : (pixels, 2), m.
    values : (pixels,).

    Returns
    -------
    ``lag`` (mean distance, m), ``semivariance``, ``pairs``: lags grow geometrically up to half of the extent's
    diagonal; those with fewer than `FEWEST` pairs are left out. Of more than `MOST` pixels a fixed draw is used.
    """
    if len(values) > MOST:
        chosen = np.argsort(priority(np.arange(len(values)), 0), kind="stable")[:MOST]
        place, values = place[chosen], values[chosen]
    distance = pdist(place)
    squares = pdist(values[:, None].astype(np.float64), "sqeuclidean") / 2
    furthest = np.linalg.norm(np.ptp(place, axis=0)) / 2
    near = distance[(distance > 0) & (distance <= furthest)]
    if len(near) < FEWEST:
        return pd.DataFrame({"lag": [], "semivariance": [], "pairs": []})
    edges = np.geomspace(np.quantile(near, min(1.0, 2 * FEWEST / len(near))), furthest, BINS)
    index = np.searchsorted(edges, distance)
    frame = pd.DataFrame({"bin": index, "lag": distance, "semivariance": squares})[index < BINS]
    out = frame.groupby("bin").agg(lag=("lag", "mean"), semivariance=("semivariance", "mean"), pairs=("lag", "size"))
    return out[out.pairs >= FEWEST].reset_index(drop=True)


def spherical_range(table: pd.DataFrame) -> float:
    """Range a of the spherical model n + s (1.5 h/a − 0.5 (h/a)³) that fits a variogram best, weighted by pairs.

    NaN where the model explains less than half of the variogram's variance: then nothing says that near pixels
    resemble each other. Never more than the longest lag.
    """
    if len(table) < 4:
        return float("nan")
    lag, observed = table.lag.to_numpy(), table.semivariance.to_numpy()
    root = np.sqrt(np.minimum(table.pairs.to_numpy(float), np.median(table.pairs)))
    best, found = np.inf, float("nan")
    for a in np.geomspace(lag[0], lag[-1], 200):
        h = np.minimum(lag / a, 1)
        design = np.column_stack([np.ones_like(h), 1.5 * h - 0.5 * h**3])
        _, misfit = nnls(design * root[:, None], observed * root)
        if misfit < best - 1e-12:
            best, found = misfit, float(a)
    flat = observed - np.average(observed, weights=root**2)
    whole = float((root**2 * flat**2).sum())
    return found if whole > 0 and 1 - best**2 / whole >= _EXPLAINED else float("nan")


def block_side(
    sample: Sample, place: np.ndarray, pixel: float, given: int | None, least: int = LEAST_BLOCKS
) -> BlockSide:
    """Side of blocks: as given, or the range of autocorrelation of the `residuals` (Roberts et al. 2017).

    Parameters
    ----------
    place : (pixels, 2), m.
    pixel : size of a pixel, m.
    given : side in pixels; None: from the range.
    least : blocks with a landslide, and blocks with other ground, that must be left; a range too long for that is cut.
    """
    if given is not None:
        return BlockSide(given, float("nan"), "susceptibility.block of the config.")
    table = variogram(place, residuals(sample))
    length = spherical_range(table)
    if np.isnan(length):
        shortest = float(table.lag.iloc[0]) if len(table) else pixel
        side = max(1, round(shortest / pixel))
        source = "No autocorrelation of the residuals was found: the shortest lag of their variogram."
    else:
        side = max(1, int(np.ceil(length / pixel)))
        source = "Range of autocorrelation of the residuals of a logistic regression (spherical variogram)."
    kept = side
    while kept > 1 and min(len(np.unique(sample.blocks(kept)[sample.labels == label])) for label in (0, 1)) < least:
        kept = kept * 9 // 10
    if kept < side:
        source += f" Cut from {side} pixels, which leave too few blocks: the folds lie nearer than the range."
    return BlockSide(kept, length, source)
