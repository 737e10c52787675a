"""Simulated Sentinel-1: a stack of geocoded, flattened SLCs with everything that makes real interferograms hard."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from slipmap.arrays import Complexes, Doubles, Flags, Floats, Real
from slipmap.config.inputs import SimulateSettings
from slipmap.io.grid import Grid
from slipmap.simulator.fields import power_law, stream
from slipmap.simulator.landcover import BADLAND, BUILT, FIELD, FOREST, GRASS, QUARRY, ROAD, ROCK, SCAR, WATER

WAVELENGTH = 0.055465763  # m, Sentinel-1 C band (5.405 GHz)
SLANT_RANGE = 880_000.0  # m, mid swath
RANGE_BANDWIDTH = 56_500_000.0  # Hz, IW1
INCIDENCE = 39.0  # degrees, mid swath
HEADING = -12.5  # degrees from north, ascending pass
TRACK = 117
NESTED = (4, 1)  # SLC pixels in a pixel of the area's grid (x, y)
YEAR = 365.25  # days
_REPEAT = 12  # days, one satellite
_SPACING = 25.0  # days, mean


# Power of VH over that of VV, by cover: volume scattering turns the polarisation, surfaces hardly do.
CROSS = {FOREST: 0.3, FIELD: 0.15, WATER: 0.1, ROAD: 0.08, ROCK: 0.1}
CROSS_SHARE = 0.14


class Disturbance(Protocol):
    """What changes scatterers beside the time that passes, date by date (number k); arrays (rows, cols)."""

    def renewed(self, k: int) -> Flags:
        """Where they are new since the date before."""

    def bared(self, k: int) -> Flags:
        """Where the ground is that of a fresh landslide since the date before."""

    def kept(self, k: int) -> Floats:
        """Correlation with the date before that is left, 0-1."""

    def gain(self, k: int, *, cross: bool) -> Floats:
        """Factor of the amplitude."""


@dataclass(frozen=True)
class Scattering:
    """How the radar sees a land cover: mean power, days to 1/e, and the coherence that lasts."""

    power: float
    days: float
    lasting: float


SCATTERING = {
    FOREST: Scattering(1.2, 16.0, 0.06),
    GRASS: Scattering(1.0, 70.0, 0.25),
    FIELD: Scattering(0.9, 38.0, 0.14),
    ROCK: Scattering(1.5, 500.0, 0.60),
    BUILT: Scattering(5.0, 900.0, 0.75),
    ROAD: Scattering(0.5, 500.0, 0.55),
    WATER: Scattering(0.08, 1.0, 0.0),
    QUARRY: Scattering(1.4, 120.0, 0.35),
    SCAR: Scattering(1.1, 220.0, 0.45),
    BADLAND: Scattering(1.1, 180.0, 0.40),
}


def acquisition_dates(settings: SimulateSettings) -> list[date]:
    """Dates on the 12-day repeat, about 24 days apart."""
    repeats = int(_SPACING * (settings.dates - 1) / _REPEAT)
    steps = np.round(np.linspace(0, repeats, settings.dates)).astype(int)
    return [settings.start + timedelta(days=_REPEAT * int(step)) for step in steps]


def line_of_sight(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Unit vector (3, rows, cols: east, north, up) from the ground to the satellite, and incidence angle (degrees).

    Ascending and right-looking: the satellite is in the west, and incidence grows eastward.
    """
    x = (np.arange(grid.width) + 0.5) * grid.resolution[0]
    incidence = INCIDENCE + np.degrees((x - x.mean()) * np.cos(np.radians(INCIDENCE)) / SLANT_RANGE)
    incidence = np.broadcast_to(incidence, grid.shape)
    theta, heading = np.radians(incidence), np.radians(HEADING)
    los = np.stack([-np.sin(theta) * np.cos(heading), np.sin(theta) * np.sin(heading), np.cos(theta)])
    return los, incidence


