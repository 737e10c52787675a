"""The contract of every input: what a quantity is measured in, and which values it can have.

A raster, vector, table or cube that enters says, or is asked for: its CRS (`inputs.crs`, `io.raster.check`), units,
scale and offset and nodata (here and in `inputs.rasters`), layer, kind of geometry, names and encoding
(`inputs.vectors`), dates, calendar and orientation (`inputs.cubes`, `inputs.dates`). What is not known for certain
is asked in one sentence; nothing is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slipmap.errors import InputError

FEET, US_FEET = 0.3048, 1200 / 3937
LENGTHS = {
    1.0: ("m", "metre", "metres", "meter", "meters", "mtr"),
    FEET: ("ft", "foot", "feet", "international foot", "international feet", "foot intl"),
    US_FEET: (
        "us-ft",
        "us ft",
        "us foot",
        "us feet",
        "us survey foot",
        "us survey feet",
        "survey foot",
        "survey feet",
        "usft",
        "ftus",
        "ft us",
        "ft-us",
        "foot us",
        "feet us",
    ),
    0.01: ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    0.001: ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    0.1: ("dm", "decimetre", "decimetres", "decimeter", "decimeters"),
    1000.0: ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
}
_FILLS = (-9999.0, -32768.0, -32767.0, 32767.0, 65535.0, 1e20, -1e20, 9.96921e36, 9.96921e36 * (1 + 2e-7))
_HUGE = 1e30  # no quantity of the ground or the air is so large: a fill value that nobody declared


@dataclass(frozen=True)
class Quantity:
    """What a raster shows.

    Parameters
    ----------
    name : in messages: "elevation".
    unit : the unit in which slipmap holds it.
    low, high : the range that values can have, in `unit`.
    spellings : factor from another unit to `unit` → how that unit is written.
    """

    name: str
    unit: str
    low: float
    high: float
    spellings: Mapping[float, tuple[str, ...]] = field(default_factory=dict)

    def factor(self, unit: str) -> float | None:
        """From `unit` to this quantity's; 1 where none is said, None where it is not known."""
        text = re.sub(r"[\s_]+", " ", unit.strip().lower())
        if not text or text == self.unit.lower():
            return 1.0
        return next((factor for factor, names in self.spellings.items() if text in names), None)

    def require(self, values: np.ndarray, path: object, key: str) -> None:
        """Raise `InputError` if a known value of `values` lies outside the range."""
        with np.errstate(invalid="ignore"):
            odd = values[(values < self.low) | (values > self.high)]
        if odd.size:
            unit = {"m": "metres"}.get(self.unit, self.unit)
            of = f"{self.name} in {unit}" if self.unit != "1" else f"value of {self.name}"
            article = "an" if of[0] in "aeiou" else "a"
            common = odd[np.argmax(np.abs(odd))]
            raise InputError(
                f"{key}: {path} has values like {common:g}, which is no {of} ({self.low:g} to {self.high:g}); declare "
                f"them as its nodata value if they are one (gdal_edit.py -a_nodata {common:g}), or give {article} {of}."
            )


# unit in which slipmap holds something → factors from other units to it
_SPELLINGS: Mapping[str, Mapping[float, tuple[str, ...]]] = {
    "m": LENGTHS,
    "degrees": {1.0: ("degree", "deg", "°")},
    "1": {1.0: ("-", "none", "dimensionless", "unitless", "reflectance", "ratio", "index")},
    "mm": {1.0: ("millimetre", "millimetres", "mm/day", "mm day-1", "kg m-2"), 25.4: ("in", "inch", "inches"),
           1000.0: ("m", "metre", "metres"), 10.0: ("cm",)},
    "mm/yr": {1.0: ("mm/y", "mm/a", "mm/year", "mm yr-1"), 10.0: ("cm/yr", "cm/year", "cm yr-1"),
              1000.0: ("m/yr", "m/year", "m yr-1")},
    "m3/m3": {1.0: ("m3 m-3", "m**3 m**-3", "m^3/m^3", "m3.m-3", "cm3/cm3"), 0.01: ("%", "percent")},
}  # fmt: skip


def quantity(name: str, unit: str, limits: tuple[float, float] | None) -> Quantity:
    """The quantity of that name, held in `unit`, with values within `limits` (None: any)."""
    low, high = limits or (-np.inf, np.inf)
    return Quantity(name, unit, low, high, _SPELLINGS.get(unit, {}))


ELEVATION = quantity("elevation", "m", (-500.0, 9000.0))  # the Dead Sea shore and Everest, with room
UNDULATION = quantity("geoid undulation", "m", (-120.0, 100.0))  # EGM2008: -107 to 86


def require_no_fill(values: np.ndarray, path: object, key: str) -> None:
    """Raise `InputError` where `values` hold what is used as a fill value everywhere and was not declared as one."""
    known = values[np.isfinite(values)]
    if not known.size:
        return
    for end in (float(known.min()), float(known.max())):
        if abs(end) >= _HUGE or any(np.isclose(end, fill, rtol=1e-6) for fill in _FILLS):
            raise InputError(
                f"{key}: {path} has values like {end:g}, which stand for nodata but are not declared as such; declare "
                f"them (gdal_edit.py -a_nodata {end:g}, or the attribute _FillValue of a NetCDF file)."
            )


_DISTINCT = 20  # different values that a raster must have before one of them can stand out
_STANDS_OUT = 10  # times as often as the next value
_SOME = 0.002  # of the known pixels


def repeated_value(values: np.ndarray) -> float | None:
    """The value that measured `values` repeat exactly, as only a fill value does; None where there is none.

    Measurements hardly repeat, and where they are stored as whole numbers their neighbours are about as frequent.
    """
    found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if found.size < _DISTINCT:
        return None
    top = int(counts.argmax())
    most, next_one = int(counts[top]), int(np.delete(counts, top).max())
    return float(found[top]) if most > _STANDS_OUT * next_one and most > _SOME * counts.sum() else None
