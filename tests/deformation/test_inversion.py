"""The network inversion against dense least squares, and its invariants."""

from datetime import date, timedelta

import numpy as np
import pytest

from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.phase import critical_baseline, mm_per_radian, variance_table, weight_table, wrap

MM = abs(mm_per_radian(0.0554658))


def network(dates: int, ahead: int) -> np.ndarray:
    return np.array([(i, j) for i in range(dates) for j in range(i + 1, min(i + 1 + ahead, dates))])


def incidence(numbers: np.ndarray, dates: int) -> np.ndarray:
    design = np.zeros((len(numbers), dates))
    design[np.arange(len(numbers)), numbers[:, 1]] = 1
    design[np.arange(len(numbers)), numbers[:, 0]] = -1
    return design[:, 1:]


@pytest.fixture(scope="module")
def stack():
    """60 dates, 174 pairs, 100 pixels: a random walk of tens of radians with noise and random weights."""
    rng = np.random.default_rng(1)
    numbers = network(60, 3)
    truth = np.cumsum(rng.normal(size=(60, 100)), axis=0) * 3
    phase = truth[numbers[:, 1]] - truth[numbers[:, 0]] + 0.4 * rng.normal(size=(len(numbers), 100))
    weight = rng.uniform(0.05, 50, phase.shape)
    return numbers, np.arange(60) * 12 / 365.25, phase.astype(np.float32), weight.astype(np.float32)


def dense(numbers, dates, phase, weight):
    """Dense weighted least squares in float64, one pixel, gaps left out."""
    there = np.isfinite(phase)
    root = np.sqrt(weight[there].astype(np.float64))
    design = incidence(numbers, dates)[there] * root[:, None]
    return np.linalg.lstsq(design, root * phase[there].astype(np.float64), rcond=None)[0]


@pytest.mark.parametrize("gaps", [0.0, 0.02, 0.2])
def test_equals_dense_least_squares(stack, gaps):
    numbers, times, phase, weight = stack
    phase = phase.copy()
    phase[np.random.default_rng(2).random(phase.shape) < gaps] = np.nan
    result = invert_stack(phase, weight, numbers, times)
    slope = np.linalg.pinv(np.stack([np.ones_like(times), times], axis=1))[1]
    for p in range(phase.shape[1]):
        if result.joined[p] or result.seen[p] < 60:
            continue
        expected = np.r_[0, dense(numbers, 60, phase[:, p], weight[:, p])]
        # Series to float32's resolution of tens of radians; velocity to the issue's 1e-4 mm/yr.
        np.testing.assert_allclose(result.series[:, p], expected, atol=1e-5)
        assert abs(slope @ (result.series[:, p] - expected)) * MM < 1e-4
        residual = phase[:, p] - incidence(numbers, 60) @ expected[1:]
        coherence = abs(np.nanmean(np.exp(1j * residual)))
        assert result.temporal_coherence[p] == pytest.approx(coherence, abs=2e-6)
    np.testing.assert_array_equal(result.used, np.isfinite(phase).sum(axis=0))
    assert np.mean(result.joined > 0) < 0.2


def test_removed_interferogram_equals_zero_weight(stack):
    numbers, times, phase, weight = stack
    gone, zero = phase.copy(), weight.copy()
    gone[17] = np.nan
    zero[17] = 0
    removed = np.delete(np.arange(len(numbers)), 17)
    results = [
        invert_stack(gone, weight, numbers, times).series,
        invert_stack(phase, zero, numbers, times).series,
        invert_stack(phase[removed], weight[removed], numbers[removed], times).series,
    ]
    np.testing.assert_allclose(results[0], results[1], atol=1e-6)
    np.testing.assert_allclose(results[0], results[2], atol=1e-6)
    assert np.abs(results[0] - invert_stack(phase, weight, numbers, times).series).max() > 1e-3


def test_turn_on_one_pixel_moves_the_series_by_the_pseudo_inverses_column(stack):
    numbers, times, phase, weight = stack
    jumped = phase.copy()
    jumped[40, 7] += 2 * np.pi
    change = invert_stack(jumped, weight, numbers, times).series - invert_stack(phase, weight, numbers, times).series
    root = np.sqrt(weight[:, 7].astype(np.float64))
    column = np.linalg.pinv(incidence(numbers, 60) * root[:, None])[:, 40] * root[40]
    np.testing.assert_allclose(change[1:, 7], 2 * np.pi * column, atol=2e-5)
    others = np.delete(np.arange(100), 7)
    assert not change[:, others].any()


def test_subsets_are_joined_by_the_model_of_motion(stack):
    """As NSBAS: the model's equations beside the interferograms', with a weight too small to matter to these."""
    numbers, _, phase, weight = stack
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.choice([6, 12, 24], 60)) / 365.25
    times -= times[0]
    cut = phase.copy()
    cut[(numbers[:, 0] < 30) & (numbers[:, 1] >= 30), 5] = np.nan  # two subsets
    cut[(numbers == 45).any(axis=1), 6] = np.nan  # a date that nothing sees
    result = invert_stack(cut, weight, numbers, times)
    assert np.flatnonzero(result.joined).tolist() == [5]
    assert result.seen[[4, 5, 6]].tolist() == [60, 60, 59]
    assert np.flatnonzero(np.isnan(result.series[:, 6])).tolist() == [45]
    line = np.stack([np.ones(60), times], axis=1)
    slope = np.linalg.pinv(line)[1]
    for p in (5, 6):
        there, seen = np.isfinite(cut[:, p]), np.isfinite(result.series[:, p])
        root = np.sqrt(weight[there, p].astype(np.float64))
        design = incidence(numbers, 60)[there]
        design = np.c_[-design.sum(axis=1), design]
        model = np.c_[np.eye(60), -line]
        whole = np.vstack([np.c_[design * root[:, None], np.zeros((there.sum(), 2))], 1e-4 * model[seen]])
        right = np.r_[root * cut[there, p], np.zeros(seen.sum())]
        solved = np.linalg.lstsq(whole, right, rcond=1e-14)[0]
        np.testing.assert_allclose(result.series[seen, p], (solved[:60] - solved[0])[seen], atol=1e-3)
        if p == 5:
            assert slope @ result.series[:, p] == pytest.approx(solved[61], abs=1e-2)


