"""A patch data set that is imported, and what came of it."""

import zarr

from slipmap.patches import store
from slipmap.patches.importing import driver


def run(tmp_path, *, seed=0, threads=1, more=None, **source):
    settings = {"source": {"counts": "any", **source}, "seed": seed, **(more or {})}
    driver.run(settings, tmp_path / "d.zarr", threads=threads)
    return tmp_path / "d.zarr"


def read(path):
    group = zarr.open_group(path, mode="r")
    return group["image"][:], group["mask"][:], store.read_index(path)
