"""The Landslide Risk Index with the interface of the classical models, so that it is judged on the same folds."""

from collections.abc import Mapping

import numpy as np

from slipmap.config.susceptibility import RiskIndexSettings, Role
from slipmap.screening.sampling import Sample
from slipmap.susceptibility import risk_index


class RiskIndex:
    """The Landslide Risk Index as a `Classifier`: ranges, and weights where asked for, come from the sample.

    `predict` gives the index itself, which is no probability (see `risk_index`); `threshold` is that of the highest
    accuracy on the sample.
    """

    def __init__(self, settings: RiskIndexSettings, *, rain: bool) -> None:
        self.settings = settings
        self.rain = settings.rain if rain else None
        self.factors = tuple(settings.factors[role] for role in risk_index.ROLES)
        self.names = (*self.factors, *(self.rain.names if self.rain else ()))
        self.threshold = 0.5
        self.ranges: dict[Role, tuple[float, float]] = {}
        self.weights: Mapping[Role, float] = {}

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "RiskIndex":
        """See `Classifier.fit`."""
        values = sample.columns(self.factors)
        self.set_ranges(values.min(axis=0), values.max(axis=0))
        self.set_weights(sample)
        self.threshold = risk_index.best_threshold(self.predict(sample.columns(self.names)), sample.labels)
        return self

    def set_ranges(self, low: np.ndarray, high: np.ndarray) -> None:
        """Ranges of the six factors, (6,) each; those that the settings fix stay."""
        measured = {role: (float(a), float(b)) for role, a, b in zip(risk_index.ROLES, low, high, strict=True)}
        self.ranges = measured | dict(self.settings.ranges)

    def set_weights(self, sample: Sample | None) -> None:
        """Weights of the settings, or from Spearman's correlation on `sample`."""
        if self.settings.weights == "spearman":
            if sample is None:
                raise ValueError("weights from Spearman's correlation need a sample of an inventory")
            self.weights = risk_index.spearman_weights(sample.columns(self.factors), sample.labels)
        else:
            self.weights = self.settings.weights

    def predict(self, values: np.ndarray) -> np.ndarray:
        """(pixels,) index for (pixels, len(names)) values; NaN where any is NaN."""
        scaled = np.stack(
            [risk_index.unit_range(values[:, i], *self.ranges[role]) for i, role in enumerate(risk_index.ROLES)]
        )
        return risk_index.risk_index(scaled, self.weights, self.multiplier(values))

    def multiplier(self, values: np.ndarray) -> np.ndarray | float:
        """R of every pixel, from the columns that hold rain or from the numbers in the settings."""
        if self.rain is None:
            return 1.0
        given = {
            key: values[:, self.names.index(v)] if isinstance(v, str) else v
            for key, v in (("p", self.rain.intensity), ("d", self.rain.duration))
        }
        return risk_index.rain_multiplier(
            given["p"],
            given["d"],
            self.rain.reference_intensity,
            self.rain.reference_duration,
            self.rain.alpha,
            self.rain.beta,
        )
