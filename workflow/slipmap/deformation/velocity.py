"""From displacement series to velocity: a linear model of time, the same for every pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from slipmap.arrays import Doubles, Real
from slipmap.deformation.inversion import years
from slipmap.errors import InputError

INFLATION = 2.0  # times that the DEM error may make the velocity less certain
LEAST_YEARS = 1.0  # of dates, for an annual cycle


@dataclass(frozen=True)
class TimeModel:
    """d(t) = Σ parameters × columns.

    Parameters
    ----------
    names : "offset", "velocity", then "annual_cos", "annual_sin", "step_YYYYMMDD", "dem_error".
    design : (dates, parameters) float64. inverse : its pseudo-inverse, (parameters, dates).
    about : how well the DEM error can be told from the velocity, where it was asked for.
    """

    names: tuple[str, ...]
    design: Doubles
    inverse: Doubles
    about: str = ""

    def row(self, name: str) -> Doubles:
        """(dates,): the parameter `name` is this times the series."""
        row: Doubles = self.inverse[self.names.index(name)]
        return row


def time_model(
    dates: Sequence[date],
    *,
    annual: bool = False,
    steps: Sequence[date] = (),
    baselines: Sequence[float | None] | None = None,
) -> TimeModel:
    """Linear velocity (mm/yr) with optional annual terms, steps and DEM error.

    The DEM error is left out where the dates cannot tell it from the velocity: baselines that drift with time would
    make the velocity more than `INFLATION` times less certain.

    Parameters
    ----------
    baselines : perpendicular baseline of each date, m; adds "dem_error", in mm per m of baseline: times R sinθ it is
        the DEM error in mm (Berardino et al. 2002; Fattahi & Amelung 2013). A date whose baseline is None gets a column
        of its own, so that it says nothing of the rest.

    Raises
    ------
    InputError : terms that were asked for cannot be told from the velocity.
    """
    t = years(dates)
    columns = {"offset": np.ones_like(t), "velocity": t}
    if annual:
        if t[-1] < LEAST_YEARS:
            raise InputError(
                f"deformation.annual: the dates span {t[-1]:.2f} years, and an annual cycle needs at least "
                f"{LEAST_YEARS:g} to be told apart from velocity; set annual: false, or add dates."
            )
        columns |= {"annual_cos": np.cos(2 * np.pi * t), "annual_sin": np.sin(2 * np.pi * t)}
    for step in steps:
        columns[f"step_{step:%Y%m%d}"] = np.array([float(d >= step) for d in dates])
    if not _told_apart(columns):
        asked = [f"deformation.{key}" for key, there in (("annual", annual), ("steps", steps)) if there]
        advice = f"drop {' or '.join(asked)}, or add dates" if asked else "add dates"
        raise InputError(f"deformation: {len(dates)} dates cannot tell {', '.join(columns)} apart; {advice}.")
    about = ""
    given = [] if baselines is None else list(baselines)
    unknown = [k for k, value in enumerate(given) if value is None]
    metres = np.array([0.0 if value is None else value for value in given])
    known = np.delete(metres, unknown)
    if known.size and np.ptp(known) > 0:
        more = columns | {"dem_error": metres}
        more |= {f"date_{dates[k]:%Y%m%d}": (np.arange(len(t)) == k).astype(float) for k in unknown}
        worse = _uncertainty(more) / _uncertainty(columns) if len(dates) > len(more) and _told_apart(more) else np.inf
        condition = np.linalg.cond(_normalised(more))
        about = f"condition number {condition:.1f}, the velocity is {worse:.2f} times as uncertain with the DEM error"
        if worse <= INFLATION:
            columns = more
    design = np.stack(list(columns.values()), axis=1)
    inverse = np.asarray(np.linalg.pinv(design), np.float64)
    return TimeModel(tuple(columns), design, inverse, about)


def _normalised(columns: dict[str, Doubles]) -> Doubles:
    design = np.stack(list(columns.values()), axis=1)
    normalised: Doubles = design / np.maximum(np.linalg.norm(design, axis=0), 1e-300)
    return normalised


def _told_apart(columns: dict[str, Doubles]) -> bool:
    design = _normalised(columns)
    return bool(len(design) >= design.shape[1] and np.linalg.matrix_rank(design, tol=1e-7) == design.shape[1])


def _uncertainty(columns: dict[str, Doubles]) -> float:
    """Standard deviation of the velocity for independent errors of 1 mm on each date, mm/yr."""
    return float(np.linalg.norm(np.linalg.pinv(np.stack(list(columns.values()), axis=1))[1]))


def fit(model: TimeModel, series: Real) -> Doubles:
    """Parameters by ordinary least squares, (parameters, pixels) float64.

    Parameters
    ----------
    series : (dates, pixels), mm; NaN where no pair saw the date.
    """
    parameters: Doubles = model.inverse @ series
    gaps = np.flatnonzero(~np.isfinite(parameters[0]))
    if len(gaps):
        parameters[:, gaps] = solve_gaps(model.design, series[:, gaps])
    return parameters


def solve_gaps(design: Doubles, series: Real) -> Doubles:
    """(terms, pixels), least squares of series (dates, pixels) with gaps; NaN where the dates seen tell no answer."""
    there = np.isfinite(series).astype(np.float64)
    scale = np.abs(design).max(axis=0)
    scaled = design / scale
    normal = np.einsum("np,na,nb->pab", there, scaled, scaled)
    right = np.einsum("na,np->pa", scaled, np.nan_to_num(series))
    told = np.linalg.cond(normal) < 1e12 if len(normal) else np.zeros(0, bool)
    result = np.full(right.shape, np.nan)
    result[told] = np.linalg.solve(normal[told], right[told][..., None])[..., 0] / scale
    return result.T


def bootstrap_std(model: TimeModel, series: Real, samples: int, seed: int = 0) -> Doubles:
    """Standard deviation of the velocity, (pixels,), from `samples` resamplings of the dates with replacement.

    Every resampling is the same for all pixels, so that each is one matrix product (Efron & Tibshirani 1986).
    """
    rng = np.random.default_rng(seed)
    n, p = model.design.shape
    row = model.names.index("velocity")
    total = np.zeros(series.shape[1])
    squares = np.zeros(series.shape[1])
    centre = model.inverse[row] @ series
    done = 0
    while done < samples:
        draw = rng.integers(0, n, n)
        if len(np.unique(draw)) <= p or np.linalg.matrix_rank(model.design[draw]) < p:
            continue
        weights = np.zeros(n)
        np.add.at(weights, draw, np.linalg.pinv(model.design[draw])[row])
        change = weights @ series - centre
        total += change
        squares += change**2
        done += 1
    return np.sqrt(np.maximum(squares - total**2 / samples, 0) / (samples - 1))
