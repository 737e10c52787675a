"""Interferograms of a laboratory: phase_20210109_20210121.tif in turns, quality_20210109_20210121.tif in per cent."""

import math
from pathlib import Path

from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import PairReader


class Example(PairReader):
    """Two GeoTIFFs for each pair."""

    title = "Laboratory"
    source = "the laboratory's own note of its files"
    files = {"unwrapped": ("phase_*.tif",), "coherence": ("quality_*.tif",)}
    units = "phase in turns of 2 pi, coherence in per cent"
    sign = "phase grows with the distance to the satellite from the first date to the second"
    beside = "nothing"
    checks = "what is checked of all interferograms"

    def layer(self, path: Path, role: str) -> Layer:
        """Turns to radians, per cent to a share."""
        return Layer(path, factor=2 * math.pi if role == "unwrapped" else 0.01)


READER = Example()
