"""Phases that fit no solution: jumps of 2π and a wild interferogram do not bend the velocity."""

import numpy as np
import pytest

from benchmarks import jumps
from slipmap.deformation.inversion import invert_stack, years
from slipmap.deformation.phase import weight_table

LIMITS = {0.0: 1.8, 0.02: 2.0, 0.05: 2.6, 0.10: 4.5}  # mm/yr


@pytest.mark.parametrize("share", LIMITS)
def test_jumps_of_two_pi_hardly_move_the_velocity(share):
    """Least absolute deviations reach 1.97, 2.10, 2.55 and 4.64 mm/yr, least squares 10 where a tenth jumped."""
    phase, truth = jumps.make(share, 60)
    found = {
        (corrected, robust): jumps.rms(jumps.estimate(phase, corrected=corrected, robust=robust), truth)
        for corrected in (False, True)
        for robust in (False, True)
    }
    assert found[True, True] <= LIMITS[share] and found[True, False] <= 1.03 * LIMITS[share]
    assert found[False, True] <= LIMITS[share]
    assert found[False, False] > 2 * LIMITS[share] if share else found[False, False] == found[True, True]


def test_one_wild_interferogram_with_a_false_coherence_does_not_bend_the_series():
    phase, _ = jumps.make(0.0, 20)
    coherence, table = np.full_like(phase, 0.6), weight_table("variance", 25)
    times, numbers = years(jumps.DATES), jumps.NUMBERS
    clean = invert_stack(phase, coherence, numbers, times, table).series
    wild = phase.copy()
    wild[90] = np.random.default_rng(0).uniform(5, 25, phase.shape[1])
    coherence[90] = 0.99
    bent, straight = (
        invert_stack(wild, coherence, numbers, times, table, robust=r, noise=1.0).series for r in (False, True)
    )
    assert np.abs(bent - clean).max(axis=0).mean() > 2
    assert np.abs(straight - clean).max(axis=0).mean() < 0.3


def test_pixels_that_fit_keep_the_least_squares_solution_to_the_bit():
    """Whatever their neighbours in the registers do."""
    phase, _ = jumps.make(0.0, 20)
    jumped = phase.copy()
    jumped[50, ::7] += 2 * np.pi
    coherence, table = np.full_like(phase, 0.6), weight_table("variance", 25)
    plain = invert_stack(phase, coherence, jumps.NUMBERS, years(jumps.DATES), table).series
    found = invert_stack(jumped, coherence, jumps.NUMBERS, years(jumps.DATES), table, robust=True, noise=1.0).series
    others = np.arange(phase.shape[1]) % 7 != 0
    np.testing.assert_array_equal(found[:, others], plain[:, others])
    assert np.abs(found - plain)[:, ~others].max() < 1
