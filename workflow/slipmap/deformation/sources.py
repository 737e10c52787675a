"""Unwrapped phase and coherence of a whole network, read by window."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slipmap import raster
from slipmap.deformation import unwrapping
from slipmap.deformation.readers.checks import same_grid
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.grid import Grid

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
        with ExitStack() as stack:
            grids = []
            for source in self.sources:
                for place in (source.phase, source.coherence):
                    if place:
                        src = stack.enter_context(_open(place[0]))
                        grids.append((Path(place[0]), src.shape, src.transform, src.crs))
        same_grid(grids)
        self.grid = Grid.from_raster(self.sources[0].phase[0])

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Phase (rad) and coherence, float32 (pairs, rows, cols); NaN in both where either is missing.

        A supplied phase of exactly zero is nodata, as every processor writes it.
        """
        shape = (len(self.sources), int(window.height), int(window.width))
        phase, coherence = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for k, source in enumerate(self.sources):
            with _open(source.phase[0]) as src:
                phase[k] = raster.read_open(src, window, source.phase[1])
                if source.coherence and source.coherence[0] == source.phase[0]:
                    coherence[k] = raster.read_open(src, window, source.coherence[1])
            if source.coherence is None:
                coherence[k] = NO_COHERENCE
            elif source.coherence[0] != source.phase[0]:
                with _open(source.coherence[0]) as src:
                    coherence[k] = raster.read_open(src, window, source.coherence[1])
                    if src.dtypes[0] == "uint8":
                        coherence[k] /= 255
            if source.original is None:  # supplied
                phase[k][phase[k] == 0] = np.nan
        gap = ~(np.isfinite(phase) & (coherence > 0))
        phase[gap] = np.nan
        coherence[gap] = np.nan
        return phase, coherence

    def read_original(self, window: Window) -> np.ndarray | None:
        """Wrapped phase before any filter, float32 (pairs, rows, cols), rad; None where it was not supplied."""
        if any(source.original is None for source in self.sources):
            return None
        phase = np.empty((len(self.sources), int(window.height), int(window.width)), np.float32)
        for k, source in enumerate(self.sources):
            with _open(source.original[0]) as src:
                phase[k] = raster.read_open(src, window, source.original[1])
        return phase


def _source(pair: Pair, own: dict[str, str]) -> Source:
    if pair.name in own:
        path, bands = own[pair.name], unwrapping.BANDS
        phase, coherence, original = (
            (path, bands.index(name) + 1) for name in ("unwrapped_phase", "coherence", "phase_original")
        )
        return Source(phase, coherence, original)
    coherence = pair.files.get("coherence")
    return Source((pair.files["unwrapped"], 1), (coherence, 1) if coherence else None)


def _open(path: str) -> rasterio.io.DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{path}: not a raster that GDAL can open; fetch the file again.") from error
