"""Weighted least-squares inversion of an interferogram network (Berardino et al. 2002; Yunjun et al. 2019)."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Doubles, Floats, Integers
from slipmap.deformation.phase import DAYS_PER_YEAR

ROUNDS = 5  # of reweighting


@dataclass(frozen=True)
class Inversion:
    """Result of `invert_stack`; P pixels, N dates.

    Parameters
    ----------
    series : (N, P) float32, phase of each date relative to the first, rad; NaN where a pixel has no data.
    temporal_coherence : (P,) float32, 0 … 1 (Pepe & Lanari 2006).
    used : (P,) float32, number of interferograms. seen : (P,) float32, number of dates that they see.
    joined : (P,) float32, subsets joined to the first by the model of motion (`subsets`); 0: the network is whole.
    hinged : (P,) float32, 1 where one pair alone, which no other checks, holds the series together at some time.
    subset : (N, P) int16, number of the subset of each date where subsets were joined (`subsets.fill`).
    variance : (P,) float32, of operator @ series, rad² times the operator's unit squared, or (T, P), of each of the
        targets; empty without either.
    """

    series: Floats
    temporal_coherence: Floats
    used: Floats
    joined: Floats
    variance: Floats
    seen: Floats
    hinged: Floats
    subset: NDArray[np.int16]


def pair_numbers(pairs: Sequence[tuple[date, date]], dates: Sequence[date]) -> Integers:
    """(interferograms, 2) int64: the number of each pair's dates in `dates`."""
    index = {d: k for k, d in enumerate(dates)}
    return np.array([(index[a], index[b]) for a, b in pairs], np.int64)


def years(dates: Sequence[date]) -> Doubles:
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
    deviation: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    samples: float = np.inf,
    design: np.ndarray | None = None,
    robust: bool = False,
    noise: float = 0.0,
) -> Inversion:
    """Solve min Σ w (φ_ij − (x_j − x_i))² for the phase x of every date, at every pixel.

    Solved in float64 whatever the input. Where a pixel's gaps break its network into subsets, these are joined so that
    the series fits the model of time best; a date that no pair saw is NaN (`subsets`).

    Parameters
    ----------
    phase : (M, P) float32, unwrapped phase, rad; NaN is a gap.
    quality : (M, P) float32, weights (inverse variances), or coherences if `table` is given; NaN is a gap.
    numbers : (M, 2) int, date numbers of each pair, the first smaller.
    times : (N,) float64, time of each date, years.
    original : (M, P) float32, the phase before any filter, rad, wrapped or not; the temporal coherence compares it
        with the solution (Pepe & Lanari 2006), so that a filter cannot feign coherence. None: `phase`.
    table : (K,) float32, weight at coherence 0 … 1 (`phase.weight_table`).
    operator : (N,) float64, of which the variance is told: the noise of every interferogram going through the network
        to the velocity, say. None: it is not.
    deviation : (K,) standard deviation of the phase (rad) at coherence 0 … 1 (`phase.deviation_table`): the variance
        is from the full covariance of the phases (`covariance`). None: operatorᵀ (AᵀWA)⁻¹ operator, as if the phases
        were independent and their weights inverse variances.
    targets : (T, N) float64, as `operator`, if the variance of several combinations of the dates is asked for.
    samples : independent samples behind each coherence (`covariance.Decorrelation`).
    design : (N, terms) float64, the model of time that joins subsets, velocity its second term; None: a straight line.
    robust : solve pixels with phases that fit no solution by reweighted least squares (`residuals`).
    noise : variance of a phase of weight 1, rad²: 1 where the weights are inverse variances; 0: they are not.

    Returns
    -------
    Inversion : holds (N, P) float32; the working memory beside it is a few hundred kB a thread.
    """
    phase = _rows(phase)
    pixels = phase.shape[1]
    weights = _rows(quality).ravel()
    before = phase.ravel() if original is None else _rows(original).ravel()
    network = Network(
        numbers,
        times,
        table,
        operator=operator,
        deviation=deviation,
        targets=targets,
        samples=samples,
        design=design,
        robust=robust,
        noise=noise,
    )
    out = Outputs.empty(len(times), pixels, variances=network.variances)
    network.invert(phase.ravel(), before, weights, out, threads=thread_count())
    variance = out.variance.reshape(-1, pixels) if targets is not None else out.variance
    return Inversion(
        out.series, out.temporal_coherence, out.used, out.joined, variance, out.seen, out.hinged, out.subset
    )


