"""Linked phases against full eigendecompositions in float64, the Cramér–Rao bound, and stacks with gaps."""

import numpy as np
import pytest
from scipy.signal.windows import boxcar, triang

from helpers.speckle_stacks import coherence_of, exact, matrix_of, speckle
from slipmap.config.deformation import PhaseLinkingSettings
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking.block import link_block
from slipmap.deformation.phase_linking.link import link
from slipmap.deformation.reliability import fit_of_noise

STACKS = [(30, 40.0, 0.7, 0.2), (30, 20.0, 0.5, 0.02), (9, 24.0, 0.8, 0.3), (2, 24.0, 0.6, 0.3)]


@pytest.mark.parametrize("estimator", ["emi", "evd"])
@pytest.mark.parametrize("stack", STACKS)
def test_phases_are_those_of_the_eigendecomposition(estimator, stack):
    dates, *decay = stack
    samples = speckle(coherence_of(dates, *decay), 21, 40)
    weights = window_weights(5, "triangular")
    linked = link(samples, weights, estimator=estimator, regularisation=0.2)
    errors, fits, gaps = [], [], []
    for r in range(0, 21, 2):
        for c in range(0, 40, 3):
            u, fit, beta, gap = exact(matrix_of(samples, weights, r, c), estimator, 0.2)
            errors.append(np.sqrt(np.mean(np.angle(linked.phasors[:, r, c] * u.conj()) ** 2)))
            fits.append(abs(linked.fit[r, c] - fit))
            gaps.append(gap)
            if estimator == "emi":
                assert linked.blend[r, c] == pytest.approx(beta, abs=1e-6)
    wrong = np.array(errors) > 1e-3
    assert wrong.mean() <= 0.005
    assert (np.array(gaps)[wrong] < 0.01).all()  # the rest have two eigenvalues that are nearly the same
    assert (np.array(fits) > 1e-3).mean() <= 0.005
    np.testing.assert_allclose(np.abs(linked.phasors), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["triangular", "plain"])
def test_neighbours_count_by_scipys_windows(kind):
    """Through the options: phases and fit are those of Γ by SciPy's window, whose middle weighs most."""
    samples = speckle(coherence_of(8), 9, 20)
    options = PhaseLinkingSettings(window=5, window_weights=kind, remove_motion=False, amplitude_dispersion=0)
    block = link_block(samples, options, 4.0, 12.0 * np.arange(8) / 365.25)
    weights = triang(5) if kind == "triangular" else boxcar(5)
    for r, c in ((4, 7), (2, 11), (6, 3)):
        u, fit, *_ = exact(matrix_of(samples, weights, r, c), "emi", options.regularisation)
        np.testing.assert_allclose(np.angle(block.linked.phasors[:, r, c] * u.conj()), 0, atol=1e-3)
        assert block.linked.fit[r, c] == pytest.approx(fit, abs=0.02)  # less what noise of 8 dates fits by chance
        looks = 4 * weights.sum() ** 4 / np.square(weights).sum() ** 2
        assert block.linked.looks[r, c] == pytest.approx(looks, rel=1e-5)


def bound_of(coherence, looks):
    """Cramér–Rao standard deviation of each date's phase after the first (Guarnieri & Tebaldini 2008), rad."""
    information = 2 * looks * (np.linalg.inv(coherence) * coherence - np.eye(len(coherence)))
    return np.sqrt(np.diag(np.linalg.inv(information[1:, 1:])))


@pytest.mark.parametrize(("dates", "decay", "side"), [(30, (40.0, 0.7, 0.2), 5), (20, (24.0, 0.8, 0.3), 5)])
def test_scatter_of_emi_is_near_the_cramer_rao_bound(dates, decay, side):
    """100 looks, long-term coherence ≥ 0.2: the phases scatter by no more than 15 % above the bound."""
    coherence = coherence_of(dates, *decay)
    true = np.cumsum(np.random.default_rng(1).normal(0, 1, dates))
    samples = speckle(coherence, 60, 60, phases=true)
    linked = link(samples, window_weights(side, "plain"), looks=4)
    inside = (slice(1, None), slice(2, -2, side), slice(2, -2, side))
    error = np.angle(linked.phasors[inside] * np.exp(-1j * (true[1:] - true[0]))[:, None, None])
    least = np.sqrt(np.mean(bound_of(coherence, 4 * side**2) ** 2))
    scatter = np.sqrt(np.mean(error**2))
    assert 0.95 * least < scatter < 1.15 * least
    assert 0.8 * scatter < np.sqrt(np.mean(linked.bound[inside] ** 2)) < 1.35 * scatter
    assert (linked.looks[2:-2, 2:-2] == 100).all() and (linked.neighbours[2:-2, 2:-2] == 25).all()


