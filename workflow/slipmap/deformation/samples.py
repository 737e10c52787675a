"""How many independent samples are behind the phase and the coherence of a network."""

from collections.abc import Sequence

from slipmap.config.deformation import InversionSettings
from slipmap.deformation.geometry import pixel_size
from slipmap.deformation.interferogram import averaged_pixels
from slipmap.deformation.phase import SUPPLIED_LOOKS
from slipmap.deformation.stack import Pair, Radar
from slipmap.io.grid import Grid
from slipmap.sentinel1.looks import pixel_looks


def phase_looks(
    pairs: Sequence[Pair], settings: InversionSettings, looks: float | None, radar: Radar, grid: Grid
) -> float:
    """Independent looks behind the phase that is inverted: of our own averaging, else of who formed the pairs."""
    if "reference" in pairs[0].files:  # formed from SLCs
        x, y = pixel_size(grid)
        return pixel_looks(settings.slc_looks, x * y, radar.cell) * averaged_pixels(settings.phase_window)
    return looks or SUPPLIED_LOOKS


def coherence_samples(
    pairs: Sequence[Pair], settings: InversionSettings, looks: float | None, radar: Radar, grid: Grid
) -> float:
    """Independent samples behind each estimate of the coherence, ours or that of who formed the pairs."""
    if "reference" in pairs[0].files:
        x, y = pixel_size(grid)
        return pixel_looks(settings.slc_looks, x * y, radar.cell) * settings.coherence_window**2
    return looks or SUPPLIED_LOOKS
