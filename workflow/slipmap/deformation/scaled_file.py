"""GeoTIFFs of sixteen-bit integers for what the deformation stage itself reads again: phases, turns, coherences.

Bands lie one after the other in small tiles, so that each is read alone and none twice. Every band says its scale and
offset, as GDAL reads them; 0 is nodata in all. NumPy only, so that the jobs of the pairs start fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import rasterio
from rasterio.crs import CRS
from rasterio.io import DatasetWriter

from slipmap.io.atomic import write_aside
from slipmap.io.grid import BLOCK, Grid

TILE = 256  # pixels on a side


class Band(NamedTuple):
    """What the integers of a band mean: value = scale · integer + offset."""

    name: str
    long_name: str
    unit: str
    scale: float
    offset: float


@contextmanager
def create(
    path: str | Path, grid: Grid, bands: Sequence[Band], tags: Mapping[str, object], tile: int | None = None
) -> Iterator[DatasetWriter]:
    """Yield the open file, uint16; it is at `path` once it is whole.

    Parameters
    ----------
    tile : pixels on a side, a multiple of 16: of what is written at once, since a tile that is written in parts is
        compressed as often and leaves its earlier places in the file empty. None: all of a small grid, else `TILE`.
    """
    tile = tile or (TILE if max(grid.shape) > BLOCK else -(-max(grid.shape) // 16) * 16)
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": len(bands), "dtype": "uint16",
        "crs": CRS.from_user_input(grid.crs), "transform": grid.transform, "nodata": 0, "tiled": True,
        "blockxsize": tile, "blockysize": tile, "interleave": "band", "bigtiff": "if_safer",
        "compress": "zstd", "zstd_level": 1,
    }  # fmt: skip
    with write_aside(path) as aside, rasterio.open(aside, "w", **profile) as dataset:
        names, long_names, units, scales, offsets = zip(*bands, strict=True)
        dataset.descriptions, dataset.units, dataset.scales, dataset.offsets = names, units, scales, offsets
        for number, (long_name, unit) in enumerate(zip(long_names, units, strict=True), start=1):
            dataset.update_tags(number, long_name=long_name, units=unit)
        dataset.update_tags(**{key: str(value) for key, value in tags.items()})
        yield dataset
