"""A ready velocity becomes velocity.tif: read block by block, its plausibility looked at first."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reader import Velocity
from slipmap.deformation.reading import KEY, read_velocity
from slipmap.errors import InputError
from slipmap.inputs.contract import repeated_value
from slipmap.io import raster

FASTEST = 20_000.0  # mm/yr; a radar of 55 mm that comes every 12 days follows nothing faster
SLOWEST = 0.1  # mm/yr; years of dates resolve no less, so that a map within it is in another unit
_ZEROS = 0.01  # share of exact zeros from which they may be nodata that is not declared
_SAMPLE = 256  # pixels on a side of the parts that are looked at


def convert(settings: Sentinel1Settings, output: str | Path) -> None:
    """Write the supplied velocity as velocity.tif, mm/yr, on a grid of its own; the format is recognised.

    Raises
    ------
    InputError : not one of the formats, units that are not known, a file in radar coordinates, values that cannot be.
    """
    found = read_velocity(settings)
    check_values(found)
    with raster.create(
        output,
        found.grid,
        bands=["velocity"],
        units="mm/yr",
        long_name=found.component,
        tags={"SOURCE": found.source.name, "SOURCE_FORMAT": found.format, "SIGN": found.component.rpartition(", ")[2]},
    ) as out:
        for window in found.grid.blocks():
            block = found.read(window)
            fast = np.isfinite(block) & (np.abs(block) > FASTEST)
            if fast.any():
                raise _too_fast(found, float(block[fast][0]))
            out.write(block.astype(np.float32), window)


def check_values(found: Velocity) -> None:
    """Look at the corners and the middle of a velocity.

    Raises
    ------
    InputError : no values, or such as no ground has (a unit or nodata that is not said); many exact zeros; a value
        that is repeated as only a fill value is.
    """
    parts = [found.read(window).ravel() for window in _parts(found)]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if not values.size:
        if any(np.isfinite(found.read(window)).any() for window in found.grid.blocks()):
            return
        raise InputError(f"{found.source}: none of its pixels has a velocity; check its nodata value, fetch it again.")
    worst = float(values[np.abs(values).argmax()])
    if abs(worst) > FASTEST:
        raise _too_fast(found, worst)
    zeros = float(np.mean(values == 0))
    if found.zero_may_be_nodata and not found.whole_numbers and zeros >= _ZEROS:
        raise InputError(
            f"{found.source}: {zeros:.0%} of its velocities are exactly 0 and it declares no such nodata; declare "
            f"its nodata value (gdal_edit.py -a_nodata 0, or another value if ground of 0 mm/yr is meant)."
        )
    fill = repeated_value(values)
    if fill is not None and (fill != 0 or found.zero_may_be_nodata):
        raise InputError(
            f"{found.source}: {np.mean(values == fill):.1%} of its velocities are exactly {fill:g} mm/yr, which stands "
            f"for nodata but is not declared as such; declare it (gdal_edit.py -a_nodata, with the number as stored)."
        )
    if 0 < abs(worst) and np.percentile(np.abs(values), 99) < SLOWEST and np.unique(values).size > 1:
        raise InputError(
            f"{found.source}: 99% of its velocities are below {SLOWEST:g} mm/yr, less than a radar can measure; set "
            f"its unit right (gdal_edit.py -units, or {KEY}.units: cm/yr or m/yr)."
        )


def _too_fast(found: Velocity, value: float) -> InputError:
    return InputError(
        f"{found.source}: a velocity of {value:g} mm/yr is impossible; set {KEY}.units right, or declare the file's "
        f"nodata value (gdal_edit.py -a_nodata)."
    )


def _parts(found: Velocity) -> Iterator[Window]:
    rows, cols = found.grid.shape
    height, width = min(rows, _SAMPLE), min(cols, _SAMPLE)
    places = {(r, c) for r in (0, rows - height) for c in (0, cols - width)} | {
        ((rows - height) // 2, (cols - width) // 2)
    }
    for row, col in sorted(places):
        yield Window(col, row, width, height)
