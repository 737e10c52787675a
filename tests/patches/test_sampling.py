"""Sampling, class weights, offline copies and resizing: training alone is changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.patches_areas import area, patches_of
from patches.test_split import arrays_of
from slipmap.errors import InputError
from slipmap.patches import checks, store
from slipmap.patches.resize import fit
from slipmap.patches.sampling import choose, class_weights


@settings(max_examples=50, deadline=None)
@given(positive=st.integers(0, 60), negative=st.integers(0, 60), share=st.floats(0.1, 0.9))
def test_sampling_ratio_holds_in_training_only(positive, negative, share):
    kinds = [("training", p) for p in [5] * positive + [0] * negative] + [("test", 0)] * 9 + [("test", 1)]
    records = [{"split": name, "landslide_pixels": pixels} for name, pixels in kinds]
    choose(records, share, 0)
    used = [r for r in records if r["sampled"]]
    assert sum(r["split"] == "test" for r in used) == 10
    landslides = sum(bool(r["landslide_pixels"]) for r in used if r["split"] == "training")
    total = sum(r["split"] == "training" for r in used)
    if positive and negative and total:
        assert abs(landslides - share * total) <= 1
        assert landslides == positive or total - landslides == negative  # no more left out than needed


def test_sampled_patches_are_those_that_training_reads(tmp_path):
    path = area(tmp_path / "a", landslide_share=0.8)
    data = patches_of(path)
    share = (data.index["landslide_pixels"] > 0).mean()
    assert share == pytest.approx(0.8, abs=0.02)
    assert len(data) < (store.read_index(path)["split"] == "training").sum()


def test_class_weights_balance_the_classes():
    background, landslide = class_weights(100, 22_400, "balanced")
    assert background * 22_400 == pytest.approx(landslide * 100)
    assert background * 22_400 + landslide * 100 == pytest.approx(22_500)  # mean 1
    assert class_weights(100, 22_400, "sqrt")[1] == pytest.approx(class_weights(100, 22_400, "sqrt")[0] * 224**0.5)
    assert class_weights(100, 0, "balanced") == (1, 1)


def test_offline_copies_reach_the_factor_and_stay_in_training(tmp_path):
    def holes(labels, name, array):
        return np.where((np.indices(array.shape) % 7 == 0).all(axis=0) & (name == "elevation"), np.nan, array)

    options = {"centerrep": 0.5, "brightness": 0.1}
    path = area(tmp_path / "a", change=holes, augmentation_factor=5720 / 770, augmentation=options)
    index = store.read_index(path)
    training = index[index["split"] == "training"]
    originals = training[training["parent"] < 0]
    assert len(training) == round(len(originals) * 5720 / 770)
    copies = index[index["parent"] >= 0]
    assert (copies["split"] == "training").all()
    assert set(copies["parent"]) <= set(originals["patch"])
    per_parent = copies["parent"].value_counts()
    assert per_parent.max() - per_parent.min() <= 1 and len(per_parent) == len(originals)
    assert (copies["augmentation"] != "").all()
    assert store.load_statistics(path) == store.load_statistics(area(tmp_path / "b", change=holes))
    _, mask, valid = arrays_of(path)
    for _, copy in copies.iloc[::37].iterrows():
        if "centerrep" not in copy["augmentation"]:  # the same pixels, turned
            a, b = mask[copy["patch"]], mask[copy["parent"]]
            assert (np.sort(a.ravel()) == np.sort(b.ravel())).all()
        assert (mask[copy["patch"]][~valid[copy["patch"]].astype(bool)] == 255).all() and not valid[copy["patch"]].all()
    checks.check_stores([path])
    index.loc[copies.index[0], "split"] = "test"
    index.to_parquet(path / "index.parquet", index=False)
    with pytest.raises(InputError, match="augmented copy"):
        checks.check_stores([path])


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(8, 90), cols=st.integers(8, 90), size=st.integers(16, 128))
def test_resizing_keeps_the_shape_and_pads_with_ignore(rows, cols, size):
    r, c = np.mgrid[:rows, :cols]
    image = np.stack([r + 2.0 * c + 1, np.ones((rows, cols))]).astype(np.float32)
    mask = (r >= rows // 2).astype(np.uint8)
    fitted, labels = fit(image, mask, size)
    assert fitted.shape == (2, size, size) and labels.shape == (size, size)
    shown = np.isfinite(fitted[0])
    assert (np.isnan(fitted[0]) == (labels == 255)).all()
    height, width = shown.any(axis=1).sum(), shown.any(axis=0).sum()
    assert max(height, width) == min(size, max(rows, cols)) and shown.sum() == height * width
    if max(rows, cols) <= size:  # not enlarged
        assert (height, width) == (rows, cols)
        first = np.argwhere(shown)[0]
        assert abs(2 * first + (rows, cols) - size).max() <= 1  # in the middle
    assert abs(height * cols - width * rows) <= max(rows, cols)  # its shape, to a pixel
    assert (fitted[1][shown] == 1).all()
    assert fitted[0][shown].mean() == pytest.approx(image[0].mean(), rel=0.05)
    if (height, width) == (rows, cols):
        np.testing.assert_array_equal(fitted[0][shown].reshape(rows, cols), image[0])
