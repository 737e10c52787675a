"""From displacement series to velocity: a linear model of time, the same for every pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from slipmap.deformation.inversion import years
from slipmap.errors import InputError


@dataclass(frozen=True)
class TimeModel:
    """d(t) = Σ parameters × columns.

    Parameters
    ----------
    names : "offset", "velocity", then "annual_cos", "annual_sin", "step_YYYYMMDD", "dem_error".
    design : (dates, parameters) float64. inverse : its pseudo-inverse, (parameters, dates).
    """

    names: tuple[str, ...]
    design: np.ndarray
    inverse: np.ndarray

    def row(self, name: str) -> np.ndarray:
        """(dates,): the parameter `name` is this times the series."""
        return self.inverse[self.names.index(name)]


def time_model(
    dates: Sequence[date],
    *,
    annual: bool = False,
    steps: Sequence[date] = (),
    baselines: Sequence[float | None] | None = None,
) -> TimeModel:
    """Linear velocity (mm/yr) with optional annual terms, steps and DEM error.

    Parameters
    ----------
    baselines : perpendicular baseline of each date, m; adds "dem_error", in mm per m of baseline: times R sinθ it is
        the DEM error in mm (Berardino et al. 2002; Fattahi & Amelung 2013). A date whose baseline is None gets a column
        of its own, so that it says nothing of the rest.

    Raises
    ------
    InputError : fewer dates than it takes to tell the columns apart and judge the fit.
    """
    t = years(dates)
    columns = {"offset": np.ones_like(t), "velocity": t}
    if annual:
        columns |= {"annual_cos": np.cos(2 * np.pi * t), "annual_sin": np.sin(2 * np.pi * t)}
    for step in steps:
        columns[f"step_{step:%Y%m%d}"] = np.array([float(d >= step) for d in dates])
    given = [] if baselines is None else list(baselines)
    unknown = [k for k, value in enumerate(given) if value is None]
    metres = np.array([0.0 if value is None else value for value in given])
    told = np.delete(metres, unknown)
    if told.size and np.ptp(told) > 0:
        columns["dem_error"] = metres
        columns |= {f"date_{dates[k]:%Y%m%d}": np.arange(len(t)) == k for k in unknown}
    design = np.stack(list(columns.values()), axis=1)
    if len(dates) <= design.shape[1] or np.linalg.matrix_rank(design / np.abs(design).max(axis=0)) < design.shape[1]:
        raise _too_few(dates, [name for name in columns if name not in ("offset", "velocity")])
    return TimeModel(tuple(columns), design, np.linalg.pinv(design))


def _too_few(dates: Sequence[date], optional: Sequence[str]) -> InputError:
    options = {"annual_cos": "annual", "dem_error": "dem_error"}
    asked = [options[name] for name in optional if name in options]
    asked += ["steps"] if any(name.startswith("step_") for name in optional) else []
    if not asked:
        return InputError(
            f"inputs.sentinel1: {len(dates)} dates ({dates[0]} to {dates[-1]}) make a displacement, but no velocity "
            f"that can be judged; give interferograms of three dates at least."
        )
    return InputError(
        f"deformation: {len(dates)} dates cannot tell the velocity and {', '.join(optional)} apart; set "
        f"deformation.{' or deformation.'.join(asked)} to {'false' if asked != ['steps'] else '[]'}, or add dates."
    )


def fit(model: TimeModel, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and their standard deviations by ordinary least squares.

    Parameters
    ----------
    series : (dates, pixels), mm.

    Returns
    -------
    (parameters, pixels) twice, float64. The standard deviation is √(RSS/(N−p) · [(GᵀG)⁻¹]): errors of different
    dates are taken as independent (Fattahi & Amelung 2015).
    """
    parameters = model.inverse @ series
    residual = series - model.design @ parameters
    freedom = len(series) - len(parameters)
    variance = np.einsum("np,np->p", residual, residual) / freedom
    spread = np.sqrt(np.diag(model.inverse @ model.inverse.T))
    return parameters, spread[:, None] * np.sqrt(variance)


def bootstrap_std(model: TimeModel, series: np.ndarray, samples: int, seed: int = 0) -> np.ndarray:
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
