"""Models of a displacement series beyond a line, the one that the data ask for, and its class of trend.

Every series is described by offset, velocity and (where the dates span a year) an annual cycle, the base. Families of
one more term are compared with it: acceleration, one change of velocity, one step, a step with a change of velocity;
the date of the last three is searched among all dates, exactly. A family counts where its largest statistic exceeds
what noise alone exceeds in the stated share of cases, searching included; of those that count, and the base, the
Bayesian information criterion chooses. Classes after Berti et al. (2013, NHESS 13, 1945–1968).

Errors of neighbouring dates may be correlated: R = ρ^(Δt / median Δt); ρ is estimated from many pixels at once, and
series and models are whitened by the Cholesky factor of R. What is left of the atmosphere is shared by neighbours, so
that a whole hillside can seem to step on a cloudy day: each statistic's upper quartile over the area, against what it
is for noise, says by how much limits and variances must grow there (three quarters of the ground move steadily).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from scipy import stats
from scipy.linalg import cholesky, solve_triangular

from slipmap.deformation.inversion import years
from slipmap.deformation.phase import DAYS_PER_YEAR
from slipmap.deformation.velocity import LEAST_YEARS

LEAST_DATES = 10
UNCORRELATED, LINEAR, QUADRATIC, BILINEAR, STEPPED, STEPPED_BILINEAR = range(6)
CLASSES = {
    UNCORRELATED: "no trend",
    LINEAR: "linear",
    QUADRATIC: "quadratic: accelerating or slowing",
    BILINEAR: "bilinear: one change of velocity",
    STEPPED: "a step, constant velocity",
    STEPPED_BILINEAR: "a step and a change of velocity",
}
FAMILIES = ("acceleration", "velocity_change", "step", "both")
BULK = 0.75  # quantile of a statistic over the area, above which it may be motion
DRAWS = 20_000  # series of noise behind a limit
CORRELATIONS = np.arange(0, 0.95, 0.05)


@dataclass(frozen=True)
class Family:
    """Terms that can join the base: one of `candidates`, each of one or two columns.

    Parameters
    ----------
    directions : (candidates, terms, dates), whitened, orthogonal to the base and to the term before, of unit length.
    lengths : (candidates, terms), of each direction before it was made a unit: the first's parameter is projection /
        length. shared : (candidates,), share of the second column along the first direction; 0 with one term.
    dates : (candidates,), index of the date from which the term acts. parameters : that the criterion counts.
    """

    directions: np.ndarray
    lengths: np.ndarray
    shared: np.ndarray
    dates: np.ndarray
    parameters: int


@dataclass(frozen=True)
class Model:
    """What the series of one set of dates are compared with.

    Parameters
    ----------
    times : years since the first date. base : (dates, terms) whitened, of offset, velocity and the annual cycle.
    basis : its orthonormal basis. inverse : its pseudo-inverse. whiten : (dates, dates), W with W R Wᵀ = 1.
    limits : by family, what its statistic exceeds on noise in the stated share of cases.
    excess : by family, "velocity" and "annual", variance over that of independent noise, at least 1; of all pixels or
        of each.
    """

    times: np.ndarray
    base: np.ndarray
    basis: np.ndarray
    inverse: np.ndarray
    whiten: np.ndarray
    families: dict[str, Family]
    annual: bool
    limits: dict[str, float] = field(default_factory=dict)
    excess: Mapping[str, float | np.ndarray] = field(default_factory=lambda: defaultdict(lambda: 1.0))

    @property
    def correlated(self) -> bool:
        """Whether the errors of neighbouring dates are."""
        return bool((self.whiten != np.eye(len(self.times))).any())

    @property
    def freedom(self) -> int:
        """Degrees of freedom that the base leaves."""
        return len(self.times) - int(self.base.shape[1])

    def projections(self, white: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """By family the projections on each candidate, (candidates, pixels), and the squares that the base leaves.

        On the first direction; on the second of "both" under "bend in both". A step at date k takes the sum of what the
        base leaves from k on, a bend its first moment: two running sums serve all candidates, instead of a product with
        each.
        """
        left = white - self.basis @ (self.basis.T @ white)
        rest = np.einsum("dp,dp->p", left, left)
        found = {"acceleration": self.families["acceleration"].directions[:, 0] @ left}
        steps, bends, both = (self.families[name] for name in ("step", "velocity_change", "both"))
        if self.correlated:
            left = self.whiten.T @ left
        k = steps.dates
        after = np.cumsum(left[::-1], axis=0)[::-1][k]
        left *= self.times[:, None]
        moment = np.cumsum(left[::-1], axis=0)[::-1][k]
        moment -= self.times[k, None] * after
        found["step"] = after / steps.lengths[:, :1]
        found["velocity_change"] = moment / bends.lengths[:, :1]
        moment -= both.shared[:, None] * found["step"]
        found["bend in both"] = moment / both.lengths[:, 1:]
        return found, np.maximum(rest, 0)

    def gains(self, projected: Mapping[str, np.ndarray], name: str) -> np.ndarray:
        """By how much each candidate of a family lowers the sum of squares, (candidates, pixels)."""
        if name != "both":
            return np.asarray(projected[name] ** 2)
        return np.asarray(projected["step"] ** 2 + projected["bend in both"] ** 2)

    def statistic(self, name: str, gain: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """F of a family: what it gains for each term over the mean square of what it leaves.

        Parameters
        ----------
        gain : its largest. rest : sum of squares that the base leaves.
        """
        terms = self.families[name].directions.shape[1]
        left = np.maximum(rest - gain, 1e-12 * np.maximum(rest, 1e-300))
        return np.asarray(gain / terms / (left / (self.freedom - terms)))

    def statistics(self, white: np.ndarray) -> dict[str, np.ndarray]:
        """Largest F of each family, and F of the annual cycle if there is one, of whitened series, (pixels,)."""
        projected, rest = self.projections(white)
        found = {name: self.statistic(name, self.gains(projected, name).max(0), rest) for name in self.families}
        parameters, covariance = self.inverse @ white, self.inverse @ self.inverse.T
        if self.annual:
            part, inverse = parameters[2:], np.linalg.inv(covariance[2:, 2:])
            power = np.einsum("ip,ij,jp->p", part, inverse, part)
            found["annual"] = power / 2 / np.maximum(rest / self.freedom, 1e-300)
        return found


def build(
    dates: Sequence[date],
    *,
    margin: int,
    correlation: float = 0.0,
    limits: dict[str, float] | None = None,
    excess: dict[str, float] | None = None,
) -> Model:
    """The models of `dates`; see `limit` for what they are held to.

    Parameters
    ----------
    margin : dates left on each side of a step or change. correlation : of the errors of neighbouring dates, 0-1.
    """
    t = years(dates)
    whiten = _whitening(t, correlation)
    columns = [np.ones_like(t), t]
    annual = bool(t[-1] >= LEAST_YEARS) and len(t) >= LEAST_DATES
    if annual:
        columns += [np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)]
    base = whiten @ np.stack(columns, axis=1)
    basis = np.linalg.qr(base)[0]
    places = np.arange(margin, len(t) - margin + 1)
    steps = [(t >= t[k]).astype(float) for k in places]
    bends = [np.maximum(t - t[k], 0) for k in places]
    families = {
        "acceleration": _family([[0.5 * (t - t.mean()) ** 2]], [0], whiten, basis, 1),
        "velocity_change": _family([[bend] for bend in bends], places, whiten, basis, 2),
        "step": _family([[step] for step in steps], places, whiten, basis, 2),
        "both": _family([[a, b] for a, b in zip(steps, bends, strict=True)], places, whiten, basis, 3),
    }
    more = {} if excess is None else {"excess": excess}
    return Model(t, base, basis, np.linalg.pinv(base), whiten, families, annual, limits or {}, **more)


def limits_of(
    model: Model, false_alarms: float, sample: np.ndarray, seed: int = 0
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """What statistics of noise exceed in `false_alarms` / 4 of cases; the excess of the area's noise; the noise's bulk.

    The families share the alarms, so that together they make no more than the stated share.

    Parameters
    ----------
    sample : (dates, pixels) of the area, not whitened.
    """
    rng = np.random.default_rng(seed)
    drawn = model.statistics(rng.standard_normal((len(model.times), DRAWS)))
    limits = {name: float(np.quantile(drawn[name], 1 - false_alarms / 4)) for name in model.families}
    noise = {name: float(np.quantile(values, BULK)) for name, values in drawn.items()}
    if not sample.shape[1]:
        return limits, dict.fromkeys([*noise, "velocity"], 1.0), noise
    return limits, excess_of(model, sample, noise), noise


def excess_of(model: Model, sample: np.ndarray, noise: Mapping[str, float]) -> dict[str, float]:
    """Variance of the noise of some series over that of independent noise, by statistic, at least 1.

    Parameters
    ----------
    sample : (dates, pixels), not whitened. noise : the `BULK` quantile of each statistic of independent noise.
    """
    found = model.statistics(model.whiten @ sample)
    excess = {name: float(max(1, np.quantile(found[name], BULK) / noise[name])) for name in noise}
    return excess | {"velocity": excess["acceleration"]}  # all ground may move; both ask for slow change


def correlation_of(dates: Sequence[date], series: np.ndarray, *, margin: int) -> float:
    """Correlation of the errors of neighbouring dates, of many pixels at once, by restricted maximum likelihood.

    Parameters
    ----------
    series : (dates, pixels) without gaps; what accelerates is described by an acceleration.
    """
    best = []
    for correlation in CORRELATIONS:
        model = build(dates, margin=margin, correlation=float(correlation))
        white = model.whiten @ series
        rest = _left(model, white) - (model.families["acceleration"].directions[0, 0] @ white) ** 2
        described = np.column_stack([model.base, model.families["acceleration"].directions[0, 0]])
        known = np.linalg.slogdet(model.whiten)[1] - 0.5 * np.linalg.slogdet(described.T @ described)[1]
        best.append(known - 0.5 * (model.freedom - 1) * np.mean(np.log(np.maximum(rest, 1e-12))))
    return float(CORRELATIONS[int(np.argmax(best))])


@dataclass(frozen=True)
class Trends:
    """What the series of some pixels do, each (pixels,); NaN where the series says nothing.

    Parameters
    ----------
    values : by name: acceleration (mm/yr²), annual_amplitude (mm), annual_phase (days from the first of January to the
        cycle's largest displacement towards the satellite), step (mm), velocity_change (mm/yr), with ``_std``;
        step_date and velocity_change_date (index of the date); and for each family ``_significance``, its statistic
        over its limit.
    classes : uint8, of `CLASSES`.
    """

    values: dict[str, np.ndarray]
    classes: np.ndarray


def fit(model: Model, series: np.ndarray, first_day: int, velocity_alarms: float) -> Trends:
    """Fit every family to series without gaps, (dates, pixels), mm, and choose.

    Parameters
    ----------
    first_day : day of the year of the first date, for the phase of the annual cycle.
    velocity_alarms : share of still pixels that may be told to have a trend.
    """
    white = model.whiten @ series
    projected, rest = model.projections(white)
    count = len(model.times)
    values, criteria, codes = {}, [_criterion(rest, count, model.base.shape[1])], [LINEAR]
    for name, code in zip(FAMILIES, (QUADRATIC, BILINEAR, STEPPED, STEPPED_BILINEAR), strict=True):
        family = model.families[name]
        gains = model.gains(projected, name)
        best = gains.argmax(axis=0)
        gain = np.take_along_axis(gains, best[None], axis=0)[0]
        strength = model.statistic(name, gain, rest) / (model.limits[name] * model.excess[name])
        left = np.maximum(rest - gain, 0)
        criterion = _criterion(left, count, model.base.shape[1] + family.parameters)
        criteria.append(np.where(strength >= 1, criterion, np.inf))
        codes.append(code)
        if name == "both":
            continue
        length = family.lengths[best, 0]
        values[name] = np.take_along_axis(projected[name], best[None], axis=0)[0] / length
        values[f"{name}_std"] = np.sqrt(model.excess[name] * left / (model.freedom - 1)) / length
        values[f"{name}_significance"] = strength
        if name != "acceleration":
            values[f"{name}_date"] = family.dates[best].astype(float)
    parameters = model.inverse @ white
    spread = np.sqrt(model.excess["velocity"] * rest / model.freedom * (model.inverse[1] ** 2).sum())
    values |= _annual(model, parameters, rest, first_day)
    chosen = np.array(codes)[np.argmin(criteria, axis=0)]
    certain = np.abs(parameters[1]) >= stats.t.isf(velocity_alarms / 2, model.freedom) * spread
    classes = np.where((chosen == LINEAR) & ~certain, UNCORRELATED, chosen)
    return Trends(values, classes.astype(np.uint8))


def _annual(model: Model, parameters: np.ndarray, rest: np.ndarray, first_day: int) -> dict[str, np.ndarray]:
    """Amplitude and phase of the annual cycle with standard deviations, NaN without one."""
    names = ("annual_amplitude", "annual_amplitude_std", "annual_phase", "annual_phase_std")
    if not model.annual:
        return {name: np.full(parameters.shape[1], np.nan) for name in names}
    cosine, sine = parameters[2:4]
    amplitude = np.hypot(cosine, sine)
    covariance = (model.inverse @ model.inverse.T)[2:4, 2:4]
    along = np.stack([cosine, sine]) / np.maximum(amplitude, 1e-12)
    across = np.stack([-along[1], along[0]])
    scale = np.sqrt(model.excess["annual"] * rest / model.freedom)
    deviation = (scale * np.sqrt(np.einsum("ip,ij,jp->p", v, covariance, v)) for v in (along, across))
    std, std_across = deviation
    day = DAYS_PER_YEAR / (2 * np.pi)
    phase = (np.arctan2(sine, cosine) * day + first_day) % DAYS_PER_YEAR
    return dict(zip(names, (amplitude, std, phase, std_across / np.maximum(amplitude, 1e-12) * day), strict=True))


def _criterion(rest: np.ndarray, count: int, parameters: int) -> np.ndarray:
    """Bayesian information criterion of a least-squares fit."""
    return np.asarray(count * np.log(np.maximum(rest, 1e-12) / count) + (parameters + 1) * np.log(count))


def _left(model: Model, white: np.ndarray) -> np.ndarray:
    """Sum of squares that the base leaves of whitened series, (pixels,)."""
    return np.asarray(np.maximum((white**2).sum(axis=0) - ((model.basis.T @ white) ** 2).sum(axis=0), 0))


def _whitening(t: np.ndarray, correlation: float) -> np.ndarray:
    if correlation == 0:
        return np.eye(len(t))
    apart = np.abs(t[:, None] - t[None]) / np.median(np.diff(t))
    return np.asarray(solve_triangular(cholesky(correlation**apart, lower=True), np.eye(len(t)), lower=True))


def _family(
    candidates: Sequence[Sequence[np.ndarray]],
    places: Sequence[int] | np.ndarray,
    whiten: np.ndarray,
    basis: np.ndarray,
    parameters: int,
) -> Family:
    """A family from the columns of its candidates, each made orthogonal to the base and to those before it."""
    directions, lengths, shared = [], [], []
    for columns in candidates:
        known, along = basis, 0.0
        units: list[np.ndarray] = []
        sizes: list[float] = []
        for column in columns:
            white = whiten @ column
            along = float(units[0] @ white) if units else 0.0
            off = white
            for _ in range(2):  # twice is enough
                off = off - known @ (known.T @ off)
            sizes.append(float(np.linalg.norm(off)))
            units.append(off / sizes[-1])
            known = np.column_stack([known, units[-1]])
        directions.append(units)
        lengths.append(sizes)
        shared.append(along)
    return Family(np.array(directions), np.array(lengths), np.array(shared), np.asarray(places), parameters)
