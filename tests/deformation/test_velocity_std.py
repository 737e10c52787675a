"""The standard deviation of the velocity: its covariance against dense algebra, its intervals against the truth."""

from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks import velocity_std as bench
from benchmarks._speckle import Ground, interferograms
from slipmap.deformation import covariance, scatter
from slipmap.deformation.inversion import Network, invert_stack, years
from slipmap.deformation.phase import deviation_table, variance_table, weight_table
from slipmap.deformation.velocity import bootstrap_std, fit, time_model

LOOKS = 100  # above 80 the phase's variance is the formula's


def dense_variance(numbers, coherence, looks, matrix, row):
    """row A⁺ S A⁺ᵀ rowᵀ with Cov(φij, φkl) = (γik γjl − γil γjk) / (2L γij γkl), all in float64."""
    i, j = numbers.T
    pair = matrix[i, j]
    shared = matrix[np.ix_(i, i)] * matrix[np.ix_(j, j)] - matrix[np.ix_(i, j)] * matrix[np.ix_(j, i)]
    cov = shared / (2 * looks * np.outer(pair, pair))
    design = np.zeros((len(numbers), len(matrix)))
    design[np.arange(len(numbers)), j], design[np.arange(len(numbers)), i] = 1, -1
    weight = 1 / variance_table(looks)[np.round(coherence * 1000).astype(int)]
    normal = design[:, 1:].T @ (weight[:, None] * design[:, 1:])
    operator = row[1:] @ np.linalg.solve(normal, design[:, 1:].T * weight)
    return operator @ cov @ operator


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_covariance_is_that_of_dense_algebra(gaps):
    """Of coherences that the model of them fits: the kernel's variance is that of the published formula."""
    ground = Ground(40, 0.8, float(covariance.DECAY_DAYS[7]), 0.2, LOOKS)
    numbers, matrix, times = ground.pairs(60), ground.coherence(), years(ground.days())
    model = time_model(ground.days())
    rng = np.random.default_rng(0)
    coherence = np.tile(matrix[numbers[:, 0], numbers[:, 1]][:, None], 20).astype(np.float32)
    phase = rng.normal(size=coherence.shape).astype(np.float32)
    phase[rng.random(phase.shape) < gaps] = np.nan
    targets = np.vstack([model.row("velocity"), np.eye(40)[[1, 20, 39]]])
    found = invert_stack(
        phase, coherence, numbers, times, weight_table("variance", LOOKS),
        operator=targets[0], deviation=deviation_table(LOOKS), targets=targets,
    )  # fmt: skip
    for p in np.flatnonzero((found.joined == 0) & (found.seen == 40)):
        there = np.isfinite(phase[:, p])
        for row, value in zip(targets, found.variance[:, p], strict=True):
            expected = dense_variance(numbers[there], coherence[there, p], LOOKS, matrix, row)
            assert value == pytest.approx(expected, rel=0.02)


def test_pairs_that_share_a_date_are_not_independent():
    """On a default network the covariance makes the velocity less certain than pairs taken one by one (measured: 1.35
    to 2.3 times)."""
    ground = bench.GROUNDS["meadow"]
    numbers, model = ground.pairs(60), time_model(ground.days())
    phase, coherence = interferograms(ground, numbers, 200, np.random.default_rng(1))
    given = (phase, coherence, numbers, years(ground.days()), weight_table("variance", 60), None, model.row("velocity"))
    alone, together = (np.median(invert_stack(*given, d).variance) for d in (None, deviation_table(60)))
    assert 1.35 < np.sqrt(together / alone) < 2.5


@pytest.mark.parametrize(
    "name, longest, atmosphere",
    [
        ("meadow", 60, 0),
        ("vegetation", 36, 0),
        ("quick", 24, 0),
        ("noisy", 12, 0),
        ("no floor", 12, 1),
        ("slow", 60, 2),
    ],
)
def test_intervals_hold_the_truth(name, longest, atmosphere):
    """As `slipmap bench velocity_std`, with fewer pixels, and with an atmosphere of each date in some."""
    rng = np.random.default_rng(5)
    velocity, deviation = bench.measure(bench.GROUNDS[name], longest, 1200, rng, atmosphere)
    assert np.mean(np.abs(velocity) <= bench.Z95 * deviation) == pytest.approx(0.945, abs=0.03)
    assert np.mean(np.abs(velocity) <= bench.Z50 * deviation) == pytest.approx(0.5, abs=0.05)
    assert np.median(deviation) / velocity.std() == pytest.approx(1, abs=0.1)


