"""Spatial dynamic rainfall thresholds by a margin of stability: "model [55]" of Zheng et al. (2025), read.

Their reference 55, Steger et al. (2024, Geoscience Frontiers 15, 101822), fits a GAMM of landslide occurrence to what a
place is and what rain it gets, and borrows the margin of stability from biomechanics: how far the present state is from
the critical one. Read here so: with the smooth effect of rain kept from falling, the model has for each place one
critical rain at which its probability reaches a threshold; the margin is critical minus actual rain, positive while the
place is stable. The map of critical rain is the spatial, dynamic threshold.
"""

from collections.abc import Sequence
from typing import Unpack

import numpy as np
from sklearn.metrics import roc_curve

from slipmap.susceptibility.additive import MixedAdditiveModel, MixedSmooths


class StabilityMargin:
    """A GAMM that only rises with rain, and the rain at which it says landslide.

    Parameters
    ----------
    names : predictors, in the order of the columns.
    rain : the one of them that is the triggering rain, mm.
    categorical : those that are classes.
    """

    def __init__(
        self, names: Sequence[str], rain: str, categorical: Sequence[str] = (), **options: Unpack[MixedSmooths]
    ) -> None:
        if rain not in names:
            raise ValueError(f"the rain '{rain}' is not among the predictors {', '.join(names)}")
        self.names, self.rain = tuple(names), rain
        self.model = MixedAdditiveModel(names, categorical, monotonic=[rain], **options)
        self.threshold = 0.5

    def fit(self, values: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None) -> "StabilityMargin":
        """Learn from (observations, predictors) of many places and dates, and set the threshold.

        The threshold is the probability of the greatest true positive rate minus false positive rate (Youden 1950).

        Parameters
        ----------
        labels : (observations,) 1 where there was a landslide at that place on that date.
        groups : (observations,) group of each random intercept (a catchment, an area, a year).
        """
        self.model.fit_arrays(values, labels, groups)
        self.threshold = youden_threshold(labels, self.model.predict(values))
        column = values[:, self.names.index(self.rain)]
        self.range = float(column.min()), float(column.max())
        return self

    def probability(self, values: np.ndarray) -> np.ndarray:
        """(observations,) probability, random effects at their mean."""
        return self.model.predict(values)

    def critical_rain(self, values: np.ndarray, steps: int = 40) -> np.ndarray:
        """(places,) rain at which each place reaches the threshold, by bisection over the rain seen in training.

        −∞ where the least rain is already enough, +∞ where the most is not: beyond what was seen nothing is claimed.
        """
        low, high = np.full(len(values), self.range[0]), np.full(len(values), self.range[1])
        always, never = self._at(values, low) >= self.threshold, self._at(values, high) < self.threshold
        for _ in range(steps):
            middle = (low + high) / 2
            enough = self._at(values, middle) >= self.threshold
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return np.where(always, -np.inf, np.where(never, np.inf, high))

    def margin(self, values: np.ndarray) -> np.ndarray:
        """(observations,) critical minus actual rain, mm: positive is stable."""
        margin: np.ndarray = self.critical_rain(values) - values[:, self.names.index(self.rain)]
        return margin

    def _at(self, values: np.ndarray, rain: np.ndarray) -> np.ndarray:
        design = np.array(values, np.float64)
        design[:, self.names.index(self.rain)] = rain
        return self.model.predict(design)


def youden_threshold(labels: np.ndarray, probability: np.ndarray) -> float:
    """Probability of the greatest true positive rate minus false positive rate."""
    false, true, thresholds = roc_curve(labels, probability)
    return float(thresholds[1:][np.argmax((true - false)[1:])])
