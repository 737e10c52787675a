"""Evidence of a landslide from several tracks and the optical image together, and how far it stands out around it.

Each change has a probability to be as large by chance: of coherence and vegetation lost one-sided, of backscatter
two-sided, since fresh debris is brighter or darker (Mondini et al. 2019). They are combined after Fisher, −2 Σ ln p,
which is χ² with 2 degrees of freedom for each; then the median of the surroundings is taken off and the scatter there
is the unit, so that the map holds what it states whatever rain and season left in common.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from scipy import special

from slipmap.event.track import SCORES
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion.background import Field, by_cells, scatter

SAMPLES = 16  # blocks from which ranks of the optical change are learnt
RANKS = np.linspace(0.0005, 0.9995, 1000)  # beyond the last one a loss counts as that
LARGEST = 12.0  # standard deviations: what counts as certain, whatever it is
ONE_SIDED = ("coherence_loss_score", "vegetation_loss_score")


def combine(scores: Sequence[np.ndarray], one_sided: Sequence[bool]) -> np.ndarray:
    """Normal deviate of Fisher's combination of those scores that there are, (…) float32; NaN where there is none.

    Parameters
    ----------
    scores : each (…), standard normal where nothing happened; NaN where it is not known.
    """
    shape = np.shape(scores[0])
    total, count = np.zeros(shape), np.zeros(shape, np.int8)
    for score, single in zip(scores, one_sided, strict=True):
        known = np.isfinite(score)
        z = np.clip(np.where(known, score, 0).astype(np.float64), -LARGEST, LARGEST)
        log_p = special.log_ndtr(-z) if single else np.minimum(special.log_ndtr(-np.abs(z)) + np.log(2), 0)
        total -= np.where(known, log_p, 0)
        count += known
    # χ² with 2n degrees of freedom beyond 2·total: a Poisson sum, in logarithms
    terms = np.ones(shape)
    series = np.ones(shape)
    for k in range(1, len(scores)):
        terms = terms * total / k
        series += np.where(k < count, terms, 0)
    found = -special.ndtri_exp(np.minimum(np.log(series) - total, -1e-12))
    return np.where(count > 0, found, np.nan).astype(np.float32)


@dataclass
class Evidence:
    """Reads the scores of all that tell of the event on the grid of the area's own track.

    Parameters
    ----------
    tracks : event/track.tif of each, the own one first. optical : change of the NDVI, or None. slope : degrees, or
        None. cell : side of the cells of the background, m.
    """

    tracks: Sequence[str | Path]
    optical: str | Path | None
    slope: str | Path | None
    min_slope: float
    cell: float

    def __post_init__(self) -> None:
        self.grid = Grid.from_raster(self.tracks[0])
        self._stack = ExitStack()
        self._own = self._stack.enter_context(rasterio.open(self.tracks[0]))
        self._views = [self._own] + [self._warped(path) for path in self.tracks[1:]]
        self._optical, self._slope = (
            None if path is None else self._warped(path) for path in (self.optical, self.slope)
        )
        self.vegetation: tuple[Field, Field] | None = None
        self._ranks: np.ndarray | None = None
        self.common: tuple[Field, Field] | None = None

    def __enter__(self) -> "Evidence":
        side = max(8, round(self.cell / float(np.sqrt(np.prod(self.grid.resolution)))))
        if self._optical is not None:
            self.vegetation = self._fields(lambda window: self._on_slopes(self._change(window), window), side)
            self._ranks = self._learn_ranks()
        self.common = self._fields(lambda window: self._on_slopes(self.combined(window), window), side)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _warped(self, path: str | Path) -> rasterio.vrt.WarpedVRT:
        return self._stack.enter_context(raster.warped(path, self.grid))

    def _fields(self, read: Callable[[Window], np.ndarray], side: int) -> tuple[Field, Field] | None:
        """Median and scatter of what `read` gives, by cells."""
        middle = by_cells(read, lambda values: float(np.median(values)), self.grid, side)
        if middle is None:
            return None
        spread = by_cells(read, scatter, self.grid, side)
        assert spread is not None
        return middle, Field(np.maximum(spread.cells, 1e-6), side)

    def _change(self, window: Window) -> np.ndarray:
        return np.asarray(raster.read_open(self._optical, window, 1))

    def steep(self, window: Window) -> np.ndarray:
        """Ground steep enough to slide, (rows, cols) bool."""
        if self._slope is None:
            return np.ones((int(window.height), int(window.width)), bool)
        return np.asarray(raster.read_open(self._slope, window, 1) >= self.min_slope)

    def _on_slopes(self, values: np.ndarray, window: Window) -> np.ndarray:
        return np.where(self.steep(window), values, np.nan)

    def loss(self, window: Window) -> np.ndarray:
        """Loss of NDVI against the surroundings over the scatter there."""
        change = self._change(window)
        if self.vegetation is None:
            return np.full(change.shape, np.nan)
        middle, spread = self.vegetation
        return np.asarray((middle.at(window) - change) / spread.at(window))

    def _learn_ranks(self) -> np.ndarray:
        """Losses of the slopes at equal steps of rank, from blocks spread over the area."""
        windows = list(self.grid.blocks())
        losses = [self._on_slopes(self.loss(one), one) for one in windows[:: -(-len(windows) // SAMPLES)]]
        known = np.concatenate([loss[np.isfinite(loss)] for loss in losses])
        return np.quantile(known, RANKS) if known.size else np.zeros_like(RANKS)

    def vegetation_loss(self, window: Window) -> np.ndarray:
        """Loss of NDVI as the normal deviate of its rank among the slopes, (rows, cols); NaN under clouds.

        Fields and seasons make the loss far from normal: a rank is what it says.
        """
        loss = self.loss(window)
        if self._ranks is None:
            return np.full(loss.shape, np.nan)
        return np.where(np.isfinite(loss), special.ndtri(np.interp(np.nan_to_num(loss), self._ranks, RANKS)), np.nan)

    def scores(self, window: Window) -> tuple[list[np.ndarray], list[bool]]:
        """Scores of every track, then of the optical image, and which are one-sided."""
        found, single = [], []
        for view, path in zip(self._views, self.tracks, strict=True):
            names = [name for name in SCORES if name in _bands(path)]
            bands = [_bands(path).index(name) + 1 for name in names]
            found += list(raster.read_open(view, window, bands))
            single += [name in ONE_SIDED for name in names]
        if self._optical is not None:
            found.append(self.vegetation_loss(window))
            single.append(True)
        return found, single

    def combined(self, window: Window) -> np.ndarray:
        """Normal deviate of all scores together, (rows, cols)."""
        return combine(*self.scores(window))

    def significance(self, window: Window) -> np.ndarray:
        """How far the combination stands out of the surroundings, (rows, cols); NaN where nothing is known."""
        found = self.combined(window)
        if self.common is None:
            return found
        middle, spread = self.common
        # never more than the statement itself: a quiet cell is chance
        return np.asarray((found - middle.at(window)) / np.maximum(spread.at(window), 1.0), np.float32)


def _bands(path: str | Path) -> list[str]:
    with rasterio.open(path) as source:
        return list(source.descriptions)