def test_a_wrong_model_of_unseen_coherences_is_found_out_by_the_scatter():
    """Consecutive pairs alone: the prior takes this ground to forget; its series tell that it does not."""
    ground = bench.GROUNDS["noisy"]
    model, numbers = time_model(ground.days()), ground.pairs(12)
    phase, coherence = interferograms(ground, numbers, 600, np.random.default_rng(3))
    targets = np.vstack([model.row("velocity"), scatter.combinations(model)])
    solved = invert_stack(
        phase, coherence, numbers, years(ground.days()), weight_table("variance", 60),
        operator=targets[0], deviation=deviation_table(60), targets=targets, samples=60,
    )  # fmt: skip
    spread = (targets[0] @ solved.series).std()
    assert np.sqrt(np.median(solved.variance[0])) > 1.3 * spread
    assert scatter.fit(model, solved.series, solved.variance).scale < 0.7


def test_white_noise_of_the_dates_alone():
    """By the formula, and by the bootstrap beside it, where nothing decorrelates."""
    rng = np.random.default_rng(11)
    model = time_model([date(2021, 1, 1) + timedelta(days=12 * k) for k in range(40)])
    series = 7.0 * model.design[:, 1:2] + rng.normal(0, 2.0, (40, 4000))
    velocity = fit(model, series)[1]
    none = np.full((1 + len(scatter.combinations(model)), 4000), 1e-9)
    deviation = scatter.fit(model, series, none).velocity_std(series, none[0], np.sum(model.row("velocity") ** 2))
    assert np.median(deviation) == pytest.approx(2.0 * np.linalg.norm(model.row("velocity")), rel=0.05)
    assert np.mean(np.abs(velocity - 7.0) < 1.96 * deviation) == pytest.approx(0.94, abs=0.015)
    again = bootstrap_std(model, series, 200)
    assert np.median(again / deviation) == pytest.approx(1.0, abs=0.08)


def test_combinations_see_nothing_of_the_model_and_go_from_slow_to_fast():
    rng = np.random.default_rng(0)
    days = [date(2021, 1, 1) + timedelta(days=int(d)) for d in np.cumsum(rng.choice([6, 12, 24], 30))]
    model = time_model(days, annual=True, baselines=rng.normal(0, 50, 30))
    rows = scatter.combinations(model)
    assert rows.shape == (30 - 5, 30)
    np.testing.assert_allclose(rows @ rows.T, np.eye(25), atol=1e-10)
    np.testing.assert_allclose(rows @ model.design, 0, atol=1e-8)
    turns = np.array([np.sum(np.diff(np.sign(row)) != 0) for row in rows])
    assert np.corrcoef(turns, np.arange(25))[0, 1] > 0.9


def test_series_with_gaps_are_fitted_and_their_scatter_judged():
    """A series with dates that nobody saw: the fit and the scatter are those of the dates that there are."""
    rng = np.random.default_rng(2)
    model = time_model([date(2021, 1, 1) + timedelta(days=12 * k) for k in range(40)])
    series = 5.0 * model.design[:, 1:2] + rng.normal(0, 1.0, (40, 1000))
    holed = series.copy()
    holed[10:16, ::2] = np.nan
    none = np.full((1 + len(scatter.combinations(model)), 1000), 1e-9)
    found = scatter.fit(model, holed, none)
    expected = np.polyfit(model.design[:, 1][np.isfinite(holed[:, 0])], holed[np.isfinite(holed[:, 0]), 0], 1)[0]
    assert fit(model, holed)[1, 0] == pytest.approx(expected, abs=1e-6)
    squares = found.of_dates(holed, none[0])
    assert squares[::2].mean() == pytest.approx(1, abs=0.1) and squares[1::2].mean() == pytest.approx(1, abs=0.1)


def test_targets_of_a_network_are_the_operator_where_none_are_given():
    numbers = np.array([(0, 1), (1, 2), (0, 2)])
    assert Network(numbers, np.arange(3.0), operator=np.ones(3)).variances == 1
    assert Network(numbers, np.arange(3.0), operator=np.ones(3), targets=np.eye(3)).variances == 3
    assert Network(numbers, np.arange(3.0)).variances == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("levels", [[1.0], [1.0, 2.0], [1.0, 1.0001]])
def test_ground_of_one_or_two_kinds_tells_no_curve(levels):
    """A parabola through one or two coherences is not told: the mean ratio stands for it, without a warning."""
    rng, model = np.random.default_rng(0), time_model([date(2021, 1, 1) + timedelta(days=12 * k) for k in range(20)])
    ratio = np.r_[1.0, np.full(len(scatter.combinations(model)), 3.0)]
    variances = ratio[:, None] * rng.choice(levels, 300)
    found = scatter.fit(model, rng.normal(size=(20, 300)), variances)
    assert found.curve == pytest.approx([np.log(3)], abs=1e-6)
