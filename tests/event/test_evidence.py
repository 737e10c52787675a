"""Indicators against direct sums, scores against the normal law on noise, their combination against SciPy's."""

import numpy as np
import pytest
from rasterio.windows import Window
from scipy import stats

from slipmap.config.event import EventImageSettings
from slipmap.deformation.interferogram import form
from slipmap.deformation.stack import Acquisition
from slipmap.event import expectation
from slipmap.event.evidence import combine
from slipmap.event.images import choose
from slipmap.event.indicators import Change, coherence_and_backscatter
from slipmap.io.grid import Grid
from slipmap.simulator.sentinel1 import speckle

GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500300, 5000200))
RNG = np.random.default_rng(4)
DAYS = [f"2023-01-{day:02d}" for day in (1, 7, 13, 19, 25)]


def images(days=DAYS, event="2023-01-15"):
    settings = EventImageSettings(date=event)
    return choose(
        [Acquisition(__import__("datetime").date.fromisoformat(day), day, 0.0) for day in days], settings, "x"
    )


def slcs(count):
    common = speckle(RNG, (40, 120))
    return [0.8 * common + 0.6 * speckle(RNG, (40, 120)) for _ in range(count)]


def test_coherence_and_backscatter_are_those_of_direct_sums_wherever_the_block_lies():
    stack, chosen = slcs(5), images()
    stack[1][4:8, 20:40] = np.nan
    read = lambda k, window: stack[k][window.toslices()]  # noqa: E731
    whole = coherence_and_backscatter(read, chosen, Window(0, 0, 30, 20), GRID, (2, 4), 3)
    _, direct = form(np.nan_to_num(stack[2]), np.nan_to_num(stack[3]), (2, 4), 3)
    np.testing.assert_allclose(np.tanh(whole[0].across), direct, rtol=1e-3)
    _, first = form(np.nan_to_num(stack[0]), np.nan_to_num(stack[1]), (2, 4), 3)
    _, second = form(np.nan_to_num(stack[1]), np.nan_to_num(stack[2]), (2, 4), 3)
    np.testing.assert_allclose(whole[0].before, (np.arctanh(first) + np.arctanh(second)) / 2, rtol=1e-3)
    pixel = np.s_[20:26, 40:52]  # the 3 x 3 pixels about (11, 11)
    means = [10 * np.log10(np.mean(np.abs(slc[pixel]) ** 2)) for slc in stack]
    assert whole[1].before[11, 11] == pytest.approx(np.mean(means[:3]), abs=1e-3)
    assert whole[1].difference[11, 11] == pytest.approx(np.mean(means[3:]) - np.mean(means[:3]), abs=1e-3)
    assert whole[1].scatter[11, 11] == pytest.approx(np.std(means[:3], ddof=1), abs=1e-3)
    assert np.isnan(whole[0].before[2, 5]) and np.isnan(whole[1].before[2, 5])
    part = coherence_and_backscatter(read, chosen, Window(7, 5, 12, 9), GRID, (2, 4), 3)
    np.testing.assert_array_equal(part[0].difference, whole[0].difference[5:14, 7:19])
    np.testing.assert_array_equal(part[1].scatter, whole[1].scatter[5:14, 7:19])


def test_with_a_second_image_after_the_event_what_comes_back_is_added():
    lost = Change(np.float32(0.8), np.float32(0.2), np.float32(0.1), 3, np.float32(0.7))
    assert lost.difference == pytest.approx((0.2 - 0.8) + (0.2 - 0.7))
    assert Change(np.float32(np.nan), np.float32(0.2), np.float32(np.nan), 0).difference == pytest.approx(0.2)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_scores_of_ground_where_nothing_happened_are_standard_normal(count):
    """Each kind of ground drifts and scatters in its own way, and each pixel of a kind too."""
    shape = (200, 200)
    level = RNG.choice([0.2, 0.8], shape) + 0.01 * RNG.normal(0, 1, shape)
    spread = np.where(level > 0.5, 0.5, 1.5) / np.sqrt(RNG.chisquare(8, shape) / 8)
    before = RNG.normal(0, 1, (count, *shape)) * spread
    across = RNG.normal(0, 1, shape) * spread + np.where(level > 0.5, -3, 1)
    scatter = before.std(axis=0, ddof=1) if count > 1 else np.full(shape, np.nan)
    change = Change(before.mean(axis=0), across, scatter, count)
    learnt = expectation.learn([change], [level])
    score = learnt.score(change, level)
    for kind in (level > 0.5, level < 0.5):
        assert np.median(score[kind]) == pytest.approx(0, abs=0.03)
        assert stats.median_abs_deviation(score[kind], scale="normal") == pytest.approx(1, abs=0.07)
        assert np.mean(np.abs(score[kind]) > 3) < (0.006 if count > 2 else 0.02)
    moved = across - 8 * spread
    fallen = learnt.score(Change(before.mean(axis=0), moved, scatter, count), level)
    assert np.mean(fallen < -3) > 0.9


def test_evidence_is_fishers_combination_and_leaves_out_what_is_not_known():
    scores = RNG.normal(0, 2, (3, 500)).astype(np.float32)
    p = [stats.norm.sf(scores[0]), 2 * stats.norm.sf(np.abs(scores[1])), 2 * stats.norm.sf(np.abs(scores[2]))]
    found = combine(list(scores), [True, False, False])
    wanted = [stats.combine_pvalues(row).pvalue for row in np.array(p, float).T]
    np.testing.assert_allclose(stats.norm.sf(found), wanted, rtol=2e-3, atol=1e-6)
    scores[1, 0] = scores[2, 0] = np.nan
    assert combine(list(scores), [True, False, False])[0] == pytest.approx(scores[0, 0], abs=1e-3)
    assert np.isnan(combine([np.full(3, np.nan)], [True])).all()
    assert combine([np.array([50.0])], [True])[0] > 11, "what is certain stays finite"
    noise = combine(list(RNG.normal(0, 1, (3, 100_000))), [True, False, False])
    assert stats.kstest(noise, "norm").statistic < 0.005
