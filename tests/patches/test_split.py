"""The split and the patch store: nothing of one split is ever seen by another."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window
from scipy.ndimage import binary_dilation, distance_transform_edt, label
from scipy.spatial import cKDTree
from sklearn.neighbors import KNeighborsClassifier

from slipmap.codes import SPLITS
from slipmap.config.patches import PatchSettings, SplitSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches import distance, split, store
from slipmap.patches.buffer import buffer_pixels
from slipmap.patches.landslides import BlockNumbers, Landslides
from slipmap.patches.windows import place


def write(path, array, dtype="float32", **more):
    grid = Grid("EPSG:32632", Affine(10, 0, 7e5, 0, -10, 5e6), array.shape[1], array.shape[0])
    raster.write(
        path, grid, array.astype(dtype), bands=[path.stem], units="1", long_name=path.stem, dtype=dtype, **more
    )
    return path


def blobs(shape, count, seed):
    """An inventory of `count` simulated rectangular landslides."""
    rng = np.random.default_rng(seed)
    inventory = np.zeros(shape, np.uint8)
    for _ in range(count):
        r, c, h, w = rng.integers((0, 0, 2, 2), (shape[0], shape[1], 9, 9))
        inventory[r : r + h, c : c + w] = 1
    return inventory


def read_split(path):
    return np.nan_to_num(raster.read(path, bands=1), nan=255).astype(np.uint8)


def build_area(
    folder, inventory, split_settings, patch_settings, *, factors=2, threads=1, change=lambda name, array: array
):
    """Split and store of a simulated area whose first factor is the pixel's own number: the ground can be traced."""
    inventory_tif = write(folder / "inventory.tif", inventory, "uint8")
    split.run(inventory_tif, split_settings, folder / "split.tif", folder / "blocks.gpkg")
    rng = np.random.default_rng(1)
    arrays = {"ground": np.arange(inventory.size, dtype=np.float32).reshape(inventory.shape)}
    arrays |= {f"noise{i}": rng.normal(3, 2, inventory.shape) for i in range(factors - 1)}
    labels = read_split(folder / "split.tif")
    paths = [write(folder / f"{name}.tif", change(labels, array)) for name, array in arrays.items()]
    store.build(
        paths, inventory_tif, folder / "split.tif", patch_settings, folder / "s.zarr", area="a", threads=threads
    )
    return folder / "s.zarr", labels


def cut(inventory, labels):
    """Numbers of the landslides that have pixels in several splits, by scipy's labels of the whole raster."""
    landslides, count = label(inventory == 1, np.ones((3, 3)))
    return [i for i in range(1, count + 1) if len(set(labels[landslides == i]) - {255}) > 1]


def arrays_of(path):
    import zarr

    group = zarr.open_group(path, mode="r")
    return group["image"][:], group["mask"][:], group["valid"][:]


@st.composite
def areas(draw):
    block = draw(st.integers(12, 40))
    rows, cols = draw(st.integers(4 * block, 7 * block)), draw(st.integers(4 * block, 7 * block))
    size = draw(st.integers(8, 32))
    return dict(
        inventory=blobs((rows, cols), draw(st.integers(60, 120)), draw(st.integers(0, 99))),
        split=SplitSettings(
            method=draw(st.sampled_from(["blocks", "kfold", "random"])),
            block=block,
            buffer=draw(st.sampled_from([0, "10 m", "2 pixels", "30 m", "5 pixels"])),  # pixels are 10 m
            ratios=draw(st.sampled_from(["7:3", "6:2:2", "8:1:1", "4:1"])),
            seed=draw(st.integers(0, 9)),
        ),
        patches=PatchSettings(size=size, stride=draw(st.integers(4, size)), min_valid=0.2),
    )


