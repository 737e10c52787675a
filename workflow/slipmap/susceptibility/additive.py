"""Generalised additive models of landslide occurrence, without and with a random effect.

`MixedAdditiveModel` is the GAMM of Zheng et al. (2025), Table 2, after Moreno et al. (2024) and Steger et al. (2024):
smooth effects of the factors and a random intercept of each group (an area; a slope unit or block within one).
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from hashlib import sha256
from typing import TypedDict, Unpack

import numpy as np
from pygam import LogisticGAM, f, l, s
from pygam.terms import TermList
from pygam.utils import OptimizationError
from threadpoolctl import threadpool_limits

from slipmap.screening.sampling import Sample

SMOOTHING = (0.1, 1.0, 10.0, 100.0, 1000.0)  # penalties to choose from, by UBRE
CHUNK = 50_000  # pixels predicted at once; the design matrix of all of them would not fit
FITS_KEPT = 16  # more than the folds of a cross-validation
_fitted: dict[bytes, LogisticGAM] = {}  # by what was learnt from and how, the oldest first


class Smooths(TypedDict, total=False):
    """Options of `AdditiveModel` that hold for every number alike; see there."""

    splines: int
    smoothing: Sequence[float]


class MixedSmooths(Smooths, total=False):
    """With that of `MixedAdditiveModel`."""

    precision: Sequence[float]


class AdditiveModel:
    """Logistic GAM: a penalised spline of every number, one level for each class.

    Parameters
    ----------
    names, categorical : factors, and those of them that are classes.
    splines : basis functions of each smooth.
    smoothing : penalties to choose from by the unbiased risk estimator (UBRE); one value is taken as it is.
    monotonic : names whose effect may only rise (rain, say).
    """

    threshold = 0.5

    def __init__(
        self,
        names: Sequence[str],
        categorical: Sequence[str] = (),
        *,
        splines: int = 10,
        smoothing: Sequence[float] = SMOOTHING,
        monotonic: Sequence[str] = (),
    ) -> None:
        self.names, self.categorical = tuple(names), tuple(categorical)
        self.splines, self.smoothing, self.monotonic = splines, tuple(smoothing), tuple(monotonic)
        self.codes: dict[str, np.ndarray] = {}
        self.commonest: dict[str, int] = {}

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "AdditiveModel":
        """See `classical.Classifier.fit`."""
        return self.fit_arrays(sample.columns(self.names), sample.labels)

    def fit_arrays(self, values: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None) -> "AdditiveModel":
        """Learn from (pixels, factors) values and (pixels,) labels."""
        for name in self.categorical:
            self.codes[name], counts = np.unique(values[:, self.names.index(name)], return_counts=True)
            self.commonest[name] = int(counts.argmax())
        self.model = self._smooths(self._design(values), labels)
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """See `classical.Classifier.predict`."""
        out = np.empty(len(values))
        for start in range(0, len(values), CHUNK):
            part = slice(start, start + CHUNK)
            out[part] = self.model.predict_proba(self._design(values[part]))
        return out

    def _smooths(self, design: np.ndarray, labels: np.ndarray) -> LogisticGAM:
        """The fit without random effects, found once where a GAM and a mixed model learn from the same pixels."""
        options = (self.names, self.categorical, self.splines, self.smoothing, self.monotonic, design.shape)
        key = sha256(repr(options).encode() + design.tobytes() + labels.tobytes()).digest()
        if key not in _fitted:
            _fitted[key] = best_of(design, labels, [self._terms(lam) for lam in self.smoothing])
            while len(_fitted) > FITS_KEPT:
                del _fitted[next(iter(_fitted))]
        return _fitted[key]

    def _terms(self, lam: float) -> TermList:
        terms = TermList()
        for i, name in enumerate(self.names):
            if name in self.categorical:
                terms += f(i, lam=lam)
            else:
                rising = "monotonic_inc" if name in self.monotonic else None
                terms += s(i, n_splines=self.splines, lam=lam, constraints=rising)
        return terms

    def _design(self, values: np.ndarray) -> np.ndarray:
        """Values with classes numbered 0 … k−1; a class not seen in training counts as the commonest one."""
        design = np.array(values, np.float64)
        for name in self.categorical:
            i = self.names.index(name)
            codes = self.codes[name]
            at = np.minimum(np.searchsorted(codes, design[:, i]), len(codes) - 1)
            design[:, i] = np.where(codes[at] == design[:, i], at, self.commonest[name])
        return design


class MixedAdditiveModel(AdditiveModel):
    """GAMM: an `AdditiveModel` with a random intercept of each group.

    A normal random intercept of variance τ² is a ridge penalty 1/τ² on the group indicators (Wood 2017, 5.8); 1/τ² is
    chosen with the smoothing, by UBRE. `predict` leaves the random effect at its mean, 0, as for a group never seen.

    Parameters
    ----------
    precision : values of 1/τ² to choose from.
    """

    def __init__(
        self,
        names: Sequence[str],
        categorical: Sequence[str] = (),
        *,
        precision: Sequence[float] = (0.1, 1.0, 10.0, 100.0),
        monotonic: Sequence[str] = (),
        **options: Unpack[Smooths],
    ) -> None:
        super().__init__(names, categorical, monotonic=monotonic, **options)
        self.precision = tuple(precision)
        self.groups: np.ndarray = np.empty(0)

    def fit(self, sample: Sample, groups: np.ndarray | None = None) -> "MixedAdditiveModel":
        """See `classical.Classifier.fit`; without `groups` it is a GAM."""
        return self.fit_arrays(sample.columns(self.names), sample.labels, groups)

    def fit_arrays(
        self, values: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None
    ) -> "MixedAdditiveModel":
        """Learn from (pixels, factors) values, (pixels,) labels and (pixels,) group numbers."""
        self.groups = np.empty(0)
        super().fit_arrays(values, labels)
        if groups is None or len(np.unique(groups)) < 2:
            return self
        self.groups = np.unique(groups)
        lam = self.model.slipmap_penalty
        trials = []
        for tau in self.precision:
            terms = self._terms(lam)
            for j in range(len(self.groups)):
                terms += l(len(self.names) + j, lam=tau, penalties="l2")
            trials.append(terms)
        self.model = best_of(self._with_groups(values, groups), labels, trials)
        return self

    @property
    def random_effects(self) -> dict[int, float]:
        """Fitted random intercept of each group, log-odds."""
        return {
            int(group): float(self.model.coef_[self.model.terms.get_coef_indices(len(self.names) + j)][0])
            for j, group in enumerate(self.groups)
        }

    def _with_groups(self, values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
        design = super()._design(values)
        if not len(self.groups):
            return design
        member = np.zeros((len(design), len(self.groups)))
        if groups is not None:
            member = (np.asarray(groups)[:, None] == self.groups[None, :]).astype(np.float64)
        return np.hstack([design, member])

    def _design(self, values: np.ndarray) -> np.ndarray:
        return self._with_groups(values, None)


def best_of(design: np.ndarray, labels: np.ndarray, trials: Sequence[TermList]) -> LogisticGAM:
    """The fitted GAM of the least UBRE (Craven and Wahba's criterion for a known scale) among `trials`.

    A penalty too small for the data can make the iteration diverge; that trial is passed over.
    """
    best, score, failure = None, np.inf, None
    for terms in trials:
        model = LogisticGAM(terms, max_iter=200)
        try:
            # Threads on matrices this small wait for each other: many times slower than one.
            with threadpool_limits(1, "blas"), np.errstate(all="ignore"), redirect_stdout(io.StringIO()):
                model.fit(design, labels.astype(np.float64))
        except (OptimizationError, np.linalg.LinAlgError, ValueError) as error:
            failure = error
            continue
        if not model.logs_["diffs"] or not model.logs_["diffs"][-1] < model.tol:
            failure = "the iteration did not converge"
            continue
        ubre = float(model.statistics_["UBRE"])
        if np.isfinite(ubre) and ubre < score:
            best, score = model, ubre
            model.slipmap_penalty = terms.info["terms"][0]["lam"][0]
    if best is None:
        raise RuntimeError(f"no additive model could be fitted ({failure})")
    return best
