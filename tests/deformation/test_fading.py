"""Fading signal: a stack of two kinds of scatterers has it, and closure phases tell how much."""

from datetime import timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from benchmarks._speckle import sample_covariance
from deformation.test_chain import DATES, GRID, SCALE, SHAPE, STABLE, write
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings, SimulateSettings
from slipmap.deformation import fading, invert_network, network
from slipmap.deformation.closure import triplets
from slipmap.deformation.phase import variance_table, weight_table
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.simulator import landcover, sentinel1

FIRST, FLOOR, TAU, LOOKS = 0.9, 0.3, 40.0, 100
DRIFT = -4.0  # rad/yr of the part that is forgotten
DAYS = np.array([(d - DATES[0]).days for d in DATES], float)
NUMBERS = np.array([(i, j) for i in range(len(DATES)) for j in range(i + 1, min(i + 4, len(DATES)))])


def bias(days, drift):
    """Phase of the expected interferogram: a lasting part, and one that drifts while it is remembered; rad."""
    lost = (FIRST - FLOOR) * np.exp(-days / TAU)
    return np.angle(FLOOR + lost * np.exp(1j * drift * days / 365.25))


def interferograms(drift, pixels, seed):
    """Phase and coherence (pairs, pixels) of simulated speckle; the ground does not move."""
    lag = np.subtract.outer(DAYS, DAYS)
    matrix = (FIRST - FLOOR) * np.exp(-np.abs(lag) / TAU) * np.exp(1j * drift * lag / 365.25) + FLOOR
    np.fill_diagonal(matrix, 1)
    values = sample_covariance(matrix, LOOKS, pixels, np.random.default_rng(seed))[:, NUMBERS[:, 1], NUMBERS[:, 0]].T
    return np.angle(values).astype(np.float32), np.abs(values).astype(np.float32)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Unwrapped interferograms of still ground: its eastern half has the fading signal, its western half has none."""
    folder = tmp_path_factory.mktemp("fading")
    half = SHAPE[0] * SHAPE[1] // 2
    halves = [interferograms(drift, half, seed) for seed, drift in enumerate((0.0, DRIFT))]
    for k, (i, j) in enumerate(NUMBERS):
        name = f"{DATES[i]:%Y%m%d}_{DATES[j]:%Y%m%d}"
        for role, part, add in (("unw", 0, 3.0), ("cc", 1, 0.0)):
            west, east = (one[part][k].reshape(SHAPE[0], -1) for one in halves)
            write(folder / name / f"{name}.geo.{role}.tif", np.hstack([west, east]) + add)
    (folder / "metadata.txt").write_text("heading=-12\navg_incidence_angle=39.0\n")
    return folder


def velocities(stack, out, **settings):
    """Median velocity of the eastern half against the western one, mm/yr, and the map of the fading signal."""
    plain = dict(deramp="none", troposphere="none", dem_error=False, reference_point=STABLE)
    chosen = DeformationSettings(**plain, **settings)
    files = [out / name for name in ("network.csv", "network.png", "stack.json")]
    network.run(Sentinel1Settings(level="unwrapped", path=str(stack)), chosen, *files)
    invert_network.run(files[0], files[2], [], chosen, out, looks=LOOKS)
    found = raster.read(out / "velocity.tif", bands=1)
    return float(np.median(found[:, 45:]) - np.median(found[:, :35])), raster.read(out / "fading.tif", bands=1)


def test_the_map_tells_the_bias_and_the_correction_takes_it(stack, tmp_path):
    biased, nothing = velocities(stack, tmp_path)
    assert abs(biased) > 5 and np.isnan(nothing).all()
    as_before, found = velocities(stack, tmp_path, fading="map")
    assert as_before == biased
    assert np.median(found[:, 47:]) - np.median(found[:, :33]) == pytest.approx(biased, rel=0.25)
    assert np.abs(found[:, :33]).max() < 0.4 * abs(biased)
    corrected, _ = velocities(stack, tmp_path, fading="correct")
    assert abs(corrected) < 0.25 * abs(biased)


def test_motion_and_delays_are_no_fading_signal():
    """Whatever belongs to dates closes: the drift found is none."""
    rng = np.random.default_rng(3)
    of_dates = rng.normal(0, 2, (len(DATES), 50)) + 5 * DAYS[:, None] / 365.25
    phase = of_dates[NUMBERS[:, 1]] - of_dates[NUMBERS[:, 0]]
    per_drift = fading.memory(np.diff(DAYS[NUMBERS], axis=1)[:, 0], np.full(len(NUMBERS), 0.5))
    above, below = fading.closures(phase, np.ones_like(phase), triplets(NUMBERS), per_drift)
    np.testing.assert_allclose(above, 0, atol=1e-12)
    assert (below > 0).all()


def test_memory_is_that_of_the_coherences():
    """Of coherences that follow the model: the bias of the exact sum of phasors, for a small drift."""
    days = np.diff(DAYS[NUMBERS], axis=1)[:, 0]
    coherence = FLOOR + (FIRST - FLOOR) * np.exp(-days / TAU)
    measured = np.sqrt(coherence**2 + (1 - coherence**2) / LOOKS)
    np.testing.assert_allclose(fading.memory(days, measured, LOOKS), bias(days, 1e-3) / 1e-3, rtol=0.08)


def test_gaps_and_networks_without_loops_tell_nothing():
    phase, coherence = interferograms(DRIFT, 36, 5)
    phase[:, 7] = np.nan
    grid = Grid(GRID.crs, GRID.transform, 6, 6)
    window = next(iter(grid.blocks()))
    rate = SCALE * np.linalg.pinv(np.stack([np.ones_like(DAYS), DAYS / 365.25], axis=1))[1]
    table = weight_table("variance", LOOKS)

    def signal(kept):
        pairs = [(DATES[i], DATES[j]) for i, j in NUMBERS[kept]]
        block = [(window, *(a[kept].reshape(-1, 6, 6) for a in (phase, coherence)))]
        return fading.estimate(block, grid, pairs, DATES, coherence[kept].mean(axis=1), table, rate, LOOKS)

    chain = signal(np.flatnonzero(np.diff(NUMBERS, axis=1)[:, 0] == 1))
    assert np.isnan(chain.drift).all() and (chain.bias(window) == 0).all()
    assert np.nanmean(signal(np.arange(len(NUMBERS))).drift) == pytest.approx(DRIFT, rel=0.25)


def test_linked_phases_close_whatever_they_are_worth():
    with pytest.raises(ValidationError, match="those of linked phases always do"):
        DeformationSettings(estimator="phase_linking", fading="map")
    assert variance_table(LOOKS)[0] > 1  # a phase of no coherence says nothing


def test_the_simulators_fading_signal_is_that_of_two_kinds_of_scatterers():
    """Interferograms of grass: the phase of the sum of what lasts and what drifts while it is remembered."""
    settings = SimulateSettings(dates=4, fading=20.0, thermal_noise=0.0)
    cover = np.full((160, 160), landcover.GRASS)
    first, second, *_ = sentinel1.scatterers(settings, cover)
    days = (sentinel1.acquisition_dates(settings)[1] - settings.start) / timedelta(days=1)
    kind = sentinel1.SCATTERING[landcover.GRASS]
    drift = 4e-3 * np.pi / sentinel1.WAVELENGTH * 20.0 * days / 365.25
    lost = (1 - kind.lasting) * np.exp(-days / kind.days) * np.exp(1j * drift)
    expected = np.angle(kind.lasting + lost)
    assert abs(expected) > 0.2
    assert np.angle(np.sum(second * first.conj())) == pytest.approx(expected, abs=0.02)
