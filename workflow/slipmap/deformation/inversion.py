"""Weighted least-squares inversion of an interferogram network (Berardino et al. 2002; Yunjun et al. 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from slipmap.deformation.phase import DAYS_PER_YEAR


@dataclass(frozen=True)
class Inversion:
    """Result of `invert_stack`; P pixels, N dates.

    Parameters
    ----------
    series : (N, P) float32, phase of each date relative to the first, rad; NaN where a pixel has no data.
    temporal_coherence : (P,) float32, 0 … 1 (Pepe & Lanari 2006).
    used : (P,) float32, number of interferograms. joined : (P,) bool, subsets joined by minimum norm.
    """

    series: np.ndarray
    temporal_coherence: np.ndarray
    used: np.ndarray
    joined: np.ndarray


def pair_numbers(pairs: Sequence[tuple[date, date]], dates: Sequence[date]) -> np.ndarray:
    """(interferograms, 2) int64: the number of each pair's dates in `dates`."""
    index = {d: k for k, d in enumerate(dates)}
    return np.array([(index[a], index[b]) for a, b in pairs], np.int64)


def years(dates: Sequence[date]) -> np.ndarray:
    """Time since the first date in years of 365.25 days, float64."""
    return np.array([(d - dates[0]).days for d in dates]) / DAYS_PER_YEAR


def invert_stack(
    phase: np.ndarray,
    quality: np.ndarray,
    numbers: np.ndarray,
    times: np.ndarray,
    table: np.ndarray | None = None,
    original: np.ndarray | None = None,
) -> Inversion:
    """Solve min Σ w (φ_ij − (x_j − x_i))² for the phase x of every date, at every pixel.

    Solved in float64 whatever the input. Where a pixel's gaps break its network into subsets, the solution with the
    least norm of the velocities between neighbouring dates is taken (Berardino et al. 2002, eq. 16).

    Parameters
    ----------
    phase : (M, P) float32, unwrapped phase, rad; NaN is a gap.
    quality : (M, P) float32, weights (inverse variances), or coherences if `table` is given; NaN is a gap.
    numbers : (M, 2) int, date numbers of each pair, the first smaller.
    times : (N,) float64, time of each date, years.
    original : (M, P) float32, the phase before any filter, rad, wrapped or not; the temporal coherence compares it
        with the solution (Pepe & Lanari 2006), so that a filter cannot feign coherence. None: `phase`.
    table : (K,) float32, weight at coherence 0 … 1 (`phase.weight_table`).

    Returns
    -------
    Inversion : holds (N, P) float32; the working memory beside it is a few hundred kB a thread.
    """
    phase = _rows(phase)
    pixels = phase.shape[1]
    weights = _rows(quality).ravel()
    before = phase.ravel() if original is None else _rows(original).ravel()
    out = Outputs.empty(len(times), pixels)
    invert_flat(phase.ravel(), before, weights, pixels, 0, numbers, times, table, out)
    return Inversion(out.series, out.temporal_coherence, out.used, out.joined.astype(bool))


@dataclass(frozen=True)
class Outputs:
    """Arrays that `invert_flat` fills: see `kernel.solve`."""

    series: np.ndarray
    velocity: np.ndarray
    temporal_coherence: np.ndarray
    used: np.ndarray
    joined: np.ndarray

    @classmethod
    def empty(cls, dates: int, pixels: int) -> "Outputs":
        """Uninitialised arrays for so many dates and pixels."""
        maps = [np.empty(pixels, np.float32) for _ in range(3)]
        return cls(np.empty((dates, pixels), np.float32), *maps, np.empty(pixels, np.uint8))


def invert_flat(
    phase: np.ndarray,
    original: np.ndarray,
    quality: np.ndarray,
    pitch: int,
    origin: int,
    numbers: np.ndarray,
    times: np.ndarray,
    table: np.ndarray | None,
    out: Outputs,
    *,
    scale: float = 1.0,
    operator: np.ndarray | None = None,
    offsets: np.ndarray | None = None,
    zero_is_gap: bool = False,
) -> None:
    """As `invert_stack`, from one-dimensional views of a stack (memory-mapped, say), into arrays that are given.

    Parameters
    ----------
    pitch, origin : the pixels of interferogram k begin at k · pitch + origin.
    offsets : (M,), taken from each interferogram (its phase at the reference). zero_is_gap : phase 0 is nodata.
    scale, operator : the series are multiplied by `scale`; ``out.velocity`` is operator @ series.
    """
    from slipmap.deformation.kernel import solve

    first, second = (np.ascontiguousarray(c, np.int64) for c in numbers.T)
    table = np.ones(1, np.float32) if table is None else np.ascontiguousarray(table, np.float32)
    chain = 1 / np.diff(times) ** 2
    chain /= chain.mean()
    solve(
        phase,
        original,
        quality,
        int(pitch),
        int(origin),
        np.zeros(len(first), np.float32) if offsets is None else np.ascontiguousarray(offsets, np.float32),
        zero_is_gap,
        table,
        first,
        second,
        int((second - first).max()),
        chain,
        float(scale),
        np.empty(0) if operator is None else np.ascontiguousarray(operator, np.float64),
        out.series,
        out.velocity,
        out.temporal_coherence,
        out.used,
        out.joined,
    )


def _rows(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.reshape(len(array), -1), np.float32)