@settings(max_examples=15, deadline=None)
@given(area=areas())
def test_no_ground_crosses_splits(area, tmp_path_factory):
    folder = tmp_path_factory.mktemp("area")
    try:
        path, labels = build_area(folder, area["inventory"], area["split"], area["patches"])
    except InputError as error:
        assert "landslide" in str(error) or "no patch lies" in str(error)  # too small an area, said so
        return
    image, mask, _ = arrays_of(path)
    index = store.read_index(path)
    seen = {}
    for number, name in enumerate(SPLITS):
        own = (index["split"] == name).to_numpy()
        ground = image[own, 0]
        seen[name] = np.unique(ground[np.isfinite(ground)].astype(int))
        assert (labels.ravel()[seen[name]] == number).all()
        assert (mask[own][~np.isfinite(ground)] == 255).all()
        if name != "training":  # each ground pixel is scored once
            scored = ground[mask[own] != 255]
            assert len(np.unique(scored)) == len(scored)
    # the statistics know only training ground
    stats = store.load_statistics(path).bands[0]
    training = np.flatnonzero(labels.ravel() == 0)
    assert stats.count == len(training)
    assert stats.mean == pytest.approx(training.mean(), rel=1e-9)
    assert stats.std == pytest.approx(training.std(), rel=1e-9)
    # and pixels of different splits keep the buffer's distance
    if area["split"].method != "random" and area["split"].buffer_of(10):
        points = {k: np.argwhere(labels == k) for k in range(3)}
        for a, b in ((0, 1), (0, 2), (1, 2)):
            distance, _ = cKDTree(points[a]).query(points[b], p=np.inf)
            assert distance.min() > area["split"].buffer_of(10) / 10
    # and no landslide has pixels in two of them
    if area["split"].method != "random":
        assert not cut(area["inventory"], labels)


@settings(max_examples=60, deadline=None)
@given(
    content=st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.5]), min_size=10, max_size=150),
    ratios=st.sampled_from(["7:3", "6:2:2", "8:1:1", "4:1", "3:1:1"]),
    seed=st.integers(0, 50),
)
def test_ratios_within_one_block_and_landslides_everywhere(content, ratios, seed):
    content = np.array([0.2, 0.3, 0.1, *content])
    shares = SplitSettings(ratios=ratios).shares()
    assert sum(shares) == pytest.approx(1)
    parts = split.draw(shares, content, np.random.default_rng(seed))
    counts = np.bincount(parts, minlength=3)
    assert (np.abs(counts - np.array(shares) * len(content)) <= 1).all()
    assert all((content[parts == part] > 0).any() for part in range(3))
    assert (parts == split.draw(shares, content, np.random.default_rng(seed))).all()


def test_two_way_ratio_takes_validation_out_of_training():
    assert SplitSettings(ratios="7:3").shares() == pytest.approx((0.56, 0.14, 0.3))
    assert SplitSettings(ratios="7:3", validation_share=0.5).shares() == pytest.approx((0.35, 0.35, 0.3))
    assert SplitSettings(ratios=[0.8, 0.1, 0.1]).shares() == pytest.approx((0.8, 0.1, 0.1))


def test_rich_blocks_are_shared_fairly():
    """Landslide pixels, not only blocks, follow the ratios: each split's share of content within 0.1 of its ratio."""
    content = np.random.default_rng(0).exponential(1, 200) ** 2
    shares = np.array([0.6, 0.2, 0.2])
    for seed in range(20):
        parts = split.draw(shares, content, np.random.default_rng(seed))
        got = np.bincount(parts, weights=content) / content.sum()
        assert np.abs(got - shares).max() < 0.1


def test_folds_test_every_block_once(tmp_path):
    inventory = write(tmp_path / "inventory.tif", blobs((96, 96), 80, 0), "uint8")
    tested = np.zeros((96, 96), int)
    for fold in range(4):
        chosen = SplitSettings(method="kfold", folds=4, fold=fold, block=16, buffer=0)
        split.run(inventory, chosen, tmp_path / "s.tif", tmp_path / "b.gpkg")
        labels = read_split(tmp_path / "s.tif")
        tested += labels == 2
        assert {0, 1, 2} <= set(np.unique(labels))
        assert not cut(blobs((96, 96), 80, 0), labels)
    ground = blobs((96, 96), 80, 0)
    assert (tested[ground == 0] == 1).all() and tested.max() == 1
    landslides, count = label(binary_dilation(ground == 1, np.ones((3, 3))), np.ones((3, 3)))
    assert all(tested[(landslides == i) & (ground == 1)].any() for i in range(1, count + 1))  # each in one fold


