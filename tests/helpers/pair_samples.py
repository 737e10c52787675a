"""Files of unwrapped pairs, read as any GDAL program would: by their own scales, offsets and nodata."""

import numpy as np
import rasterio


def read_pair(path):
    """Unwrapped phase, coherence, component and phase before any filter, (rows, cols), NaN for nodata."""
    with rasterio.open(path) as src:
        stored = src.read(masked=True).filled(0)
        known = np.where(stored == src.nodata, np.nan, stored.astype(float))
        values = known * np.reshape(src.scales, (-1, 1, 1)) + np.reshape(src.offsets, (-1, 1, 1))
        bands = dict(zip(src.descriptions, values, strict=True))
    phase = bands["wrapped_phase"] + 2 * np.pi * bands["turns"]
    return phase, bands["coherence"], bands["connected_component"], bands["phase_original"]
