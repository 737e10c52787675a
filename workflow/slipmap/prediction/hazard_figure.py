"""The hazard maps of all models of an area in one picture: networks and classical models, one scale."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rasterio.enums import Resampling

from slipmap.colours import PROBABILITY
from slipmap.io.atomic import write_aside

SIDE = 500  # pixels of a panel at most
COLUMNS = 4


def run(maps: Mapping[str, str | Path], path: str | Path, hillshade: str | Path | None = None) -> None:
    """Write a PNG: each model's probability (the risk index, where it is among them) from 0 to 1.

    Parameters
    ----------
    maps
        Name → raster from 0 to 1.
    path
        The picture.
    hillshade
        Drawn below, where there is one.

    Notes
    -----
    Holds a reduced copy of every map, `SIDE` pixels a side at most.
    """
    columns = min(COLUMNS, max(1, len(maps)))
    rows = -(-max(1, len(maps)) // columns)
    figure = Figure(figsize=(3.0 * columns + 0.6, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    ground = reduced(hillshade) if hillshade else None
    image = None
    for axis, (name, raster) in zip(axes, maps.items(), strict=False):
        values = reduced(raster)
        if ground is not None:
            axis.imshow(ground, cmap="gray", extent=(0, 1, 0, 1), aspect=values.shape[0] / values.shape[1])
        image = axis.imshow(
            values,
            cmap=PROBABILITY,
            vmin=0,
            vmax=1,
            alpha=0.8 if ground is not None else 1.0,
            extent=(0, 1, 0, 1),
            aspect=values.shape[0] / values.shape[1],
            interpolation="nearest",
        )
        axis.set_title(name, fontsize=9)
    for axis in axes:
        axis.set_axis_off()
    if image is not None:
        figure.colorbar(image, ax=list(axes), shrink=0.6, label="Probability of a landslide (lsi: the index)")
    with write_aside(path) as aside:
        figure.savefig(aside, dpi=110, metadata={"Software": None})


def reduced(path: str | Path) -> NDArray[np.float64]:
    """A raster with at most `SIDE` pixels a side, means of its pixels; NaN where nothing is known."""
    with rasterio.open(path) as source:
        step = max(1.0, max(source.shape) / SIDE)
        shape = tuple(max(1, round(length / step)) for length in source.shape)
        read = source.read(1, out_shape=shape, masked=True, resampling=Resampling.average)
    found: NDArray[np.float64] = np.ma.filled(read.astype(np.float64), np.nan)
    return found
