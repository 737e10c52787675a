"""A ready velocity becomes velocity.tif: read block by block, its plausibility looked at first."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.reader import Velocity
from slipmap.deformation.reading import KEY, read_velocity
from slipmap.errors import InputError
from slipmap.io import raster

FASTEST = 20_000.0  # mm/yr; a radar of 55 mm that comes every 12 days follows nothing faster
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
    InputError : values that no ground has (a unit or nodata that is not said), or many exact zeros.
    """
    parts = [found.read(window).ravel() for window in _parts(found)]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if not values.size:
        return
    worst = float(values[np.abs(values).argmax()])
    if abs(worst) > FASTEST:
        raise _too_fast(found, worst)
    zeros = float(np.mean(values == 0))
    if found.zero_may_be_nodata and zeros >= _ZEROS:
        raise InputError(
            f"{found.source}: {zeros:.0%} of its velocities are exactly 0 and it declares no such nodata; declare "
            f"its nodata value (gdal_edit.py -a_nodata 0, or another value if ground of 0 mm/yr is meant)."
        )


def _too_fast(found: Velocity, value: float) -> InputError:
    return InputError(
        f"{found.source}: a velocity of {value:g} mm/yr cannot be; set {KEY}.units right, or declare the file's nodata "
        f"value (gdal_edit.py -a_nodata)."
    )


def _parts(found: Velocity) -> Iterator[Window]:
    rows, cols = found.grid.shape
    height, width = min(rows, _SAMPLE), min(cols, _SAMPLE)
    places = {(r, c) for r in (0, rows - height) for c in (0, cols - width)} | {
        ((rows - height) // 2, (cols - width) // 2)
    }
    for row, col in sorted(places):
        yield Window(col, row, width, height)
