"""Published data sets, from simulated samples in their formats and from the real Romagna file, into one store."""

import ast
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr

from helpers import patches_samples as samples
from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches import checks, store
from slipmap.patches.importers import driver, duplicates, folder, sen12landslides
from slipmap.patches.importers.source import Sample


def run(tmp_path, *, seed=0, threads=1, more=None, **source):
    settings = {"source": {"counts": "any", **source}, "seed": seed, **(more or {})}
    driver.run(settings, tmp_path / "d.zarr", threads=threads)
    return tmp_path / "d.zarr"


def read(path):
    group = zarr.open_group(path, mode="r")
    return group["image"][:], group["mask"][:], store.read_index(path)


@pytest.mark.parametrize("layout", ["competition", "mirror"])
def test_landslide4sense_keeps_its_bands_and_split(tmp_path, layout):
    root = samples.landslide4sense(tmp_path / "l4s", layout=layout)
    path = run(tmp_path, format="landslide4sense", path=str(root), threads=2)
    image, mask, index = read(path)
    assert index["split"].value_counts().to_dict() == {"training": 6, "validation": 3, "test": 3}
    assert store.load_statistics(path).names == (*(f"B{i}" for i in range(1, 13)), "slope", "elevation")
    row = index.index[index["source"] == "training/image_5"][0]
    folder = {"competition": "TrainData/img", "mirror": "images/train"}[layout]
    with h5py.File(root / folder / "image_5.h5") as file:
        np.testing.assert_array_equal(image[row], np.moveaxis(file["img"][:], -1, 0).astype(np.float32))
    labels = {"competition": "TrainData/mask", "mirror": "annotations/train"}[layout]
    with h5py.File(root / labels / "mask_5.h5") as file:
        assert (file["mask"][:] != file["mask"][:].T).any()
        np.testing.assert_array_equal(mask[row], file["mask"][:])
    training = image[index["split"] == "training"].astype(np.float64)
    for i, band in enumerate(store.load_statistics(path).bands):
        assert band.mean == pytest.approx(training[:, i].mean(), abs=1e-9)
        assert band.std == pytest.approx(training[:, i].std(), rel=1e-9)
    assert "unknown" in checks.describe_independence(path)
    assert mask.max() == 1


def test_landslide4sense_with_training_masks_only_is_drawn_by_image(tmp_path):
    root = samples.landslide4sense(tmp_path / "l4s", counts=(20, 2, 2), masks=("train",))
    path = run(tmp_path, format="landslide4sense", path=str(root), ratios="6:2:2")
    assert read(path)[2]["split"].value_counts().to_dict() == {"training": 12, "validation": 4, "test": 4}


def test_published_counts_are_asked_for(tmp_path):
    root = samples.landslide4sense(tmp_path / "l4s", counts=(1, 1, 1))
    with pytest.raises(InputError, match="1 images were found, 3799 are published"):
        run(tmp_path, format="landslide4sense", path=str(root), counts="published")


@pytest.mark.parametrize("how", ["truncated", "shape", "range", "label"])
def test_corrupt_file_is_named_and_stops_or_is_left_out(tmp_path, how):
    root = samples.landslide4sense(tmp_path / "l4s")
    bad = root / "TrainData/img/image_3.h5"
    if how == "truncated":
        bad.write_bytes(bad.read_bytes()[:3000])
    elif how == "label":
        with h5py.File(root / "TrainData/mask/mask_3.h5", "r+") as file:
            file["mask"][3, 3] = 7
    else:
        with h5py.File(bad, "r+") as file:
            values = file["img"][:]
            del file["img"]
            file["img"] = values[:, :100] if how == "shape" else values * 1e6
    with pytest.raises(InputError, match=r"(image|mask)_3.h5.*leave_out"):
        run(tmp_path, format="landslide4sense", path=str(root))
    assert not (tmp_path / "d.zarr").exists()
    path = run(tmp_path, format="landslide4sense", path=str(root), corrupt="leave_out")
    assert "training/image_3" not in set(read(path)[2]["source"])
    assert len(store.read_attributes(path)["left_out"]) == 1


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


