"""Unwrapped phase and coherence of a whole network, read by window."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slipmap.deformation import pair_file, unwrapping
from slipmap.deformation.agreement import same_grid
from slipmap.deformation.inversion import thread_count
from slipmap.deformation.layer import value_band
from slipmap.deformation.pair_values import add_coherence, decode, decode_original
from slipmap.deformation.phase import supplied_coherence, supplied_phase
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

KEPT_BYTES = 256 * 2**20  # of a small network, read once for all the passes over it
NO_COHERENCE = 0.5  # taken where a supplied interferogram has no coherence raster


class Source(Protocol):
    """Where phase and coherence of one pair are."""

    has_original: bool  # whether the phase before any filter is known

    @property
    def paths(self) -> list[str]:
        """Its files, that of the coherence last."""

    def fill(self, window: Window, phase: np.ndarray, coherence: np.ndarray, original: np.ndarray | None) -> None:
        """Read a window into float32 arrays (rows, cols); NaN in phase and coherence where either is missing."""


@dataclass(frozen=True)
class Stored:
    """A pair that we unwrapped ourselves (`pair_file`)."""

    path: str
    has_original = True

    @property
    def paths(self) -> list[str]:
        """The one file."""
        return [self.path]

    def bands(self, names: Sequence[str], window: Window) -> np.ndarray:
        """Bands as they are stored, uint16 (bands, rows · cols)."""
        with _open(self.path) as src:
            try:
                values = src.read([pair_file.band(name) for name in names], window=window)
            except RasterioError as error:
                raise InputError(
                    f"{self.path}: the pixels cannot be read ({error}); remove the file, so that it is made again."
                ) from error
        return values.reshape(len(names), -1)

    def fill(self, window: Window, phase: np.ndarray, coherence: np.ndarray, original: np.ndarray | None) -> None:
        """As `Source.fill`."""
        names = ("wrapped_phase", "turns", "coherence", *(["phase_original"] if original is not None else []))
        wrapped, turns, quality, *before = self.bands(names, window)
        decode(wrapped, turns, quality, phase.reshape(-1), coherence.reshape(-1))
        if original is not None:
            decode_original(*before, original.reshape(-1))


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

    def fill(self, window: Window, phase: np.ndarray, coherence: np.ndarray, original: np.ndarray | None) -> None:
        """As `Source.fill`; a phase of exactly zero, or one that cannot be, is nodata (`phase.supplied_phase`)."""
        phase[...] = supplied_phase(_read_band(*self.phase, window))
        coherence[...] = NO_COHERENCE
        if self.coherence:
            coherence[...] = supplied_coherence(_read_band(*self.coherence, window, coherence=True))
        gap = ~(np.isfinite(phase) & (coherence > 0))
        phase[gap] = coherence[gap] = np.nan


class NetworkReader:
    """Reads (pairs, rows, cols) windows of phase and coherence.

    Parameters
    ----------
    pairs : of the network.
    unwrapped : what `unwrapping.run` wrote, one file for each pair; of the others those that the pair names are read.
    """

    def __init__(self, pairs: Sequence[Pair], unwrapped: Sequence[str | Path]) -> None:
        own = {Path(p).stem: str(p) for p in unwrapped}
        self.sources = [Stored(own[pair.name]) if pair.name in own else _supplied(pair) for pair in pairs]
        grids = []
        for path in dict.fromkeys(path for source in self.sources for path in source.paths):
            with _open(path) as src:
                grids.append((Path(path), src.shape, src.transform, src.crs))
        same_grid(grids)
        self.grid = Grid.from_raster(self.sources[0].paths[0])
        self._kept: list[np.ndarray] | None = None
        self._unreadable: set[str] = set()

    @property
    def has_original(self) -> bool:
        """Whether the phase before any filter is known, which it is of what we unwrapped ourselves."""
        return all(source.has_original for source in self.sources)

    def read(self, window: Window, *, original: bool = False) -> list[np.ndarray]:
        """Phase (rad) and coherence, float32 (pairs, rows, cols); NaN in both where either is missing.

        With `original` also the wrapped phase before any filter (rad). Several threads read; every file is opened once
        and each of its tiles decoded once, if the window is one of the files' tiles. What is no larger than
        `KEPT_BYTES` in all is read once and kept.
        """
        size = 4 * (2 + self.has_original) * len(self.sources) * self.grid.width * self.grid.height
        if size > KEPT_BYTES:
            return self._load(window, original)
        if self._kept is None:
            self._kept = self._load(Window(0, 0, self.grid.width, self.grid.height), self.has_original)
        rows, cols = window.toslices()
        return [array[:, rows, cols].copy() for array in self._kept[: 2 + original]]

    def sum_coherence(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Sum of the coherences of all pairs and number of pairs at each pixel, and both over the pixels of each pair.

        float64 (rows, cols), int (rows, cols), float64 (pairs,), int (pairs,). Of our own files only the coherence is
        read.
        """
        if not all(isinstance(source, Stored) for source in self.sources):
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
                (values,) = self.sources[k].bands(["coherence"], window)
                of_pairs[:, k] = add_coherence(values, total[thread].reshape(-1), count[thread].reshape(-1))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(add, range(threads)))
        return total.sum(axis=0) / pair_file.PARTS, count.sum(axis=0), of_pairs[0] / pair_file.PARTS, of_pairs[1]

    def _load(self, window: Window, original: bool) -> list[np.ndarray]:
        shape = (2 + original, len(self.sources), int(window.height), int(window.width))
        stack = np.empty(shape, np.float32)

        def fill(k: int) -> None:
            try:
                self.sources[k].fill(window, stack[0, k], stack[1, k], stack[2, k] if original else None)
            except InputError as error:
                if isinstance(self.sources[k], Stored):
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


def _read_band(path: str, band: int, window: Window, *, coherence: bool = False) -> np.ndarray:
    with _open(path) as src:
        values = raster.read_open(src, window, band)
        return unwrapping.as_coherence(values, src) if coherence else values


def _supplied(pair: Pair) -> Supplied:
    coherence = pair.files.get("coherence")
    return Supplied(_place(pair.files["unwrapped"]), _place(coherence) if coherence else None)


def _place(path: str) -> tuple[str, int]:
    with _open(path) as source:
        return path, value_band(source)


def _open(path: str) -> rasterio.io.DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{path}: not a raster that GDAL can open; fetch the file again.") from error
