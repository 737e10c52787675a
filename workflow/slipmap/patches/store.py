"""Build the patch store of a study area, and read what a store says of itself without opening its arrays."""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from tqdm import tqdm

from slipmap.codes import IGNORE, SPLITS, TRAINING, UNKNOWN
from slipmap.config.patches import PatchSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.parallel import in_parallel
from slipmap.patches import writer
from slipmap.patches.normalisation import Accumulator, BandStatistics, Statistics
from slipmap.patches.offline import add_copies
from slipmap.patches.sampling import choose
from slipmap.patches.windows import PatchWindow, on_raster, plan


def build(
    factors: Sequence[str | Path],
    inventory_tif: str | Path,
    split_tif: str | Path,
    settings: PatchSettings | Mapping[str, Any],
    store: str | Path,
    area: str = "",
    threads: int = 1,
) -> None:
    """Cut an area into patches and write them as ``{store}`` (Zarr) with ``index.parquet`` inside.

    Parameters
    ----------
    factors : rasters of one band on the area's grid; the bands of the patches, in this order, named as the files.
        A uint8 raster with class names in its tags is a categorical band.
    inventory_tif : uint8: 1 landslide, 0 none, 255 unknown.
    split_tif : uint8: 0 training, 1 validation, 2 test, 255 left out (`slipmap.patches.split.run`).
    settings : size, stride and so on.
    store : the folder to make, "{dataset}.zarr": ``image`` float32 (n, bands, rows, cols) with raw values and NaN
        where missing; ``mask`` uint8 (n, rows, cols), 1 landslide, 0 not, 255 ignored; ``valid`` uint8 likewise.
    area : name for the index.
    threads : patches read at once.

    Raises
    ------
    InputError : a raster is not on the area's grid; a split without a patch or without a landslide.

    Notes
    -----
    No leakage by construction: a patch belongs to one split, and every pixel of it that belongs to another split, or
    to none, is NaN in the image and 255 in the mask. Statistics come from training ground only. In validation and
    test each ground pixel is labelled in one patch only.

    Holds one block of pixels of each band and a few patches a thread.
    """
    settings = PatchSettings.model_validate(settings)
    grid = Grid.from_raster(inventory_tif)
    bands = describe_bands(factors, grid, settings)
    for path in (split_tif, *factors):
        if not Grid.from_raster(path).matches(grid):
            raise InputError(f"{path} is not on the grid of {inventory_tif}; make both with the same area grid.")
    statistics, labels = fit(factors, inventory_tif, split_tif, bands, settings)
    reader = AreaReader(factors, inventory_tif, split_tif, bands, settings.size)
    shape = (settings.size, settings.size)
    with reader, writer.create(store, len(bands), shape, settings.compression, threads) as patches:
        windows = plan(split_tif, settings.size, settings.stride)
        for window, (image, mask, valid) in tqdm(
            in_parallel(windows, reader.read, threads, held=4 * threads), desc="patches", unit="patch", disable=None
        ):
            if valid.mean() < settings.min_valid or not valid.any():
                continue
            place = _place(window, grid, settings.size)
            patches.add(
                image, mask, valid, area=area, **place, source=Path(inventory_tif).name, parent=-1, augmentation=""
            )
        writer.check_positive(patches.records, [SPLITS[label] for label in labels], store)
        choose(patches.records, settings.landslide_share, settings.seed)
        add_copies(patches, [band.name for band in bands], settings)
        patches.describe(
            statistics,
            settings,
            areas=[area],
            split=split_description(split_tif),
            pixel_size=list(grid.resolution),
            crs=grid.crs,
        )


def _place(window: PatchWindow, grid: Grid, size: int) -> dict[str, Any]:
    """What the index says of where a patch lies."""
    x, y = grid.transform @ (window.col, window.row)
    return {
        "split": SPLITS[window.split],
        "row": window.row,
        "col": window.col,
        "x": x,
        "y": y,
        "extent_x": size * grid.resolution[0],
        "extent_y": size * grid.resolution[1],
        "crs": grid.crs,
        "block": window.block,
    }


def describe_bands(factors: Sequence[str | Path], grid: Grid, settings: PatchSettings) -> list[BandStatistics]:
    """Name, units, kind and classes of each factor's band, still without numbers."""
    bands = []
    for path in map(Path, factors):
        with rasterio.open(path) as src:
            if src.count != 1:
                raise InputError(f"{path} has {src.count} bands; a factor has one.")
            units, dtype = src.tags().get("units", src.units[0] or "1"), src.dtypes[0]
        classes = raster.read_classes(path) if dtype == "uint8" else {}
        name = path.stem
        bands.append(
            BandStatistics(
                name=name,
                kind="categorical" if classes else "continuous",
                units=units,
                classes=classes,
                optional=may_be_missing(name, settings),
            )
        )
    names = [band.name for band in bands]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Two factors are called '{name}'; give each band one raster.")
    if not bands:
        raise InputError("No factor is left to make patches from; switch on at least one under factors.")
    return bands


def may_be_missing(band: str, settings: PatchSettings) -> bool:
    """Whether pixels without this band are learnt from: what the settings name, else a factor with gaps."""
    if settings.optional_bands is not None:
        return band in settings.optional_bands
    factor = catalogue.find(band)
    return factor is not None and factor.gaps


