"""Small stacks of interferograms in the layouts of those who deliver them, with values known beforehand."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reading import read_stack
from slipmap.deformation.sources import NetworkReader

DAYS = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(5)]
PAIRS = [*pairwise(DAYS), *zip(DAYS[:-2], DAYS[2:], strict=True)]
PLACE = Affine(50, 0, 500000, 0, -50, 5000000)
DEGREES = Affine(0.0006, 0, 9.0, 0, -0.00045, 45.15)
SHAPE = (12, 16)


def name(first, second, between="_"):
    """ "20210109_20210121"."""
    return f"{first:%Y%m%d}{between}{second:%Y%m%d}"


def phase(first, second, shape=SHAPE):
    """What is put into the pair: different in each pixel and pair, never 0."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return ((second - first).days / 12 + 0.1 * rows + 0.01 * cols + 1).astype(np.float32)


def tif(path, *bands, place=PLACE, crs="EPSG:32632", nodata=None, **about):
    """A raster of some bands; `about` (scales, offsets, units, descriptions) is set on the open file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = dict(height=bands[0].shape[0], width=bands[0].shape[1], count=len(bands), dtype=bands[0].dtype)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=place, nodata=nodata, **size) as out:
        out.write(np.stack(bands))
        for key, value in about.items():
            setattr(out, key, value)
    return path


def licsar(folder, pairs=PAIRS, **options):
    """Unwrapped pairs and coherences of 0.8, each in its folder; returns the phase files by pair."""
    found = {}
    for days in pairs:
        place = Path(folder) / name(*days)
        found[days] = tif(place / f"{place.name}.geo.unw.tif", phase(*days), **options)
        tif(place / f"{place.name}.geo.cc.tif", np.full(SHAPE, 0.8, np.float32), **options)
    return found


def hyp3(folder, stem, pairs=PAIRS, suffix="", text="", cut=lambda n: 0):
    """HyP3's products named `stem(first, second, n)`; `cut(n)` pixels are taken off top and left of each."""
    for n, days in enumerate(pairs):
        product, k = stem(*days, n), cut(n)
        place = PLACE @ Affine.translation(k, k)
        tif(Path(folder) / product / f"{product}_unw_phase{suffix}.tif", phase(*days)[k:, k:], place=place)
        shape = (SHAPE[0] - k, SHAPE[1] - k)
        tif(Path(folder) / product / f"{product}_corr{suffix}.tif", np.full(shape, 0.8, np.float32), place=place)
        if text:
            (Path(folder) / product / f"{product}.txt").write_text(text)


def read(folder, level="unwrapped", **settings):
    """The stack at `folder`."""
    return read_stack(Sentinel1Settings(level=level, path=str(folder), **settings))


def values(stack):
    """Phase and coherence, (pairs, rows, cols), and the grid they lie on."""
    reader = NetworkReader(stack.pairs, [])
    return *reader.read(next(iter(reader.grid.blocks()))), reader.grid
