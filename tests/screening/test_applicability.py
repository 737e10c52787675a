"""Area of applicability: Meyer and Pebesma's equations written out once more, and what must hold of any ground."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree
from sklearn.metrics import roc_auc_score

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening import applicability
from slipmap.screening.applicability import INSIDE, OUTSIDE, UNSEEN, fit, separability


def paper(train, new, weights, folds):
    """Section 2 of the paper with loops: DI of new and of training pixels, and the threshold."""
    centre, spread = train.mean(axis=0), train.std(axis=0, ddof=1)
    a, b = ((x - centre) / spread * weights for x in (train, new))
    distance = lambda p, q: float(np.sqrt(((p - q) ** 2).sum()))  # noqa: E731
    mean = np.mean([np.mean([distance(p, q) for j, q in enumerate(a) if j != i]) for i, p in enumerate(a)])
    index = [min(distance(p, q) for q in a) / mean for p in b]
    own = [min(distance(p, q) for j, q in enumerate(a) if folds[j] != folds[i]) / mean for i, p in enumerate(a)]
    low, high = np.percentile(own, [25, 75])
    return np.array(index), np.array(own), max(d for d in own if d <= high + 1.5 * (high - low))


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_index_and_threshold_are_those_of_the_paper(seed, factors):
    rng = np.random.default_rng(seed)
    train, new = rng.normal(size=(30, factors)) * 7 + 2, rng.normal(size=(20, factors)) * 20
    weights, folds = rng.uniform(0.1, 3, factors), np.arange(30) // 6
    names = [f"f{i}" for i in range(factors)]
    found = fit(train, names, folds, weights=dict(zip(names, weights, strict=True)))
    index, own, threshold = paper(train, new, weights, folds)
    np.testing.assert_allclose(found.dissimilarity(new), index, rtol=1e-9)
    np.testing.assert_allclose(found.training, own, rtol=1e-9)
    assert found.threshold == pytest.approx(threshold)
    np.testing.assert_array_equal(found.judge(new)[1] == INSIDE, index <= threshold)


def test_training_ground_lies_inside_at_index_0_and_far_ground_outside():
    rng = np.random.default_rng(0)
    train = rng.normal(size=(200, 3))
    found = fit(train, ["a", "b", "c"], np.arange(200) // 20)
    index, code = found.judge(train)
    assert (index < 1e-9).all() and (code == INSIDE).all()
    assert (found.judge(train + np.array([30, 0, 0]))[1] == OUTSIDE).all()
    # units are of no matter, weights are: a factor that does not count cannot lead outside
    scaled = fit(train * [1000, 1, 1], ["a", "b", "c"], np.arange(200) // 20)
    assert scaled.threshold == pytest.approx(found.threshold)
    blind = fit(train, ["a", "b", "c"], np.arange(200) // 20, weights={"b": 1.0, "c": 2.0, "a": -0.1})
    assert (blind.judge(train + np.array([30, 0, 0]))[1] == INSIDE).all()


def test_a_class_that_training_never_saw_is_told_and_a_rare_one_is_not():
    rng = np.random.default_rng(1)
    train = np.column_stack([rng.normal(size=100), rng.integers(1, 3, 100)]).astype(float)
    found = fit(train, ["slope", "rock"], np.arange(100) // 10, classes={"rock": [1, 2, 3]})  # 3 is in no sampled pixel
    new = np.array([[0.0, 1], [0, 3], [0, 9], [np.nan, 2], [0, np.nan]])
    code = found.judge(new)[1]
    assert code[2] == UNSEEN and code[0] == INSIDE and UNSEEN not in code[[0, 1, 3, 4]]


def test_importance_is_how_well_a_factor_alone_tells_landslides():
    """Against scikit-learn's area under the ROC curve, with ties, a missing value and classes."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 300)
    ndvi, noise, rock = np.round(-labels + rng.normal(size=300), 1), rng.normal(size=300), rng.integers(1, 4, 300)
    rock[labels == 1] = np.where(rng.random(labels.sum()) < 0.7, 2, rock[labels == 1])
    values = np.column_stack([ndvi, noise, rock]).astype(float)
    values[0, 1] = np.nan
    found = separability(values, labels, ["ndvi", "noise", "rock"], {"rock": [1, 2, 3]})
    assert found["ndvi"] == pytest.approx(1 - roc_auc_score(labels, ndvi)) and found["ndvi"] > 0.7
    own = roc_auc_score(labels[1:], noise[1:])
    assert found["noise"] == pytest.approx(max(own, 1 - own))
    each = [roc_auc_score(labels, rock == code) for code in (1, 2, 3)]
    assert found["rock"] == pytest.approx(max(max(one, 1 - one) for one in each))
    assert separability(values, np.ones(300, int), ["ndvi", "noise", "rock"]) is None


def test_every_factor_can_lead_outside_whatever_its_importance():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 400)
    train = np.column_stack([labels + 0.01 * rng.normal(size=400), rng.normal(size=(400, 2))])
    names = ["ndvi", "slope", "twi"]
    found = fit(train, names, np.arange(400) // 40, weights=separability(train, labels, names))
    for i in range(3):
        moved = train.copy()
        moved[:, i] += 30
        assert (found.judge(moved)[1] == OUTSIDE).all()


def test_north_lies_beside_north():
    """359° and 1° are two degrees apart."""
    train = np.column_stack([np.linspace(340, 359, 40), np.arange(40.0)])
    found = fit(train, ["aspect", "x"], np.arange(40) // 10, weights={"aspect": 1.0})
    near, far = found.dissimilarity(np.array([[1.0, 5], [180.0, 5]]))
    assert near < 0.2 * far


def test_one_fold_alone_is_one_sentence():
    with pytest.raises(InputError, match="no area of applicability can be found"):
        fit(np.random.default_rng(0).normal(size=(10, 2)), ["a", "b"], np.zeros(10, int))


def test_maps_are_the_same_whatever_the_blocks_and_shares_count_them(tmp_path):
    rng = np.random.default_rng(2)
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 900, 700))
    values = rng.normal(size=(2, *grid.shape)).astype(np.float32) * 1.5
    known = np.ones(grid.shape, bool)
    known[:3] = False
    found = fit(rng.normal(size=(100, 2)), ["a", "b"], np.arange(100) // 10)

    def read(window):
        rows, cols = window.toslices()
        return values[:, rows, cols], known[rows, cols]

    outputs = applicability.Outputs(tmp_path / "d.tif", tmp_path / "m.tif", tmp_path / "s.json")
    record = applicability.write(found, read, grid, outputs)
    index, mask = raster.read(outputs.index, bands=1), raster.read(outputs.mask, bands=1)
    assert np.isnan(index[:3]).all() and np.isnan(mask[:3]).all()
    whole, code = found.judge(values[:, known].T)
    np.testing.assert_allclose(index[known], whole, rtol=1e-6)
    np.testing.assert_array_equal(mask[known], code)
    assert record["shares"]["inside"] == pytest.approx((code == INSIDE).mean()) and 0.1 < record["shares"]["inside"] < 1


def test_the_nearest_training_pixel_is_that_of_a_tree():
    """Against SciPy's KDTree, far from the origin and with points that lie on each other."""
    rng = np.random.default_rng(8)
    points = rng.normal(3, 1, (700, 12))
    places = np.vstack([rng.normal(3, 2, (1500, 12)), points[:50]])
    found = applicability.nearest(places, points)
    np.testing.assert_allclose(found, KDTree(points).query(places)[0], rtol=1e-4, atol=1e-12)
    assert (found[-50:] == 0).all()
