"""Images that are one image, or show the same ground, are in one split."""

import h5py
import numpy as np
import pytest

from helpers import patches_samples as samples
from helpers.patches_imports import read, run
from slipmap.errors import InputError
from slipmap.patches import checks, store
from slipmap.patches.importing import duplicates


@pytest.mark.parametrize("copy", ["same", "mirrored", "turned and brighter"])
def test_duplicates_across_published_splits(tmp_path, copy):
    root = samples.landslide4sense(tmp_path / "l4s")
    with h5py.File(root / "TrainData/img/image_2.h5") as file:
        image = file["img"][:]
    if copy == "mirrored":
        image = image[:, ::-1]
    elif copy != "same":
        image = np.rot90(image) * 1.1 + 0.05 + np.random.default_rng(0).normal(0, 0.05, image.shape)
    with h5py.File(root / "TestData/img/image_1.h5", "r+") as file:
        file["img"][:] = image
    with pytest.raises(InputError, match=r"training/image_2 and test/image_1 are (nearly )?the same image"):
        run(tmp_path, format="landslide4sense", path=str(root))
    path = run(tmp_path, format="landslide4sense", path=str(root), duplicates="leave_out")
    sources = set(read(path)[2]["source"])
    assert "training/image_2" not in sources and "test/image_1" in sources
    checks.check_stores([path])


def test_a_leak_that_an_import_would_miss_is_found_in_the_store(tmp_path):
    root = samples.landslide4sense(tmp_path / "l4s")
    path = run(tmp_path, format="landslide4sense", path=str(root))
    index = store.read_index(path)
    index.loc[index["source"] == "test/image_1", "digest"] = index["digest"].iloc[0]
    index.to_parquet(path / "index.parquet", index=False)
    with pytest.raises(InputError, match="same image is in two splits"):
        checks.check_stores([path])


def test_near_duplicates_are_drawn_together(tmp_path):
    """Every image is there four times, changed a little: the four are never in two splits, whatever the seed."""
    root, rng = tmp_path / "f", np.random.default_rng(0)
    for i in range(12):
        image = 100 + 30 * samples.texture(rng, 3, 48, 48)
        mask = samples.landslide_mask(rng, 48, 48)
        for j, changed in enumerate((image, image[..., ::-1], np.rot90(image, 1, (1, 2)), 1.1 * image)):
            samples.png(root / f"images/{i}_{j}.png", np.clip(changed, 0, 255).astype(np.uint8))
            samples.png(root / f"masks/{i}_{j}.png", mask)
    for seed in range(3):
        path = run(tmp_path, format="folder", path=str(root), bands=["red", "green", "blue"], seed=seed)
        index = read(path)[2]
        assert index.groupby(index["source"].str.split("_").str[0])["split"].nunique().max() == 1
        assert set(index["split"]) == {"training", "validation", "test"}
        checks.check_stores([path])


def test_unlike_images_are_no_duplicates():
    rng = np.random.default_rng(1)
    thumbnails = np.stack([duplicates.thumbnail(samples.texture(rng, 3, 64, 64)) for _ in range(200)])
    assert duplicates.near_duplicates(thumbnails, 0.985) == []
    flat = np.stack([duplicates.thumbnail(np.full((3, 64, 64), float(i))) for i in range(5)])
    assert duplicates.near_duplicates(flat, 0.985) == []


@pytest.mark.parametrize("how", ["stop", "leave_out"])
def test_a_published_split_whose_parts_share_ground(tmp_path, how):
    root, rng = tmp_path / "f", np.random.default_rng(0)
    for split, places in (("training", (0, 1, 2)), ("validation", (10,)), ("test", (20, 2.5))):  # 2 and 2.5 overlap
        for place in places:
            image, origin = samples.texture(rng, 1, 32, 32).astype(np.float32), (7e5 + 320 * place, 5e6)
            samples.geotiff(root / f"images/{split}/{place}.tif", image, ("slope",), origin)
            samples.geotiff(root / f"masks/{split}/{place}.tif", samples.landslide_mask(rng, 32, 32), origin=origin)
    if how == "stop":
        with pytest.raises(InputError, match=r"training/2 and test/2.5 show the same ground, in two splits"):
            run(tmp_path, format="folder", path=str(root))
    else:
        _, _, index = read(run(tmp_path, format="folder", path=str(root), duplicates="leave_out"))
        assert sorted(index["source"]) == ["test/2.5", "test/20", "training/0", "training/1", "validation/10"]


def test_the_limit_of_near_duplicates_is_the_setting(tmp_path):
    root = samples.landslide4sense(tmp_path / "l4s")
    with (
        h5py.File(root / "TrainData/img/image_2.h5") as train,
        h5py.File(root / "TestData/img/image_1.h5", "r+") as test,
    ):
        test["img"][:] = train["img"][:] + np.random.default_rng(0).normal(0, 0.05, train["img"].shape)
    with pytest.raises(InputError, match="nearly the same image"):
        run(tmp_path, format="landslide4sense", path=str(root))
    assert len(read(run(tmp_path, format="landslide4sense", path=str(root), near_duplicate=1.0))[2]) == 12
