"""Overviews of a raster that is about to become a cloud-optimised GeoTIFF.

GDAL's COG driver makes overviews itself, in nearly half of the time that writing the whole file takes; made here, by
one pass over the blocks that averages 2 × 2 pixels, they cost a tenth of that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine

from slipmap.io.grid import BLOCK, Grid


@contextmanager
def with_overviews(path: Path) -> Iterator[Path]:
    """Yield a virtual raster that has the pixels and the metadata of the raster at `path`, and overviews.

    Each overview is half as large as the one before, down to one block; a raster no larger than a block has none, and
    `path` itself is yielded. What is made lies beside `path` and is removed at the end.

    Notes
    -----
    Floats are the mean of the known of 2 × 2 pixels; classes are that of the first of them. Memory: one block of
    1024 × 1024 pixels.
    """
    levels: list[Path] = []
    virtual = path.with_suffix(".vrt")
    try:
        finest = path
        while max(_shape(finest)) > BLOCK:
            levels.append(path.with_suffix(f".{2 ** (len(levels) + 1)}.tif"))
            _halve(finest, levels[-1])
            finest = levels[-1]
        if levels:
            rasterio.shutil.copy(path, virtual, driver="VRT")
            _name_overviews(virtual, levels)
        yield virtual if levels else path
    finally:
        for file in (*levels, virtual):
            file.unlink(missing_ok=True)


def _shape(path: Path) -> tuple[int, int]:
    with rasterio.open(path) as src:
        return src.height, src.width


def _name_overviews(virtual: Path, levels: list[Path]) -> None:
    """Write into a virtual raster where the overviews of each of its bands are."""
    tree = ElementTree.parse(virtual)
    for band in tree.iter("VRTRasterBand"):
        for level in levels:
            overview = ElementTree.SubElement(band, "Overview")
            ElementTree.SubElement(overview, "SourceFilename", relativeToVRT="1").text = level.name
            ElementTree.SubElement(overview, "SourceBand").text = band.attrib["band"]
    tree.write(virtual, encoding="utf-8")


def _halve(path: Path, out: Path) -> None:
    """Write the raster at `path` at half its size."""
    grid = Grid.from_raster(path)
    half = Grid(grid.crs, grid.transform @ Affine.scale(2), -(-grid.width // 2), -(-grid.height // 2))
    with rasterio.open(path) as src:
        profile = src.profile | {"width": half.width, "height": half.height, "transform": half.transform}
        with rasterio.open(out, "w", **profile, sparse_ok=True, bigtiff="if_safer") as target:
            for window in half.blocks():
                (top, bottom), (left, right) = window.toranges()
                fine = ((2 * top, min(2 * bottom, src.height)), (2 * left, min(2 * right, src.width)))
                block = src.read(window=fine)
                classes = block.dtype == np.uint8
                target.write(block[:, ::2, ::2] if classes else _mean_of_four(block), window=window)


def _mean_of_four(fine: np.ndarray) -> np.ndarray:
    """Mean of the known of every 2 × 2 pixels of (bands, rows, cols); NaN where none is.

    NumPy, since loading a compiled function would cost a small job more than its overviews do.
    """
    if fine.shape[1] % 2 or fine.shape[2] % 2:
        fine = np.pad(fine, ((0, 0), (0, fine.shape[1] % 2), (0, fine.shape[2] % 2)), mode="edge")
    quarters = [fine[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    mean: np.ndarray = quarters[0] + quarters[1]
    mean += quarters[2]
    mean += quarters[3]
    mean *= np.float32(0.25)
    partial = np.isnan(mean)
    if partial.any():
        values = np.stack([quarter[partial] for quarter in quarters])
        known = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            mean[partial] = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
    return mean
