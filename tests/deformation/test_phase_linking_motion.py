"""Motion that is taken out of neighbours and put back: rates, edges, and that nothing is lost."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.speckle_stacks import coherence_of, speckle
from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation.phase_linking import motion, rate_field
from slipmap.deformation.phase_linking.block import link_block

DATES = 24
YEARS = 24.0 * np.arange(DATES) / 365.25


def block(rate, seed=0):
    """Speckle that moves with `rate` (rad/yr, (rows, cols))."""
    samples = speckle(coherence_of(DATES, 40.0, 0.7, 0.3), *rate.shape, seed=seed)
    return motion.turned(samples, rate.astype(np.float32), YEARS, 1)


def mover(rate=6.0):
    """A landslide of 8 by 8 pixels with sharp edges."""
    field = np.zeros((40, 48))
    field[16:24, 20:28] = rate
    return field


@pytest.mark.parametrize("rate", [-12.0, 3.0, 9.0])
def test_rates_of_a_landslide_are_found(rate):
    field = mover(rate)
    phasors = np.exp(1j * field * YEARS[:, None, None]).astype(np.complex64)
    found = motion.rates(phasors, np.ones(field.shape, np.float32), YEARS, phasors[..., None])
    assert np.abs(found[17:23, 21:27] - rate).max() < 0.1 * abs(rate)  # the surroundings hold some of it
    assert np.abs(found[:, :18]).max() < 0.05 * abs(rate)
    assert not found[:, :13].any() and not found[:9].any()  # nothing moves near


def test_noise_has_no_rate():
    noise = np.exp(1j * np.random.default_rng(0).uniform(-3, 3, (DATES, 40, 40))).astype(np.complex64)
    found = motion.rates(noise, np.full((40, 40), 0.5, np.float32), YEARS, noise[..., None])
    assert (found != 0).mean() < 0.01


@given(st.integers(0, 1000))
def test_what_is_taken_out_is_put_back(seed):
    rng = np.random.default_rng(seed)
    rate = rng.uniform(-15, 15, (3, 4)).astype(np.float32)
    values = (rng.standard_normal((DATES, 3, 4)) + 1j).astype(np.complex64)
    again = motion.turned(motion.turned(values, rate, YEARS, -1), rate, YEARS, 1)
    np.testing.assert_allclose(again, values, atol=1e-5)


def test_the_edge_of_a_landslide_fits_better_and_is_as_sharp():
    field = mover(9.0)  # beyond `motion.SHARP`
    samples = block(field)
    plain, sharp = (
        link_block(samples, PhaseLinkingSettings(remove_motion=on, amplitude_dispersion=0), 4.0, YEARS)
        for on in (False, True)
    )
    edge = np.zeros(field.shape, bool)
    edge[15:25, 19:29] = True
    edge[18:22, 22:26] = False

    def error(found):
        apart = np.angle(found.linked.phasors * np.exp(-1j * field * YEARS[:, None, None]))
        slope = np.tensordot(YEARS - YEARS.mean(), apart, 1) / ((YEARS - YEARS.mean()) ** 2).sum()
        return np.sqrt(np.mean(slope[edge] ** 2))

    assert error(sharp) < 0.6 and error(plain) < 0.6  # rad/yr of 9: the stronger part of a mixed window prevails
    assert sharp.linked.fit[edge].mean() > plain.linked.fit[edge].mean() + 0.02
    still = np.s_[:, :8]
    np.testing.assert_allclose(sharp.linked.fit[still], plain.linked.fit[still], atol=1e-3)


def test_few_dates_are_averaged_as_they_are():
    phasors = np.exp(1j * mover() * YEARS[:8, None, None]).astype(np.complex64)
    assert not motion.rates(phasors, np.ones((40, 48), np.float32), YEARS[:8], phasors[..., None]).any()


def tapered(rate=9.0):
    """A landslide that is slower towards its outline, (rows, cols), rad/yr."""
    rows, cols = np.mgrid[:48, :48] - 24.0
    depth = np.clip((1 - np.hypot(rows / 9, cols / 5)) / 0.65, 0, 1)
    return rate * depth**2 * (3 - 2 * depth)


def rate_errors(found, field):
    """Error of the rate of linked phases at each pixel, rad/yr, from what is left without the true motion."""
    left = found.linked.phasors * np.exp(-1j * field * YEARS[:, None, None])
    mean = left.mean(axis=0)
    time = YEARS - YEARS.mean()
    return np.tensordot(time, np.angle(left * np.conj(mean)), 1) / (time**2).sum()


def test_a_pixel_at_the_edge_keeps_its_own_rate():
    field = tapered()
    samples = block(field)
    plain, sharp = (
        link_block(samples, PhaseLinkingSettings(remove_motion=on, amplitude_dispersion=0), 4.0, YEARS)
        for on in (False, True)
    )
    moves = field > 2
    errors = [rate_errors(found, field)[moves] for found in (plain, sharp)]
    assert np.sqrt(np.mean(errors[1] ** 2)) < 0.7 * np.sqrt(np.mean(errors[0] ** 2))
    assert sharp.linked.fit[moves].mean() > plain.linked.fit[moves].mean() + 0.02


def test_rates_are_smooth_where_the_likelihood_has_two_peaks():
    tried = np.arange(-3, 3.1, 0.5, dtype=np.float32)
    near = np.ones((7, 7), bool)
    cost = np.tile(8 * (tried - 1.0) ** 2, (49, 1))
    cost[24] = np.minimum(8 * (tried - 1.0) ** 2, 8 * (tried + 2.5) ** 2 - 4)  # a pixel that a false peak tempts
    found = rate_field.smooth_rates(cost, near, tried)
    np.testing.assert_allclose(found, 1.0, atol=0.05)


def test_a_clear_break_in_the_rates_stays():
    tried = np.arange(-8, 8.1, 0.5, dtype=np.float32)
    truth = np.repeat([[0.0, 6.0]], 10, axis=0).repeat(5, axis=1)
    cost = 50 * (tried - truth.reshape(-1, 1)) ** 2
    found = rate_field.smooth_rates(cost, np.ones((10, 10), bool), tried)
    np.testing.assert_allclose(found.reshape(10, 10), truth, atol=0.1)


def test_the_least_of_a_chain_is_found_exactly():
    """On a chain messages give the least of all fields, here by trying each."""
    rng = np.random.default_rng(1)
    tried = np.linspace(-2, 2, 5).astype(np.float32)
    cost = rng.uniform(0, 4, (4, 5)).astype(np.float32)
    found = rate_field.smooth_rates(cost, np.ones((1, 4), bool), tried)

    def price(field):
        apart = np.diff(tried[list(field)]) ** 2
        return cost[np.arange(4), list(field)].sum() + np.minimum(rate_field.BEND * apart, rate_field.BREAK).sum()

    best = min(itertools.product(range(5), repeat=4), key=price)
    assert np.abs(found - tried[list(best)]).max() <= tried[1] - tried[0]  # the vertex lies within a step
