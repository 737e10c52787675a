"""Spectral indices of Sentinel-2 reflectance."""

from collections.abc import Mapping

import numpy as np

NEEDS = {
    "ndvi": ("B8", "B4"),
    "ndwi": ("B3", "B8"),
    "ndbi": ("B11", "B8"),
    "ndmi": ("B8A", "B11"),
    "bsi": ("B11", "B4", "B8", "B2"),
}


def index(name: str, bands: Mapping[str, np.ndarray]) -> np.ndarray:
    """A spectral index, −1 to 1, float32.

    NDVI = (B8 − B4)/(B8 + B4) (Rouse et al. 1974), NDWI = (B3 − B8)/(B3 + B8) (McFeeters 1996) and
    NDBI = (B11 − B8)/(B11 + B8) (Zha et al. 2003) are equations 3, 2 and 1 of the LSI paper.
    NDMI = (B8A − B11)/(B8A + B11) (Gao 1996; with B8 it would be −NDBI).
    BSI = ((B11 + B4) − (B8 + B2))/((B11 + B4) + (B8 + B2)) (Rikimaru et al. 2002).

    Parameters
    ----------
    name : a key of `NEEDS`, which lists the bands that it takes.
    bands : band name → reflectance, any shape. Reflectance below 0 (a dark surface under an over-corrected atmosphere)
        counts as 0; where all the bands are 0 the index is NaN.
    """
    b = [np.maximum(bands[band], 0) for band in NEEDS[name]]
    high, low = (b[0] + b[1], b[2] + b[3]) if name == "bsi" else (b[0], b[1])
    total = high + low
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, (high - low) / total, np.nan).astype(np.float32)