def fit(
    factors: Sequence[str | Path],
    inventory_tif: str | Path,
    split_tif: str | Path,
    bands: Sequence[BandStatistics],
    settings: PatchSettings,
) -> tuple[Statistics, list[int]]:
    """Statistics of the known training ground, each pixel once; and the split labels that the area has."""
    gathered, labels = Accumulator(len(bands)), set()
    grid = Grid.from_raster(split_tif)
    with ExitStack() as stack:
        split_src, inventory_src, *sources = (
            stack.enter_context(rasterio.open(path)) for path in (split_tif, inventory_tif, *factors)
        )
        for window in grid.blocks():
            split = split_src.read(1, window=window)
            labels.update(np.unique(split[split != IGNORE]).tolist())
            chosen = (split == TRAINING) & (inventory_src.read(1, window=window) != IGNORE)
            if chosen.any():
                for i, src in enumerate(sources):
                    values = raster.read_open(src, window, 1)
                    gathered.add_band(i, values, chosen)
                    if bands[i].kind == "categorical":
                        gathered.count_classes(i, values, chosen)
    if not labels:
        raise InputError(f"{split_tif} has no training, validation or test ground; make split.block larger.")
    if 0 not in labels:  # an area left out for testing has no training ground: its patches take others' statistics
        return Statistics(settings.normalisation, tuple(bands)), sorted(labels)
    return gathered.statistics(bands, settings.normalisation), sorted(labels)


class AreaReader:
    """Reads patches of an area; each thread opens the rasters once.

    Parameters
    ----------
    factors, inventory_tif, split_tif : as for `build`.
    bands : one for each factor.
    size : side of a patch.
    """

    def __init__(
        self,
        factors: Sequence[str | Path],
        inventory_tif: str | Path,
        split_tif: str | Path,
        bands: Sequence[BandStatistics],
        size: int,
    ) -> None:
        self._paths = (split_tif, inventory_tif, *factors)
        self._required = np.array([not band.optional for band in bands])
        self._size = size
        self._local = threading.local()
        self._opened: list[rasterio.io.DatasetReader] = []

    def __enter__(self) -> "AreaReader":
        return self

    def __exit__(self, *_: object) -> None:
        for src in self._opened:
            src.close()

    def _sources(self) -> list[rasterio.io.DatasetReader]:
        if not hasattr(self._local, "sources"):
            self._local.sources = [rasterio.open(path) for path in self._paths]
            self._opened += self._local.sources
        sources: list[rasterio.io.DatasetReader] = self._local.sources
        return sources

    def read(self, window: PatchWindow) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(image, mask, valid) of one window; see `build`. Ground that is not of the window's split is hidden."""
        split_src, inventory_src, *sources = self._sources()
        size = self._size
        inside, part = on_raster(window.row, window.col, size, split_src.height, split_src.width)
        split = np.full((size, size), IGNORE, np.uint8)
        inventory = split.copy()
        split[inside] = split_src.read(1, window=part)
        inventory[inside] = inventory_src.read(1, window=part)
        image = np.full((len(sources), size, size), np.nan, np.float32)
        for band, src in zip(image, sources, strict=True):
            band[inside] = raster.read_open(src, part, 1)
        visible = split == window.split
        image[:, ~visible] = np.nan
        valid = visible & (inventory != IGNORE) & np.isfinite(image[self._required]).all(axis=0)
        mask = np.where(valid, inventory, IGNORE).astype(np.uint8)
        if window.split != 0:  # scored ground counts once
            row, col, row_end, col_end = window.own
            owned = np.zeros((size, size), bool)
            owned[row - window.row : row_end - window.row, col - window.col : col_end - window.col] = True
            mask[~owned] = IGNORE
        return image, mask, valid


def split_description(split_tif: str | Path) -> dict[str, str]:
    """How the split was made: {"method": …, "independence": …, …}; tables show `independence`."""
    with rasterio.open(split_tif) as src:
        tags = src.tags()
    described = {key.removeprefix("SPLIT_").lower(): value for key, value in tags.items() if key.startswith("SPLIT_")}
    return described or {"method": "supplied", "independence": f"{UNKNOWN} (split supplied by the user)"}


def read_attributes(store: str | Path) -> dict[str, Any]:
    """What a store says of itself (bands, statistics, settings, split, counts …), from its metadata alone."""
    path = Path(store) / "zarr.json"
    if not path.is_file():
        raise InputError(f"{store} is not a patch store; build it first (rule patches).")
    attributes: dict[str, Any] = json.loads(path.read_text())["attributes"]
    return attributes


def load_statistics(store: str | Path) -> Statistics:
    """The statistics that were fitted on the training pixels of `store`."""
    return Statistics.from_dict(read_attributes(store)["statistics"])


def read_index(store: str | Path) -> pd.DataFrame:
    """The index of `store`: one row for each patch, in the order of the arrays."""
    path = Path(store) / writer.INDEX
    if not path.is_file():
        raise InputError(f"{store} has no {writer.INDEX}; build the patch store again.")
    return pd.read_parquet(path)
