"""What a change is without an event: by how much it differs where nothing fell, and by how much it scatters there.

Rain and season change the whole scene, each cover in its own way. So the change that is expected, and its scatter, are
those of the scene's pixels that had the same coherence before (as histograms are matched in the coherence maps of Yun
et al. 2015); how much a pixel scatters beside others of its kind is its own, drawn towards them as few values ask for
(the moderated variance of Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3, 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from slipmap.event.indicators import Change
from slipmap.motion.background import scatter as robust

BINS = 12  # of the level before, each with as many pixels
LEAST = 200  # pixels in a bin
SURE = 1e3  # degrees of freedom: all pixels of a kind scatter alike


@dataclass(frozen=True)
class Expectation:
    """The change to expect and its scatter, by the level before.

    Parameters
    ----------
    levels, shift, spread, own : (bins,): level, expected change, its standard deviation, mean variance of a pixel
        before the event. freedom : degrees of freedom that a pixel's kind adds to its own.
    """

    levels: np.ndarray
    shift: np.ndarray
    spread: np.ndarray
    own: np.ndarray
    freedom: float

    def score(self, change: Change, level: np.ndarray) -> np.ndarray:
        """The change in its standard deviations, about standard normal where nothing happened; (rows, cols) float32.

        Parameters
        ----------
        level : as `learn` had it.
        """
        level = np.nan_to_num(level)
        shift, spread = (np.interp(level, self.levels, of).astype(np.float32) for of in (self.shift, self.spread))
        found = (change.difference - shift) / spread
        mine = change.count - 1
        if mine < 1:
            return np.asarray(found, np.float32)
        ratio = change.scatter**2 / np.interp(level, self.levels, self.own).astype(np.float32)
        freedom = np.float32(self.freedom + mine)
        found /= np.sqrt((self.freedom + mine * ratio) / freedom, dtype=np.float32)
        # Wallace's normal deviate of Student's t
        scale = (8 * freedom + 1) / (8 * freedom + 3)
        return np.asarray(np.sign(found) * scale * np.sqrt(freedom * np.log1p(found**2 / freedom)), np.float32)


def learn(changes: Sequence[Change], levels: Sequence[np.ndarray]) -> Expectation | None:
    """The expectation from a sample of blocks; None where nothing is known in them.

    Parameters
    ----------
    levels : of each block, what its pixels are told apart by (coherence before, or backscatter); NaN: not at all.
    """
    difference, level = (
        np.concatenate([part.ravel() for part in parts]) for parts in ([c.difference for c in changes], levels)
    )
    scatter = np.concatenate([change.scatter.ravel() for change in changes])
    mine = changes[0].count - 1 if changes else 0
    known = np.isfinite(difference)
    if not known.any():
        return None
    difference, level, scatter = difference[known], np.nan_to_num(level[known]), scatter[known]
    count = int(np.clip(known.sum() // LEAST, 1, BINS))
    edges = np.unique(np.quantile(level, np.linspace(0, 1, count + 1)[1:-1]))
    which = np.searchsorted(edges, level)
    used = [which == k for k in range(len(edges) + 1) if (which == k).any()]
    middle = np.array([np.median(level[here]) for here in used])
    shift = np.array([np.median(difference[here]) for here in used])
    spread = np.array([max(robust(difference[here]), 1e-3) for here in used])
    if mine < 1:
        return Expectation(middle, shift, spread, np.ones_like(spread), SURE)
    own = np.array([max(float(np.mean(scatter[here] ** 2)), 1e-8) for here in used])
    ratio = np.maximum(scatter**2 / np.interp(level, middle, own), 1e-6)
    return Expectation(middle, shift, spread, own, _freedom(float(np.var(np.log(ratio))), mine))


def _freedom(spread: float, mine: int) -> float:
    """Degrees of freedom of the kind: the variance of log s² is ψ′(own / 2) + ψ′(kind / 2)."""
    left = spread - float(special.polygamma(1, mine / 2))
    if left <= float(special.polygamma(1, SURE / 2)):
        return SURE
    return float(
        optimize.brentq(lambda d: float(special.polygamma(1, d / 2)) - left, 0.05, SURE)
        if left < float(special.polygamma(1, 0.025))
        else 0.05
    )
