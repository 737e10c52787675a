"""Files of unwrapped pairs and linked phases, read as any GDAL program would: by their scales, offsets and nodata."""

import numpy as np
import rasterio


def read_bands(path):
    """Values of each band by name, float64 (rows, cols), NaN for nodata."""
    with rasterio.open(path) as src:
        stored = src.read(masked=True).filled(0)
        known = np.where(stored == src.nodata, np.nan, stored.astype(float))
        values = known * np.reshape(src.scales, (-1, 1, 1)) + np.reshape(src.offsets, (-1, 1, 1))
        return dict(zip(src.descriptions, values, strict=True))


def read_pair(path):
    """Unwrapped phase, coherence, component and phase before any filter of a pair of SLCs."""
    bands = read_bands(path)
    phase = bands["wrapped_phase"] + 2 * np.pi * bands["turns"]
    return phase, bands["coherence"], bands["connected_component"], bands["phase_original"]
