"""From patch stores to what the loop takes: which bands, normalised how, which patches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipmap.config.patches import AugmentSettings
from slipmap.errors import InputError, nearest
from slipmap.patches.centerrep import center_rep
from slipmap.patches.dataset import PatchDataset, StoredArray
from slipmap.patches.normalisation import Statistics, normalise, pool
from slipmap.patches.sampling import class_weights
from slipmap.patches.store import load_statistics, read_attributes


def choose_bands(
    stores: Sequence[Path], selection: Path | None, factors: Sequence[str] | None, exclude: Sequence[str]
) -> tuple[list[str], Statistics]:
    """Return the bands that an experiment uses, in the stores' order, and their statistics over all stores.

    Parameters
    ----------
    stores
        Patch stores; all have the same bands in the same order.
    selection
        ``selection.json`` of the screening stage, used when `factors` is None.
    factors
        Bands to use; None: those of the selection, or all.
    exclude
        Bands to leave out of these.

    Raises
    ------
    InputError
        If the stores differ, a name is unknown, or nothing is left.
    """
    if not stores:
        raise InputError("There is no patch store to learn from; give the experiment train_areas with an inventory.")
    statistics = pool([load_statistics(store) for store in stores])
    known = statistics.names
    if factors is None:
        factors = json.loads(Path(selection).read_text(encoding="utf-8"))["factors"] if selection else known
    for key, names in (("factors", factors), ("exclude", exclude)):
        for name in names:
            if name not in known:
                raise InputError(
                    f"The experiment's {key} name a band '{name}' that {stores[0]} does not hold{nearest(name, known)}"
                )
    chosen = [name for name in known if name in factors and name not in exclude]
    if not chosen:
        raise InputError("The experiment's factors, less exclude, leave no band to learn from; take in at least one.")
    return chosen, statistics.select(chosen)


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
        stores: Sequence[Path],
        split: str,
        bands: Sequence[str],
        statistics: Statistics,
        augment: AugmentSettings | None = None,
    ) -> None:
        self.stores = [Path(store) for store in stores]
        self.dataset = PatchDataset(self.stores, split, bands, statistics)
        self.index = self.dataset.index
        self.bands, self.statistics = self.dataset.bands, self.dataset.statistics
        self.channel_names = self.dataset.channels
        self.channels = len(self.channel_names)
        self.positive: NDArray[np.bool_] = self.index["landslide_pixels"].to_numpy() > 0
        self.augment = augment
        self.redrawn = bool(augment and augment.centerrep)
        shapes = {StoredArray(store / "mask").shape[1:] for store in self.stores}
        if len(shapes) > 1:
            raise InputError(
                f"The patch stores differ in patch size ({sorted(shapes)}); build them with one datasets.size."
            )
        self.shape: tuple[int, int] = shapes.pop()

    def __len__(self) -> int:
        return len(self.dataset)

    def read(
        self, numbers: Sequence[int] | NDArray[np.int64], draw: Sequence[int] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return normalised images (n, channels, height, width) and masks (n, height, width) of 1, 0, 255."""
        images = np.empty((len(numbers), self.channels, *self.shape), np.float32)
        masks = np.empty((len(numbers), *self.shape), np.uint8)
        random = None if draw is None or not self.redrawn else np.random.default_rng(list(draw))
        for position, number in enumerate(numbers):
            image, mask = self.dataset.raw(int(number))
            if random is not None and random.random() < self.augment.centerrep and self.positive[number]:
                image, mask, _ = center_rep(image, mask, random, self.augment.centerrep_size, self.augment.centerrep_by)
            normalise(image, self.bands, self.statistics, out=images[position])
            masks[position] = mask
        return images, masks

    def negative_share(self) -> float:
        """Return background pixels for each landslide pixel."""
        landslide = int(self.index["landslide_pixels"].sum())
        return float(self.index["background_pixels"].sum() / max(landslide, 1))

    def class_weights(self, scheme: str | float | None) -> tuple[float, float]:
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