def perpendicular_baselines(settings: SimulateSettings) -> Doubles:
    """Perpendicular baselines (dates,), m, relative to the first date (hence 0 there)."""
    drawn: Doubles = stream(settings.seed, "baselines").normal(0, settings.baseline, settings.dates)
    return drawn - float(drawn[0])


def dem_error(settings: SimulateSettings, grid: Grid) -> Doubles:
    """True ground minus DEM, m (rows, cols)."""
    rng = stream(settings.seed, "dem error")
    return settings.dem_error * power_law(rng, grid.shape, 3.4, outer=50).astype(float)


def displacement(
    settings: SimulateSettings,
    grid: Grid,
    velocity: np.ndarray,
    error: np.ndarray,
    elevation: np.ndarray,
    progress: Callable[[int], np.ndarray] | None = None,
) -> Iterator[np.ndarray]:
    """Apparent displacement towards the satellite since the first date, m (rows, cols), one array for each date.

    The sum of

    - motion, ``velocity`` (mm/yr) × time, or × `progress` of each date's number (years at each pixel);
    - the topographic residual ``B⊥ δz / (R sin θ)``, δz = true ground minus DEM (`error`, m);
    - less delay: turbulence (power-law spectrum of exponent 11/3, outer scale 5 km; Hanssen 2001) and a part in
      proportion to elevation.

    So the phase of an SLC is ``4π/λ`` times this (minus 4π/λ × range change), and
    ``angle(reference · conj(secondary)) = −4π/λ · d`` with d the displacement from reference to secondary.
    """
    dates = acquisition_dates(settings)
    baselines = perpendicular_baselines(settings)
    _, incidence = line_of_sight(grid)
    sensitivity = 1.0 / (SLANT_RANGE * np.sin(np.radians(incidence)))
    height_km = (elevation - elevation.mean()) / 1000.0
    for k, (day, baseline) in enumerate(zip(dates, baselines, strict=True)):
        rng = stream(settings.seed, "atmosphere", day)
        delay = settings.turbulence * power_law(rng, grid.shape, 11 / 3, outer=5000.0 / grid.resolution[0]).astype(
            float
        )
        delay += rng.normal(0, 1) * settings.stratified * height_km
        motion = velocity * ((day - dates[0]).days / YEAR if progress is None else progress(k))
        yield (motion - delay) * 1e-3 + baseline * sensitivity * error


def scatterers(
    settings: SimulateSettings,
    cover: np.ndarray,
    *,
    noise: bool = True,
    disturbed: "Disturbance | None" = None,
    cross: bool = False,
) -> Iterator[np.ndarray]:
    """Complex reflectivity of each date, complex64 (rows, 4 × cols), without propagation phase.

    Circular Gaussian speckle: a lasting part, and a changing one that follows a first-order autoregression, so that
    the coherence of two dates Δt apart is ``c∞ + (1 − c∞) exp(−Δt/τ)``, lowered by thermal noise (unless `noise` is
    false: then the receiver's is added elsewhere). The phase of the changing part drifts by `settings.fading`.

    Parameters
    ----------
    disturbed : what an event, rain and farming do to them. cross : in the cross polarisation (VH) instead of VV.
    """
    dates = acquisition_dates(settings)
    table = np.zeros((3, max(SCATTERING) + 1), np.float32)
    for code, kind in SCATTERING.items():
        table[:, code] = kind.power * (CROSS.get(code, CROSS_SHARE) if cross else 1), kind.days, kind.lasting
    power, days, lasting = (np.repeat(table[k][cover], NESTED[0], axis=1) for k in range(3))
    rng = stream(settings.seed, "speckle", *(["VH"] if cross else []))
    permanent = speckle(rng, power.shape) * np.sqrt(power * lasting if settings.decorrelation else power)
    changing = speckle(rng, power.shape)
    part = np.sqrt(power * (1 - lasting))
    previous = dates[0]
    for k, day in enumerate(dates):
        if disturbed is not None and (new := np.repeat(disturbed.renewed(k), NESTED[0], axis=1)).any():
            count = int(new.sum())
            permanent[new] = speckle(rng, (1, count))[0] * np.sqrt(power * lasting)[new]
            changing[new] = speckle(rng, (1, count))[0]
            bare = np.repeat(disturbed.bared(k), NESTED[0], axis=1)
            days[bare], lasting[bare] = table[1:, SCAR]
            part = np.sqrt(power * (1 - lasting))
        scene = permanent.copy()
        if settings.decorrelation:
            if day != previous:
                keep = np.exp(-np.float32((day - previous).days) / days)
                if disturbed is not None:
                    keep *= np.repeat(disturbed.kept(k), NESTED[0], axis=1)
                changing *= keep
                changing += speckle(rng, power.shape) * np.sqrt(1 - keep * keep)
            drift = 4e-3 * np.pi / WAVELENGTH * settings.fading * (day - dates[0]).days / YEAR
            scene += changing * (part * np.complex64(np.exp(1j * drift)) if drift else part)
        if disturbed is not None:
            scene *= np.repeat(disturbed.gain(k, cross=cross), NESTED[0], axis=1)
        if settings.thermal_noise and noise:
            scene += speckle(rng, power.shape) * np.float32(settings.thermal_noise**0.5)
        previous = day
        yield scene


