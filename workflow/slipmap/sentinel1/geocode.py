"""From the SAFE products of one date to its geocoded, flattened SLC."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.sentinel1.annotation import Swath
from slipmap.sentinel1.burst_part import BurstPart, Place
from slipmap.sentinel1.cslc import create_cslc
from slipmap.sentinel1.heights import extremes, open_heights
from slipmap.sentinel1.products import open_product
from slipmap.sentinel1.resample import TAPS
from slipmap.sentinel1.scene import (
    GROUND_SPEED,
    blocks,
    overlapping,
    read_scene,
)
from slipmap.sentinel1.shifts import read_shift

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.geocoding import GeocodingSettings


def run(
    products: Sequence[str | Path],
    dem: str | Path,
    settings: "GeocodingSettings",
    grid: Grid,
    output: str | Path,
    *,
    orbits: str | None = None,
    shift: str | Path | None = None,
) -> None:
    """Geocode the products of one date onto `grid` and write one HDF5 file in OPERA CSLC-S1's layout.

    Parameters
    ----------
    products : SAFE folders or zips of one date and track. dem : elevation, m, that covers the grid.
    grid : projected, fine enough for the radar (pixels of 3–15 m). orbits : folder of orbit files,
        None: the annotation's own. shift : file of `shifts.run` whose azimuth shift is added to the
        zero-Doppler times.

    Raises
    ------
    InputError : see `read_scene`, `open_heights`; no burst sees the area; pixels that cannot be read.

    Notes
    -----
    Holds one burst (complex64, the part over the area) and one block of the grid at a time. Where bursts overlap, each
    pixel comes from the burst on whose edge it lies least.
    """
    opened = [open_product(Path(path)) for path in products]
    seconds = read_shift(shift) if shift else 0.0
    scene = read_scene(opened, settings, orbits)
    windows = blocks(grid)
    with open_heights(dem, settings.undulation, grid) as heights:
        low, high = extremes(heights, windows, dem)
        footprints = scene.footprints(grid, windows, (low, high))
        sees = overlapping(np.array([b.span for b in scene.bursts]), footprints)
        bursts = [b for b, row in zip(scene.bursts, sees, strict=True) if row.any()]
        sees = sees[sees.any(1)]
        if not bursts:
            raise InputError(
                f"{opened[0].path}: none of its {len(scene.bursts)} bursts sees the area; remove the product or "
                f"correct grid.bounds."
            )
        notes = _notes(settings, seconds) | {
            "independent_look_area": independent_look(bursts[0].swath, settings.whiten)
        }
        simulated = any(p.simulated for p in opened)
        limits, filled = np.array([b.limits for b in bursts]), 0
        with create_cslc(output, grid, scene, bursts, notes, simulated=simulated) as out:
            for number, burst in enumerate(bursts):
                its = np.flatnonzero(sees[number])
                part = BurstPart.load(burst, footprints[its], settings)
                for index in its:
                    window = windows[index]
                    near = np.flatnonzero(sees[:, index])
                    place = Place.of(grid, window, heights(window), scene, footprints[index], settings)
                    own = int(np.flatnonzero(near == number)[0])
                    values, count = part.values(place, limits[near], own, scene, settings, seconds)
                    out.update(values, window)
                    filled += count
            if filled == 0:
                raise InputError(
                    f"{opened[0].path}: its bursts lie beside the area; remove the product or correct grid.bounds."
                )
    share = filled / (grid.width * grid.height)
    print(f"{', '.join(b.name for b in bursts)}: {filled} pixels, {share:.1%} of the grid; {scene.orbit.source}")


def independent_look(swath: Swath, whiten: bool) -> float:
    """Ground, m², that is one independent look at mid swath: the inverse of the two equivalent bandwidths.

    That of a power spectrum S is (∫S)² / ∫S²: the whole band where the window has been taken off.
    """
    shares = []
    for window in (swath.range_window, swath.azimuth_window):
        f = np.linspace(-0.5, 0.5, 1001)
        power = (window + (1 - window) * np.cos(2 * np.pi * f)) ** 2
        shares.append(1.0 if whiten else float(power.mean() ** 2 / (power**2).mean()))
    incidence = np.radians(np.median(swath.grid.incidence))
    across = SPEED_OF_LIGHT / (2 * swath.range_bandwidth * shares[0] * np.sin(incidence))
    return float(across * GROUND_SPEED / (swath.azimuth_bandwidth * shares[1]))


def _notes(settings: "GeocodingSettings", shift: float) -> dict[str, object]:
    return {
        "interpolation": f"least squares, {TAPS} x {TAPS} samples, after TOPS deramping",
        "spectral_whitening": str(settings.whiten),
        "topography_flattening": "True",
        "bistatic_azimuth_correction": str(settings.bistatic),
        "intra_pulse_range_correction": str(settings.intra_pulse),
        "static_troposphere": settings.troposphere,
        "solid_earth_tides": str(settings.tides),
        "coregistration": settings.coregistration,
        "azimuth_shift_seconds": shift,
        "calibration": settings.calibration,
    }
