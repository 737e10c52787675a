"""The noise of linked phases of a whole area, read by window: the covariance of its dates, and what follows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.deformation.inversion import Inversion
from slipmap.deformation.phase_linking.dates import GROUND, QUALITY, QUALITY_BANDS
from slipmap.deformation.phase_linking.decorrelation import LinkedCovariance
from slipmap.io import raster

_BANDS = [QUALITY_BANDS.index(name) + 1 for name in (*GROUND, "looks")]


@dataclass(frozen=True)
class LinkedNoise:
    """Noise of the linked phases in the ministacks' `folders`.

    Parameters
    ----------
    days : (dates,), days since the first date.
    """

    folders: Sequence[str | Path]
    days: Sequence[float]
    _tables: dict[bytes, LinkedCovariance] = field(default_factory=dict, repr=False)

    def ground(self, window: Window) -> np.ndarray:
        """How the ground decorrelates and its looks, float32 (4, pixels).

        Of the last ministack that has data there and at least half the dates of the largest: the later one is, the
        longer it has seen the ground, by its compressed SLCs; of few dates alone little is known.
        """
        counts = [len(list(Path(folder).glob("[0-9]*.tif"))) for folder in self.folders]
        full = [folder for folder, count in zip(self.folders, counts, strict=True) if 2 * count >= max(counts)]
        found = np.full((len(_BANDS), int(window.width * window.height)), np.nan, np.float32)
        for folder in full[::-1]:
            missing = ~np.isfinite(found).all(axis=0)
            if missing.any():
                own = raster.read(Path(folder) / QUALITY, window=window, bands=_BANDS).reshape(found.shape)
                found[:, missing] = own[:, missing]
        return found

    def variance(self, solved: Inversion, ground: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Variance of targets at the pixels of `solved`, float32 (targets, pixels), rad².

        Where a date is missing, it is that of `solved`, whose pairs tell of the gap.

        Parameters
        ----------
        ground : of these pixels. targets : (targets, dates).
        """
        key = targets.tobytes()
        if key not in self._tables:
            self._tables[key] = LinkedCovariance(np.asarray(self.days, float), targets)
        own = self._tables[key].variance(ground[:-1], ground[-1])
        whole = (solved.seen == len(self.days)) & np.isfinite(own).all(axis=0)
        return np.where(whole, own, solved.variance.reshape(own.shape))
