"""Feed training from patch stores: read one patch at a time, augment, normalise."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import zarr
from torch.utils.data import Dataset

from slipmap.codes import SPLITS
from slipmap.config.patches import AugmentSettings
from slipmap.errors import InputError
from slipmap.patches.augmentation import augment
from slipmap.patches.normalisation import (
    Normaliser,
    Statistics,
    as_statistics,
    check_order,
    pool,
)
from slipmap.patches.store import load_statistics, read_index

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
        self.shape = tuple(meta["shape"])
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
        self._array: zarr.Array | None = None

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
        return chunk[offset]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": {}, "_array": None}  # a worker maps for itself


class PatchDataset(Dataset):
    """Patches of one split of one or several stores, normalised, as a model takes them.

    Parameters
    ----------
    store : a patch store, or several with the same bands (training on several areas).
    split : "training", "validation" or "test".
    bands : names of the bands to use, in the model's order; none: all, in the store's order.
    statistics : what to normalise with; none: those of the stores' training pixels, pooled.
    augment : how to augment, on the fly; only with the training split.
    seed : of augmentation.

    Attributes
    ----------
    bands, channels : names of the bands read and of the channels given (`normalisation.channel_names`).
    statistics : of `bands`; save them with the weights.
    index : the patches' rows of the stores' indices.

    Notes
    -----
    Holds the index and a map of the files, no patch. Call `set_epoch` before each epoch: the draws depend on seed,
    epoch and patch only, not on the number of workers.
    """

    def __init__(
        self,
        store: str | Path | Sequence[str | Path],
        split: str = "training",
        bands: Sequence[str] | None = None,
        statistics: Statistics | Mapping[str, Any] | None = None,
        augment: AugmentSettings | None = None,
        seed: int = 0,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is none of {SPLITS}")
        if augment is not None and split != "training":
            raise ValueError("only training patches are augmented")
        self.stores = [Path(store)] if isinstance(store, str | Path) else [Path(s) for s in store]
        stored = [load_statistics(path) for path in self.stores]
        for path, other in zip(self.stores[1:], stored[1:], strict=True):
            check_order(other.names, stored[0].names, path.name, self.stores[0].name)
        self.split = split
        self.bands = list(bands if bands is not None else stored[0].names)
        chosen = as_statistics(statistics) if statistics is not None else pool(stored)
        self.statistics = chosen.select(self.bands)
        self._normalise = Normaliser(self.bands, self.statistics)
        self.channels = self._normalise.channels
        self.augment, self.seed = augment, seed
        stored[0].select(self.bands)
        columns = [stored[0].names.index(name) for name in self.bands]
        self._columns = None if columns == list(range(len(stored[0].names))) else columns
        self._images = [StoredArray(path / "image") for path in self.stores]
        self._masks = [StoredArray(path / "mask") for path in self.stores]
        self.index = self._read_index(split)
        self._places = list(zip(self.index["store"], self.index["patch"], strict=True))
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # persistent workers see it change
        self._drawn: Counter[int] = Counter()
        self._drawn_in = 0

    def _read_index(self, split: str) -> pd.DataFrame:
        parts = [read_index(path).assign(store=i) for i, path in enumerate(self.stores)]
        index = pd.concat(parts, ignore_index=True)
        index = index[(index["split"] == split) & index["sampled"]].reset_index(drop=True)
        if index.empty:
            raise InputError(
                f"{', '.join(path.name for path in self.stores)}: there is no {split} patch; check the split's ratios "
                f"(split.ratios, split.role)."
            )
        return index

    def set_epoch(self, epoch: int) -> None:
        """Number of the epoch that comes next; other epoch, other augmentation."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return len(self._places)

    def raw(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """(image, mask) of patch `i` as stored: raw values of `bands`, NaN where missing. Read only."""
        store, patch = self._places[i]
        image = self._images[store][patch]
        if self._columns is not None:
            image = image[self._columns]
        return image, self._masks[store][patch]

    def __getitem__(self, i: int | Sequence[int]) -> dict[str, torch.Tensor]:
        """{"image": float32 (channels, rows, cols), "mask": int64 (rows, cols) of 0, 1, 255 (ignore), "index": i}.

        For a list of patches, each with the batch as its first axis (all of one size).
        """
        if isinstance(i, int | np.integer):
            return {name: batch[0] for name, batch in self[[int(i)]].items()}
        numbers = [int(number) for number in i]
        first = self.raw(numbers[0])[1]
        images = np.empty((len(numbers), len(self.channels), *first.shape), np.float32)
        masks = np.empty((len(numbers), *first.shape), np.int64)
        for out, labels, number in zip(images, masks, numbers, strict=True):
            image, mask = self.raw(number)
            if self.augment is not None:
                image, mask, _ = augment(image, mask, self.bands, self.augment, self._rng(number))
            self._normalise(image, out)
            labels[:] = mask
        return {
            "image": torch.from_numpy(images),
            "mask": torch.from_numpy(masks),
            "index": torch.tensor(numbers),
        }

    def _rng(self, i: int) -> np.random.Generator:
        """For patch `i`, this epoch, and how often it was drawn in it (a sampler may repeat patches)."""
        epoch = int(self._epoch[0])
        if epoch != self._drawn_in:
            self._drawn.clear()
            self._drawn_in = epoch
        self._drawn[i] += 1
        return np.random.default_rng([self.seed, epoch, i, self._drawn[i]])
