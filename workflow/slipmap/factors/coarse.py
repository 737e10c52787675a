"""Coarse layers (rain, soil moisture) on the area's grid."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from affine import Affine
from rasterio.crs import CRS

from slipmap.inputs.cubes import Series
from slipmap.io.grid import Grid


def cut(series: Series, end: pd.Timestamp) -> Series:
    """The steps of a series up to the end of the day `end`."""
    keep = series.dated() < end + pd.Timedelta(days=1)
    return replace(series, values=series.values[keep], times=series.dated()[keep])


def write_on_grid(
    layers: dict[str, np.ndarray], coarse: Grid, grid: Grid, outputs: dict[str, str | Path], resampling: str,
    describe: Callable[[str], tuple[str, str]], tags: dict[str, object],
) -> None:  # fmt: skip
    """Resample coarse layers to the area's grid and write each as a float32 factor.

    Parameters
    ----------
    layers : factor → (rows, cols) on `coarse`.
    describe : factor → (units, long name).

    Notes
    -----
    Between cell centres the field is interpolated (bilinear, cubic) or kept (nearest); the area's own detail is
    not in such data, whatever the pixel size. Within half a cell of the edge of the data the outer cell holds.
    """
    from rasterio.io import MemoryFile

    from slipmap.factors.align import align

    for name, path in outputs.items():
        units, long_name = describe(name)
        padded = np.pad(layers[name], 1, mode="edge")  # interpolation needs a neighbour on every side
        transform = coarse.transform @ Affine.translation(-1, -1)
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff", width=padded.shape[1], height=padded.shape[0], count=1, dtype="float32",
                crs=CRS.from_user_input(coarse.crs), transform=transform, nodata=np.nan,
            ) as target:  # fmt: skip
                target.write(padded.astype(np.float32), 1)
            align(
                memory.name, grid, path, name=name, units=units, long_name=long_name, resampling=resampling,
                tags=tags | {"cell": f"{coarse.resolution[0]:g} × {coarse.resolution[1]:g} in {coarse.crs[:40]}"},
            )  # fmt: skip
