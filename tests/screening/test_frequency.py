"""Class breaks, frequency ratio and weight of evidence: hand-computed, brute-forced, and from rasters."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from statsmodels.stats.contingency_tables import Table2x2

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening import breaks, frequency, layers, sampling


def within(values: np.ndarray, cuts: np.ndarray) -> float:
    index = breaks.classify(values, np.asarray(cuts))
    return sum(((values[index == i] - values[index == i].mean()) ** 2).sum() for i in np.unique(index))


@pytest.mark.parametrize("seed", range(20))
def test_natural_breaks_have_the_least_variance_of_all_partitions(seed: int) -> None:
    values = np.random.default_rng(seed).gamma(2, 3, 14).round(1)
    candidates = np.unique(values)[:-1]
    best = min(within(values, np.array(cut)) for cut in itertools.combinations(candidates, 3))
    assert within(values, breaks.natural_breaks(values, 4)) == pytest.approx(best)


def test_natural_breaks_of_many_values_fall_into_the_gaps() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(m, 0.3, 4000) for m in (0, 5, 9)])
    cuts = breaks.natural_breaks(values, 3)
    np.testing.assert_array_equal(breaks.classify(values, cuts), np.repeat([0, 1, 2], 4000))
    np.testing.assert_allclose(cuts, breaks.natural_breaks(values + 1e6, 3) - 1e6, atol=1e-6)


def test_other_breaks() -> None:
    values = np.arange(1.0, 11)
    np.testing.assert_allclose(breaks.class_breaks(values, 2, "quantile"), [5.5])
    np.testing.assert_allclose(breaks.class_breaks(values, 3, "equal"), [4, 7])
    np.testing.assert_allclose(breaks.class_breaks(values, 3, "fixed", [0.6, 0.4]), [0.4, 0.6])
    assert len(breaks.class_breaks(np.zeros(9), 4, "quantile")) == 0  # one value, one class
    assert breaks.classify(np.array([4.0, 4.1, np.nan]), np.array([4.0])).tolist() == [0, 1, -1]


def test_evidence_by_hand() -> None:
    """Two classes: 30 of 100 landslide pixels lie on 100 of 1000 pixels."""
    table = frequency.evidence(np.array([[70, 830], [30, 70]]))
    assert table.frequency_ratio[0] == pytest.approx(0.3 / 0.1)
    assert table.w_plus[0] == pytest.approx(np.log(0.3 / (70 / 900)))
    assert table.w_minus[0] == pytest.approx(np.log(0.7 / (830 / 900)))
    odds = Table2x2([[30, 70], [70, 830]])  # the contrast is the log odds ratio
    assert table.contrast[0] == pytest.approx(odds.log_oddsratio)
    assert table.contrast_std[0] == pytest.approx(odds.log_oddsratio_se)
    assert table.contrast[1] == pytest.approx(-table.contrast[0])
    assert not table.corrected.any()


def test_evidence_without_landslides_in_a_class_stays_finite_and_says_so() -> None:
    table = frequency.evidence(np.array([[50, 40, 0], [0, 10, 0]]))
    assert table.frequency_ratio[0] == 0 and table.corrected[0]
    assert np.isfinite(table.contrast[:2]).all() and table.contrast[0] < 0
    assert table.loc[2].isna().sum() == 6  # an empty class says nothing


def test_counts_are_those_of_the_training_pixels(tmp_path: Path) -> None:
    grid = Grid("EPSG:32632", Affine(10, 0, 0, 0, -10, 0), 60, 50)
    rng = np.random.default_rng(1)
    slope = rng.gamma(3, 6, grid.shape).astype(np.float32)
    slope[:3] = np.nan
    rock = rng.integers(1, 4, grid.shape).astype(np.uint8)
    slide, split = (rng.random(grid.shape) < 0.2).astype(np.uint8), rng.choice([0, 1, 2], grid.shape).astype(np.uint8)
    raster.write(tmp_path / "slope.tif", grid, slope, bands=["slope"], units="degrees", long_name="slope")
    for name, array in (("rock", rock), ("inventory", slide), ("split", split)):
        raster.write(tmp_path / f"{name}.tif", grid, array, bands=[name], units="1", long_name=name, dtype="uint8",
                     categories={1: "one"})  # fmt: skip
    paths = {name: tmp_path / f"{name}.tif" for name in ("slope", "rock")}
    with layers.opened(paths, tmp_path / "inventory.tif", tmp_path / "split.tif") as stack:
        divided = frequency.divide(sampling.draw(stack, 400, 0), 4, "quantile")
        counts = frequency.count(stack, divided)
    cut = divided["slope"].breaks
    training = split == 0
    for label in (0, 1):
        chosen = training & (slide == label)
        expected = np.histogram(slope[chosen], [-np.inf, *np.nextafter(cut, np.inf), np.inf])[0]
        np.testing.assert_array_equal(counts["slope"][label], expected)
        np.testing.assert_array_equal(counts["rock"][label], np.bincount(rock[chosen], minlength=4)[1:])
    table = frequency.table(divided, counts)
    assert table["class"].tolist()[4:] == ["one", "2", "3"]
    total = table.groupby("factor").landslide_pixels.sum()
    assert total["rock"] == (training & (slide == 1)).sum()
    assert total["slope"] == (training & (slide == 1) & np.isfinite(slope)).sum()
