"""Normalisation, sampling, offline copies, resizing and what training reads."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.warp import transform, transform_bounds
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from patches.test_split import arrays_of, blobs, read_split, write
from slipmap.config.patches import AugmentSettings, PatchSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.patches import apart, checks, figure, ground, split, store
from slipmap.patches.dataset import StoredArray, StoredPatches
from slipmap.patches.normalisation import (
    Accumulator,
    BandStatistics,
    Statistics,
    channel_names,
    normalise,
    pool,
    valid_pixels,
)
from slipmap.patches.resize import fit
from slipmap.patches.sampling import choose, class_weights

CENTERREP = AugmentSettings(centerrep=1.0)


def patches_of(stores, split="training", bands=None, augment=None):
    """The patches of one split of stores, with statistics pooled over all of them."""
    stores = [stores] if isinstance(stores, Path) else stores
    statistics = pool([store.load_statistics(path) for path in stores])
    return StoredPatches(stores, split, bands or statistics.names, statistics, augment)


ROCKS = {1: "granite", 2: "shale", 3: "marl"}


def area(folder, seed=0, change=lambda labels, name, array: array, **patch_settings):
    """Store of a simulated area: elevation, lithology, velocity (missing in places), aspect vector."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    inventory = blobs((160, 160), 90, seed)
    inventory_tif = write(folder / "inventory.tif", inventory, "uint8")
    split.run(inventory_tif, {"block": 32, "buffer": 40}, folder / "split.tif", folder / "blocks.gpkg")
    labels = read_split(folder / "split.tif")
    azimuth = rng.uniform(0, 2 * np.pi, inventory.shape)
    velocity = rng.normal(-3, 5, inventory.shape)
    velocity[rng.random(velocity.shape) < 0.3] = np.nan
    arrays = {
        "elevation": rng.normal(800, 200, inventory.shape),
        "aspect_sin": np.sin(azimuth),
        "aspect_cos": np.cos(azimuth),
        "velocity": velocity,
    }
    paths = [write(folder / f"{name}.tif", change(labels, name, a)) for name, a in arrays.items()]
    rock = rng.integers(1, 4, inventory.shape)
    paths.insert(1, write(folder / "lithology.tif", rock, "uint8", categories=ROCKS))
    chosen = PatchSettings(**{"size": 16, "stride": 8, **patch_settings})
    store.build(paths, inventory_tif, folder / "split.tif", chosen, folder / "s.zarr", area=folder.name)
    return folder / "s.zarr"


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


def test_training_reads_normalised_channels(one):
    data = patches_of(one)
    assert data.channel_names == [
        "elevation",
        "lithology=granite",
        "lithology=shale",
        "lithology=marl",
        "aspect_sin",
        "aspect_cos",
        "velocity",
    ]
    images, masks = data.read(np.arange(len(data)))
    assert images.shape[1:] == (7, 16, 16) and images.dtype == np.float32
    assert masks.dtype == np.uint8 and set(np.unique(masks)) <= {0, 1, 255}
    assert np.isfinite(images).all()
    assert abs(images[:, 0].mean()) < 0.1 and abs(images[:, 0].std() - 1) < 0.1
    assert set(np.unique(images[:, 1:4].sum(axis=1))) <= {0.0, 1.0}
    chosen, full = patches_of(one, "test", ["velocity", "elevation"]), patches_of(one, "test")
    np.testing.assert_array_equal(chosen.read([1])[0][0], full.read([1])[0][0][[6, 0]])
    with pytest.raises(InputError, match="did you mean 'velocity'"):
        patches_of(one, "test", bands=["velocty"])


def test_missing_velocity_is_learnt_from_but_missing_elevation_is_not(one, tmp_path):
    image, mask, valid = arrays_of(one)
    shown = np.isfinite(image[:, 0])
    assert np.isnan(image[:, 4][shown]).mean() == pytest.approx(0.3, abs=0.05)
    assert (valid.astype(bool) == shown).all()

    def holes(labels, name, array):
        return (
            np.where(np.random.default_rng(5).random(array.shape) < 0.1, np.nan, array)
            if name == "elevation"
            else array
        )

    image, mask, valid = arrays_of(area(tmp_path / "holes", change=holes))
    assert (mask[np.isnan(image[:, 0])] == 255).all()
    statistics = store.load_statistics(tmp_path / "holes" / "s.zarr")
    names = list(statistics.names)
    np.testing.assert_array_equal(valid_pixels(image[0], names, statistics), valid[0].astype(bool))


def test_min_valid_drops_patches(tmp_path):
    def hole(labels, name, array):
        array = array.copy()
        array[:20] = np.nan if name == "elevation" else array[:20]
        return array

    few = store.read_index(area(tmp_path / "a", change=hole, min_valid=0.9))
    more = store.read_index(area(tmp_path / "b", change=hole, min_valid=0.1))
    assert 0.1 <= more["valid_fraction"].min() < 0.9 <= few["valid_fraction"].min()
    assert len(few) == (more["valid_fraction"] >= 0.9).sum()


