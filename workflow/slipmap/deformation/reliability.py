"""Which velocities can be relied on, and why the others cannot: a class of each pixel.

"Reliable" is evidence: coherent phases that check each other. A network without loops fits any phase exactly, noise
too, so that its temporal coherence is 1 and says nothing.
"""

from collections.abc import Sequence

import numpy as np
from rasterio.windows import Window

from slipmap.config.deformation import InversionSettings
from slipmap.deformation.geometry import pixel_size
from slipmap.deformation.interferogram import coherence_floor
from slipmap.deformation.inversion import Inversion
from slipmap.deformation.phase_linking.ministack import MOST_EARLIER
from slipmap.deformation.reference import Reference
from slipmap.io import raster
from slipmap.io.grid import Grid

RELIABLE, INCOHERENT, FEW_PAIRS, UNCHECKED, JOINED, FAR = 1, 2, 3, 4, 5, 6
CLASSES = {
    RELIABLE: "reliable",
    INCOHERENT: "low coherence",
    FEW_PAIRS: "too few pairs",
    UNCHECKED: "no redundancy",
    JOINED: "joined by the model",
    FAR: "reference far away",
}
RULE = (
    "the first that holds. No redundancy: fewer loops of interferograms than a quarter of the dates, or one pair alone "
    "holds the series together at some time. Too few pairs: fewer than half of the dates are seen. Joined by the "
    "model: the network falls apart. Low coherence: temporal coherence < {min_temporal_coherence}, or mean coherence "
    "less than twice what is estimated of noise. Reference far away: > {max_reference_distance} km. Else reliable."
)
LEAST_LOOPS = 0.25  # of the dates seen
LEAST_SEEN = 0.5  # of the dates
ABOVE_NOISE = 2.0  # times the coherence that is estimated of noise; below it phases err by whole turns


def fit_of_noise(ministacks: Sequence[int]) -> float:
    """Goodness of fit that 99 of 100 pixels of noise stay below, of linked phases; the mean over the ministacks.

    Few dates can always be fitted. The formula follows simulated noise of 28 to 220 looks and 4 to 60 dates.

    Parameters
    ----------
    ministacks : how many dates each has; all are linked at once if it is one.
    """
    own = np.array(ministacks, float)
    root = np.sqrt(own + np.minimum(np.arange(len(own)), MOST_EARLIER))  # compressed SLCs are linked with the dates
    share = own / own.sum()
    above = share * (0.06 + 0.53 / root)
    return float((share * (0.14 + 1.02 / root)).sum() + np.sqrt((above**2).sum()))


def classify(
    solved: Inversion,
    dates: int,
    kilometres: np.ndarray,
    coherence: np.ndarray,
    samples: float,
    settings: InversionSettings,
    least_fit: float | None = None,
) -> np.ndarray:
    """Class of each pixel, (pixels,) uint8, `CLASSES`; 255 where there is no data.

    Parameters
    ----------
    dates : of the network. kilometres : (pixels,), distance from the reference.
    coherence : (pixels,), mean over the interferograms. samples : independent samples behind each estimate of it.
    least_fit : of linked phases, whose coherence is their goodness of fit; None: of interferograms from SLCs. Pairs of
        linked phases agree with each other whatever they are worth, so only their fit tells.
    """
    least = ABOVE_NOISE * coherence_floor(samples) if least_fit is None else least_fit
    noise = coherence < least
    loops = solved.used - solved.seen + 1 + solved.joined
    far = kilometres > (np.inf if settings.max_reference_distance is None else settings.max_reference_distance)
    reasons = (
        (UNCHECKED, (loops < LEAST_LOOPS * solved.seen) | (solved.hinged > 0)),
        (FEW_PAIRS, solved.seen < LEAST_SEEN * dates),
        (JOINED, solved.joined > 0),
        (INCOHERENT, ~(solved.temporal_coherence >= settings.min_temporal_coherence) | noise),
        (FAR, far),
    )
    found = np.select([there for _, there in reasons], [code for code, _ in reasons], RELIABLE)
    return np.where(solved.used > 0, found, raster.CLASS_NODATA).astype(np.uint8)


def distance(window: Window, grid: Grid, point: Reference) -> np.ndarray:
    """Distance of each pixel of `window` from the reference, (rows, cols), km."""
    x, y = pixel_size(grid)
    (r0, r1), (c0, c1) = window.toranges()
    rows, cols = np.arange(r0, r1)[:, None] - point.row, np.arange(c0, c1)[None] - point.col
    return np.hypot(rows * y, cols * x) / 1000
