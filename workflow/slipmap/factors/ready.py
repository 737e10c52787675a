"""Factors that somebody has already made: bands of one raster, put on the area's grid under their own names."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio

from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.factors.align import align
from slipmap.inputs.contract import quantity, require_no_fill
from slipmap.inputs.rasters import band_unit, in_unit, sample
from slipmap.io import raster
from slipmap.io.grid import Grid


def run(path: str | Path, grid: Grid, outputs: Mapping[str, str | Path], key: str = "inputs.ready_factors") -> None:
    """Warp bands of the raster at `path`, named by their descriptions, to `grid`: one file for each.

    Memory holds one block. Units come from the file (band units or the tag ``units``), else "1".

    Parameters
    ----------
    outputs : {band description: raster to make}; the description is the name of the factor.

    Raises
    ------
    InputError : a band that the file does not have, or one without a value inside the area.
    """
    for name, out in outputs.items():
        source, band, units = opened(path, name, grid, key)
        align(source, grid, out, name=name, units=units, long_name=f"{name}, as supplied", band=band)


def opened(path: str | Path, name: str, grid: Grid, key: str) -> tuple[str, int, str]:
    """(raster to read, band, units) of the supplied factor called `name`; some of its values are looked at.

    A factor that slipmap knows by name has the unit and the range of `slipmap.factors.catalogue`; any other may be
    anything, but for what stands for nodata everywhere.

    Raises
    ------
    InputError : no such band, or two; another unit than the factor has; values that it cannot have, or none at all.
    """
    raster.check(path, key, overlaps=grid)
    band = raster.band_index(path, name)
    with rasterio.open(path) as src:
        if src.descriptions.count(name) > 1:
            raise InputError(f"{key}: {path} has the band '{name}' twice; give each band a name of its own.")
        if np.issubdtype(np.dtype(src.dtypes[band - 1]), np.complexfloating):
            raise InputError(f"{key}: {path} holds complex numbers in its band '{name}'; give a raster of real ones.")
        units = band_unit(src, band)
    known = catalogue.find(name)
    own = quantity(name, known.units, known.limits) if known else quantity(name, units or "1", None)
    source = in_unit(path, own, key, band)
    band = 1 if source != str(path) else band
    values, _ = sample(source, grid, band)
    if not np.isfinite(values).any():
        raise InputError(f"{key}: {path} has no value of '{name}' in the area; check its nodata value and grid.bounds.")
    own.require(values, path, key)
    require_no_fill(values, path, key)
    return source, band, own.unit
