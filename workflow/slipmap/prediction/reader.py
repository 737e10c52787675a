"""The factors of an area as the channels that a model wants."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap.errors import InputError, nearest
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import BandStatistics, Normaliser, as_statistics, valid_pixels
from slipmap.prediction.tiles import reflected

log = logging.getLogger(__name__)
UNKNOWN_CLASS = 254  # a code that no raster of ours has: 0 in every class channel


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
    InputError : a band that the area has not, on another grid, in other units than in training, or of classes
        none of which training knew.

    Notes
    -----
    Classes are matched by name: an area numbers its rocks for itself. A class that training did not know becomes 0
    in every class channel, and a warning in the log names it.
    """

    def __init__(
        self, factors: Mapping[str, str | Path], bands: Sequence[str], statistics: Mapping[str, Any], grid: Grid
    ) -> None:
        self.bands = list(bands)
        self.statistics = as_statistics(statistics).select(self.bands)
        self.grid = grid
        self._normalisers = [Normaliser([name], self.statistics) for name in self.bands]
        self._open = ExitStack()
        self._sources = []
        self._codes: list[np.ndarray | None] = []
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
                    f"{path} does not lie on the area's grid; delete it and let the workflow make it again."
                )
            units = source.tags(1).get("units", source.tags().get("units", ""))
            if units and band.units and units != band.units:
                raise InputError(
                    f"{path} is in {units}, but the weights were trained with '{band.name}' in {band.units}; convert "
                    f"the input."
                )
            self._sources.append(source)
            self._codes.append(class_codes(path, band) if band.kind == "categorical" else None)

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
        bands = zip(self.bands, self._sources, self._codes, self._normalisers, strict=True)
        for name, source, codes, normaliser in bands:
            block = raster.read_open(source, window, 1)[None]
            if codes is not None:
                known = np.isfinite(block)
                block[known] = codes[block[known].astype(np.uint8)]
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


def class_codes(path: str | Path, band: BandStatistics) -> np.ndarray:
    """(256,) float32: the code that training gave to the class which the raster at `path` has under each code."""
    codes = np.full(256, UNKNOWN_CLASS, np.float32)
    here = raster.read_classes(path)
    if not here:  # a raster without names: its codes are all there is to go by
        codes[list(band.classes)] = list(band.classes)
        return codes
    trained = {name: code for code, name in band.classes.items()}
    unknown = [name for name in here.values() if name not in trained]
    if len(unknown) == len(here):
        raise InputError(
            f"{path} has the classes {', '.join(here.values())}, none of which the weights know for '{band.name}' "
            f"({', '.join(trained)}); give classes the names they had in training, or use weights trained without it."
        )
    if unknown:
        log.warning("%s: the weights do not know %s; its ground counts as no known class", path, ", ".join(unknown))
    for code, name in here.items():
        codes[code] = trained.get(name, UNKNOWN_CLASS)
    return codes