def test_centerrep_depends_on_its_draw_alone(one):
    data = patches_of(one, augment=CENTERREP)
    numbers = np.flatnonzero(data.positive)[:8]
    first = data.read(numbers, draw=(0, 1, 2))
    for a, b in zip(first, data.read(numbers, draw=(0, 1, 2)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], data.read(numbers, draw=(0, 1, 3))[0])
    plain = patches_of(one).read(numbers)
    np.testing.assert_array_equal(data.read(numbers)[0], plain[0])  # as they are, without a draw
    assert (first[1] == 1).sum() < (plain[1] == 1).sum()


def test_validation_and_test_are_read_as_stored(one):
    image, mask, _ = arrays_of(one)
    index = store.read_index(one)
    for name in ("validation", "test"):
        data = patches_of(one, name)
        rows = index.index[index["split"] == name]
        for i, row in enumerate(rows):
            np.testing.assert_array_equal(data.read([i])[1][0], mask[row])
            np.testing.assert_array_equal(data.raw(i)[0], image[row])
    with pytest.raises(ValueError, match="is none of"):
        patches_of(one, "testing")


def test_a_worker_maps_for_itself_and_compressed_stores_read_alike(one, tmp_path):
    data = patches_of(one)
    data.read([0])
    assert len(pickle.dumps(data)) < 200_000  # no patch travels to a worker
    other = area(tmp_path / "z", compression="zstd")
    plain, packed = StoredArray(area(tmp_path / "p") / "image"), StoredArray(other / "image")
    assert packed.shape == plain.shape
    for i in range(0, len(plain), 7):
        np.testing.assert_array_equal(plain[i], packed[i])


def test_two_areas_are_one_training_set(tmp_path):
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    both = patches_of([a, b])
    assert len(both) == len(patches_of(a)) + len(patches_of(b))
    assert both.statistics == pool([store.load_statistics(a), store.load_statistics(b)]).select(both.bands)
    with pytest.raises(InputError, match="overlap on the ground"):
        checks.check_stores([a, b])  # both simulated areas lie at the same place


def test_ground_that_was_learnt_from_is_never_scored(tmp_path):
    """A model of one area is not scored in another that shares ground with it, in whatever CRS that is."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    checks.check_tested([a], [a])
    with pytest.raises(InputError, match=r"'a' and 'b' overlap on the ground.*training and the other test"):
        checks.check_tested([a], [b])
    index = store.read_index(b)
    elsewhere = index.assign(x=index["x"] + 50_000)
    elsewhere.to_parquet(b / "index.parquet", index=False)
    checks.check_tested([a], [b])
    checks.check_stores([a, b])
    x, y = transform("EPSG:32632", "EPSG:32633", index["x"], index["y"])
    index.assign(x=x, y=y, crs="EPSG:32633").to_parquet(b / "index.parquet", index=False)
    for check in (lambda: checks.check_tested([a], [b]), lambda: checks.check_stores([a, b])):
        with pytest.raises(InputError, match="overlap on the ground"):
            check()
    copied = elsewhere[elsewhere["split"] == "test"].assign(digest=store.read_index(a)["digest"].iloc[0])
    pd.concat([elsewhere[elsewhere["split"] != "test"], copied]).to_parquet(b / "index.parquet", index=False)
    assert store.read_index(a)["split"].iloc[0] != "test"
    with pytest.raises(InputError, match="The same image is in two splits"):
        checks.check_tested([a], [b])


def test_distance_of_another_areas_test_ground(tmp_path):
    """Against the distance of boxes in the areas' own CRS, and in the next zone's; a place without CRS is unknown."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    index = store.read_index(b)
    index.assign(x=index["x"] + 9000).to_parquet(b / "index.parquet", index=False)
    boxes = {}
    for name, path, split_name in (("learnt", a, "training"), ("tested", b, "test")):
        rows = store.read_index(path)
        rows = rows[rows["split"] == split_name]
        boxes[name] = shapely.box(rows["x"], rows["y"] - rows["extent_y"], rows["x"] + rows["extent_x"], rows["y"])
    metres = [shapely.distance(boxes["learnt"], tested).min() for tested in boxes["tested"]]
    found = apart.to_training([a], b)
    assert found["median"] == pytest.approx(np.median(metres), rel=2e-3)
    assert found["least"] == pytest.approx(min(metres), rel=2e-3)
    assert f"{found['median']:,.0f} m from training ground" in apart.said(found)
    x, y = transform("EPSG:32632", "EPSG:32633", index["x"] + 9000, index["y"])
    index.assign(x=x, y=y, crs="EPSG:32633").to_parquet(b / "index.parquet", index=False)
    assert apart.to_training([a], b)["median"] == pytest.approx(np.median(metres), rel=0.02)  # boxes turn with the zone
    assert apart.to_training([a, b], b) == {key: pytest.approx(v) for key, v in apart.to_training([b], b).items()}
    index.assign(crs="", x=np.nan).to_parquet(b / "index.parquet", index=False)
    assert apart.to_training([a], b) == {"median": None, "least": None} and apart.said(apart.to_training([], b)) == ""