def test_bijie_resized_with_ignored_padding(tmp_path):
    root = samples.bijie(tmp_path / "bijie", landslides=9, others=6)
    path = run(tmp_path, format="bijie", path=str(root), resize=128)
    image, mask, index = read(path)
    assert image.shape == (15, 4, 128, 128)
    assert store.load_statistics(path).names == ("red", "green", "blue", "elevation")
    padding = np.isnan(image).all(axis=1)
    assert (padding == (mask == 255)).all() and padding.any()
    assert index.loc[index["source"].str.startswith("non-"), "landslide_pixels"].eq(0).all()
    for i in range(15):
        name = index["source"].iloc[i]
        with rasterio.open(root / Path(name).parent / "image" / f"{Path(name).name}.png") as src:
            rgb = src.read()
        shown = ~padding[i]
        rows, cols = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        assert max(height, width) == min(128, max(rgb.shape))  # larger ones shrink, smaller ones stay as they are
        assert height / width == pytest.approx(rgb.shape[1] / rgb.shape[2], rel=0.02)  # its shape is kept
        assert abs((rows[0] + rows[-1]) / 2 - 63.5) <= 0.5 and abs((cols[0] + cols[-1]) / 2 - 63.5) <= 0.5
        np.testing.assert_allclose(image[i][:3, shown].mean(axis=1), rgb.mean(axis=(1, 2)), rtol=0.02)
        if name.startswith("landslide"):
            with rasterio.open(root / "landslide/mask" / f"{Path(name).name}.png") as src:
                landslide = src.read(1) > 0
            assert (mask[i][shown] == 1).mean() == pytest.approx(landslide.mean(), rel=0.1)
            for axis, (first, count) in enumerate(((rows[0], height), (cols[0], width))):  # and lies where it lay
                centre = (np.nonzero(mask[i] == 1)[axis].mean() + 0.5 - first) / count
                there = (np.nonzero(landslide)[axis].mean() + 0.5) / landslide.shape[axis]
                assert centre == pytest.approx(there, abs=0.01)


def test_bijie_without_its_elevation(tmp_path):
    root = samples.bijie(tmp_path / "bijie")
    path = run(tmp_path, format="bijie", path=str(root), resize=64, elevation=False)
    assert store.load_statistics(path).names == ("red", "green", "blue") and read(path)[0].shape[1] == 3


def test_bijie_of_different_sizes_needs_resize(tmp_path):
    root = samples.bijie(tmp_path / "bijie")
    with pytest.raises(InputError, match="different shapes"):
        run(tmp_path, format="bijie", path=str(root))


def test_bijie_mask_of_another_shape_is_one_sentence(tmp_path):
    root = samples.bijie(tmp_path / "bijie")
    samples.png(root / "landslide/mask/l001.png", np.zeros((20, 30), np.uint8))
    with pytest.raises(InputError, match=r"l001.png has 20 x 30 pixels but l001.png has"):
        run(tmp_path, format="bijie", path=str(root), resize=64)


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


