"""Ground and dates that cannot be linked well, from SLC files to velocity: what comes of them is what the page says."""

import numpy as np
import pytest
from affine import Affine

from deformation.test_phase_linking_driver import WAVELENGTH, days_of, read_linked, write_slcs
from helpers.linked_chain import settings_of, velocity_of
from helpers.speckle_stacks import coherence_of, speckle
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking.decorrelation import fitted
from slipmap.deformation.phase_linking.link import SCATTER, beyond_chance, link
from slipmap.deformation.phase_linking.neighbours import homogeneous
from slipmap.deformation.phase_linking.scatterers import keep_persistent
from slipmap.deformation.reliability import INCOHERENT, RELIABLE, fit_of_noise
from slipmap.io import raster
from slipmap.io.grid import Grid

DATES, SHAPE = 24, (40, 64)
COARSE = Grid("EPSG:32632", Affine(20, 0, 5e5, 0, -20, 5e6), SHAPE[1], SHAPE[0])  # a pixel is one SLC pixel
DRY, STILL_WATER, UNLIKE, EVEN = (np.s_[:, c : c + 6] for c in (0, 8, 16, 24))  # each with 2 pixels of noise beside it
GAP, GROUND, CORNER = np.s_[:, 32:44], np.s_[:, 46:], np.s_[:1, -1:]
WEIGHTED = (5, "triangular", 1)
RATE = -20.0  # mm/yr of the ground's lower half, so that a velocity of 0 is wrong there


