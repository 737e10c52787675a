"""Fill values that the phases of a stack do not declare as nodata."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from slipmap.deformation.layer import Header
from slipmap.deformation.phase import supplied_phase
from slipmap.errors import InputError
from slipmap.inputs.contract import repeated_value

_SIDE = 512  # pixels on a side of the thinned raster that is looked at


def require_no_fill(found: Sequence[tuple[Path, Header]]) -> None:
    """Raise `InputError` where the phases of a stack repeat one value as only a fill value is repeated.

    The first, the middle and the last pair are looked at, thinned; a value counts that stands out in two of them, since
    phases of other dates differ.

    Parameters
    ----------
    found : file and header of the phase of each pair, in order.
    """
    looked_at = {k: found[k] for k in (0, len(found) // 2, len(found) - 1)}
    seen: list[float] = []
    for path, header in looked_at.values():
        fill = None if header.dtype.startswith("complex") else repeated_value(_phases(header))
        if fill is None:
            continue
        seen.append(fill)
        if seen.count(fill) >= min(2, len(looked_at)):
            raise InputError(
                f"{path}: many of its phases are exactly {fill:g}, and so are those of other pairs, which stands for "
                f"nodata but is not declared as such; declare it in all pairs (gdal_edit.py -a_nodata {fill:g})."
            )


def _phases(header: Header) -> np.ndarray:
    """Phases as stored, NaN where there are none, thinned to about `_SIDE` pixels a side."""
    shape = tuple(min(size, _SIDE) for size in header.shape)
    try:
        with rasterio.open(header.layer.name) as src:
            values = src.read(header.band, out_shape=shape, masked=True)
    except RasterioError:
        return np.empty(0)  # a damaged block is found, and named, where it is read
    stored = np.ma.filled(values.astype(np.float64), np.nan)
    return np.where(np.isfinite(supplied_phase(stored * header.scale)), stored, np.nan)