def test_folder_of_geotiffs_that_overlap_stay_together(tmp_path):
    root, rng = tmp_path / "f", np.random.default_rng(0)
    for i in range(20):  # pairs that share half of their ground
        image = samples.texture(rng, 2, 32, 32).astype(np.float32)
        image[:, :2] = -9999
        origin = (7e5 + 1000 * (i // 2) + 160 * (i % 2), 5e6)
        samples.geotiff(root / f"images/{i}.tif", image, ("slope", "ndvi"), origin, nodata=-9999)
        labels = samples.landslide_mask(rng, 32, 32) * 2
        labels[-1] = 255
        samples.geotiff(root / f"masks/{i}.tif", labels, origin=origin)
    path = run(tmp_path, format="folder", path=str(root), landslide_value=2)
    image, mask, index = read(path)
    assert index.groupby(index["source"].astype(int) // 2)["split"].nunique().max() == 1
    assert store.load_statistics(path).names == ("slope", "ndvi")
    assert (mask[:, [0, 1, -1]] == 255).all() and np.isnan(image[:, :, :2]).all()
    for i, name in enumerate(index["source"]):
        with rasterio.open(root / f"images/{name}.tif") as src, rasterio.open(root / f"masks/{name}.tif") as labels:
            np.testing.assert_array_equal(image[i][:, 2:], src.read()[:, 2:])
            np.testing.assert_array_equal(mask[i][2:-1], labels.read(1)[2:-1] == 2)
    assert set(np.unique(mask)) == {0, 1, 255}
    checks.check_stores([path])


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


def test_folder_labels_and_band_order_are_checked(tmp_path):
    root, rng = tmp_path / "f", np.random.default_rng(0)
    for i in range(6):
        image = samples.texture(rng, 2, 32, 32).astype(np.float32)
        samples.geotiff(root / f"images/{i}.tif", image, ("slope", "ndvi") if i < 5 else ("ndvi", "slope"))
        samples.geotiff(root / f"masks/{i}.tif", samples.landslide_mask(rng, 32, 32))
    with pytest.raises(InputError, match=r"5.tif has its bands in the order ndvi, slope, not slope, ndvi"):
        run(tmp_path, format="folder", path=str(root))
    with pytest.raises(InputError, match=r"has the label 1; labels are 0 .none., 3"):
        run(tmp_path, format="folder", path=str(root), landslide_value=3)
    with pytest.raises(InputError, match=r"labels are 0 .none., 3 .landslide. and 1 .ignore."):
        samples.geotiff(root / "masks/0.tif", np.full((32, 32), 9, np.uint8))
        run(tmp_path, format="folder", path=str(root), landslide_value=3, ignore_value=1)
    (root / "masks/2.tif").unlink()
    with pytest.raises(InputError, match=r"2.tif has no mask"):
        run(tmp_path, format="folder", path=str(root))


MASKS = {  # values of ground and landslides, settings → 1 where it is read right, or what the sentence names
    "plain": ((0, 1), {}, 1),
    "255": ((0, 255), {}, 1),
    "128": ((0, 128), {}, "landslide_value"),
    "128 told": ((0, 128), {"landslide_value": 128}, 1),
    "1 and 2": ((1, 2), {}, "landslide_value"),
    "1 and 2 told": ((1, 2), {"landslide_value": 2, "background_value": 1}, 1),
    "inverted": ((255, 0), {}, "inverted"),
    "inverted 0/1": ((1, 0), {}, "inverted"),
    "inverted told": ((255, 0), {"landslide_value": 0, "background_value": 255}, 1),
    "both the same": ((0, 0), {"landslide_value": 0}, "background_value"),
    "255 unknown": ((0, 255), {"ignore_value": 255}, "landslides"),
}


def folder_of(root, values, count=8, colours=1):
    """Images and masks, one landslide of 6 x 10 pixels in each of 32 x 32."""
    rng = np.random.default_rng(0)
    for i in range(count):
        samples.png(root / f"images/{i}.png", rng.integers(0, 255, (3, 32, 32)).astype(np.uint8))
        mask = np.full((32, 32), values[0], np.uint8)
        mask[4:10, i % 20 : i % 20 + 10] = values[1]
        samples.png(root / f"masks/{i}.png", np.stack([mask] * colours))
    return dict(format="folder", path=str(root), bands=["r", "g", "b"])


@pytest.mark.parametrize("name", MASKS)
def test_values_of_masks_are_read_told_or_asked(tmp_path, name):
    values, given, expected = MASKS[name]
    source = folder_of(tmp_path / "f", values) | given
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            run(tmp_path, **source)
        return
    _, mask, _ = read(run(tmp_path, **source))
    assert (mask == 1).sum() == len(mask) * 60 and (mask == 255).sum() == 0


def test_grey_masks_in_colours_are_read_and_coloured_ones_asked(tmp_path):
    for colours in (3, 4):  # the fourth is alpha
        _, mask, _ = read(run(tmp_path, **folder_of(tmp_path / f"f{colours}", (0, 255), colours=colours)))
        assert (mask == 1).sum() == len(mask) * 60
    source = folder_of(tmp_path / "g", (0, 255), colours=3)
    red = np.zeros((3, 32, 32), np.uint8)
    red[0, 4:10, 3:13] = 255
    samples.png(tmp_path / "g/masks/3.png", red)
    for refuses in (lambda: run(tmp_path, **source), lambda: folder.check(ImportSettings(**source))):
        with pytest.raises(InputError, match=r"3.png is a mask in 3 colours that differ.*source.landslide_value"):
            refuses()


def test_masks_whose_ground_is_declared_nodata(tmp_path):
    """As an inventory raster's: ground free of landslides is not unknown because a map hides it."""
    rng = np.random.default_rng(0)
    for i in range(8):
        image, origin = samples.texture(rng, 1, 32, 32).astype(np.float32), (7e5 + 1000 * i, 5e6)
        samples.geotiff(tmp_path / f"f/images/{i}.tif", image, ("slope",), origin)
        samples.geotiff(tmp_path / f"f/masks/{i}.tif", samples.landslide_mask(rng, 32, 32), origin=origin, nodata=0)
    _, mask, _ = read(run(tmp_path, format="folder", path=str(tmp_path / "f")))
    assert set(np.unique(mask)) == {0, 1}


def test_a_value_in_one_mask_alone_is_named(tmp_path):
    source = folder_of(tmp_path / "f", (0, 255), count=60)
    odd = np.zeros((32, 32), np.uint8)
    odd[4:9, 4:9] = 7
    samples.png(tmp_path / "f/masks/58.png", odd)
    with pytest.raises(InputError, match=r"has the label 7|hold the values 0, 7, 255"):
        run(tmp_path, **source)


def test_sen12landslides_by_cells(tmp_path):
    root = samples.sen12landslides(tmp_path / "s12", spacing=5000.0)
    path = run(tmp_path, format="sen12landslides", path=str(root), ratios="2:1:1")
    _, _, index = read(path)
    cell = ((index["x"] + 640) // 10_000).astype(int)
    assert index.groupby(cell)["split"].nunique().max() == 1
    assert index["crs"].eq("EPSG:32632").all()
    names = store.load_statistics(path).names
    assert names[0] == "B2_after" and names[10] == "B2_change" and names[-1] == "elevation"


def test_sen12landslides_takes_clear_images_around_the_event(tmp_path):
    root = samples.sen12landslides(tmp_path / "s12", count=1)
    path = root / "italy_s2_0.nc"
    image, _ = sen12landslides.read(Sample("a", {"image": path}), ["before", "after", "change"], 0.9)
    with xr.open_dataset(path) as file:
        before, after = (file["B04"].sel(time=t).values.T / 1e4 for t in ("2023-04-28", "2023-05-23"))
    np.testing.assert_allclose(image[2], before, rtol=1e-6)
    np.testing.assert_allclose(image[12], after, rtol=1e-6)
    np.testing.assert_allclose(image[22], after - before, atol=1e-6)


def test_settings_of_sen12landslides_arrive(tmp_path):
    root = samples.sen12landslides(tmp_path / "s12", count=4, spacing=20_000.0)
    for cell, groups in ((10_000.0, 4), (1e6, 1)):
        settings = ImportSettings(format="sen12landslides", path=str(root), cell=cell, clear=0.0)
        source = sen12landslides.scan(settings)
        assert len({sample.group for sample in source.samples}) == groups
    image, _ = source.read(source.samples[0])  # no share of clear pixels is asked for: the nearest images, all cloud
    assert np.isnan(image[:20]).all() and np.isfinite(image[20]).all()


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


@pytest.fixture
def romagna():
    folder = os.environ.get("SLIPMAP_TEST_DATA")
    if not folder:
        pytest.skip("SLIPMAP_TEST_DATA is not set: no real data")
    return Path(folder) / "romagna"


def test_romagna_pixels_are_where_they_belong(romagna):
    """Against the annotated boxes in the file, and against the GeoTIFFs of the same patch."""
    path = romagna / "s2_timeseries_4120.nc"
    image, mask = sen12landslides.read(Sample("4120", {"image": path}), ["before", "after"], 0.9)
    with xr.open_dataset(path) as file:
        boxes = ast.literal_eval(f"[{file.attrs['ann_bbox']}]")
        x, y = file["x"].values, file["y"].values

    def share_in_boxes(labels):
        rows, cols = np.nonzero(labels == 1)
        px, py = x[cols], y[rows]
        inside = [
            (px >= west - 5) & (px <= east + 5) & (py >= south - 5) & (py <= north + 5)
            for west, south, east, north in boxes
        ]
        return np.any(inside, axis=0).mean()

    assert share_in_boxes(mask) == pytest.approx(0.87, abs=0.005)
    assert share_in_boxes(mask.T) == pytest.approx(0.07, abs=0.01)  # what the storage order would give
    with rasterio.open(romagna / "p4120_mask.tif") as src:
        np.testing.assert_array_equal(mask, src.read(1))
    for start, date in ((0, "2023-04-28"), (10, "2023-05-23")):
        with rasterio.open(romagna / f"p4120_s2_{date}.tif") as src:
            expected = src.read() / 1e4
        shown = np.isfinite(image[start : start + 10])
        assert shown.mean() > 0.99
        np.testing.assert_allclose(image[start : start + 10][shown], expected[shown], rtol=1e-6)
    with rasterio.open(romagna / "p4120_dem.tif") as src:
        np.testing.assert_array_equal(image[20], src.read(1))