def simulate_slcs(
    settings: SimulateSettings,
    grid: Grid,
    cover: np.ndarray,
    velocity: np.ndarray,
    error: np.ndarray,
    elevation: np.ndarray,
    progress: Callable[[int], np.ndarray] | None = None,
    *,
    disturbed: "Disturbance | None" = None,
    cross: bool = False,
) -> Iterator[tuple[date, np.ndarray, dict[str, object]]]:
    """Date, SLC (complex64, on the area's grid nested 4 × 1) and tags, one date at a time.

    Two speckle fields and one date are held in memory. `disturbed` and `cross` are those of `scatterers`.
    """
    baselines = perpendicular_baselines(settings)
    shifts = displacement(settings, grid, velocity, error, elevation, progress)
    for day, baseline, scene, shift in zip(
        acquisition_dates(settings),
        baselines,
        scatterers(settings, cover, disturbed=disturbed, cross=cross),
        shifts,
        strict=True,
    ):
        phase = (4 * np.pi / WAVELENGTH * _finer(shift)).astype(np.float32)
        scene.real, scene.imag = (
            scene.real * np.cos(phase) - scene.imag * np.sin(phase),
            scene.real * np.sin(phase) + scene.imag * np.cos(phase),
        )
        tags = {
            "ACQUISITION_DATE": day.isoformat(),
            "WAVELENGTH": WAVELENGTH,
            "PERPENDICULAR_BASELINE": round(float(baseline), 4),
            "SLANT_RANGE": SLANT_RANGE,
            "INCIDENCE_ANGLE": INCIDENCE,
            "RANGE_BANDWIDTH": RANGE_BANDWIDTH,
            "ORBIT_DIRECTION": "ASCENDING",
            "TRACK": TRACK,
        }
        yield day, scene, tags


def speckle(rng: np.random.Generator, shape: tuple[int, int]) -> Complexes:
    """Unit-power circular Gaussian noise, complex64."""
    pairs = rng.standard_normal((*shape, 2), dtype=np.float32)
    pairs *= np.float32(0.5**0.5)
    return pairs.view(np.complex64)[..., 0]


def _finer(field: Real) -> Doubles:
    """Linear interpolation of pixel centres to the SLC's, along x."""
    cols = field.shape[1]
    at = np.clip((np.arange(cols * NESTED[0]) + 0.5) / NESTED[0] - 0.5, 0, cols - 1)
    left = np.minimum(at.astype(int), cols - 2)
    weight = at - left
    values: Doubles = field[:, left] * (1 - weight) + field[:, left + 1] * weight
    return values