def test_left_out_area_is_test_throughout(tmp_path):
    inventory = write(tmp_path / "inventory.tif", blobs((96, 96), 80, 0), "uint8")
    split.run(inventory, {"method": "area", "role": "test", "block": 32}, tmp_path / "s.tif", tmp_path / "b.gpkg")
    assert (read_split(tmp_path / "s.tif") == 2).all()
    split.run(inventory, {"method": "area", "block": 16}, tmp_path / "s.tif", tmp_path / "b.gpkg")
    assert {0, 1, 255} == set(np.unique(read_split(tmp_path / "s.tif")))


def test_random_split_is_named_so(tmp_path):
    patches = PatchSettings(size=16, stride=16)
    path, _ = build_area(tmp_path, blobs((96, 96), 80, 0), SplitSettings(method="random", block=16), patches)
    assert "RANDOM" in store.read_attributes(path)["split"]["independence"]


def test_same_seed_same_bytes(tmp_path):
    inventory = write(tmp_path / "inventory.tif", blobs((96, 96), 80, 0), "uint8")
    for name in "ab":
        split.run(inventory, SplitSettings(block=16), tmp_path / f"{name}.tif", tmp_path / f"{name}.gpkg")
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    split.run(inventory, SplitSettings(block=16, seed=1), tmp_path / "c.tif", tmp_path / "c.gpkg")
    assert (tmp_path / "a.tif").read_bytes() != (tmp_path / "c.tif").read_bytes()


def test_blocks_without_knowledge_are_left_out(tmp_path):
    inventory = blobs((96, 96), 80, 0)
    inventory[:32] = 255
    split.run(write(tmp_path / "i.tif", inventory, "uint8"), {"block": 32}, tmp_path / "s.tif", tmp_path / "b.gpkg")
    assert (read_split(tmp_path / "s.tif")[:32] == 255).all()


@pytest.mark.parametrize("positives, message", [(2, "only 2 of 9 blocks"), (0, "only 0 of 9 blocks")])
def test_too_few_landslides_are_one_sentence(tmp_path, positives, message):
    inventory = np.zeros((96, 96), np.uint8)
    for i in range(positives):
        inventory[32 * i + 4, 4] = 1
    with pytest.raises(InputError, match=message):
        split.run(write(tmp_path / "i.tif", inventory, "uint8"), {"block": 32}, tmp_path / "s.tif", tmp_path / "b.gpkg")
    assert not (tmp_path / "s.tif").exists()


def test_buffers_are_metres():
    """The same ground between splits whatever the pixels are; never less than asked."""
    for size, pixels in ((10, 10), (12.5, 8), (30, 4), (100, 1), (250, 1)):
        grid = Grid("EPSG:32632", Affine(size, 0, 7e5, 0, -size, 5e6), 96, 96)
        assert buffer_pixels(SplitSettings(), grid) == pixels
        assert buffer_pixels(SplitSettings(method="random"), grid) == 0
    assert buffer_pixels(SplitSettings(buffer=0), grid) == 0
    assert buffer_pixels(SplitSettings(buffer="8 pixels"), grid) == 8
    for bare in (16, 16.0, "16", "16 km", "m", True, "-8 m"):  # pixels in old configs, metres in others
        with pytest.raises(ValueError, match="a buffer is written with its unit, 100 m or 8 pixels"):
            SplitSettings(buffer=bare)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 9999),
    shape=st.tuples(st.integers(20, 60), st.integers(20, 60)),
    block=st.integers(5, 30),
    size=st.integers(7, 64),
    density=st.sampled_from([0.02, 0.1, 0.3]),
)
def test_each_landslide_has_one_block_however_it_is_read(tmp_path_factory, seed, shape, block, size, density):
    """Against scipy's labels of the whole raster: the same landslides, and the block with most of each."""
    rng = np.random.default_rng(seed)
    inventory = (rng.random(shape) < density).astype(np.uint8)
    path = write(tmp_path_factory.mktemp("i") / "inventory.tif", inventory, "uint8")
    numbers = BlockNumbers(split.block_edges(shape[0], block), split.block_edges(shape[1], block))
    found = Landslides(path, Grid.from_raster(path), numbers, size)
    labels, count = label(binary_dilation(inventory == 1, np.ones((3, 3))), np.ones((3, 3)))
    assert len(found) == count
    owner = np.full(shape, -2)
    for window, part in found.owners():
        owner[window.toslices()] = part
    blocks = numbers(Window(0, 0, *shape[::-1]))
    assert ((owner >= 0) == (inventory == 1)).all() and owner.min() >= -1
    for i in range(1, count + 1):
        pixels = np.bincount(blocks[(labels == i) & (inventory == 1)])
        assert (owner[(labels == i) & (inventory == 1)] == pixels.argmax()).all()
    own = found.own_pixels(numbers.shape[0] * numbers.shape[1])
    assert (own == np.bincount(blocks[(inventory == 1) & (owner == blocks)], minlength=own.size)).all()