@dataclass(frozen=True)
class Outputs:
    """Arrays that `Network.invert` fills: see `Inversion`, `kernel.solve` and `subsets.fill`."""

    series: Floats
    velocity: Floats
    temporal_coherence: Floats
    used: Floats
    joined: Floats
    seen: Floats
    hinged: Floats
    variance: Floats
    subset: NDArray[np.int16]

    @classmethod
    def empty(cls, dates: int, pixels: int, *, variances: int = 0) -> "Outputs":
        """Uninitialised arrays for so many dates and pixels, and variances asked for at each (`Network.variances`)."""
        velocity, coherence, used, joined, seen, hinged = (np.empty(pixels, np.float32) for _ in range(6))
        series, variance = np.empty((dates, pixels), np.float32), np.empty(variances * pixels, np.float32)
        subset = np.zeros((dates, pixels), np.int16)
        return cls(series, velocity, coherence, used, joined, seen, hinged, variance, subset)


class Network:
    """An interferogram network, ready to be inverted at any number of pixels.

    Parameters
    ----------
    numbers : (M, 2) int, date numbers of each pair, the first smaller. times : (N,) float64, years.
    table : (K,) float32, weight at coherence 0 … 1; None: the quality given with the phase is the weight.
    scale, operator : the series are multiplied by `scale`; ``velocity`` is operator @ series.
    offsets : (M,), taken from each interferogram (its phase at the reference). zero_is_gap : phase 0 is nodata.
    deviation, targets, samples : of the variance, as in `invert_stack`; no targets: the operator alone.
    design, robust, noise : too.
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
        deviation: np.ndarray | None = None,
        targets: np.ndarray | None = None,
        samples: float = np.inf,
        design: np.ndarray | None = None,
        robust: bool = False,
        noise: float = 0.0,
    ) -> None:
        from slipmap.deformation.covariance import Decorrelation  # with numba, which takes its time to import

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
        self._targets = self._operator if targets is None else np.ascontiguousarray(targets, np.float64).ravel()
        line = np.stack([np.ones(self.dates), times], axis=1) if design is None else design
        self._design = np.ascontiguousarray(line, np.float64)
        self._rounds, self._noise = ROUNDS if robust else 0, np.float32(noise)
        self.variances = len(self._targets) // self.dates
        self._decorrelation = Decorrelation.none()
        if deviation is not None:
            days = np.asarray(times) * DAYS_PER_YEAR
            self._decorrelation = Decorrelation(days, numbers[self._order], deviation, samples).arrays()

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
        from slipmap.deformation.kernel import solve
        from slipmap.deformation.lanes import LANES
        from slipmap.deformation.subsets import fill

        pixels = out.series.shape[1]
        pitch = pitch or pixels
        if pixels < LANES:
            self._invert_few([phase, original, quality], pitch, origin, out)
            return
        phase, original, quality = (_read_only(array) for array in (phase, original, quality))
        network = (self._order * pitch + origin, self._begin, self._second)
        offsets, table = self._offsets.astype(np.float32), self._table.astype(np.float32)
        weighing = (offsets, self._zero_is_gap, table, self._chain, self._scale, self._operator)
        series = out.series.reshape(-1)
        maps = (out.velocity, out.temporal_coherence, out.used, out.joined, out.variance)

        def invert(start: int, stop: int) -> None:
            last = (*maps, self._targets, self._decorrelation, self._rounds, self._noise)
            solve(phase, original, quality, *network, *weighing, start, stop, pixels, series, *last)

        def finish(start: int, stop: int) -> None:
            weighing = (self._zero_is_gap, table, self._scale, self._design, 1)
            last = (
                out.used,
                out.joined,
                out.variance,
                out.seen,
                out.hinged,
                out.subset.reshape(-1),
                self._decorrelation,
            )
            fill(phase, quality, *network, *weighing, start, stop, pixels, series, out.velocity, *last)

        cuts = [pixels * k // threads // LANES * LANES for k in range(threads)] + [pixels]
        for part in (invert, finish):  # one after the other, since neighbouring ranges overlap in the first
            if threads == 1:
                part(0, pixels)
                continue
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, cuts[:-1], cuts[1:]))

    def _invert_few(self, arrays: list[np.ndarray], pitch: int, origin: int, out: Outputs) -> None:
        """Fewer pixels than the kernel takes at a time: made up to as many by gaps."""
        from slipmap.deformation.lanes import LANES

        pixels = out.series.shape[1]
        place = np.arange(len(self._order))[:, None] * pitch + origin + np.arange(pixels)
        more = np.full((3, len(self._order), LANES), np.nan, np.float32)
        for array, padded in zip(arrays, more, strict=True):
            padded[:, :pixels] = array[place]
        whole = Outputs.empty(self.dates, LANES, variances=out.variance.size // pixels)
        phase, original, quality = more.reshape(3, -1)
        self.invert(phase, original, quality, whole)
        for name, array in vars(out).items():
            padded = getattr(whole, name)
            array.reshape(-1, pixels)[...] = padded.reshape(-1, LANES)[:, :pixels]


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


def _rows(array: np.ndarray) -> Floats:
    return np.ascontiguousarray(array.reshape(len(array), -1), np.float32)
