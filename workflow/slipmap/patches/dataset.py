"""Feed training from patch stores: the patches of one split, normalised when they are read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from slipmap.codes import SPLITS
from slipmap.config.patches import AugmentSettings
from slipmap.errors import InputError
from slipmap.patches.centerrep import center_rep
from slipmap.patches.normalisation import Normaliser, Statistics, check_order
from slipmap.patches.sampling import class_weights
from slipmap.patches.store import load_statistics, read_attributes, read_index

_DTYPES = {"float32": "<f4", "uint8": "u1"}


class StoredArray:
    """One array of a patch store, read patch by patch: ``array[i]``.

    Uncompressed chunks are the raw bytes of their patches, so they are mapped and read as fast as a ``.npy``; others
    go through Zarr.

    Parameters
    ----------
    path : the array's folder.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        meta = json.loads((self._path / "zarr.json").read_text())
        self.shape: tuple[int, ...] = tuple(meta["shape"])
        self._chunk = tuple(meta["chunk_grid"]["configuration"]["chunk_shape"])
        self._dtype = _DTYPES[meta["data_type"]]
        codecs = meta["codecs"]
        self._raw = (
            len(codecs) == 1
            and codecs[0]["name"] == "bytes"
            and codecs[0].get("configuration", {}).get("endian", "little") == "little"
            and self._chunk[1:] == self.shape[1:]
        )
        self._mapped: dict[int, np.ndarray] = {}
        self._array: zarr.Array[Any] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, i: int) -> np.ndarray:
        if not self._raw:
            if self._array is None:
                self._array = zarr.open_array(self._path, mode="r")
            return np.asarray(self._array[i])
        number, offset = divmod(i, self._chunk[0])
        chunk = self._mapped.get(number)
        if chunk is None:
            name = self._path.joinpath("c", str(number), *["0"] * (len(self._chunk) - 1))
            chunk = np.memmap(name, self._dtype, mode="r", shape=self._chunk).view(np.ndarray)
            self._mapped[number] = chunk
        patch: np.ndarray = chunk[offset]
        return patch

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": {}, "_array": None}  # a worker maps for itself


class StoredPatches:
    """The patches of one split, of one or more stores, normalised when read.

    Parameters
    ----------
    stores
        Patch stores.
    split
        "training", "validation" or "test".
    bands
        Bands wanted, in the order wanted.
    statistics
        What normalises them.
    augment
        CenterRep is applied when patches are read (the rest is done batch by batch on the device).

    Attributes
    ----------
    index
        One row for each patch: the stores' columns, and ``store``, its number in `stores`.
    channel_names
        Names of the channels that a model gets.
    """

    def __init__(
        self,
        stores: Sequence[str | Path],
        split: str,
        bands: Sequence[str],
        statistics: Statistics,
        augment: AugmentSettings | None = None,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is none of {SPLITS}")
        self.stores = [Path(store) for store in stores]
        stored = [load_statistics(store) for store in self.stores]
        for path, other in zip(self.stores[1:], stored[1:], strict=True):
            check_order(other.names, stored[0].names, path.name, self.stores[0].name)
        stored[0].select(bands)
        self.bands, self.statistics = list(bands), statistics.select(bands)
        self._normalise = Normaliser(self.bands, self.statistics)
        self.channel_names = self._normalise.channels
        self.channels = len(self.channel_names)
        columns = [stored[0].names.index(name) for name in self.bands]
        self._columns = None if columns == list(range(len(stored[0].names))) else columns
        self._images = [StoredArray(store / "image") for store in self.stores]
        self._masks = [StoredArray(store / "mask") for store in self.stores]
        shapes = {masks.shape[1:] for masks in self._masks}
        if len(shapes) > 1:
            raise InputError(
                f"The patch stores differ in patch size ({sorted(shapes)}); build them with one datasets.size."
            )
        height, width = shapes.pop()
        self.shape = (height, width)
        self.index = self._read_index(split)
        self._places = list(zip(self.index["store"], self.index["patch"], strict=True))
        self.positive: NDArray[np.bool_] = self.index["landslide_pixels"].to_numpy() > 0
        self.augment = augment
        self.redrawn = bool(augment and augment.centerrep)

    def _read_index(self, split: str) -> pd.DataFrame:
        parts = [read_index(store).assign(store=i) for i, store in enumerate(self.stores)]
        index = pd.concat(parts, ignore_index=True)
        index = index[(index["split"] == split) & index["sampled"]].reset_index(drop=True)
        if index.empty:
            raise InputError(
                f"{', '.join(store.name for store in self.stores)}: there is no {split} patch; check the split's "
                f"ratios (split.ratios, split.role)."
            )
        return index

    def __len__(self) -> int:
        return len(self._places)

    def raw(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return (image, mask) of a patch as stored: raw values of `bands`, NaN where missing. Read only."""
        store, patch = self._places[number]
        image = self._images[store][patch]
        if self._columns is not None:
            image = image[self._columns]
        return image, self._masks[store][patch]

    def read(
        self, numbers: Sequence[int] | NDArray[np.int64], draw: Sequence[int] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return normalised images (n, channels, height, width) and masks (n, height, width) of 1, 0, 255."""
        images = np.empty((len(numbers), self.channels, *self.shape), np.float32)
        masks = np.empty((len(numbers), *self.shape), np.uint8)
        augment = self.augment
        random = None if draw is None or not self.redrawn else np.random.default_rng(list(draw))
        for position, number in enumerate(numbers):
            image, mask = self.raw(int(number))
            if augment and random is not None and random.random() < augment.centerrep and self.positive[number]:
                image, mask, _ = center_rep(image, mask, random, augment.centerrep_size, augment.centerrep_by)
            self._normalise(image, images[position])
            masks[position] = mask
        return images, masks

    def negative_share(self) -> float:
        """Return background pixels for each landslide pixel."""
        landslide = int(self.index["landslide_pixels"].sum())
        return float(self.index["background_pixels"].sum() / max(landslide, 1))

    def class_weights(self, scheme: float | Literal["balanced", "sqrt"] | None) -> tuple[float, float]:
        """Return the weights of a background and of a landslide pixel that ``training.class_weights`` asks for."""
        if scheme is None or isinstance(scheme, float):
            return 1.0, scheme or 1.0
        landslide, background = (int(self.index[f"{name}_pixels"].sum()) for name in ("landslide", "background"))
        return class_weights(landslide, background, scheme)

    def describe(self, numbers: NDArray[np.int64], most: int = 8) -> str:
        """Say which patches these are, for a message."""
        rows = self.index.iloc[np.asarray(numbers)[:most]]
        listed = ", ".join(map(str, rows["patch"]))
        more = ", …" if len(numbers) > most else ""
        names = sorted({self.stores[number].name for number in rows["store"]})
        return f"patches {listed}{more} of {', '.join(names)}"

    def record(self) -> dict[str, Any]:
        """Return what ``model.json`` says of the data."""
        first = read_attributes(self.stores[0])
        return {
            "bands": self.bands,
            "channels": self.channel_names,
            "statistics": self.statistics.as_dict(),
            "classes": ["background", "landslide"],
            "patch_size": list(self.shape),
            "pixel_size": first.get("pixel_size"),
            "split": first.get("split"),
        }

    def provenance(self) -> list[dict[str, Any]]:
        """Return what each store says of itself, less what `record` holds."""
        keys = ("areas", "crs", "pixel_size", "counts", "settings", "split", "software")
        return [{key: read_attributes(store).get(key) for key in keys} for store in self.stores]
