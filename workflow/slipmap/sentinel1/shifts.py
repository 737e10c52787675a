"""Azimuth shifts between dates by enhanced spectral diversity (Prats-Iraola et al. 2012; Yague-Martinez et al. 2016).

In the overlap of two bursts a point is seen under two Doppler centroids, Δf apart. An azimuth timing error ε of a date
turns its phase by −2π f ε in either, so the interferogram of the earlier burst over that of the later one has the phase
2π Δf ε, whatever the deformation and the atmosphere.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from slipmap.arrays import Complexes
from slipmap.errors import InputError
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.sentinel1.burst_part import BurstPart, Place
from slipmap.sentinel1.heights import extremes, open_heights
from slipmap.sentinel1.looks import multilook
from slipmap.sentinel1.products import open_product
from slipmap.sentinel1.scene import Scene, SceneBurst, blocks, counterparts, overlapping, read_scene
from slipmap.sentinel1.tops import sweep_of

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.geocoding import GeocodingSettings

LOOKS = (4, 16)  # rows, columns of SLC pixels averaged before the two interferograms are compared


def run(
    products: Sequence[str],
    earlier: Sequence[Sequence[str]],
    shifts: Sequence[str | Path],
    dem: str | Path,
    settings: "GeocodingSettings",
    grid: Grid,
    output: str | Path,
    *,
    orbits: str | None = None,
) -> float:
    """Estimate the azimuth shift of a date (s, to be added to its zero-Doppler times) and write it as JSON.

    Parameters
    ----------
    products : SAFE products of the date. earlier : those of earlier dates with which it is compared.
    shifts : the files that this function wrote for them. Without earlier dates the shift is 0: the first is the
        reference.

    Raises
    ------
    InputError : the area lies within one burst of each swath, so that there is no overlap.
    """
    estimates = []
    if earlier:
        scenes = [read_scene([open_product(Path(p)) for p in of], settings, orbits) for of in (products, *earlier)]
        with open_heights(dem, settings.undulation, grid) as heights:
            low, high = extremes(heights, blocks(grid), dem)
            for scene, path in zip(scenes[1:], shifts, strict=True):
                sums = overlap_sums(scene, scenes[0], read_shift(path), heights, (low, high), grid, settings)
                if not sums:
                    raise InputError(
                        f"{products[0]}: no overlap of bursts lies in the area; set geocoding.coregistration: orbits."
                    )
                total = sum(weight for weight, _ in sums)
                estimates.append((abs(total), np.angle(total) / (2 * np.pi * sums[0][1])))
    weight = sum(w for w, _ in estimates)
    shift = float(sum(w * e for w, e in estimates) / weight) if weight else 0.0
    record = {"shift_seconds": shift, "estimates_seconds": [float(e) for _, e in estimates]}
    write_text(output, json.dumps(record, indent=2) + "\n")
    print(f"azimuth shift {shift * 1e6:.2f} microseconds of {len(estimates)} comparisons")
    return shift


def read_shift(path: str | Path) -> float:
    """The azimuth shift in a file that `run` wrote, s."""
    return float(json.loads(Path(path).read_text())["shift_seconds"])


def overlap_sums(
    reference: Scene,
    secondary: Scene,
    shift: float,
    heights: Callable[[Window], np.ndarray],
    extent: tuple[float, float],
    grid: Grid,
    settings: "GeocodingSettings",
) -> list[tuple[complex, float]]:
    """Sum of the double-difference interferogram and Δf (Hz) of each burst overlap in the area.

    Parameters
    ----------
    shift : of the reference, s. extent : lowest and highest ground, m.

    Notes
    -----
    Holds the parts of four bursts over one overlap, and one block of the grid.
    """
    windows = blocks(grid)
    footprints = [scene.footprints(grid, windows, extent) for scene in (reference, secondary)]
    others = counterparts(reference.bursts, secondary)
    found = []
    for early, late in zip(reference.bursts, reference.bursts[1:], strict=False):
        if early.swath.swath != late.swath.swath or early.span[1] <= late.span[0]:
            continue
        if early not in others or late not in others:
            continue
        quad = [(early, others[early]), (late, others[late])]
        common = np.array([(late.span[0], early.span[1], *early.span[2:])])
        its = np.flatnonzero(overlapping(common, footprints[0])[0])
        if not len(its):
            continue
        parts = [[BurstPart.load(b, f[its], settings) for b, f in zip(two, footprints, strict=True)] for two in quad]
        total = 0j
        for index in its:
            window = windows[index]
            height = heights(window)
            places = [
                Place.of(grid, window, height, scene, f[index], settings)
                for scene, f in zip((reference, secondary), footprints, strict=True)
            ]
            crosses = []
            for two in parts:
                first, second = (
                    part.values(place, np.array([part.burst.limits]), 0, scene, settings, moved)[0]
                    for part, place, scene, moved in zip(two, places, (reference, secondary), (shift, 0.0), strict=True)
                )
                crosses.append(coherence(np.nan_to_num(first), np.nan_to_num(second)))
            total += complex((crosses[0] * np.conj(crosses[1])).sum(dtype=complex))
        if total:
            found.append((total, doppler_difference(early, late)))
    return found


def coherence(first: Complexes, second: Complexes) -> Complexes:
    """Complex coherence over `LOOKS` pixels (bright ground counts no more than other); 0 where there is no data."""
    power = multilook(np.abs(first) ** 2, LOOKS) * multilook(np.abs(second) ** 2, LOOKS)
    cross = multilook(first * np.conj(second), LOOKS)
    found = np.zeros_like(cross)
    np.divide(cross, np.sqrt(power), out=found, where=power > 0)
    return found


def doppler_difference(early: SceneBurst, late: SceneBurst) -> float:
    """Doppler centroid of `early` less that of `late` in the middle of their overlap, Hz."""
    swath = early.swath
    middle = (early.span[1] + late.span[0]) / 2
    tau = swath.middle_range_time
    sweeps = [sweep_of(b.swath, b.burst) for b in (early, late)]
    first, second = (float(s.frequency(np.array(middle - s.middle), np.array(tau))) for s in sweeps)
    return first - second