def test_ground_that_initial_weights_saw_is_not_tested_on(tmp_path):
    """The same division of the area is fine, another one or a neighbour on the same ground is not."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    seen = json.loads(json.dumps(apart.learnt_ground([a])))
    index = store.read_index(a)
    own = index[(index["split"] != "test")]
    assert len(seen[0]["bounds"]) == own["block"].nunique() and seen[0]["crs"] == "EPSG:32632"
    assert apart.check_seen(seen, a) == apart.check_seen([], b) == ""
    with pytest.raises(InputError, match=r"initial_weights: they learnt from ground of 'a' that is test ground of 'b'"):
        apart.check_seen(seen, b)
    other = [{**ground, "split": "another seed"} for ground in seen]
    assert apart.check_seen(other, a) == ""  # not the words count but the ground: it is disjoint
    boxes = np.array(other[0]["bounds"]) + np.array([50_000, 0, 50_000, 0])
    assert apart.check_seen([{**other[0], "bounds": boxes.tolist()}], b) == ""
    unknown = [{"area": "elsewhere/seed_0", "split": "", "crs": "", "bounds": []}]
    assert "initial weights learnt from elsewhere/seed_0 of unknown place" in apart.check_seen(unknown, b)


def test_overlap_on_the_ground_is_found_across_crs():
    box = np.array([740_000.0, 5_000_000, 741_280, 5_001_280])
    same = np.array(transform_bounds("EPSG:32632", "EPSG:32633", *box))
    east, beside = same + np.array([5000, 0, 5000, 0]), box + np.array([1280, 0, 1280, 0])
    pairs = ground.overlapping([box, same, east, beside], ["EPSG:32632", *["EPSG:32633"] * 2, ""])
    assert pairs.tolist() == [[0, 1]]
    touching = [box, beside, box + np.array([1270, 0, 1270, 0])]
    assert ground.overlapping(touching, ["EPSG:32632"] * 3).tolist() == [[0, 2], [1, 2]]
    with pytest.raises(InputError, match="'UTM 32' is no coordinate reference system"):
        ground.overlapping([box, same], ["UTM 32", "EPSG:32633"])


def test_stores_of_another_band_order_are_one_sentence(tmp_path):
    a = area(tmp_path / "a")
    inventory, labels = tmp_path / "a" / "inventory.tif", tmp_path / "a" / "split.tif"
    paths = [tmp_path / "a" / f"{name}.tif" for name in store.load_statistics(a).names]
    chosen = store.load_statistics(a)
    store.build(paths[::-1], inventory, labels, {"size": 16, "stride": 8}, tmp_path / "r.zarr")
    for function in (lambda stores: StoredPatches(stores, "training", chosen.names, chosen), checks.check_stores):
        with pytest.raises(InputError, match=r"band 1 is 'velocity' in r.zarr and 'elevation' in s.zarr"):
            function([a, tmp_path / "r.zarr"])


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


def test_reading_the_index_needs_no_torch(one):
    """Rules that only look at a store stay light: the library's patch modules do not import torch."""
    modules = "slipmap.patches.store, slipmap.patches.split, slipmap.patches.importing.driver"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_a_folder_that_is_no_store_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="is not a patch store"):
        patches_of(tmp_path)


def test_figure_shows_centerrep_and_leaves_the_store_alone(one, tmp_path):
    before = arrays_of(one)
    figure.run(one, {"centerrep": 1.0, "brightness": 0.2}, tmp_path / "f.png", patches=2, draws=1)
    with rasterio.open(tmp_path / "f.png") as src:
        assert src.height > 200 and len(np.unique(src.read(1))) > 20
    for a, b in zip(before, arrays_of(one), strict=True):
        np.testing.assert_array_equal(a, b)
    data = patches_of(one)
    rich = data.index["landslide_pixels"].nlargest(2).index.tolist()
    drawn = figure.draw(data, rich, AugmentSettings(), 1, 0)
    original, changed = (axis.images[0].get_array() for axis in drawn.axes[:2])
    assert drawn.axes[1].get_title() == "CenterRep" and not np.array_equal(original, changed)


def test_optional_bands_are_those_of_the_settings(tmp_path):
    """Where elevation may be missing and velocity may not, the ground without velocity is what is ignored."""
    path = area(tmp_path / "a", optional_bands=["elevation"], min_valid=0.1, normalisation="minmax")
    assert store.load_statistics(path).method == "minmax"
    image, mask, valid = arrays_of(path)
    missing = np.isnan(image[:, 4])
    assert missing.any() and (mask[missing] == 255).all() and not valid[missing].any()