def test_variance_of_the_velocity_is_that_of_dense_algebra(stack):
    """gᵀ (AᵀWA)⁻¹ g in float64, gaps left out; of joined subsets that of the joint estimate's own operator."""
    numbers, times, phase, weight = stack
    gone = phase.copy()
    gone[np.random.default_rng(6).random(phase.shape) < 0.05] = np.nan
    gone[(numbers[:, 0] < 30) & (numbers[:, 1] >= 30), 5] = np.nan
    slope = np.linalg.pinv(np.stack([np.ones_like(times), times], axis=1))[1]
    found = invert_stack(gone, weight, numbers, times, operator=slope)
    assert np.flatnonzero(found.joined).tolist() == [5] and np.isfinite(found.variance).all()
    for p in np.flatnonzero(found.seen == 60):
        if found.joined[p]:
            continue
        design = incidence(numbers, 60)[np.isfinite(gone[:, p])]
        normal = design.T @ (weight[np.isfinite(gone[:, p]), p].astype(np.float64)[:, None] * design)
        assert found.variance[p] == pytest.approx(slope[1:] @ np.linalg.solve(normal, slope[1:]), rel=1e-5)
    assert invert_stack(gone, weight, numbers, times).variance.size == 0
    # Each phase moved by itself: the velocity's change is the operator, pair by pair.
    there = np.flatnonzero(np.isfinite(gone[:, 5]))
    moved = np.repeat(gone[:, 5:6], len(there), axis=1)
    moved[there, np.arange(len(there))] += 1
    series = invert_stack(moved, np.repeat(weight[:, 5:6], len(there), axis=1), numbers, times).series
    operator = slope @ series.astype(np.float64) - slope @ found.series[:, 5].astype(np.float64)
    assert found.variance[5] == pytest.approx(np.sum(operator**2 / weight[there, 5]), rel=2e-3)


def test_pixel_without_data_is_nan_and_harms_no_other(stack):
    numbers, times, phase, weight = stack
    gone = phase.copy()
    gone[:, 3] = np.nan
    result = invert_stack(gone, weight, numbers, times)
    assert np.isnan(result.series[:, 3]).all() and np.isnan(result.temporal_coherence[3]) and result.used[3] == 0
    others = np.delete(np.arange(100), 3)
    np.testing.assert_allclose(
        result.series[:, others], invert_stack(phase, weight, numbers, times).series[:, others], atol=1e-5
    )


def test_number_of_pixels_does_not_matter(stack):
    numbers, times, phase, weight = stack
    whole = invert_stack(phase, weight, numbers, times).series
    phase, weight, whole = (np.tile(a, 3) for a in (phase, weight, whole))
    for count in (1, 127, 128, 129, 300):
        part = invert_stack(phase[:, :count], weight[:, :count], numbers, times).series
        np.testing.assert_array_equal(part, whole[:, :count])


def test_temporal_coherence_is_of_the_original_phase(stack):
    numbers, times, phase, weight = stack
    noise = np.random.default_rng(5).uniform(-np.pi, np.pi, phase.shape)
    filtered = invert_stack(phase, weight, numbers, times, original=wrap(phase + noise).astype(np.float32))
    plain = invert_stack(phase, weight, numbers, times)
    np.testing.assert_array_equal(filtered.series, plain.series)
    assert filtered.temporal_coherence.mean() < 0.2 < 0.8 < plain.temporal_coherence.mean()


def test_phase_variance_against_simulated_speckle():
    """Multilooked phase of two partly coherent circular Gaussian signals (simulated)."""
    rng = np.random.default_rng(0)

    def noise(shape):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)

    for looks, gamma in ((1, 0.5), (4, 0.3), (4, 0.8), (25, 0.6)):
        a, b = noise((looks, 200_000)), noise((looks, 200_000))
        cross = (a * np.conj(gamma * a + np.sqrt(1 - gamma**2) * b)).sum(axis=0)
        measured = np.mean(np.angle(cross) ** 2)
        assert variance_table(looks)[round(gamma * 1000)] == pytest.approx(measured, rel=0.02)


def test_weight_table_falls_with_variance_and_tends_to_cramer_rao():
    assert (np.diff(weight_table("variance", 20)) >= 0).all()
    gamma, looks = 0.9, 60
    assert variance_table(looks)[900] == pytest.approx((1 - gamma**2) / (2 * looks * gamma**2), rel=0.03)
    assert variance_table(5)[0] == pytest.approx(np.pi**2 / 3, rel=1e-2)


def test_critical_baseline_of_ers():
    """About 1.1 km for ERS on flat ground (Hanssen 2001, p. 102): 15.55 MHz, 23 degrees, 850 km."""
    assert critical_baseline(0.0566, 850e3, 23.0, 15.55e6) == pytest.approx(1.1e3, rel=0.05)


def test_pair_numbers_and_years():
    dates = [date(2021, 1, 1) + timedelta(days=12 * k) for k in range(3)]
    assert pair_numbers([(dates[0], dates[2]), (dates[1], dates[2])], dates).tolist() == [[0, 2], [1, 2]]
    assert years(dates)[2] == pytest.approx(24 / 365.25)