def test_no_phase_comes_of_a_matrix_that_is_not_positive_definite():
    """Fewer samples than dates: |Γ| is indefinite in many pixels, and β is raised there and only there."""
    samples = speckle(coherence_of(30, 20.0, 0.4, 0.0), 24, 32, looks=2)
    weights = window_weights(3, "plain")
    linked = link(samples, weights, regularisation=0.05)
    raised, needed = [], []
    for r in range(0, 24, 3):
        for c in range(0, 32, 3):
            gamma, beta = matrix_of(samples, weights, r, c), linked.blend[r, c]
            blended = (1 - beta) * np.abs(gamma) + beta * np.eye(30)
            assert np.linalg.eigvalsh(blended)[0] > 0
            raised.append(beta)
            needed.append(exact(gamma, "emi", 0.05)[2])
    assert np.mean(np.array(needed) > 0.051) > 0.1 and np.isfinite(linked.phasors).all()
    # no more than NumPy's Cholesky asks for; a pivot may lie just at the limit of float32
    assert np.mean(np.abs(np.array(raised) - needed) < 1e-5) > 0.98
    assert len(set(np.round(needed, 2))) > 2  # of pixels side by side each has its own


def test_a_date_with_a_gap_leaves_the_others_as_they_are():
    samples = speckle(coherence_of(12), 16, 32)
    samples[4, :, 16:] = np.nan
    samples[7] = 0
    weights = window_weights(3, "plain")
    linked = link(samples, weights)
    rest = [d for d in range(12) if d not in (4, 7)]
    alone = link(samples[rest], weights)
    away = np.s_[:, :, 20:]  # the gap is in the whole window there
    np.testing.assert_allclose(np.angle(linked.phasors[rest][away] * alone.phasors[away].conj()), 0, atol=1e-3)
    np.testing.assert_allclose(linked.fit[:, 20:], alone.fit[:, 20:], atol=1e-3)
    assert (linked.phasors[7] == 0).all() and (linked.phasors[4][:, 20:] == 0).all()
    assert (linked.phasors[4][:, :15] != 0).all()


def test_without_any_data_there_is_no_fit():
    samples = np.zeros((5, 8, 20, 4), np.complex64)
    samples[:, :, 10:] = speckle(coherence_of(5), 8, 10)
    linked = link(samples, window_weights(3, "plain"))
    assert np.isnan(linked.fit[:, :9]).all() and (linked.neighbours[:, :9] == 0).all()
    assert np.isfinite(linked.fit[:, 9:]).all()


@pytest.mark.parametrize(("dates", "window"), [(6, 5), (12, 3), (30, 3), (30, 5)])
def test_fit_of_noise(dates, window):
    """99 of 100 pixels of noise fit less well than the formula says, and not much less."""
    linked = link(speckle(np.eye(dates), 40, 48), window_weights(window, "triangular"), bound=False)
    assert 0.75 * fit_of_noise([dates]) < np.percentile(linked.fit, 99) < 1.05 * fit_of_noise([dates])


def test_blocks_give_what_the_whole_gives():
    samples = speckle(coherence_of(10), 90, 100)
    weights = window_weights(5, "triangular")
    whole = link(samples, weights, threads=2)
    part = link(samples[:, 20:60, 30:80], weights)
    inner = np.s_[..., 2:-2, 2:-2]
    apart = np.angle(part.phasors * whole.phasors[:, 20:60, 30:80].conj())[inner]
    assert np.abs(apart).max() < 1e-4  # pixels side by side stop together, so not to the last bit
    np.testing.assert_allclose(part.fit[inner], whole.fit[20:60, 30:80][inner], atol=1e-4)
