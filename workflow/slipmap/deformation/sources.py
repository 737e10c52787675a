"""Unwrapped phase and coherence of a whole network, read by window."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from slipmap.deformation import pair_file, unwrapping
from slipmap.deformation.agreement import same_grid
from slipmap.deformation.inversion import thread_count
from slipmap.deformation.layer import value_band
from slipmap.deformation.pair_values import add_coherence, decode, decode_linked, decode_original
from slipmap.deformation.phase import supplied_coherence, supplied_phase
from slipmap.deformation.phase_linking import dates
from slipmap.deformation.stack import Pair
from slipmap.deformation.tile_file import TileFile
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

KEPT_BYTES = 256 * 2**20  # of a small network, read once for all the passes over it
_USED = ("wrapped_phase", "turns", "coherence", "phase_original")  # bands of our own files
NO_COHERENCE = 0.5  # taken where a supplied interferogram has no coherence raster


class Source(Protocol):
    """Where phase and coherence of one pair are."""

    has_original: bool  # whether the phase before any filter is known

    @property
    def paths(self) -> list[str]:
        """Its files, that of the coherence last."""

    def fill(self, window: Window, offset: np.float32, out: np.ndarray) -> None:
        """Read a window into float32 (2 or 3, rows, cols): phase, coherence, phase before any filter.

        `offset` (rad) is taken off both phases. NaN in phase and coherence where either is missing.
        """


class Stored:
    """A pair that we unwrapped ourselves (`pair_file`)."""

    has_original = True

    def __init__(self, path: str) -> None:
        self.path = path
        self._kept: np.ndarray | None = None

    @property
    def paths(self) -> list[str]:
        """The one file."""
        return [self.path]

    def keep(self, file: TileFile, out: np.ndarray) -> None:
        """Read the whole of the open file into `out`, uint16 (`_USED`, rows, cols), for all windows to come."""
        self._kept = file.read(_numbers(_USED), out=out)

    def bands(self, names: Sequence[str], window: Window) -> Iterable[np.ndarray]:
        """Bands as they are stored, uint16, each flat."""
        if self._kept is not None:
            rows, cols = window.toslices()
            return (self._kept[_USED.index(name)][rows, cols].reshape(-1) for name in names)
        with TileFile(self.path) as file:
            return iter(file.read(_numbers(names), window).reshape(len(names), -1))

    def fill(self, window: Window, offset: np.float32, out: np.ndarray) -> None:
        """As `Source.fill`."""
        wrapped, turns, coherence, *before = self.bands(_USED[: 1 + len(out)], window)
        decode(wrapped, turns, coherence, offset, out[0].reshape(-1), out[1].reshape(-1))
        for original in before:
            decode_original(original, offset, out[2].reshape(-1))


class LinkedDates:
    """The linked phases of all dates in the ministacks' folders, and their goodness of fit, of one window at a time."""

    def __init__(self, folders: Sequence[str | Path], days: Iterable[date]) -> None:
        own = {day: dates.folder_of(folders, day) for day in sorted(set(days))}
        self.files = {day: str(dates.file_of(folder, day)) for day, folder in own.items()}
        self.quality = {day: str(Path(folder) / dates.QUALITY) for day, folder in own.items()}
        self.phases: dict[date, np.ndarray] = {}
        self._fits: dict[str, np.ndarray] = {}

    def turn_to(self, window: Window) -> None:
        """Read a window of every date."""

        def phase(path: str) -> np.ndarray:
            with TileFile(path) as file:
                return file.read([1], window).reshape(-1)

        with ThreadPoolExecutor(thread_count()) as pool:
            self.phases = dict(zip(self.files, pool.map(phase, self.files.values()), strict=True))
        for path in dict.fromkeys(self.quality.values()):
            with _open(path) as src:
                self._fits[path] = raster.read_open(src, window, dates.QUALITY_BANDS.index("goodness_of_fit") + 1)

    def fit(self, days: tuple[date, date]) -> np.ndarray:
        """Goodness of fit of a pair of dates as its coherence, (pixels,): the mean of their ministacks'."""
        first, second = (self._fits[self.quality[day]] for day in days)
        return dates.as_coherence(first if first is second else (first + second) / 2).reshape(-1)


