"""Units of velocities: what a file says, else what the config says, else a question."""

from pathlib import Path

from slipmap.errors import InputError

# As people and programs write them; to mm/yr
_LENGTHS = {"mm": 1.0, "millimetre": 1.0, "millimeter": 1.0, "cm": 10.0, "centimetre": 10.0, "centimeter": 10.0,
            "m": 1000.0, "metre": 1000.0, "meter": 1000.0}  # fmt: skip
_YEARS = ("yr", "year", "a", "y")
SETTING = "inputs.sentinel1.units"


def mm_per_year(units: str | None, given: str | None, path: Path) -> float:
    """Factor from the velocities of a file to mm/yr.

    Parameters
    ----------
    units : that the file says; None or "": none. given : ``inputs.sentinel1.units``, which speaks where the file is
        silent. path : the file, for the sentence.

    Raises
    ------
    InputError : neither says them, they contradict each other, or they are no units of a velocity.
    """
    said = _factor(units) if units and units.strip() else None
    if units and units.strip() and said is None:
        raise InputError(f"{path}: its units are '{units}', not one of mm/yr, cm/yr, m/yr; set its units tag right.")
    asked = _factor(given) if given else None
    found = asked if said is None else said
    if found is None:
        raise InputError(f"{path}: it does not say its units; set {SETTING} (mm/yr, cm/yr or m/yr).")
    if said is not None and asked is not None and said != asked:
        raise InputError(f"{path}: its units are '{units}', but {SETTING} says {given}; leave one of the two out.")
    return found


def _factor(text: str) -> float | None:
    """Factor of "mm/yr", "m/year", "cm yr-1", "mm / a"; None: not understood."""
    plain = text.strip().lower().replace(" per ", "/").replace(" ", "").replace("^", "").replace("**", "")
    for end in ("yr-1", "year-1", "a-1", "y-1"):
        plain = plain.removesuffix(end) + "/" + end[:-2] if plain.endswith(end) else plain
    length, slash, time = plain.replace("//", "/").replace(".", "").partition("/")
    return _LENGTHS.get(length.removesuffix("s")) if slash and time.removesuffix("s") in _YEARS else None
