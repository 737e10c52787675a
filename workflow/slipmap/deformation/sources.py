"""Unwrapped phase and coherence of a whole network, read by window."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slipmap.deformation import unwrapping
from slipmap.deformation.agreement import same_grid
from slipmap.deformation.inversion import thread_count
from slipmap.deformation.layer import value_band
from slipmap.deformation.phase import supplied_coherence, supplied_phase
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

KEPT_BYTES = 256 * 2**20  # of a small network, read once for all the passes over it
NO_COHERENCE = 0.5  # taken where a supplied interferogram has no coherence raster


@dataclass(frozen=True)
class Source:
    """Where phase, coherence and unfiltered phase of one pair are: path and 1-based band of each."""

    phase: tuple[str, int]
    coherence: tuple[str, int] | None
    original: tuple[str, int] | None = None


class NetworkReader:
    """Reads (pairs, rows, cols) windows of phase and coherence; see `open_network`."""

    def __init__(self, pairs: Sequence[Pair], unwrapped: Sequence[str | Path]) -> None:
        own = {Path(p).stem: str(p) for p in unwrapped}
        self.sources = [_source(pair, own) for pair in pairs]
        grids = []
        for path in {place[0]: None for s in self.sources for place in (s.phase, s.coherence) if place}:
            with _open(path) as src:
                grids.append((Path(path), src.shape, src.transform, src.crs))
        same_grid(grids)
        self.grid = Grid.from_raster(self.sources[0].phase[0])
        self._kept: list[np.ndarray] | None = None
        self._unreadable: set[str] = set()

    @property
    def has_original(self) -> bool:
        """Whether the phase before any filter is known, which it is of what we unwrapped ourselves."""
        return all(source.original is not None for source in self.sources)

    def read(self, window: Window, *, original: bool = False) -> list[np.ndarray]:
        """Phase (rad) and coherence, float32 (pairs, rows, cols); NaN in both where either is missing.

        With `original` also the wrapped phase before any filter (rad). A supplied phase of exactly zero, or one that
        cannot be, is nodata (`phase.supplied_phase`). Several threads read; every file is opened once and each of its
        tiles decoded once, if the window is one of the files' tiles. What is no larger than `KEPT_BYTES` in all is read
        once and kept.
        """
        size = 4 * (2 + self.has_original) * len(self.sources) * self.grid.width * self.grid.height
        if size > KEPT_BYTES:
            return self._load(window, original)
        if self._kept is None:
            self._kept = self._load(Window(0, 0, self.grid.width, self.grid.height), self.has_original)
        rows, cols = window.toslices()
        return [array[:, rows, cols].copy() for array in self._kept[: 2 + original]]

    def _load(self, window: Window, original: bool) -> list[np.ndarray]:
        shape = (2 + original, len(self.sources), int(window.height), int(window.width))
        stack = np.empty(shape, np.float32)

        def fill(k: int) -> None:
            try:
                stack[:, k] = _read(self.sources[k], window, original)
            except InputError as error:
                if self.sources[k].original is not None:  # ours, not a supplied one
                    raise
                stack[:, k] = np.nan
                self._tell(str(error))
            gap = ~(np.isfinite(stack[0, k]) & (stack[1, k] > 0))
            stack[:2, k, gap] = np.nan

        with ThreadPoolExecutor(thread_count()) as pool:
            list(pool.map(fill, range(len(self.sources))))
        return list(stack)

    def _tell(self, sentence: str) -> None:
        """Say once of a supplied file that a part of it is taken for nodata."""
        if sentence not in self._unreadable:
            self._unreadable.add(sentence)
            print(f"left out where it cannot be read: {sentence}")


def _read(source: Source, window: Window, original: bool) -> list[np.ndarray]:
    """Phase, coherence and, if asked for, phase before any filter of one pair."""
    places = [source.phase, source.coherence, source.original if original else None]
    wanted: dict[str, list[int]] = {}
    for place in places:
        if place:
            wanted.setdefault(place[0], []).append(place[1])
    found = {}
    for path, bands in wanted.items():
        with _open(path) as src:
            values = raster.read_open(src, window, bands)
            if source.coherence and path == source.coherence[0]:
                values = unwrapping.as_coherence(values, src)
        found |= {(path, band): array for band, array in zip(bands, values, strict=True)}
    phase = found[source.phase]
    coherence = found[source.coherence] if source.coherence else np.full_like(phase, NO_COHERENCE)
    if source.original is None:  # supplied
        phase, coherence = supplied_phase(phase), supplied_coherence(coherence)
    return [phase, coherence, *([found[source.original]] if original else [])]


def _source(pair: Pair, own: dict[str, str]) -> Source:
    if pair.name in own:
        path, bands = own[pair.name], unwrapping.BANDS
        phase, coherence, original = (
            (path, bands.index(name) + 1) for name in ("unwrapped_phase", "coherence", "phase_original")
        )
        return Source(phase, coherence, original)
    coherence = pair.files.get("coherence")
    return Source(_place(pair.files["unwrapped"]), _place(coherence) if coherence else None)


def _place(path: str) -> tuple[str, int]:
    with _open(path) as source:
        return path, value_band(source)


def _open(path: str) -> rasterio.io.DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{path}: not a raster that GDAL can open; fetch the file again.") from error
