"""Fill values that the phases of a stack do not declare as nodata."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from slipmap.deformation.layer import Header
from slipmap.deformation.phase import supplied_phase
from slipmap.errors import InputError
from slipmap.inputs.contract import repeated_value

_ENOUGH, _NEAR_PI = 500, 3.1  # so many wrapped phases reach beyond this on either side
_SIDE = 512  # pixels on a side of the thinned raster that is looked at


def require_phases(found: Sequence[tuple[Path, Header]], *, unwrapped: bool) -> None:
    """Raise `InputError` where the phases of a stack repeat one value as only a fill value is repeated.

    So it does where phases that should be unwrapped end at π in all that are looked at, as only wrapped ones do. The
    first, the middle and the last pair are looked at, thinned; a value counts that stands out in two of them, since
    phases of other dates differ.

    Parameters
    ----------
    found : file and header of the phase of each pair, in order. unwrapped : whether they should be.
    """
    looked_at = {k: found[k] for k in (0, len(found) // 2, len(found) - 1)}
    phases = {k: np.empty(0) if h.dtype.startswith("complex") else _phases(h) for k, (_, h) in looked_at.items()}
    if unwrapped and len(looked_at) > 1:
        _require_beyond_pi(looked_at, phases)
    seen: list[float] = []
    for k, (path, _) in looked_at.items():
        fill = repeated_value(phases[k])
        if fill is None:
            continue
        seen.append(fill)
        if seen.count(fill) >= min(2, len(looked_at)):
            raise InputError(
                f"{path}: many of its phases are exactly {fill:g}, and so are those of other pairs, which stands for "
                f"nodata but is not declared as such; declare it in all pairs (gdal_edit.py -a_nodata {fill:g})."
            )


def _require_beyond_pi(looked_at: Mapping[int, tuple[Path, Header]], phases: Mapping[int, np.ndarray]) -> None:
    ends = []
    for k, (_, header) in looked_at.items():
        if np.isfinite(phases[k]).sum() < _ENOUGH:
            return
        ends += [header.scale * header.layer.factor * end(phases[k]) for end in (np.nanmin, np.nanmax)]
    if all(_NEAR_PI <= abs(end) <= np.pi + 1e-3 for end in ends):
        path = next(iter(looked_at.values()))[0]
        raise InputError(
            f"{path}: its phases run from -{np.pi:.4g} to {np.pi:.4g}, and so do those of other pairs, as wrapped ones "
            f"do; set inputs.sentinel1.level: wrapped, or unwrap them first."
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
