"""Published data sets, from simulated samples in their formats and from the real Romagna file, into one store."""

import ast
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr

from helpers import patches_samples as samples
from helpers.patches_imports import read, run
from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches import checks, store
from slipmap.patches.importers import sen12landslides
from slipmap.patches.importing.importer import Sample


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
        source = sen12landslides.IMPORTER.scan(settings)
        assert len({sample.group for sample in source.samples}) == groups
    image, _ = source.read(source.samples[0])  # no share of clear pixels is asked for: the nearest images, all cloud
    assert np.isnan(image[:20]).all() and np.isfinite(image[20]).all()


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
