"""What is not motion: ramps and stratified delay of each date, fitted outside the moving area."""

from dataclasses import dataclass

import numpy as np

MIN_STABLE_SHARE = 0.5  # of the coherent pixels; with fewer a surface would fit the motion


def surface_terms(deramp: str, troposphere: str, has_elevation: bool) -> list[str]:
    """Names of the terms that are fitted to each date, [] for nothing to remove."""
    terms = {"none": [], "linear": ["x", "y"], "quadratic": ["x", "y", "xx", "xy", "yy"]}[deramp]
    if troposphere in ("elevation", "both") and has_elevation:
        terms = [*terms, "elevation"]
    return ["1", *terms] if terms else []


def surface_design(terms: list[str], x: np.ndarray, y: np.ndarray, elevation: np.ndarray | None) -> np.ndarray:
    """(pixels, terms) float64. `x`, `y` in −1 … 1 over the grid, `elevation` in km; unknown elevation is its mean."""
    columns = {"1": np.ones_like(x), "x": x, "y": y, "xx": x * x, "xy": x * y, "yy": y * y}
    if elevation is not None:
        known = np.isfinite(elevation)
        fill = elevation[known].mean() if known.any() else 0.0
        columns["elevation"] = np.where(known, elevation, fill)
    return np.stack([columns[t] for t in terms], axis=-1).astype(np.float64)


@dataclass(frozen=True)
class Surfaces:
    """Fitted surfaces: `coefficients` (dates, terms), and over which share of the coherent pixels."""

    terms: list[str]
    coefficients: np.ndarray
    stable_share: float
    used: bool


def fit_surfaces(
    series: np.ndarray,
    design: np.ndarray,
    operator: np.ndarray,
    terms: list[str],
    moving: float,
    rounds: int = 3,
) -> Surfaces:
    """Fit the surface of each date over pixels that do not move, which the fit itself finds.

    Parameters
    ----------
    series : (dates, pixels), mm, a sample of coherent pixels. design : (pixels, terms).
    operator : (dates,), velocity = operator @ series (mm/yr).
    moving : mm/yr; faster pixels are left out.
    rounds : times that motion and surfaces are estimated from each other.

    Returns
    -------
    Surfaces : ``used`` is False (coefficients zero) where too few pixels are stable to tell a surface from motion.
    """
    coefficients = np.zeros((len(series), len(terms)))
    stable = np.ones(series.shape[1], bool)
    rate, limit = operator @ series, np.finfo(float).eps * series.shape[1]
    for _ in range(rounds):
        velocity = rate - (operator @ coefficients) @ design.T
        stable = np.abs(velocity - np.median(velocity)) <= moving
        if stable.sum() < 10 * len(terms):
            break
        # Least squares over the stable pixels: rows of zeros stand for the others, which spares a copy of the series.
        basis, triangle = np.linalg.qr(design * stable[:, None])
        coefficients = np.linalg.lstsq(triangle, basis.T @ series.T, rcond=limit)[0].T
    share = float(stable.mean())
    used = share >= MIN_STABLE_SHARE and stable.sum() >= 10 * len(terms)
    return Surfaces(terms, coefficients if used else np.zeros_like(coefficients), share, used)
