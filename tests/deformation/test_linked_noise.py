"""The covariance of linked phases: intervals of the velocity hold the truth; the table is the inverse that it is."""

import numpy as np
import pytest

from helpers.speckle_stacks import coherence_of, speckle
from slipmap.deformation.phase_linking import compressed, decorrelation
from slipmap.deformation.phase_linking.decorrelation import LOSS, LinkedCovariance, fitted
from slipmap.deformation.phase_linking.link import link

ONE = np.ones(1, np.float32)  # a window of one pixel, whose looks are independent of the next one's


def days_of(dates):
    return 12.0 * np.arange(dates)


def velocity_of(dates):
    """Operator of the slope over the dates."""
    time = days_of(dates) / 365.25
    return (time - time.mean()) / ((time - time.mean()) ** 2).sum()


@pytest.mark.parametrize("last", [0.0, 0.1])
def test_decay_is_that_of_the_speckle(last):
    """Of 20 looks, whose coherences are 0.2 where there is none: they count without their bias."""
    samples = speckle(coherence_of(24, 40.0, 0.7, last), 16, 32, looks=20)
    floor, first, _ = fitted(samples, ONE, np.full((16, 32), 20.0, np.float32), days_of(24))
    assert floor.mean() == pytest.approx(last, abs=0.06)
    assert first.mean() == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize(
    "dates, looks, ground",
    [(20, 60, (40.0, 0.7, 0.3)), (24, 80, (20.0, 0.6, 0.2)), (16, 60, (100.0, 0.8, 0.4)), (20, 100, (15.0, 0.5, 0.3))],
)
def test_intervals_of_the_velocity_hold_the_truth(dates, looks, ground):
    samples = speckle(coherence_of(dates, *ground), 26, 26, looks, seed=3)
    linked = link(samples, ONE, looks=float(looks), bound=False)
    phase = np.angle(linked.phasors * np.conj(linked.phasors.mean(axis=0)))
    velocity = np.tensordot(velocity_of(dates), phase, 1).ravel()  # the truth is 0
    found = fitted(samples, ONE, linked.looks, days_of(dates)).reshape(3, -1)
    covariance = LinkedCovariance(days_of(dates), velocity_of(dates)[None])
    deviation = np.sqrt(covariance.variance(found, linked.looks.ravel())[0])
    assert 0.92 <= np.mean(np.abs(velocity) <= 1.959964 * deviation) <= 0.97
    assert 0.45 <= np.mean(np.abs(velocity) <= 0.674490 * deviation) <= 0.56


@pytest.mark.parametrize(
    "dates, size, looks, ground",
    [(20, 10, 60, (40.0, 0.7, 0.3)), (30, 5, 60, (100.0, 0.8, 0.4)), (24, 5, 80, (20.0, 0.6, 0.2))],
)
def test_intervals_hold_the_truth_with_ministacks(dates, size, looks, ground):
    """By the last whole ministack, which knows of the years before by its compressed SLCs."""
    samples, days = speckle(coherence_of(dates, *ground), 26, 26, looks, seed=3), days_of(dates)
    slcs, spans, phasors, found = [], [], [], []
    for start in range(0, dates, size):
        own, when = samples[start : start + size], days[start : start + size]
        both = np.concatenate([*(slc[None] for slc in slcs), own])
        linked = link(both, ONE, looks=float(looks), bound=False)
        if len(own) == size:
            found = fitted(both, ONE, linked.looks, when, spans).reshape(3, -1)
        phasors.append(linked.phasors[len(slcs) :])
        slcs.append(compressed.compress(own, phasors[-1]))
        spans.append(when)
    phasors = np.concatenate(phasors)
    phase = np.angle(phasors * np.conj(phasors.mean(axis=0)))
    velocity = np.tensordot(velocity_of(dates), phase, 1).ravel()  # the truth is 0
    covariance = LinkedCovariance(days, velocity_of(dates)[None])
    deviation = np.sqrt(covariance.variance(found, np.full(velocity.size, float(looks)))[0])
    assert 0.92 <= np.mean(np.abs(velocity) <= 1.959964 * deviation) <= 0.97


def test_dates_taken_for_independent_would_promise_too_little_or_too_much():
    """The same bound without the correlation of the dates is off by more than the interval allows."""
    dates = days_of(20)
    apart = np.abs(dates[:, None] - dates)
    gamma = 0.2 + 0.5 * np.exp(-apart / decorrelation.DECAY_DAYS[5])
    np.fill_diagonal(gamma, 1)
    slope = velocity_of(20)
    whole = np.linalg.inv((2 * 60 * (gamma * np.linalg.inv(gamma) - np.eye(20)))[1:, 1:])
    exact = slope[1:] @ whole @ slope[1:]
    ground = np.array([[0.2], [0.7], [decorrelation.DECAY_DAYS[5]]])
    found = LinkedCovariance(dates, slope[None]).variance(ground, np.array([60.0]))[0, 0]
    assert found == pytest.approx(LOSS**2 * exact, rel=0.03)
    assert not 0.8 < (slope[1:] ** 2 @ np.diag(whole)) / exact < 1.25


@pytest.mark.parametrize("floor, first", [(0.07, 0.41), (0.33, 0.9), (0.62, 0.71)])
def test_between_the_nodes_the_table_is_the_inverse(floor, first):
    dates, decay = days_of(15), decorrelation.DECAY_DAYS[7]
    apart = np.abs(dates[:, None] - dates)
    gamma = floor + (first - floor) * np.exp(-apart / decay)
    np.fill_diagonal(gamma, 1)
    targets = np.stack([velocity_of(15), np.r_[-1.0, np.zeros(13), 1.0]])
    bound = np.linalg.inv((2 * (gamma * np.linalg.inv(gamma) - np.eye(15)))[1:, 1:])
    exact = np.einsum("kn,nm,km->k", targets[:, 1:], bound, targets[:, 1:]) * LOSS**2
    found = LinkedCovariance(dates, targets).variance(np.array([[floor], [first], [decay]]), np.ones(1))
    np.testing.assert_allclose(found[:, 0], exact, rtol=0.06)


def test_decay_of_the_ground_is_found():
    samples = speckle(coherence_of(30, 40.0, 0.7, 0.3), 16, 16, 100, seed=5)
    floor, first, decay = fitted(samples, ONE, np.full((16, 16), 100.0), days_of(30))
    assert np.median(floor) == pytest.approx(0.3, abs=0.03) and np.median(first) == pytest.approx(0.7, abs=0.05)
    assert 25 < np.median(decay) < 60


def test_ground_without_data_has_no_variance():
    samples = speckle(coherence_of(12), 4, 4, 30)
    ground = fitted(samples, ONE, np.full((4, 4), 30.0), days_of(12)).reshape(3, -1)
    ground[:, 0] = np.nan
    found = LinkedCovariance(days_of(12), velocity_of(12)[None]).variance(ground, np.full(16, 30.0))
    assert np.isnan(found[0, 0]) and np.isfinite(found[0, 1:]).all()
