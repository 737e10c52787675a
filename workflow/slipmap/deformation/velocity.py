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
    baselines: Sequence[float] | None = None,
) -> TimeModel:
    """Linear velocity (mm/yr) with optional annual terms, steps and DEM error.

    Parameters
    ----------
    baselines : perpendicular baseline of each date, m; adds "dem_error", in mm per m of baseline: times R sinθ it is
        the DEM error in mm (Berardino et al. 2002; Fattahi & Amelung 2013).
    """
    t = years(dates)
    columns = {"offset": np.ones_like(t), "velocity": t}
    if annual:
        columns |= {"annual_cos": np.cos(2 * np.pi * t), "annual_sin": np.sin(2 * np.pi * t)}
    for step in steps:
        columns[f"step_{step:%Y%m%d}"] = np.array([float(d >= step) for d in dates])
    if baselines is not None and np.ptp(baselines) > 0:
        columns["dem_error"] = np.asarray(baselines, float)
    design = np.stack(list(columns.values()), axis=1)
    if len(dates) <= design.shape[1] or np.linalg.matrix_rank(design / np.abs(design).max(axis=0)) < design.shape[1]:
        raise InputError(
            f"deformation: {len(dates)} dates cannot tell {', '.join(columns)} apart; drop annual, steps or "
            "dem_error, or "
            f"add dates."
        )
    return TimeModel(tuple(columns), design, np.linalg.pinv(design))


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
