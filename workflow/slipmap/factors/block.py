"""A block of ground as the function of a factor sees it: what a factor is computed from, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipmap.config.factors import TerrainSettings

DEM = "dem"
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Block:
    """Elevation and other factors of a block of ground, with a halo, on the area's grid.

    Parameters
    ----------
    sources
        ``"dem"`` (elevation, m) and the factors that a record `uses`, by name; each (rows + 2 halo, cols + 2 halo)
        float32, row 0 the northernmost, NaN where unknown and outside what is known.
    halo
        Pixels around the block that come with it: as many as the factors made together reach, at least.
    resolution
        Pixel size (x, y), metres.
    settings
        ``factors.terrain`` of the area.
    number
        The number in the name of a factor of a family (300 for tpi_300), else None.
    """

    sources: Mapping[str, Array]
    halo: int
    resolution: tuple[float, float]
    settings: TerrainSettings
    number: int | None = None

    def source(self, name: str, reach: int = 0) -> Array:
        """One source with a halo of `reach` pixels: (rows + 2 reach, cols + 2 reach)."""
        whole, cut = self.sources[name], self.halo - reach
        if cut < 0:
            raise ValueError(f"a halo of {reach} pixels is asked for, but the record's reach gives {self.halo}")
        return whole[cut : whole.shape[0] - cut, cut : whole.shape[1] - cut]

    def elevation(self, reach: int = 0) -> Array:
        """Elevation in metres with a halo of `reach` pixels."""
        return self.source(DEM, reach)
