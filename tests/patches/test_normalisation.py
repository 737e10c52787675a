"""Normalisation against scikit-learn; statistics and classes are those of training ground."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from helpers.patches_areas import ROCKS, area, patches_of
from patches.test_split import read_split
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.patches import store
from slipmap.patches.normalisation import (
    Accumulator,
    BandStatistics,
    Statistics,
    channel_names,
    normalise,
    pool,
)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return area(tmp_path_factory.mktemp("one"))


@pytest.mark.parametrize("method, scaler", [("zscore", StandardScaler()), ("minmax", MinMaxScaler())])
def test_normalisation_is_that_of_scikit_learn(method, scaler):
    rng = np.random.default_rng(0)
    block = rng.normal([[[5]], [[-300]]], [[[2]], [[80]]], (2, 40, 40)).astype(np.float32)
    rock = rng.integers(1, 4, (1, 40, 40)).astype(np.float32)
    gathered = Accumulator(3)
    whole = np.concatenate([block, rock])
    for rows in np.array_split(np.arange(40), 7):  # block by block
        gathered.add(whole[:, rows], np.ones((len(rows), 40), bool))
    bands = [BandStatistics("a"), BandStatistics("b"), BandStatistics("rock", "categorical", classes=ROCKS)]
    stats = gathered.statistics(bands, method)
    got = normalise(whole, ["a", "b", "rock"], stats)
    table = whole.reshape(3, -1).T
    expected = np.hstack([scaler.fit_transform(table[:, :2]), OneHotEncoder().fit_transform(table[:, 2:]).toarray()])
    np.testing.assert_allclose(got.reshape(5, -1).T, expected, atol=2e-5)
    assert channel_names(["a", "b", "rock"], stats) == ["a", "b", "rock=granite", "rock=shale", "rock=marl"]
    # in the order that the caller names, and after a journey through JSON
    stored = json.loads(json.dumps(stats.as_dict()))
    np.testing.assert_array_equal(normalise(whole[[1, 0]], ["b", "a"], stored), got[[1, 0]])
    assert Statistics.from_dict(stored) == stats


def test_missing_values_become_the_training_mean():
    stats = Statistics("minmax", (BandStatistics("a", count=9, mean=3.0, std=1.0, minimum=1.0, maximum=5.0),))
    got = normalise(np.array([[[np.nan, 1.0, 5.0, 3.0]]], np.float32), ["a"], stats)
    np.testing.assert_allclose(got, [[[0.5, 0.0, 1.0, 0.5]]], rtol=1e-6)
    assert got[0, 0, 3] != got[0, 0, 0]  # so that the mask of gaps can be read back


def test_wrong_bands_are_one_sentence():
    stats = Statistics("zscore", (BandStatistics("slope", std=1.0), BandStatistics("ndvi", std=1.0)))
    with pytest.raises(InputError, match="did you mean 'slope'"):
        normalise(np.zeros((1, 2, 2)), ["slop"], stats)
    with pytest.raises(InputError, match="1 bands were read but 2 names given"):
        normalise(np.zeros((1, 2, 2)), ["slope", "ndvi"], stats)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 199), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_pooled_statistics_are_those_of_all_pixels(cuts, seed):
    values = np.random.default_rng(seed).normal(50, 3, (1, 1, 200)).astype(np.float32)
    parts = []
    for part in np.split(values, sorted(set(cuts)), axis=2):
        gathered = Accumulator(1)
        gathered.add(part, np.ones(part.shape[1:], bool))
        parts.append(gathered.statistics([BandStatistics("a")], "zscore").as_dict())
    band = pool(parts).bands[0]
    reference = values.astype(np.float64)
    assert band.mean == pytest.approx(reference.mean(), rel=1e-12)
    assert band.std == pytest.approx(reference.std(), rel=1e-9)
    assert (band.minimum, band.maximum, band.count) == (values.min(), values.max(), 200)


def test_statistics_ignore_all_but_training_ground(tmp_path):
    """Values elsewhere may be anything: the statistics and the training patches stay the same."""

    def spoil(labels, name, array):
        return np.where(labels == 0, array, 1e6) if name == "elevation" else array

    a, b = area(tmp_path / "a"), area(tmp_path / "b", change=spoil)
    assert store.load_statistics(a) == store.load_statistics(b)
    for i in (0, 20, 40):
        np.testing.assert_array_equal(patches_of(a).read([i])[0], patches_of(b).read([i])[0])


def test_classes_are_counted_on_training_ground(one):
    folder = one.parent
    rock, known = raster.read(folder / "lithology.tif", bands=1), read_split(folder / "split.tif") == 0
    band = store.load_statistics(one).bands[1]
    assert band.class_pixels == {value: int((rock[known] == value).sum()) for value in ROCKS}
    assert pool([store.load_statistics(one)] * 2).bands[1].class_pixels[2] == 2 * band.class_pixels[2]
