"""GAMMA parameter files: baselines and the radar's geometry."""

from pathlib import Path

import numpy as np

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.deformation.stack import Radar
from slipmap.errors import InputError


def read_par(path: Path) -> dict[str, list[str]]:
    """Keywords of a GAMMA ``.par`` file → the words that follow the colon."""
    found = {}
    for line in path.read_text(errors="replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found[key.strip()] = value.split()
    return found


def read_radar(path: Path) -> Radar:
    """Radar geometry from an SLC parameter file."""
    par = read_par(path)
    try:
        heading = float(par["heading"][0])
        return Radar(
            wavelength=SPEED_OF_LIGHT / float(par["radar_frequency"][0]),
            incidence=float(par["incidence_angle"][0]),
            slant_range=float(par["center_range_slc"][0]),
            bandwidth=float(par["chirp_bandwidth"][0]),
            heading=heading,
            orbit_direction="ASCENDING" if np.cos(np.radians(heading)) > 0 else "DESCENDING",
        )
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: not a GAMMA SLC parameter file ({error} is missing or unreadable); replace it."
        ) from error


def look_angle(path: Path) -> float:
    """Look angle (degrees) at mid range, from the orbit radius, the Earth's and the slant range (law of cosines)."""
    par = read_par(path)
    satellite = float(par["sar_to_earth_center"][0])
    earth = float(par["earth_radius_below_sensor"][0])
    slant = float(par["center_range_slc"][0])
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
