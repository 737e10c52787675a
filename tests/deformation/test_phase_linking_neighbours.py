"""Homogeneous neighbours by amplitude, and persistent scatterers that are kept as they are."""

import numpy as np
import pytest
from scipy import stats

from helpers.speckle_stacks import coherence_of, exact, matrix_of, speckle
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking.link import link
from slipmap.deformation.phase_linking.neighbours import homogeneous, power
from slipmap.deformation.phase_linking.scatterers import dispersion, keep_persistent


def still(dates, rows, cols, looks=4, seed=0):
    """Speckle that is new on each date: amplitudes of different dates are independent."""
    return speckle(np.eye(dates), rows, cols, looks, seed)


@pytest.mark.parametrize("test", ["glrt", "ks"])
@pytest.mark.parametrize("significance", [0.01, 0.1])
def test_like_neighbours_are_rejected_as_often_as_stated(test, significance):
    found = homogeneous(still(30, 60, 60), 3, test, significance, 4.0)
    inside = found[:, 1:-1, 1:-1]
    assert inside[4].all()
    rejected = 1 - np.delete(inside, 4, axis=0).mean()
    # that of a discrete distribution errs on the side of fewer rejections
    assert (0.6 if test == "glrt" else 0.2) * significance < rejected < 1.2 * significance
    np.testing.assert_array_equal(found[5, :, :-1], found[3, :, 1:])  # it is mutual


@pytest.mark.parametrize("test", ["glrt", "ks"])
def test_brighter_ground_is_told_apart(test):
    samples = still(30, 20, 20)
    samples[:, :, 10:] *= 2
    found = homogeneous(samples, 5, test, 0.001, 4.0)
    across = [q for q in range(25) if q % 5 > 2]
    assert found[across][:, :, 9].mean() < 0.02  # east of column 9 the ground is four times as bright
    assert found[:, 2:-2, 4].mean() > 0.97


def test_ks_is_scipys(seed=3):
    samples = still(25, 6, 6, seed=seed)
    samples[:, 3:] *= 1.4
    found, powers = homogeneous(samples, 3, "ks", 0.05, 4.0), power(samples)
    critical = np.sqrt(-np.log(0.05 / 2) / 25)
    for q, (dr, dc) in enumerate((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
        for r in range(1, 5):
            for c in range(1, 5):
                distance = stats.ks_2samp(powers[:, r, c], powers[:, r + dr, c + dc]).statistic
                assert found[q, r, c] == (distance <= critical + 1e-6) or (dr, dc) == (0, 0)


@pytest.mark.parametrize("test", ["glrt", "ks"])
def test_equal_amplitudes_are_all_alike_and_ground_without_data_is_none(test):
    samples = np.ones((8, 6, 20, 2), np.complex64)
    samples[:, :, 15:] = 0
    found = homogeneous(samples, 3, test, 0.001, 2.0)
    assert found[:, 1:-1, 1:14].all()
    assert not found[:, :, 16:].any()


def test_only_chosen_neighbours_count():
    samples = speckle(coherence_of(8), 12, 40)
    weights = window_weights(3, "triangular")
    chosen = np.random.default_rng(0).random((9, 12, 40)) < 0.6
    chosen[4] = True
    linked = link(samples, weights, chosen=chosen, looks=4)
    for r in range(1, 11, 2):
        for c in range(1, 39, 3):
            u, fit, *_ = exact(matrix_of(samples, weights, r, c, chosen), "emi", 0.5)
            assert np.abs(np.angle(linked.phasors[:, r, c] * u.conj())).max() < 1e-3
            assert linked.fit[r, c] == pytest.approx(fit, abs=1e-3)
            assert linked.neighbours[r, c] == chosen[:, r, c].sum()
    every = link(samples, weights, chosen=np.ones((9, 12, 40), bool), looks=4)
    plain = link(samples, weights, looks=4)
    assert np.abs(np.angle(every.phasors * plain.phasors.conj())).max() < 1e-3


def test_few_dates_have_no_persistent_scatterers():
    samples = still(6, 40, 40)
    assert (dispersion(samples).min(axis=-1) < 0.25).mean() > 0.05  # by chance
    assert not keep_persistent(link(samples, window_weights(3, "plain")), samples, 0.25).any()
    assert (dispersion(still(30, 40, 40)).min(axis=-1) < 0.25).mean() < 0.002


def test_a_persistent_scatterer_keeps_its_own_phase():
    dates = 20
    samples = speckle(coherence_of(dates, 12.0, 0.3, 0.0), 11, 20)
    rng = np.random.default_rng(5)
    phases, noise = rng.uniform(-3, 3, dates), 0.1 * (rng.standard_normal(dates) + 1j * rng.standard_normal(dates))
    samples[:, 5, 9, 2] = 30 * (np.exp(1j * phases) + noise / np.sqrt(2))
    assert dispersion(samples)[5, 9, 2] == pytest.approx(0.1 / np.sqrt(2), rel=0.5)
    linked = link(samples, window_weights(5, "plain"), looks=4)
    persistent = keep_persistent(linked, samples, 0.25)
    assert np.argwhere(persistent).tolist() == [[5, 9]]
    own = samples[:, 5, 9, 2] * np.conj(samples[0, 5, 9, 2])
    np.testing.assert_allclose(linked.phasors[:, 5, 9], own / np.abs(own), atol=1e-6)
    spread = dispersion(samples)[5, 9, 2]
    assert linked.neighbours[5, 9] == 1 and linked.fit[5, 9] == pytest.approx(np.exp(-(spread**2)))
    assert linked.bound[3, 5, 9] == pytest.approx(spread * np.sqrt(2)) and linked.bound[0, 5, 9] == 0
