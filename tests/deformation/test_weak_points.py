"""Pairs without which a network falls apart, against taking each of them away; baselines that are not known."""

from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from slipmap.config.deformation import InversionSettings
from slipmap.deformation import reliability, weak_points
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.network import baselines_by_date, subsets
from slipmap.deformation.phase import deviation_table, weight_table
from slipmap.deformation.stack import END, Pair, Radar, network_dates
from slipmap.deformation.weak_points import bridges

RADAR = Radar(wavelength=0.0555)


def pairs_of(edges, baselines=None):
    day = [date(2022, 1, 1) + timedelta(days=12 * k) for k in range(40)]
    return [Pair(day[a], day[b], 10.0 * (b - a) if baselines is None else baselines.get((a, b)), {}) for a, b in edges]


TWO_HALVES = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)]


@given(edges=st.sets(st.sampled_from(list(combinations(range(9), 2))), min_size=1, max_size=16))
@limits(max_examples=150, deadline=None)
def test_a_bridge_is_a_pair_whose_loss_splits_the_network(edges):
    pairs = pairs_of(sorted(edges))
    dates = network_dates(pairs)
    expected = {}
    for pair in pairs:
        before, after = subsets(pairs, dates), subsets([p for p in pairs if p is not pair], dates)
        if len(after) > len(before):
            sides = [next(part for part in after if day in part) for day in (pair.reference, pair.secondary)]
            if min(map(len, sides)) >= END:
                hinge = max(sides[0]) < min(sides[1]) or max(sides[1]) < min(sides[0])
                expected[pair.name] = ({len(side) for side in sides}, hinge)
    assert {b.name: (set(b.dates), b.hinge) for b in bridges(pairs)} == expected


def notes(pairs, radar):
    return weak_points.notes(pairs, radar, baselines_by_date(pairs))


def test_what_is_said_of_a_bridge():
    (said,) = notes(pairs_of(TWO_HALVES), RADAR)
    assert said.startswith("without the pair 20220125_20220206 the network falls in two (3 and 3 dates)")
    assert "28 mm: no velocity counts as reliable" in said
    assert notes(pairs_of([*TWO_HALVES, (1, 4)]), RADAR) == []


def test_a_hinge_is_what_the_inversion_marks_too():
    """Pixels of a network with a hinge are all without redundancy, and none once a second pair joins its halves."""
    for edges, hinge in ((TWO_HALVES, True), ([*TWO_HALVES, (1, 4)], False)):
        pairs = pairs_of(edges)
        dates = network_dates(pairs)
        assert any(bridge.hinge for bridge in bridges(pairs)) == hinge
        numbers = pair_numbers([(p.reference, p.secondary) for p in pairs], dates)
        shape = len(pairs), 300
        solved = invert_stack(
            np.zeros(shape, np.float32), np.full(shape, 0.8, np.float32), numbers, years(dates),
            table=weight_table("variance", 60), deviation=deviation_table(60),
        )  # fmt: skip
        found = reliability.classify(solved, len(dates), np.zeros(300), np.full(300, 0.8), 60, InversionSettings())
        assert (found == (reliability.UNCHECKED if hinge else reliability.RELIABLE)).all()


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, "no perpendicular baseline is known, so that no DEM error is estimated"),
        (
            {pair: 10.0 for pair in [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (1, 4)]},
            "2022-03-02 say nothing of the DEM",
        ),
        ({pair: 10.0 for pair in [*TWO_HALVES, (1, 4)] if pair != (0, 2)}, "it follows from those of the other pairs"),
        ({(0, 1): 10.0}, "the others do not tell those of most dates"),
    ],
)
def test_baselines_that_no_file_tells(known, says):
    (said,) = notes(pairs_of([*TWO_HALVES, (1, 4)], known), RADAR)
    assert says in said
