"""The patch store of a small simulated area, and its patches as training reads them."""

from pathlib import Path

import numpy as np

from patches.test_split import blobs, read_split, write
from slipmap.config.patches import PatchSettings
from slipmap.patches import split, store
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import (
    pool,
)

ROCKS = {1: "granite", 2: "shale", 3: "marl"}


def area(folder, seed=0, change=lambda labels, name, array: array, **patch_settings):
    """Store of a simulated area: elevation, lithology, velocity (missing in places), aspect vector."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    inventory = blobs((160, 160), 90, seed)
    inventory_tif = write(folder / "inventory.tif", inventory, "uint8")
    split.run(inventory_tif, {"block": 32, "buffer": "40 m"}, folder / "split.tif", folder / "blocks.gpkg")
    labels = read_split(folder / "split.tif")
    azimuth = rng.uniform(0, 2 * np.pi, inventory.shape)
    velocity = rng.normal(-3, 5, inventory.shape)
    velocity[rng.random(velocity.shape) < 0.3] = np.nan
    arrays = {
        "elevation": rng.normal(800, 200, inventory.shape),
        "aspect_sin": np.sin(azimuth),
        "aspect_cos": np.cos(azimuth),
        "velocity": velocity,
    }
    paths = [write(folder / f"{name}.tif", change(labels, name, a)) for name, a in arrays.items()]
    rock = rng.integers(1, 4, inventory.shape)
    paths.insert(1, write(folder / "lithology.tif", rock, "uint8", categories=ROCKS))
    chosen = PatchSettings(**{"size": 16, "stride": 8, **patch_settings})
    store.build(paths, inventory_tif, folder / "split.tif", chosen, folder / "s.zarr", area=folder.name)
    return folder / "s.zarr"


def patches_of(stores, split="training", bands=None, augment=None):
    """The patches of one split of stores, with statistics pooled over all of them."""
    stores = [stores] if isinstance(stores, Path) else stores
    statistics = pool([store.load_statistics(path) for path in stores])
    return StoredPatches(stores, split, bands or statistics.names, statistics, augment)
