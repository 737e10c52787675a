"""Phase, displacement, and how uncertain an interferometric phase is."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Doubles, Floats
from slipmap.constants import SPEED_OF_LIGHT

DAYS_PER_YEAR = 365.25
TABLE_SIZE = 1001
SUPPLIED_LOOKS = 25.0  # taken to be behind supplied interferograms where nobody says


def wrap(phase: Doubles) -> Doubles:
    """Wrap `phase` (rad, any shape) to [−π, π)."""
    return (phase + np.pi) % (2 * np.pi) - np.pi


def mm_per_radian(wavelength: float) -> float:
    """LOS displacement (mm, positive towards the satellite) for one radian of interferometric phase: −λ/4π.

    Parameters
    ----------
    wavelength : radar wavelength in metres.
    """
    return -wavelength * 1000.0 / (4 * np.pi)


@lru_cache(maxsize=16)
def variance_table(looks: int) -> Doubles:
    """Variance of the interferometric phase (rad²) at coherence 0, 1/1000, …, 1, for `looks` independent looks.

    The exact density of the multilooked phase of a distributed scatterer is integrated over (−π, π]. For L looks and
    β = γ cos φ it is (Tough, Blacknell & Quegan 1995; Lee et al. 1994)

        p(φ) = (1−γ²)^L / 2π · [ Γ(L+½)√π β / (Γ(L)(1−β²)^(L+½)) + ₂F₁(L, 1; ½; β²) ].

    The coherence is kept below 0.999 so that the variance stays above zero.

    Parameters
    ----------
    looks : at least 1; above 80 the asymptotic (Cramér–Rao) variance (1−γ²)/(2Lγ²) is used, limited to π²/3.

    Returns
    -------
    numpy.ndarray, shape (1001,), float64.
    """
    gamma: Doubles = np.clip(np.linspace(0, 1, TABLE_SIZE), 1e-3, 0.999)
    uniform = np.pi**2 / 3  # a phase that says nothing
    if looks > 80:
        return np.minimum((1 - gamma**2) / (2 * looks * gamma**2), uniform)
    from scipy.special import gammaln, hyp2f1

    # The density is even; points crowd towards 0, where it is narrow when the coherence is high. Gauss-Legendre with
    # 48 of them are within 5e-4 of the integral up to 80 looks.
    grid, share = np.polynomial.legendre.leggauss(48)
    grid = (grid + 1) / 2
    phi, step = np.pi * grid**3, 3 * np.pi * grid**2 * share
    beta = gamma[:, None] * np.cos(phi)
    scale = looks * np.log1p(-(gamma**2))[:, None]
    ratio = np.sqrt(np.pi) * np.exp(gammaln(looks + 0.5) - gammaln(looks))
    density = ratio * beta * np.exp(scale - (looks + 0.5) * np.log1p(-(beta**2)))
    # Euler's transformation keeps the series short near β² = 1: ₂F₁(L,1;½;z) = (1−z)^(−L−½) ₂F₁(½−L,−½;½;z).
    density += np.exp(scale - (looks + 0.5) * np.log1p(-(beta**2))) * hyp2f1(0.5 - looks, -0.5, 0.5, beta**2)
    density *= step
    density /= density.sum(axis=1, keepdims=True)
    variance: Doubles = (density * phi**2).sum(axis=1)
    return np.minimum(variance, uniform)


def weight_table(kind: str, looks: int) -> Floats:
    """Weight of an interferogram at coherence 0, 1/1000, …, 1 (float32, shape (1001,)).

    Parameters
    ----------
    kind : "variance" (1/σ² of the phase, rad⁻²), "coherence" (γ²) or "none" (1).
    looks : independent looks behind the coherence.
    """
    if kind == "variance":
        return (1 / variance_table(int(max(looks, 1)))).astype(np.float32)
    gamma = np.linspace(0, 1, TABLE_SIZE)
    weights: Doubles = np.maximum(gamma, 1e-3) ** 2 if kind == "coherence" else np.ones(TABLE_SIZE)
    return weights.astype(np.float32)


def deviation_table(looks: float) -> Floats:
    """Standard deviation of the phase (rad) at coherence 0, 1/1000, …, 1 (float32, shape (1001,))."""
    return np.sqrt(variance_table(int(max(looks, 1)))).astype(np.float32)


def critical_baseline(wavelength: float, slant_range: float, incidence: float, bandwidth: float) -> float:
    """Perpendicular baseline (m) at which flat ground decorrelates: λ R tanθ B / c (Hanssen 2001, eq. 4.4.11).

    Parameters
    ----------
    wavelength, slant_range : m. incidence : degrees. bandwidth : range bandwidth, Hz.
    """
    return float(wavelength * slant_range * np.tan(np.radians(incidence)) * bandwidth / SPEED_OF_LIGHT)


Precision = TypeVar("Precision", np.float32, np.float64)
LARGEST_PHASE = 3000.0  # rad, 13 m of motion in C band: no interferogram that can be unwrapped has more


def supplied_phase(values: NDArray[Precision]) -> NDArray[Precision]:
    """Phase (rad, float) of a supplied raster with NaN for nodata that the file may not declare.

    Every processor writes 0 where there is nothing; other programs write -9999, -32768, 1e20 and the like, all beyond
    `LARGEST_PHASE`, or -99 and ±999, and no phase is exactly that.
    """
    with np.errstate(invalid="ignore"):
        size = np.abs(values)
        nothing = (size == 0) | (size >= LARGEST_PHASE) | (size == 999) | (values == -99)
    return np.where(nothing, np.nan, values).astype(values.dtype, copy=False)


def supplied_coherence(values: NDArray[Precision]) -> NDArray[Precision]:
    """Coherence (float, 0 … 1) of a supplied raster with NaN for what lies outside, which is nodata."""
    with np.errstate(invalid="ignore"):
        return np.where((values < 0) | (values > 1.01), np.nan, np.minimum(values, 1)).astype(values.dtype, copy=False)
