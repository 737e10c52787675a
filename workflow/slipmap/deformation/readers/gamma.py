"""GAMMA's geocoded interferograms with its parameter files, named as PyRate's test data are.

Layout: GAMMA Remote Sensing's ISP: ``*slc.par`` and ``*_base.par``, as in the test data of
GeoscienceAustralia/PyRate.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.deformation.agreement import same_clock
from slipmap.deformation.layer import Layer
from slipmap.deformation.pair_reader import PairReader
from slipmap.deformation.reader import BOUNDS, Facts, Listing, PairFacts
from slipmap.errors import InputError

_ALIKE = np.cos(np.radians(5.0))  # of headings of one track
_DATES = re.compile(r"(?<!\d)(\d{8})[-_](\d{8})(?!\d)")
_BOUNDS = {
    "radar_frequency": (5.3e9, 5.5e9),  # Hz
    "chirp_bandwidth": (1e7, 1.2e8),  # Hz
    "incidence_angle": BOUNDS["incidence"],
    "heading": BOUNDS["heading"],
    "center_range_slc": BOUNDS["slant_range"],
    "near_range_slc": BOUNDS["slant_range"],
    "far_range_slc": BOUNDS["slant_range"],
    "range_pixel_spacing": (0.5, 500.0),
    "range_samples": (1, 1e6),
    "sar_to_earth_center": (6.9e6, 7.2e6),
    "earth_radius_below_sensor": (6.3e6, 6.4e6),
}


class Gamma(PairReader):
    """GeoTIFFs with two dates in their names, parameter files beside them."""

    title = "GAMMA, geocoded"
    source = "GAMMA ISP parameter files, PyRate's test data (GeoscienceAustralia/PyRate)"
    generic = True  # `_unw.tif` is what other programs' names end in, too
    files = {
        "coherence": ("*[_.]cc.tif", "*[_.]coh.tif", "*[_.]coherence.tif"),
        "unwrapped": ("*[_.]unw.tif",),
        "interferogram": ("*[_.]diff.tif", "*[_.]int.tif", "*[_.]wrapped.tif"),
    }
    geometry = {
        "dem": ("dem*.tif", "*_dem.tif", "*.hgt.tif"),
        "los": ("geometry.tif",),
        "look_theta": ("*[_.]lv_theta.tif",),
        "look_phi": ("*[_.]lv_phi.tif",),
    }
    radar_coded = ("*.unw", "*.diff", "*.adf.unw", "*.diff_sm", "*.smcc", "*.cc")
    geocode = "geocode it (geocode_back, then data2geotiff)"
    units = "phase in radians, coherence 0 to 1"
    sign = "phase grows with the distance to the satellite from the first date to the second"
    beside = (
        "`*slc.par` (radar_frequency, incidence_angle, center_range_slc, heading, chirp_bandwidth, radii), "
        "`*first-second*base.par` (precision baseline where it is not zero, else the initial one), `lv_theta`, `lv_phi`"
    )
    checks = "keys of the parameter files that are needed, and their ranges; one heading and time of day"

    def facts(self, listing: Listing) -> Facts:
        """Parameter files of the SLCs and of the baselines."""
        return _Parameters(listing)


class _Parameters(Facts):
    def __init__(self, listing: Listing) -> None:
        pars = listing.named("*slc.par", "*.slc.par")
        self._par = next(iter(pars), None)
        _require_one_direction(pars)
        self._bases: dict[tuple[str, str], Path] = {}
        for path in listing.named("*base.par"):
            if match := _DATES.search(path.name):
                self._bases.setdefault((match[1], match[2]), path)
        self._look = look_angle(self._par) if self._par and self._bases else None

    def pair(self, first: date, second: date, layers: Mapping[str, Layer]) -> PairFacts:
        base = self._bases.get((f"{first:%Y%m%d}", f"{second:%Y%m%d}"))
        if base is None or self._look is None:
            return {}
        return {"perpendicular_baseline": perpendicular_baseline(base, self._look)}

    def radar(self) -> dict[str, object]:
        return read_radar(self._par) if self._par else {}


def _require_one_direction(pars: Sequence[Path]) -> None:
    """Raise `InputError` where the images of a stack were taken in other directions, or at another time of the day."""
    known = [(path, read_par(path)) for path in pars]
    headings = [(path, _needed(path, par, "heading")) for path, par in known if "heading" in par]
    for path, heading in headings:
        if np.cos(np.radians(heading - headings[0][1])) < _ALIKE:
            raise InputError(
                f"{path}: its heading is {heading:g}, that of {headings[0][0].name} {headings[0][1]:g}; a stack has "
                f"one track, remove the file with its interferograms."
            )
    same_clock([(path, _seconds(path, par["center_time"])) for path, par in known if par.get("center_time")])


def _seconds(path: Path, words: list[str]) -> float:
    try:
        return float(words[0])
    except ValueError as error:
        raise InputError(f"{path}: center_time is '{words[0]}', not a number; replace the file.") from error


def read_par(path: Path) -> dict[str, list[str]]:
    """Keywords of a GAMMA ``.par`` file → the words that follow the colon."""
    found = {}
    for line in path.read_text(errors="replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found[key.strip()] = value.split()
    return found


def _needed(path: Path, par: Mapping[str, list[str]], key: str) -> float:
    low, high = _BOUNDS[key]
    try:
        value = float(par[key][0])
    except (KeyError, IndexError) as error:
        raise InputError(
            f"{path}: the key {key} is missing in this GAMMA parameter file; add it, or take the *.par files away "
            f"(baselines and geometry stay unknown then)."
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: {key} is '{par[key][0]}', not a number; replace the file.") from error
    if not low <= value <= high:
        raise InputError(f"{path}: {key} is {value:g}, which cannot be ({low:g} to {high:g}); replace the file.")
    return value


def _centre_range(path: Path, par: Mapping[str, list[str]]) -> float:
    """Slant range (m) at mid swath; where the key is missing from near and far range, which are as GAMMA defines it."""
    if "center_range_slc" in par or "near_range_slc" not in par:
        return _needed(path, par, "center_range_slc")
    near = _needed(path, par, "near_range_slc")
    if "far_range_slc" in par:
        return (near + _needed(path, par, "far_range_slc")) / 2
    if "range_samples" not in par or "range_pixel_spacing" not in par:
        return _needed(path, par, "center_range_slc")
    return near + (_needed(path, par, "range_samples") - 1) / 2 * _needed(path, par, "range_pixel_spacing")


def read_radar(path: Path) -> dict[str, object]:
    """Fields of `Radar` from an SLC parameter file.

    Raises
    ------
    InputError : a key that is needed is missing or cannot be; chirp_bandwidth alone may be missing.
    """
    par = read_par(path)
    heading = _needed(path, par, "heading")
    return {
        "wavelength": SPEED_OF_LIGHT / _needed(path, par, "radar_frequency"),
        "incidence": _needed(path, par, "incidence_angle"),
        "slant_range": _centre_range(path, par),
        "bandwidth": _needed(path, par, "chirp_bandwidth") if "chirp_bandwidth" in par else None,
        "heading": heading,
        "orbit_direction": "ASCENDING" if np.cos(np.radians(heading)) > 0 else "DESCENDING",
    }


def look_angle(path: Path) -> float:
    """Look angle (degrees) at mid range, from the orbit radius, the Earth's and the slant range (law of cosines)."""
    par = read_par(path)
    satellite = _needed(path, par, "sar_to_earth_center")
    earth = _needed(path, par, "earth_radius_below_sensor")
    slant = _centre_range(path, par)
    return float(np.degrees(np.arccos((satellite**2 + slant**2 - earth**2) / (2 * satellite * slant))))


def perpendicular_baseline(base: Path, look: float) -> float:
    """Perpendicular baseline (m) at the scene's centre: B_c cosθ − B_n sinθ of the (precision) baseline vector.

    Parameters
    ----------
    base : ``*_base.par``; the precision baseline is used where it is not zero, else the one from the orbits.
    look : look angle, degrees.
    """
    par = read_par(base)
    for key in ("precision_baseline(TCN)", "initial_baseline(TCN)"):
        try:
            _, cross, normal = (float(v) for v in par[key][:3])
        except (KeyError, ValueError):
            continue
        if cross or normal:
            return float(cross * np.cos(np.radians(look)) - normal * np.sin(np.radians(look)))
    raise InputError(
        f"{base}: no baseline vector (precision_baseline or initial_baseline, TCN) in it; replace the file."
    )


READER = Gamma()
