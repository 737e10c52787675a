"""The factors of an area as the channels that a model wants."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap import raster
from slipmap.errors import InputError, nearest
from slipmap.grid import Grid
from slipmap.patches.normalisation import Normaliser, as_statistics, valid_pixels
from slipmap.prediction.tiles import reflected


class FactorReader:
    """Reads the bands that a model wants, normalised as in training, by tile row.

    Parameters
    ----------
    factors : raster of each factor, by name, all on `grid`.
    bands : the model's bands in its order.
    statistics : of the training pixels.
    grid : the area's.

    Raises
    ------
    InputError : a band that the area has not, on another grid, or in other units than in training.
    """

    def __init__(
        self, factors: Mapping[str, str | Path], bands: Sequence[str], statistics: Mapping, grid: Grid
    ) -> None:
        self.bands = list(bands)
        self.statistics = as_statistics(statistics).select(self.bands)
        self.grid = grid
        self._normalisers = [Normaliser([name], self.statistics) for name in self.bands]
        self._open = ExitStack()
        self._sources = []
        for band in self.statistics.bands:
            if band.name not in factors:
                raise InputError(
                    f"The weights need the factor '{band.name}', which this area does not have"
                    f"{nearest(band.name, factors)} Give the input that it is made from, or weights trained without it."
                )
            path = factors[band.name]
            source = self._open.enter_context(rasterio.open(path))
            if not grid.matches(Grid.from_raster(path)):
                raise InputError(
                    f"{path} does not lie on the area's grid; delete it and let the workflow make it anew."
                )
            units = source.tags(1).get("units", source.tags().get("units", ""))
            if units and band.units and units != band.units:
                raise InputError(
                    f"{path} is in {units}, but the weights were trained with '{band.name}' in {band.units}; convert "
                    f"the input."
                )
            self._sources.append(source)

    def __enter__(self) -> "FactorReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def rows(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows first … first + count - 1, reflected where they lie outside the area.

        Returns
        -------
        channels : (channels, count, width) float32, normalised, no NaN.
        valid : (count, width) bool, where the bands that must be there are.
        """
        index = reflected(first, count, self.grid.height)
        top, bottom = int(index.min()), int(index.max()) + 1
        window = Window(0, top, self.grid.width, bottom - top)
        straight = bottom - top == count  # nothing is reflected
        channels = np.empty((sum(len(n.channels) for n in self._normalisers), count, self.grid.width), np.float32)
        valid = np.ones((count, self.grid.width), bool)
        done = 0
        # one band after another: on a wide area the raw bands and their copies would need more than the channels do
        for name, source, normaliser in zip(self.bands, self._sources, self._normalisers, strict=True):
            block = raster.read_open(source, window, 1)[None]
            place = slice(done, done + len(normaliser.channels))
            known = valid_pixels(block, [name], self.statistics)
            if straight:
                normaliser(block, channels[place])
                valid &= known
            else:
                channels[place] = normaliser(block)[:, index - top]
                valid &= known[index - top]
            done = place.stop
        return channels, valid