def slopes_and_landslides(seed=3, shape=(240, 240)):
    """Ground whose landslides are told by texture alone: each has a level of its own, high or low by chance."""
    rng = np.random.default_rng(seed)
    inventory, level = np.zeros(shape, np.uint8), rng.normal(0, 0.3, shape)
    for _ in range(60):
        r, c = rng.integers(0, (shape[0] - 24, shape[1] - 12))
        inventory[r : r + 24, c : c + 12] = 1
        level[r : r + 24, c : c + 12] = rng.normal(0, 4) + rng.normal(0, 0.3, (24, 12))
    return inventory, level


def test_what_a_leaky_split_would_have_gained(tmp_path):
    """A model that knows landslides by heart scores well where their other halves are tested, and only there."""
    inventory, level = slopes_and_landslides()
    path = write(tmp_path / "inventory.tif", inventory, "uint8")
    chosen = SplitSettings(block=24, buffer=0, ratios="7:3")
    split.run(path, chosen, tmp_path / "s.tif", tmp_path / "b.gpkg")
    honest = read_split(tmp_path / "s.tif")
    grid = Grid.from_raster(path)
    numbers = BlockNumbers(split.block_edges(240, 24), split.block_edges(240, 24))
    landslides = Landslides(path, grid, numbers)
    own = landslides.own_pixels(100).reshape(10, 10)
    labels = split.assign(own, np.full((10, 10), 576), chosen)
    leaky = split.pixel_labels(labels, numbers, Window(0, 0, 240, 240), 0)  # blocks alone, as it was
    assert cut(inventory, leaky) and not cut(inventory, honest)
    landslide = inventory == 1
    assert (honest[~landslide] == leaky[~landslide]).all()
    with rasterio.open(tmp_path / "s.tif") as src:
        tags = src.tags()
    assert int(tags["SPLIT_LANDSLIDE_PIXELS_LEFT_OUT"]) == (honest != leaky).sum() > 0
    assert f"no landslide in two splits ({tags['SPLIT_LANDSLIDES_ACROSS']} of" in tags["SPLIT_INDEPENDENCE"]
    recall = {}
    for name, ground in (("leaky", leaky), ("honest", honest)):
        model = KNeighborsClassifier(5).fit(level[ground == 0][:, None], inventory[ground == 0])
        recall[name] = model.predict(level[(ground == 2) & landslide][:, None]).mean()
    assert recall["leaky"] > recall["honest"] + 0.05


def test_distance_of_test_to_training_ground_is_that_of_its_pixels(tmp_path, monkeypatch):
    inventory = write(tmp_path / "inventory.tif", blobs((100, 140), 80, 0), "uint8")
    split.run(inventory, SplitSettings(block=20, buffer="30 m"), tmp_path / "s.tif", tmp_path / "b.gpkg")
    labels = read_split(tmp_path / "s.tif")
    metres = distance_transform_edt(labels != 0, sampling=10)[labels == 2]
    told = store.split_description(tmp_path / "s.tif")
    assert float(told["test_distance"]) == pytest.approx(np.median(metres), abs=0.5)
    assert float(told["test_distance_least"]) == pytest.approx(metres.min(), abs=0.5) and metres.min() > 30
    monkeypatch.setattr(distance, "_MOST", 50)  # every third pixel
    split.run(inventory, SplitSettings(block=20, buffer="30 m"), tmp_path / "s.tif", tmp_path / "b.gpkg")
    coarse = store.split_description(tmp_path / "s.tif")
    assert float(coarse["test_distance"]) == pytest.approx(np.median(metres), abs=30)


