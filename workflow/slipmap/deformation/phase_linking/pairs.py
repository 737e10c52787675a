"""Interferograms of linked phases: differences of two dates, unwrapped."""

import os
from pathlib import Path

import numpy as np

from slipmap.config.deformation import UnwrappingSettings
from slipmap.deformation import unwrapping
from slipmap.deformation.phase import DAYS_PER_YEAR, wrap
from slipmap.deformation.phase_linking.driver import QUALITY, QUALITY_BANDS
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

LEAST, MOST = 0.01, 0.999  # goodness of fit as a coherence


def run(linked: str | Path, pair: Pair, settings: UnwrappingSettings, output: str | Path, *, threads: int = 1) -> None:
    """Unwrap the difference of the linked phases of `pair` and write it as `unwrapping.run` does.

    The motion that was taken out of the neighbours (`motion`) is taken out before unwrapping too, and put back in
    whole, so that steep phases of landslides do not go astray. The goodness of fit stands for the coherence: the same
    one for all pairs of a pixel.

    Parameters
    ----------
    linked : the folder that `driver.run` wrote.

    Raises
    ------
    InputError : no pixel has data on both dates.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    linked = Path(linked)
    first, second = (raster.read(linked / f"{day:%Y%m%d}.tif", bands=1) for day in (pair.reference, pair.secondary))
    fit, looks, rate = (
        raster.read(linked / QUALITY, bands=QUALITY_BANDS.index(name) + 1)
        for name in ("goodness_of_fit", "looks", "rate")
    )
    moved = -rate * np.float32(pair.days / DAYS_PER_YEAR)
    phase = wrap(first - second).astype(np.float32)
    still = wrap(phase - moved).astype(np.float32)
    coherence = np.where(np.isfinite(phase), np.clip(fit, LEAST, MOST), np.nan).astype(np.float32)
    if not np.isfinite(coherence).any():
        raise InputError(f"{pair.name}: no pixel has data on both dates; remove one of the two SLCs.")
    unwrapped, components = unwrapping.unwrap(still, coherence, float(np.nanmedian(looks)), settings.unwrapper)
    unwrapping.write(
        output, Grid.from_raster(linked / QUALITY), pair, settings, (unwrapped + moved, coherence, components, phase)
    )
