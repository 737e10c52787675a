"""Folders of images and masks: what their values mean, where they lie."""

import numpy as np
import pytest
import rasterio

from helpers import patches_samples as samples
from helpers.patches_imports import read, run
from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches import checks, store
from slipmap.patches.importers.folder import IMPORTER


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
    for refuses in (lambda: run(tmp_path, **source), lambda: IMPORTER.check(ImportSettings(**source))):
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
