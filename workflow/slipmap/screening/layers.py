"""Factors, inventory and split of an area, opened together and read block by block."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import DatasetReader
from rasterio.windows import Window

from slipmap.codes import LANDSLIDE, TRAINING
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import BLOCK, Grid


@dataclass(frozen=True)
class Layers:
    """Open rasters of one area, all on `grid`.

    Parameters
    ----------
    factors : name to open one-band raster, in order.
    categories : for each factor of classes (a uint8 raster) its {value: class name}.
    inventory, split : open uint8 rasters, or None where there is none.
    """

    grid: Grid
    factors: Mapping[str, DatasetReader]
    categories: Mapping[str, Mapping[int, str]]
    inventory: DatasetReader | None
    split: DatasetReader | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors, in order."""
        return tuple(self.factors)

    def values(self, window: Window, names: Sequence[str] | None = None) -> np.ndarray:
        """Factor values in `window`: (factors, rows, cols) float32, NaN for nodata."""
        chosen = self.names if names is None else names
        return np.stack([raster.read_open(self.factors[name], window, 1) for name in chosen])

    def labels(self, window: Window) -> np.ndarray:
        """Inventory in `window`: (rows, cols) uint8, 1 landslide, 0 not, 255 unknown."""
        return _codes(self.inventory, window)

    def splits(self, window: Window) -> np.ndarray:
        """Split in `window`: (rows, cols) uint8, 0 training, 1 validation, 2 test, 255 left out."""
        return _codes(self.split, window)

    def labelled(
        self, splits: Sequence[int] | None = (TRAINING,), size: int = BLOCK
    ) -> Iterator[tuple[Window, np.ndarray, np.ndarray]]:
        """Blocks with a labelled pixel of these `splits` (None: of any, left-out ones too).

        Yields
        ------
        window, labels (rows, cols) uint8, inside (rows, cols) bool: known label and in `splits`.
        """
        for window in self.grid.blocks(size):
            labels = self.labels(window)
            inside = labels <= LANDSLIDE
            if splits is not None and inside.any():
                inside &= np.isin(self.splits(window), splits)
            if inside.any():
                yield window, labels, inside


@contextmanager
def opened(
    factors: Mapping[str, str | Path] | Sequence[str | Path],
    inventory: str | Path | None = None,
    split: str | Path | None = None,
) -> Iterator[Layers]:
    """Open the rasters of an area together.

    Parameters
    ----------
    factors : {name: one-band raster}, or a list of rasters named by their file names.

    Raises
    ------
    InputError : a factor that is missing, or that lies on another grid than the first.
    """
    if not isinstance(factors, Mapping):
        factors = {Path(path).stem: path for path in factors}
    if not factors:
        raise InputError("factors: none is left to screen; name at least one in factors.include.")
    with ExitStack() as stack:
        sources = {name: stack.enter_context(_open(path)) for name, path in factors.items()}
        others = {
            role: stack.enter_context(_open(path)) if path is not None else None
            for role, path in (("inventory", inventory), ("split", split))
        }
        first = next(iter(factors.values()))
        grid = Grid.from_raster(first)
        for name, source in (sources | others).items():
            if source is not None and not Grid.from_raster(source.name).matches(grid):
                raise InputError(
                    f"{source.name} ({name}) does not lie on the grid of {first}; remake it on the area's grid."
                )
        categories = {
            name: raster.read_classes(source.name) for name, source in sources.items() if source.dtypes[0] == "uint8"
        }
        yield Layers(grid, sources, categories, others["inventory"], others["split"])


def _open(path: str | Path) -> DatasetReader:
    try:
        return rasterio.open(path)
    except rasterio.errors.RasterioError as error:
        raise InputError(f"{path} is missing or not a raster that GDAL can open; make it again.") from error


def _codes(source: DatasetReader | None, window: Window) -> np.ndarray:
    if source is None:
        raise ValueError("these layers were opened without an inventory or a split")
    values = raster.read_open(source, window, 1)
    return np.where(np.isfinite(values), values, raster.CLASS_NODATA).astype(np.uint8)