@dataclass(frozen=True)
class LinkedPair:
    """A pair of linked phases: two dates and the whole turns of their difference."""

    path: str
    days: tuple[date, date]
    linked: LinkedDates
    has_original = False  # it is the phase itself

    @property
    def paths(self) -> list[str]:
        """Files of the dates, of the turns, of the goodness of fit."""
        quality = [self.linked.quality[day] for day in self.days]
        return [*(self.linked.files[day] for day in self.days), self.path, *quality]

    def fill(self, window: Window, offset: np.float32, out: np.ndarray) -> None:
        """As `Source.fill`, of the window that the dates were turned to."""
        with TileFile(self.path) as file:
            turns = file.read([1], window).reshape(-1)
        first, second = (self.linked.phases[day] for day in self.days)
        decode_linked(first, second, turns, self.linked.fit(self.days), offset, out[0].reshape(-1), out[1].reshape(-1))


@dataclass(frozen=True)
class Supplied:
    """A pair unwrapped elsewhere: path and 1-based band of phase and coherence."""

    phase: tuple[str, int]
    coherence: tuple[str, int] | None
    has_original = False

    @property
    def paths(self) -> list[str]:
        """The files, one or two."""
        return [place[0] for place in (self.phase, self.coherence) if place]

    def fill(self, window: Window, offset: np.float32, out: np.ndarray) -> None:
        """As `Source.fill`; a phase of exactly zero, or one that cannot be, is nodata (`phase.supplied_phase`)."""
        phase, coherence = out
        phase[...] = supplied_phase(_read_band(*self.phase, window)) - offset
        coherence[...] = NO_COHERENCE
        if self.coherence:
            coherence[...] = supplied_coherence(_read_band(*self.coherence, window, coherence=True))
        gap = ~(np.isfinite(phase) & (coherence > 0))
        out[:, gap] = np.nan


