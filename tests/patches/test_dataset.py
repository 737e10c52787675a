"""What training reads from patch stores."""

import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import rasterio

from helpers.patches_areas import area, patches_of
from patches.test_split import arrays_of
from slipmap.config.patches import AugmentSettings
from slipmap.errors import InputError
from slipmap.patches import checks, figure, store
from slipmap.patches.dataset import StoredArray, StoredPatches
from slipmap.patches.normalisation import (
    pool,
    valid_pixels,
)

CENTERREP = AugmentSettings(centerrep=1.0)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return area(tmp_path_factory.mktemp("one"))


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


def test_stores_of_another_band_order_are_one_sentence(tmp_path):
    a = area(tmp_path / "a")
    inventory, labels = tmp_path / "a" / "inventory.tif", tmp_path / "a" / "split.tif"
    paths = [tmp_path / "a" / f"{name}.tif" for name in store.load_statistics(a).names]
    chosen = store.load_statistics(a)
    store.build(paths[::-1], inventory, labels, {"size": 16, "stride": 8}, tmp_path / "r.zarr")
    for function in (lambda stores: StoredPatches(stores, "training", chosen.names, chosen), checks.check_stores):
        with pytest.raises(InputError, match=r"band 1 is 'velocity' in r.zarr and 'elevation' in s.zarr"):
            function([a, tmp_path / "r.zarr"])


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


@pytest.mark.parametrize("name", ["sbas_velocity", "acceleration", "annual_phase", "significance"])
def test_ground_that_the_radar_does_not_reach_is_learnt_from(one, name, tmp_path):
    """What the radar knows only where it is reliable may be missing, as the velocity may."""
    ground = one.parent
    shutil.copy(ground / "velocity.tif", tmp_path / f"{name}.tif")
    factors = [ground / "elevation.tif", tmp_path / f"{name}.tif"]
    chosen = {"size": 16, "stride": 8}
    store.build(factors, ground / "inventory.tif", ground / "split.tif", chosen, tmp_path / "s.zarr")
    image, _, valid = arrays_of(tmp_path / "s.zarr")
    shown = np.isfinite(image[:, 0])
    assert np.isnan(image[:, 1][shown]).mean() == pytest.approx(0.3, abs=0.05)
    np.testing.assert_array_equal(valid.astype(bool), shown)
