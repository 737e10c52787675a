"""Factors that somebody has already made: bands of one raster, put on the area's grid under their own names."""

from collections.abc import Mapping
from pathlib import Path

import rasterio

from slipmap.factors.align import align
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
    raster.check(path, key, overlaps=grid)
    for name, out in outputs.items():
        band = raster.band_index(path, name)
        with rasterio.open(path) as src:
            units = src.units[band - 1] or src.tags(band).get("units") or "1"
        align(path, grid, out, name=name, units=units, long_name=f"{name}, as supplied", band=band)
