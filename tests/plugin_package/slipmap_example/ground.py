"""What makes the factors of `slipmap_example.factors`: a block of ground in, an array of it out."""

import numpy as np

from slipmap.factors.block import Array, Block
from slipmap.factors.surface import attributes


def northness(block: Block) -> Array:
    """Return cos(aspect) · sin(slope) of a block, (rows, cols)."""
    names = ["slope", "aspect_cos"]
    slope, north = attributes(block.elevation(1), names, block.resolution, block.settings.method)
    return north * np.sin(np.radians(slope))


def steeper(block: Block) -> Array:
    """Return by how many degrees the slope exceeds the number in the factor's name, (rows, cols)."""
    return np.maximum(block.source("slope") - block.number, 0)
