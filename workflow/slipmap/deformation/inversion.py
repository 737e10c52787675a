"""Weighted least-squares inversion of an interferogram network (Berardino et al. 2002; Yunjun et al. 2019)."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
    variance : (P,) float32, of operator @ series by the weights, rad² times the operator's unit; empty without one.
    """

    series: np.ndarray
    temporal_coherence: np.ndarray
    used: np.ndarray
    joined: np.ndarray
    variance: np.ndarray


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
    operator: np.ndarray | None = None,
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
    operator : (N,) float64, of which the variance is told: operatorᵀ (AᵀWA)⁻¹ operator, the noise of every
        interferogram going through the network to the velocity, say. None: it is not.

    Returns
    -------
    Inversion : holds (N, P) float32; the working memory beside it is a few hundred kB a thread.
    """
    phase = _rows(phase)
    pixels = phase.shape[1]
    weights = _rows(quality).ravel()
    before = phase.ravel() if original is None else _rows(original).ravel()
    out = Outputs.empty(len(times), pixels, variance=operator is not None)
    network = Network(numbers, times, table, operator=operator)
    network.invert(phase.ravel(), before, weights, out, threads=thread_count())
    return Inversion(out.series, out.temporal_coherence, out.used, out.joined.astype(bool), out.variance)


@dataclass(frozen=True)
class Outputs:
    """Arrays that `Network.invert` fills: see `kernel.solve`; `joined` is 1 where subsets were joined."""

    series: np.ndarray
    velocity: np.ndarray
    temporal_coherence: np.ndarray
    used: np.ndarray
    joined: np.ndarray
    variance: np.ndarray

    @classmethod
    def empty(cls, dates: int, pixels: int, *, variance: bool = False) -> "Outputs":
        """Uninitialised arrays for so many dates and pixels; `variance` is asked for or not."""
        maps = [np.empty(pixels, np.float32) for _ in range(4)] + [np.empty(pixels if variance else 0, np.float32)]
        return cls(np.empty((dates, pixels), np.float32), *maps)


class Network:
    """An interferogram network, ready to be inverted at any number of pixels.

    Parameters
    ----------
    numbers : (M, 2) int, date numbers of each pair, the first smaller. times : (N,) float64, years.
    table : (K,) float32, weight at coherence 0 … 1; None: the quality given with the phase is the weight.
    scale, operator : the series are multiplied by `scale`; ``velocity`` is operator @ series.
    offsets : (M,), taken from each interferogram (its phase at the reference). zero_is_gap : phase 0 is nodata.
    """

    def __init__(
        self,
        numbers: np.ndarray,
        times: np.ndarray,
        table: np.ndarray | None = None,
        *,
        scale: float = 1.0,
        operator: np.ndarray | None = None,
        offsets: np.ndarray | None = None,
        zero_is_gap: bool = False,
    ) -> None:
        self.dates = len(times)
        self._order = np.argsort(numbers[:, 0], kind="stable")
        first, second = numbers[self._order].T
        self._begin = np.searchsorted(first, np.arange(self.dates + 1)).astype(np.int64)
        self._second = np.ascontiguousarray(second, np.int64)
        self._offsets = np.zeros(len(first)) if offsets is None else np.asarray(offsets)[self._order]
        self._table = np.ones(1) if table is None else table
        self._chain = 1 / np.diff(times) ** 2
        self._chain /= self._chain.mean()
        self._operator = np.empty(0) if operator is None else np.ascontiguousarray(operator, np.float64)
        self._scale, self._zero_is_gap = float(scale), bool(zero_is_gap)

    def invert(
        self,
        phase: np.ndarray,
        original: np.ndarray,
        quality: np.ndarray,
        out: Outputs,
        *,
        pitch: int | None = None,
        origin: int = 0,
        threads: int = 1,
    ) -> None:
        """As `invert_stack`, from one-dimensional float32 views of a stack (memory-mapped, say), into given arrays.

        Parameters
        ----------
        pitch, origin : the pixels of interferogram k begin at k · pitch + origin; None: they lie close together.
        """
        from slipmap.deformation.kernel import LANES, solve

        pixels = out.series.shape[1]
        pitch = pitch or pixels
        if pixels < LANES:
            self._invert_few([phase, original, quality], pitch, origin, out)
            return
        fixed = (
            self._order * pitch + origin,
            self._begin,
            self._second,
            self._offsets.astype(np.float32),
            self._zero_is_gap,
            self._table.astype(np.float32),
            self._chain,
            self._scale,
            self._operator,
        )
        given = [_read_only(array) for array in (phase, original, quality)]
        arrays = (out.series.reshape(-1), out.velocity, out.temporal_coherence, out.used, out.joined, out.variance)
        cuts = [pixels * k // threads // LANES * LANES for k in range(threads)] + [pixels]

        def part(start: int, stop: int) -> None:
            solve(*given, *fixed, start, stop, pixels, *arrays)

        if threads == 1:
            part(0, pixels)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, cuts[:-1], cuts[1:]))

    def _invert_few(self, arrays: list[np.ndarray], pitch: int, origin: int, out: Outputs) -> None:
        """Fewer pixels than the kernel takes at a time: made up to as many by gaps."""
        from slipmap.deformation.kernel import LANES

        pixels = out.series.shape[1]
        place = np.arange(len(self._order))[:, None] * pitch + origin + np.arange(pixels)
        more = np.full((3, len(self._order), LANES), np.nan, np.float32)
        for array, padded in zip(arrays, more, strict=True):
            padded[:, :pixels] = array[place]
        whole = Outputs.empty(self.dates, LANES, variance=out.variance.size > 0)
        self.invert(*more.reshape(3, -1), whole)
        for name, array in vars(out).items():
            array[...] = getattr(whole, name)[..., :pixels]


def thread_count() -> int:
    """Threads that this process may use: what its rule was given (NUMBA_NUM_THREADS), else one for each core."""
    return int(os.environ.get("NUMBA_NUM_THREADS", os.cpu_count() or 1))


def compile_kernel() -> None:
    """Compile the kernel, which numba keeps beside the source: done by ``make install``, ahead of the first use."""
    network = Network(np.array([[0, 1], [1, 2], [0, 2]]), np.arange(3.0))
    values = np.ones(3 * 64, np.float32)
    network.invert(values, values, values, Outputs.empty(3, 64))


def _read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to, as of a mapped file: one type of argument, so that one kernel is compiled."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _rows(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.reshape(len(array), -1), np.float32)