def test_split_without_positive_patch_is_one_sentence(tmp_path):
    """Every block has a landslide, but the validation block's only one lies where a factor is missing."""
    inventory = np.zeros((96, 96), np.uint8)
    inventory[16::32, 16::32] = 1

    def hide(labels, array):
        return np.where((labels == 1) & (inventory == 1), np.nan, array)

    with pytest.raises(InputError, match="validation patches has a landslide pixel"):
        build_area(
            tmp_path, inventory, SplitSettings(block=32, buffer=0), PatchSettings(size=32, stride=32), change=hide
        )
    assert not (tmp_path / "s.zarr").exists()


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, 50), length=st.integers(1, 200), size=st.integers(1, 64), stride=st.integers(1, 96))
def test_windows_along_an_axis(start, length, size, stride):
    placed = place(start, start + length, size, stride)
    first = [p[0] for p in placed]
    if length > size:
        assert first[0] >= start and first[-1] + size <= start + length
        if stride < size:
            assert first[0] == start and first[-1] + size == start + length
            assert max(np.diff(first), default=0) <= stride
        else:
            assert (np.diff(first) == stride).all()
    owned = np.concatenate([np.arange(a, b) for _, a, b in placed])
    assert len(np.unique(owned)) == len(owned)
    if stride <= size or length <= size:
        expected = np.arange(start, start + length) if stride < size or length <= size else np.unique(owned)
        assert (np.sort(owned) == expected).all()
    for f, a, b in placed:
        assert (f <= a <= b <= f + size) or length <= size


def test_two_threads_give_the_same_store(tmp_path):
    made = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        path, _ = build_area(
            folder,
            blobs((128, 160), 80, 3),
            SplitSettings(block=32, buffer="40 m"),
            PatchSettings(size=16, stride=8),
            threads=threads,
        )
        made.append((arrays_of(path), store.read_index(path)))
    for a, b in zip(made[0][0], made[1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert made[0][1].equals(made[1][1])


def test_factor_on_another_grid_is_one_sentence(tmp_path):
    inventory = write(tmp_path / "inventory.tif", blobs((96, 96), 80, 0), "uint8")
    split.run(inventory, {"block": 16}, tmp_path / "s.tif", tmp_path / "b.gpkg")
    slope = write(tmp_path / "slope.tif", np.ones((96, 90)))
    with pytest.raises(InputError, match=r"slope.tif is not on the grid"):
        store.build([slope], inventory, tmp_path / "s.tif", {"size": 16}, tmp_path / "s.zarr")


def test_settings_that_leave_nothing_are_refused():
    grid = Grid("EPSG:32632", Affine(10, 0, 7e5, 0, -10, 5e6), 96, 96)
    with pytest.raises(InputError, match=r"split.buffer of 320 m is 32 pixels and leaves nothing of blocks of 32"):
        buffer_pixels(SplitSettings(block=32, buffer="320 m"), grid)
    with pytest.raises(InputError, match=r"split.buffer is 8 m, less than a pixel \(10 m\)"):
        buffer_pixels(SplitSettings(buffer="8 m"), grid)
    with pytest.raises(ValueError, match="share of 0"):
        SplitSettings(ratios="1:0:0")
    with pytest.raises(ValueError, match="not one of 5 folds"):
        SplitSettings(method="kfold", fold=5)


def test_factor_without_a_training_value_is_one_sentence(tmp_path):
    def empty(labels, array):
        return np.where(labels == 0, np.nan, array)

    with pytest.raises(InputError, match="'ground' has no value on any training pixel"):
        build_area(tmp_path, blobs((96, 96), 80, 0), SplitSettings(block=16), PatchSettings(size=16), change=empty)