def stack():
    """24 dates of one look: lakes, noise and ground, side by side."""
    noise, samples = (speckle(of, *SHAPE, looks=1) for of in (np.eye(DATES), coherence_of(DATES, 60.0, 0.9, 0.6)))
    samples[:, :, :32] = noise[:, :, :32]
    samples[:, *DRY] = 0
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    samples[:, *UNLIKE] *= (10.0 ** ((rows % 3) * 3 + cols % 3))[UNLIKE][..., None]  # no neighbour is alike
    samples[:, *EVEN] /= np.abs(samples[:, *EVEN])
    samples[3, *GAP], samples[11, *GAP] = 0, np.nan
    years = np.array([(day - days_of(1)[0]).days for day in days_of(DATES)]) / 365.25
    moved = RATE / 1000 * years[:, None] * (np.arange(SHAPE[0]) >= SHAPE[0] // 2)
    return samples * np.exp(4j * np.pi / WAVELENGTH * moved)[:, :, None, None].astype(np.complex64)


@pytest.fixture(scope="module", params=[None, 20])
def results(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("area")
    write_slcs(folder / "slc", stack(), days_of(DATES), COARSE)
    velocity_of(
        folder / "slc",
        settings_of((1, 1), window=3, homogeneity="glrt", remove_motion=False, ministack=request.param),
        folder,
    )
    return folder


def maps(folder, *names):
    return [raster.read(folder / f"{name}.tif", bands=1) for name in names]


def test_water_without_signal_has_neither_phase_nor_velocity(results):
    velocity, deviation, classes = maps(results, "velocity", "velocity_std", "reliability")
    for folder in (results / "linked").iterdir():
        days = [day for day in days_of(DATES) if (folder / f"{day:%Y%m%d}.tif").exists()]
        assert np.isnan(read_linked(folder, days)[:, *DRY]).all()
    assert np.isnan(velocity[DRY]).all() and np.isnan(deviation[DRY]).all()
    assert np.isnan(classes[DRY]).all()


@pytest.mark.parametrize("ground", [STILL_WATER, UNLIKE, EVEN], ids=["water", "no like neighbour", "equal amplitudes"])
def test_noise_is_not_called_reliable(results, ground):
    """Nor where its phases fit: a pixel without like neighbours is one look, which fits exactly."""
    deviation, classes = maps(results, "velocity_std", "reliability")
    assert (classes[ground] == INCOHERENT).mean() > 0.98
    assert np.isfinite(deviation[ground]).all()
    assert np.median(deviation[ground]) > 2 * np.median(deviation[GROUND])


@pytest.mark.parametrize("ground", [GROUND, GAP], ids=["all dates", "two dates missing"])
def test_ground_is_measured_all_the_same(results, ground):
    velocity, deviation, classes = maps(results, "velocity", "velocity_std", "reliability")
    assert (classes[ground] == RELIABLE).mean() > 0.75  # of the rest few neighbours are alike: speckle that lasts
    good = classes[ground] == RELIABLE
    error = velocity[ground] - np.where(np.arange(SHAPE[0]) < SHAPE[0] // 2, 0, RATE)[:, None]
    error = (error - np.median(error))[good]
    assert np.sqrt(np.mean(error**2)) < 3
    assert np.mean(np.abs(error) < 1.96 * deviation[ground][good]) > 0.85


@pytest.mark.parametrize("estimator", ["emi", "evd"])
@pytest.mark.parametrize("dates", [10, 30])
@pytest.mark.parametrize(
    ("window", "kind", "looks"), [(1, "plain", n) for n in (1, 2, 4, 8)] + [(3, "plain", 1), WEIGHTED]
)
@pytest.mark.parametrize("even", [False, True])
def test_fit_of_noise_of_few_looks(estimator, dates, window, kind, looks, even):
    """Less what they fit by chance, 99 of 100 pixels fit less well than the formula of many looks says."""
    samples, weights = speckle(np.eye(dates), 32, 48, looks), window_weights(window, kind)
    samples = samples / np.abs(samples) if even else samples
    linked = link(samples, weights, looks=looks, estimator=estimator, bound=False)
    found = np.percentile(beyond_chance(linked, weights, looks), 99)
    assert found < 1.1 * fit_of_noise([dates])
    assert found > 0.5 * fit_of_noise([dates]) or looks * window**2 <= 2
    assert np.isfinite(linked.phasors).all() and (np.abs(linked.phasors) > 0.99).all()


@pytest.mark.parametrize("dates", [10, 30])
def test_corners_of_an_area_have_fewer_neighbours_than_dates(dates):
    """Four SLC pixels at the corner of a window of 3 by 3: noise there is not taken for ground."""
    fits, left, weights = [], [], window_weights(3, "triangular")
    for seed in range(300):
        linked = link(speckle(np.eye(dates), 2, 2, 1, seed=seed), weights, bound=False)
        fits.extend(linked.fit.ravel())
        left.extend(beyond_chance(linked, weights, 1).ravel())
        assert (linked.neighbours == 4).all() and np.isfinite(linked.phasors).all()
    assert np.percentile(left, 99) < 1.05 * fit_of_noise([dates]) < np.percentile(fits, 99)


def test_one_look_tells_nothing_of_its_own_noise():
    """Its coherence is 1 whatever it sees: the standard deviation is that of any phase, the decay that of the prior."""
    samples = speckle(np.eye(24), 4, 20, looks=1)
    linked = link(samples, np.ones(1, np.float32), looks=1.0)
    np.testing.assert_allclose(linked.bound[1:], SCATTER, rtol=1e-6)
    floor, first, _ = fitted(samples, np.ones(1, np.float32), linked.looks, 12.0 * np.arange(24))
    np.testing.assert_allclose(floor, 0.1, atol=1e-3)  # `covariance.FLOOR`, `FIRST`
    np.testing.assert_allclose(first, 0.9, atol=1e-3)


def test_equal_amplitudes_make_no_persistent_scatterer():
    """Their dispersion is 0, lower than that of any scatterer: they were made equal, and tell nothing."""
    samples = speckle(np.eye(30), 6, 20)
    samples /= np.abs(samples)
    linked = link(samples, window_weights(3, "plain"), looks=4.0)
    fit = linked.fit.copy()
    assert not keep_persistent(linked, samples, 0.25).any()
    np.testing.assert_array_equal(linked.fit, fit)
    for test in ("glrt", "ks"):
        assert homogeneous(samples, 3, test, 0.001, 4.0)[:, 1:-1, 1:-1].all()


@pytest.mark.parametrize("seen", [True, False], ids=["the pixel has earlier data", "it has none"])
def test_a_persistent_scatterer_without_a_compressed_slc(seen):
    """Its phases would be relative to the first of the new dates, those of its pixel to the first of all."""
    dates, rng = 22, np.random.default_rng(2)
    samples = speckle(coherence_of(dates + 1), 5, 20)
    samples[1:, 2, 9, 1] = 30 * (1 + 0.05 * rng.standard_normal(dates)) * np.exp(1j * rng.uniform(-3, 3, dates))
    samples[0, 2, 9, slice(1, 2) if seen else slice(None)] = 0
    linked = link(samples, window_weights(3, "plain"), looks=4.0)
    if not seen:
        linked.phasors[0, 2, 9] = 0  # as `block.link_block` leaves it
    before = linked.phasors[:, 2, 9].copy()
    assert keep_persistent(linked, samples, 0.25, 1)[2, 9] == (not seen)
    own = samples[:, 2, 9, 1] * np.conj(samples[1, 2, 9, 1])
    expected = before if seen else own / np.maximum(np.abs(own), 1e-9)
    np.testing.assert_allclose(linked.phasors[:, 2, 9], expected, atol=1e-5)