class NetworkReader:
    """Reads (pairs, rows, cols) windows of phase and coherence.

    Parameters
    ----------
    pairs : of the network.
    unwrapped : what `unwrapping.run` wrote, one file for each pair; of the others those that the pair names are read.
    linked : folders of the linked phases of which `unwrapped` holds the whole turns; none: of none.
    """

    def __init__(
        self, pairs: Sequence[Pair], unwrapped: Sequence[str | Path], linked: Sequence[str | Path] = ()
    ) -> None:
        own = {Path(p).stem: str(p) for p in unwrapped}
        days = [day for pair in pairs for day in (pair.reference, pair.secondary)]
        self._linked = LinkedDates(linked, days) if linked else None
        self.sources = [_source(pair, own, self._linked) for pair in pairs]
        self._stored = [source for source in self.sources if isinstance(source, Stored)]
        self.grid = Grid.from_raster(self.sources[0].paths[0])
        pixels = len(pairs) * self.grid.width * self.grid.height
        # floats of supplied pairs; our own stay as they are stored
        self._keeps = pixels * (2 * len(_USED) if len(self._stored) == len(pairs) else 8) <= KEPT_BYTES
        self._kept: list[np.ndarray] | None = None
        self._buffer = np.empty(0, np.float32)
        self._unreadable: set[str] = set()
        self._check_grids()

    def _check_grids(self) -> None:
        """Open every file: all must lie on one grid. Small ones of our own are read at once."""
        own = {source.path: (k, source) for k, source in enumerate(self._stored)}
        kept = np.empty((len(own) if self._keeps else 0, len(_USED), *self.grid.shape), np.uint16)
        known: dict[tuple[object, ...], tuple[tuple[int, int], Affine, CRS | None]] = {}

        def look(path: str) -> tuple[Path, tuple[int, int], Affine, CRS | None]:
            if path not in own:
                return Path(path), *_grid_of(path)
            number, source = own[path]
            with TileFile(path) as file:
                if self._keeps and file.shape == self.grid.shape:
                    source.keep(file, kept[number])
                key = file.shape, file.place
            if key not in known:
                known[key] = _grid_of(path)
            return Path(path), *known[key]

        paths = dict.fromkeys(path for source in self.sources for path in source.paths)
        with ThreadPoolExecutor(thread_count()) as pool:
            same_grid(list(pool.map(look, paths)))

    @property
    def linked_together(self) -> list[int]:
        """How many of the dates each ministack of linked phases has, in order."""
        return list(Counter(self._linked.quality.values()).values()) if self._linked else []

    @property
    def has_original(self) -> bool:
        """Whether the phase before any filter is known, which it is of what we unwrapped ourselves."""
        return all(source.has_original for source in self.sources)

    def read(self, window: Window, *, original: bool = False, offsets: np.ndarray | None = None) -> list[np.ndarray]:
        """Phase (rad) and coherence, float32 (pairs, rows, cols); NaN in both where either is missing.

        Parameters
        ----------
        original : also return the wrapped phase before any filter (rad).
        offsets : (pairs,) float32, rad, taken off the phases.

        Notes
        -----
        The arrays are written over by the next call: to fetch new memory for each block would take longer than to read
        it. Several threads read; every file is opened once and each of its tiles decoded once, if the window is made of
        whole tiles. What is no larger than `KEPT_BYTES` in all is read once and kept.
        """
        offsets = np.zeros(len(self.sources), np.float32) if offsets is None else offsets
        if not self._keeps or self._stored:
            return self._load(window, offsets, self._memory(window, original))
        if self._kept is None:
            whole = Window(0, 0, self.grid.width, self.grid.height)
            zeros = np.zeros(len(self.sources), np.float32)
            self._kept = self._load(whole, zeros, np.empty((2, len(self.sources), *self.grid.shape), np.float32))
        stack = self._memory(window, original)
        rows, cols = window.toslices()
        np.subtract(self._kept[0][:, rows, cols], offsets[:, None, None], out=stack[0])
        stack[1] = self._kept[1][:, rows, cols]
        return list(stack)

    def sum_coherence(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Sum of the coherences of all pairs and number of pairs at each pixel, and both over the pixels of each pair.

        float64 (rows, cols), int (rows, cols), float64 (pairs,), int (pairs,). Of our own files only the coherence is
        read.
        """
        if len(self._stored) < len(self.sources):
            _, values = self.read(window)
            there = np.isfinite(values)
            values = np.where(there, values, 0)
            of_pairs = values.sum(axis=(1, 2), dtype=np.float64)
            return values.sum(axis=0, dtype=np.float64), there.sum(axis=0), of_pairs, there.sum(axis=(1, 2))
        pairs, threads = len(self.sources), thread_count()
        shape = (int(window.height), int(window.width))
        total, count = (np.zeros((threads, *shape), np.int32) for _ in range(2))
        of_pairs = np.zeros((2, pairs), np.int64)

        def add(thread: int) -> None:
            for k in range(thread, pairs, threads):
                (values,) = self._stored[k].bands(["coherence"], window)
                of_pairs[:, k] = add_coherence(values, total[thread].reshape(-1), count[thread].reshape(-1))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(add, range(threads)))
        return total.sum(axis=0) / pair_file.PARTS, count.sum(axis=0), of_pairs[0] / pair_file.PARTS, of_pairs[1]

    def _memory(self, window: Window, original: bool) -> np.ndarray:
        """Where a window is read into, float32 (2 or 3, pairs, rows, cols)."""
        shape = (2 + original, len(self.sources), int(window.height), int(window.width))
        size = int(np.prod(shape))
        if size > self._buffer.size:
            self._buffer = np.empty(size, np.float32)
        return self._buffer[:size].reshape(shape)

    def _load(self, window: Window, offsets: np.ndarray, stack: np.ndarray) -> list[np.ndarray]:
        if self._linked is not None:
            self._linked.turn_to(window)

        def fill(k: int) -> None:
            try:
                self.sources[k].fill(window, np.float32(offsets[k]), stack[:, k])
            except InputError as error:
                if not isinstance(self.sources[k], Supplied):
                    raise
                stack[:, k] = np.nan
                self._tell(str(error))

        with ThreadPoolExecutor(thread_count()) as pool:
            list(pool.map(fill, range(len(self.sources))))
        return list(stack)

    def _tell(self, sentence: str) -> None:
        """Say once of a supplied file that a part of it is taken for nodata."""
        if sentence not in self._unreadable:
            self._unreadable.add(sentence)
            print(f"left out where it cannot be read: {sentence}")


def _numbers(names: Sequence[str]) -> list[int]:
    """1-based numbers of bands of our own files."""
    return [pair_file.band(name) for name in names]


def _read_band(path: str, band: int, window: Window, *, coherence: bool = False) -> np.ndarray:
    with _open(path) as src:
        values = raster.read_open(src, window, band)
        return unwrapping.as_coherence(values, src) if coherence else values


def _source(pair: Pair, own: Mapping[str, str], linked: LinkedDates | None) -> Source:
    if pair.name not in own:
        return _supplied(pair)
    if linked is not None:
        return LinkedPair(own[pair.name], (pair.reference, pair.secondary), linked)
    return Stored(own[pair.name])


def _supplied(pair: Pair) -> Supplied:
    coherence = pair.files.get("coherence")
    return Supplied(_place(pair.files["unwrapped"]), _place(coherence) if coherence else None)


def _place(path: str) -> tuple[str, int]:
    with _open(path) as source:
        return path, value_band(source)


def _grid_of(path: str) -> tuple[tuple[int, int], Affine, CRS | None]:
    with _open(path) as src:
        return src.shape, src.transform, src.crs


def _open(path: str) -> DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{path}: not a raster that GDAL can open; fetch the file again.") from error
