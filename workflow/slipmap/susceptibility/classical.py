"""Classical susceptibility models behind one small interface: fit a sample, predict a probability.

SVM, random forest, XGBoost, GAM, GAMM, logistic regression and frequency ratio; `risk_model` gives the Landslide Risk
Index the same interface. The sample is half landslides, so a probability means susceptibility
relative to that: multiply the odds by the area's own to get a frequency.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from slipmap.codes import LANDSLIDE
from slipmap.screening.encoding import encoder
from slipmap.screening.frequency import Classes, divide
from slipmap.screening.sampling import Sample
from slipmap.susceptibility.additive import AdditiveModel, MixedAdditiveModel


class Classifier(Protocol):
    """A model that learns from a sample and gives each pixel a probability of landslide."""

    names: tuple[str, ...]

    @property
    def threshold(self) -> float:
        """Probability from which it says landslide."""

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "Classifier":
        """Learn from `sample` (its factors `names`); `groups` (pixels,) are for mixed models."""

    def predict(self, values: np.ndarray) -> np.ndarray:
        """(pixels,) probability of landslide for (pixels, len(names)) finite values."""


def _double(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float64)


class Estimator:
    """A scikit-learn pipeline as a `Classifier`."""

    threshold = 0.5

    def __init__(self, names: Sequence[str], categorical: Sequence[str], model: Any, standardise: bool) -> None:
        self.names = tuple(names)
        self.pipeline: Pipeline = make_pipeline(encoder(self.names, categorical, standardise=standardise), model)

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "Estimator":
        """See `Classifier.fit`."""
        self.pipeline.fit(sample.columns(self.names), sample.labels)
        if isinstance(self.pipeline[-1], RandomForestClassifier):
            # threads add the trees' votes up in any order: the last digit would depend on it
            self.pipeline[-1].set_params(n_jobs=1)
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """See `Classifier.predict`."""
        probability: np.ndarray = self.pipeline.predict_proba(values)[:, 1]
        return probability


class FrequencyRatio:
    """Sum of the frequency ratios of a pixel's classes (Lee and Pradhan 2007), made a probability by a logistic curve.

    Ratios are relative to the population that the sample was drawn from, not to its own half-and-half; an empty
    class counts as 1 (no evidence).
    """

    threshold = 0.5

    def __init__(self, names: Sequence[str], classes: int = 5, method: str = "quantile") -> None:
        self.names, self.classes, self.method = tuple(names), classes, method
        self.divided: dict[str, Classes] = {}
        self.ratios: dict[str, np.ndarray] = {}

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "FrequencyRatio":
        """See `Classifier.fit`."""
        sample = sample.select(self.names)
        slide = sample.labels == LANDSLIDE
        drawn = np.array([(~slide).sum(), slide.sum()], np.float64)
        population = [sample.population.get(label, drawn[label]) for label in (0, 1)]
        weight = np.where(slide, population[1] / drawn[1], population[0] / drawn[0])
        self.divided = divide(sample, self.classes, self.method)
        for name, classes in self.divided.items():
            index = classes.index(sample.column(name))
            found = index >= 0
            all_pixels = np.bincount(index[found], weight[found], classes.count)
            slides = np.bincount(index[found & slide], weight[found & slide], classes.count)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = (slides / slides.sum()) / (all_pixels / all_pixels.sum())
            self.ratios[name] = np.append(np.where(all_pixels > 0, ratio, 1.0), 1.0)  # -1: an unseen class
        self.curve = LogisticRegression(C=1e6, max_iter=1000).fit(self.index(sample.values)[:, None], sample.labels)
        return self

    def index(self, values: np.ndarray) -> np.ndarray:
        """(pixels,) sum of frequency ratios over the factors."""
        ratios = (self.ratios[name][self.divided[name].index(values[:, i])] for i, name in enumerate(self.names))
        return sum(ratios, start=np.zeros(len(values)))

    def predict(self, values: np.ndarray) -> np.ndarray:
        """See `Classifier.predict`."""
        probability: np.ndarray = self.curve.predict_proba(self.index(values)[:, None])[:, 1]
        return probability


LABELS: dict[str, str] = {
    "svm": "SVM",
    "random_forest": "Random forest",
    "xgboost": "XGBoost",
    "gam": "GAM",
    "gamm": "GAMM",
    "logistic": "Logistic regression",
    "frequency_ratio": "Frequency ratio",
    "rainfall_history": "Rainfall history (model [54])",
    "stability_margin": "Stability margin (model [55])",
    "lsi_without_rain": "LSI without rainfall",
    "lsi": "LSI",
}


class Defaults:
    """Options of the models where the config gives none."""

    of: ClassVar[dict[str, dict[str, Any]]] = {
        "svm": {"C": 1.0, "gamma": "scale"},
        "random_forest": {"n_estimators": 300, "min_samples_leaf": 3},
        "xgboost": {"n_estimators": 300, "max_depth": 4, "learning_rate": 0.05, "subsample": 0.8},
        "gam": {},
        "gamm": {},
        "logistic": {"C": 1e6, "max_iter": 2000, "tol": 1e-6},  # in effect without a penalty
        "frequency_ratio": {},
        "rainfall_history": {},
        "stability_margin": {},
    }


def create(
    name: str,
    names: Sequence[str],
    categorical: Sequence[str] = (),
    *,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    jobs: int = 1,
) -> Classifier:
    """An unfitted model.

    Parameters
    ----------
    name : a key of `Defaults.of`.
    names : factors, in the order of the columns that it will be given.
    categorical : those of them that are classes.
    options : over the defaults, as scikit-learn, xgboost and pygam name them.
    """
    given = {**Defaults.of.get(name, {}), **(options or {})}
    match name:
        case "svm":
            # Platt's sigmoid on cross-validated decision values: SVC has no probability of its own.
            model = CalibratedClassifierCV(SVC(kernel="rbf", **given), method="sigmoid", cv=3, ensemble=False)
            return Estimator(names, categorical, model, standardise=True)
        case "random_forest":
            model = RandomForestClassifier(random_state=seed, n_jobs=jobs, **given)
            return Estimator(names, categorical, model, standardise=False)
        case "xgboost":
            # One thread: on a few thousand pixels its threads wait for each other longer than they work.
            model = xgboost.XGBClassifier(random_state=seed, n_jobs=1, tree_method="hist", **given)
            return Estimator(names, categorical, model, standardise=False)
        case "logistic":
            # in float32, which the factors have, the fit stops short of the maximum of the likelihood
            model = make_pipeline(FunctionTransformer(_double), LogisticRegression(**given))
            return Estimator(names, categorical, model, standardise=True)
        case "gam":
            return AdditiveModel(names, categorical, **given)
        case "gamm":
            return MixedAdditiveModel(names, categorical, **given)
        case "frequency_ratio":
            return FrequencyRatio(names, **given)
        case "rainfall_history":
            from slipmap.susceptibility.dynamic import RainfallHistory  # torch takes seconds to import
            from slipmap.susceptibility.rainfall_history import HistorySettings

            return RainfallHistory(names, categorical, settings=HistorySettings(seed=seed, **given))
        case "stability_margin":
            from slipmap.susceptibility.dynamic import StabilityMarginOfPixels

            return StabilityMarginOfPixels(names, categorical, **given)
    raise ValueError(f"there is no classical model '{name}'; known are {', '.join(Defaults.of)}")
