"""Closure of triplets: turns are found where they were put, and nothing else is touched."""

import numpy as np
import pytest

from slipmap.deformation.closure import correct, open_triplets, triplets

TIMES = np.arange(15) * 12 / 365.25


@pytest.fixture(scope="module")
def stack():
    """15 dates, pairs up to 3 ahead, 400 pixels, small noise."""
    rng = np.random.default_rng(4)
    numbers = np.array([(i, j) for i in range(15) for j in range(i + 1, min(i + 4, 15))])
    truth = np.cumsum(rng.normal(size=(15, 400)), axis=0) * 2
    phase = truth[numbers[:, 1]] - truth[numbers[:, 0]] + 0.1 * rng.normal(size=(len(numbers), 400))
    coherence = rng.uniform(0.3, 0.9, phase.shape)
    return numbers, phase.astype(np.float32), coherence.astype(np.float32)


def turns_of(phase, coherence, numbers):
    """Turns that the correction adds, and the counts."""
    changed = phase.copy()
    counted, before, after = correct(changed, coherence, numbers, TIMES, triplets(numbers))
    turns = np.rint(np.nan_to_num(changed - phase) / (2 * np.pi)).astype(int)
    np.testing.assert_array_equal(counted, np.count_nonzero(turns, axis=1))
    return turns, before, after


def test_triplets_are_all_of_them(stack):
    numbers, _, _ = stack
    triples = triplets(numbers)
    # Of dates i < j < k ≤ i + 3: 12 i have three such (1,2), (1,3), (2,3); the 13th has one, by hand 3 · 12 + 1.
    assert len(triples) == 37
    for a, b, c in triples:
        assert numbers[a][0] == numbers[c][0] and numbers[a][1] == numbers[b][0] and numbers[b][1] == numbers[c][1]


def test_count_is_that_of_plain_arithmetic(stack):
    numbers, phase, _ = stack
    triples, wrong = triplets(numbers), phase.copy()
    rng = np.random.default_rng(1)
    wrong += (2 * np.pi * rng.integers(-1, 2, wrong.shape)).astype(np.float32)
    wrong += rng.normal(0, 0.5, wrong.shape).astype(np.float32)
    wrong[rng.random(wrong.shape) < 0.1] = np.nan
    a, b, c = (wrong[triples[:, k]].astype(np.float64) for k in range(3))
    closure = (a + b - c) / (2 * np.pi)
    whole = np.round(closure)
    expected = ((np.abs(closure - whole) < 0.25) & (whole != 0)).sum(axis=0)
    assert np.mean(open_triplets(wrong, triples) == expected) > 0.999 and expected.max() > 10


def test_consistent_phase_closes_and_is_left_alone(stack):
    numbers, phase, coherence = stack
    turns, before, after = turns_of(phase, coherence, numbers)
    assert not turns.any() and not before.any() and not after.any()


def test_turns_are_found_where_they_were_put(stack):
    numbers, phase, coherence = stack
    rng = np.random.default_rng(5)
    # Pairs in two or more triplets can be told; one to three errors at a pixel.
    counts = np.bincount(triplets(numbers).ravel(), minlength=len(numbers))
    put = np.zeros(phase.shape, int)
    for p in range(phase.shape[1]):
        for k in rng.choice(np.flatnonzero(counts >= 3), 1 + p % 3, replace=False):
            put[k, p] = rng.choice([-2, -1, 1])
    turns, before, after = turns_of(phase + np.float32(2 * np.pi) * put, coherence, numbers)
    assert (before > 0).all()
    assert np.mean((turns == -put).all(axis=0)) > 0.95
    assert np.mean(after == 0) > 0.97


def test_noise_and_gaps_are_no_evidence(stack):
    numbers, phase, _ = stack
    moved = phase.copy()
    moved[5] += np.pi  # half a turn: neither open nor closed
    moved[9] = np.nan
    assert not open_triplets(moved, triplets(numbers)).any()


def test_a_constant_over_an_interferogram_changes_nothing_after_referencing(stack):
    numbers, phase, coherence = stack
    shifted = phase.copy()
    shifted[7] += 11.3
    results = [turns_of(x - x[:, :1], coherence, numbers)[0] for x in (phase, shifted)]
    np.testing.assert_array_equal(*results)
