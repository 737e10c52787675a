"""Interferograms of linked phases: differences of two dates, unwrapped."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slipmap.deformation import pair_file, unwrapping
from slipmap.deformation.phase import DAYS_PER_YEAR, wrap
from slipmap.deformation.phase_linking import dates
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io.grid import Grid

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.deformation import UnwrappingSettings


def run(
    linked: Sequence[str | Path],
    pair: Pair,
    settings: "UnwrappingSettings",
    output: str | Path,
    *,
    threads: int = 1,
) -> None:
    """Unwrap the difference of the linked phases of `pair` and write its whole turns (`pair_file`).

    The motion that was taken out of the neighbours (`motion`) is taken out before unwrapping too, and put back in
    whole, so that steep phases of landslides do not go astray. The goodness of fit stands for the coherence: the same
    one for all pairs of a pixel.

    Parameters
    ----------
    linked : the folders that `driver.run` wrote, at least those of the two dates.

    Raises
    ------
    InputError : no pixel has data on both dates.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    first, second = (dates.read(linked, day) for day in (pair.reference, pair.secondary))
    days = (pair.reference, pair.secondary)
    fit, looks, rate = dates.read_quality(linked, days, ("goodness_of_fit", "looks", "rate"))
    moved = -rate * np.float32(pair.days / DAYS_PER_YEAR)
    phase = dates.difference(first, second)
    still = wrap(phase - moved).astype(np.float32)
    coherence = np.where(np.isfinite(phase), dates.as_coherence(fit), np.nan).astype(np.float32)
    if not np.isfinite(coherence).any():
        raise InputError(f"{pair.name}: no pixel has data on both dates; remove one of the two SLCs.")
    unwrapped, components = unwrapping.unwrap(still, coherence, float(np.nanmedian(looks)), settings.unwrapper)
    turns = np.rint((unwrapped + moved - phase) / np.float32(pair_file.TURN))
    unwrapping.write(
        output,
        Grid.from_raster(Path(linked[0]) / dates.QUALITY),
        pair,
        settings,
        pair_file.encode_turns(turns, components),
    )
