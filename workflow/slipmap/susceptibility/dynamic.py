"""The two models of rain over time that Zheng et al. (2025) compare with, as classical models of an area's pixels."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from slipmap.factors.names import rain_lags
from slipmap.screening.encoding import encoder
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.additive import MixedSmooths
from slipmap.susceptibility.rainfall_history import HistorySettings, RainfallHistoryModel
from slipmap.susceptibility.stability_margin import StabilityMargin


class RainfallHistory:
    """ "Model [54]" (`rainfall_history`): a network on the rain of the days before the cut-off and the other factors.

    Parameters
    ----------
    names : factors; those named ``rain_lag_N`` are the rain N days before the cut-off, in any order.
    categorical : those that are classes.
    settings : of the network and its training; None: the defaults.
    """

    threshold = 0.5

    def __init__(
        self, names: Sequence[str], categorical: Sequence[str] = (), *, settings: HistorySettings | None = None
    ) -> None:
        self.names = tuple(names)
        oldest_first = rain_lags(names)[::-1]
        if not oldest_first:
            raise ValueError("there is no rain_lag_N among the factors")
        static = [name for name in names if name not in oldest_first]
        self.days = [self.names.index(name) for name in oldest_first]
        self.static = [self.names.index(name) for name in static]
        self.encoder = encoder(static, categorical, standardise=False) if static else None
        self.model = RainfallHistoryModel(settings)

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "RainfallHistory":
        """See `classical.Classifier.fit`."""
        values = sample.columns(self.names)
        static = self.encoder.fit_transform(values[:, self.static]) if self.encoder else None
        self.model.fit(values[:, self.days], sample.labels, static)
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """See `classical.Classifier.predict`."""
        static = self.encoder.transform(values[:, self.static]) if self.encoder else None
        return self.model.predict(values[:, self.days], static)


class StabilityMarginOfPixels:
    """Model [55] (`stability_margin`): a GAMM whose probability only rises with rain.

    Parameters
    ----------
    names, categorical : factors, and those that are classes.
    rain : the factor that is the triggering rain.
    options : of `additive.MixedAdditiveModel`.
    """

    def __init__(
        self,
        names: Sequence[str],
        categorical: Sequence[str] = (),
        *,
        rain: str = "rainfall",
        **options: Unpack[MixedSmooths],
    ) -> None:
        self.names = tuple(names)
        self.model = StabilityMargin(names, rain, categorical, **options)

    @property
    def threshold(self) -> float:
        """Probability from which it says landslide: Youden's on the pixels that it learnt from."""
        return self.model.threshold

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "StabilityMarginOfPixels":
        """See `classical.Classifier.fit`."""
        self.model.fit(sample.columns(self.names), sample.labels, groups)
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """See `classical.Classifier.predict`."""
        return self.model.probability(values)
