"""Checks that every reader needs: one grid, one wavelength, one track."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from slipmap.errors import InputError

_DAY = 86400.0  # s
_PASS = 180.0  # s within which the frames of one track are taken


def same_value(found: Sequence[tuple[Path, str]], what: str) -> str:
    """The value that all files share; an error names the first file that differs from most of them."""
    usual = Counter(value for _, value in found).most_common(1)[0][0]
    for path, value in found:
        if value != usual and not _equal(value, usual):
            raise InputError(
                f"{path}: its {what} is {value}, the other files' is {usual}; a stack has one {what}, remove the file."
            )
    return usual


def same_clock(found: Sequence[tuple[Path, float]]) -> None:
    """Raise unless all files were taken at one time of the day (s), as a track is; its neighbour passes 8 min away."""
    if not found:
        return
    clocks = np.array([clock for _, clock in found]) % _DAY
    around = np.sort(np.concatenate([clocks - _DAY, clocks, clocks + _DAY]))  # midnight is no edge
    near = np.searchsorted(around, clocks + _PASS) - np.searchsorted(around, clocks - _PASS, side="right")
    usual = found[int(near.argmax())][1]
    for path, clock in found:
        if _apart(clock, usual) >= _PASS:
            raise InputError(
                f"{path}: it was taken at {_time(clock)} UTC, the other files at {_time(usual)}, on another track; a "
                f"stack has one track, remove the file."
            )


def _apart(one: float, other: float) -> float:
    away = abs(one - other) % _DAY
    return min(away, _DAY - away)


def _time(clock: float) -> str:
    return f"{int(clock // 3600):02d}:{int(clock % 3600 // 60):02d}"


def same_grid(found: Sequence[tuple[Path, tuple[int, int], Affine, CRS | None]]) -> None:
    """Raise unless all files have one shape, transform (to a thousandth of a pixel) and CRS."""
    usual = Counter((shape, tuple(round(v, 9) for v in t[:6])) for _, shape, t, _ in found).most_common(1)[0][0]
    step = min(abs(usual[1][0]), abs(usual[1][4]))
    crs = found[0][3]
    for path, shape, transform, its_crs in found:
        if its_crs is None:
            raise InputError(
                f"{path} has no coordinate reference system; assign the right one (gdal_edit.py -a_srs EPSG:n)."
            )
        moved = max(abs(a - b) for a, b in zip(transform[:6], usual[1], strict=True))
        if shape != usual[0] or moved > 1e-3 * step or its_crs != crs:
            raise InputError(
                f"{path}: its grid ({shape[1]} x {shape[0]} pixels from {transform.c:.6g}, {transform.f:.6g}) "
                f"is not the other files' ({usual[0][1]} x {usual[0][0]} from {usual[1][2]:.6g}, "
                f"{usual[1][5]:.6g}); resample or "
                f"remove it."
            )


def _equal(a: str, b: str) -> bool:
    try:
        return abs(float(a) - float(b)) <= 1e-4 * abs(float(b))
    except ValueError:
        return False
