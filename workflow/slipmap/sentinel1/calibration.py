"""Radiometric calibration: look-up tables of the product (Sentinel-1 Product Specification, section 3.2.1.4)."""

import xml.etree.ElementTree as ET

import numpy as np

from slipmap.arrays import Doubles, Floats
from slipmap.errors import InputError
from slipmap.sentinel1.elements import text
from slipmap.sentinel1.scene import SceneBurst

_TABLES = {"sigma_nought": "sigmaNought", "beta_nought": "betaNought"}


def calibration(
    scene_burst: SceneBurst, quantity: str, lines: tuple[int, int], samples: tuple[int, int]
) -> Floats | None:
    """What digital numbers are divided by, float32 (lines, samples); None where `quantity` is "none".

    Parameters
    ----------
    quantity : "sigma_nought", "beta_nought" or "none". lines, samples : part of the burst (first, one after the last).

    Notes
    -----
    |DN|² / A² is the backscatter; A is interpolated linearly between the table's vectors, in line and in sample.
    """
    if quantity == "none":
        return None
    product, swath = scene_burst.product, scene_burst.swath
    member = product.members.get(("calibration", swath.swath, swath.polarisation))
    if member is None:
        raise InputError(
            f"{product.path}: the calibration of {swath.swath} {swath.polarisation} is missing in it; fetch the "
            f"product again or set sentinel1.calibration: none."
        )
    try:
        root = ET.fromstring(product.text(member))
        vectors = root.findall("calibrationVectorList/calibrationVector")
        at = np.array([float(text(v, "line")) for v in vectors])
        wanted = np.arange(*samples)
        table: Doubles = np.stack(
            [np.interp(wanted, _numbers(text(v, "pixel")), _numbers(text(v, _TABLES[quantity]))) for v in vectors]
        )
    except (ET.ParseError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{product.path}: {member} cannot be read ({error}); fetch the product again.") from error
    order = np.argsort(at)
    at, table = at[order], table[order]
    rows = scene_burst.burst.number * scene_burst.burst.lines + np.arange(*lines)  # in the whole scene
    after = np.clip(np.searchsorted(at, rows), 1, len(at) - 1) if len(at) > 1 else np.zeros(len(rows), int)
    if len(at) == 1:
        return np.repeat(table.astype(np.float32), len(rows), axis=0)
    share: Doubles = np.clip((rows - at[after - 1]) / (at[after] - at[after - 1]), 0, 1)[:, None]
    between: Doubles = table[after - 1] * (1 - share) + table[after] * share
    return between.astype(np.float32)


def _numbers(listed: str) -> Doubles:
    return np.array(listed.split(), float)
