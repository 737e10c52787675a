"""Blocks of ground and what is left out between them, in pixels. Imports nothing heavy: `slipmap check` asks too."""

import math

from slipmap.config.patches import SplitSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid


def buffer_pixels(settings: SplitSettings, grid: Grid, key: str = "split") -> int:
    """Pixels of the buffer between splits, rounded up.

    Raises
    ------
    InputError : a buffer that somebody set is smaller than a pixel, or one leaves nothing of the blocks.
    """
    size = min(grid.resolution)
    buffer = settings.buffer_of(size)
    if settings.method == "random" or not buffer:
        return 0
    if buffer < size * (1 - 1e-6) and settings.buffer != SplitSettings.model_fields["buffer"].default:
        raise InputError(
            f"{key}.buffer is {settings.buffer}, less than a pixel ({size:g} m); give at least one pixel, or 0 for "
            f"none."
        )
    pixels = math.ceil(buffer / size - 1e-6)
    if pixels >= settings.block and "buffer" not in settings.model_fields_set:
        raise InputError(
            f"{key.removesuffix('split')}grid.resolution is {size:g} m: of {key}.block, {settings.block} pixels, the "
            f"{settings.buffer} between splits ({key}.buffer) leave nothing; give a coarser resolution, or larger "
            f"blocks."
        )
    if pixels >= settings.block:
        raise InputError(
            f"{key}.buffer of {settings.buffer} is {pixels} pixels and leaves nothing of blocks of "
            f"{settings.block} pixels; make {key}.block larger or the buffer smaller."
        )
    return pixels


def block_count(length: int, block: int) -> int:
    """How many blocks an axis of `length` pixels has; the last one takes the remainder, 0.5 to 1.5 times `block`."""
    return max(1, int(length / block + 0.5))
