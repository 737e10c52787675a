"""Sentinel-2 band files as people have them: copied out of SAFE products, with what is delivered beside them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from helpers.factors_samples import CORNER, CRS, clouds, reflectance, write_jp2, write_safe
from helpers.input_writers import BOUNDS, TRANSFORM, tif
from helpers.input_writers import CRS as SQUARE_CRS
from slipmap.config.factors import OpticalSettings
from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors import band_files, optical
from slipmap.factors.scenes import find_scenes
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid(CRS, from_origin(*CORNER, 10, 10), 120, 120)
SQUARE = Grid.from_bounds(SQUARE_CRS, 10, BOUNDS)
SETTINGS = OpticalSettings(bands=["B2", "B4", "B8"], indices=["ndvi"])
NUMBERS = {"B02": 400, "B04": 500, "B08": 2500}
STEM = "T32TPQ_20210817T101031"


def copied(product, folder, flat):
    """The images of a SAFE product in a folder: side by side, or in R10m, R20m and R60m."""
    for image in Path(product).rglob("IMG_DATA/**/*.jp2"):
        target = folder / image.name if flat else folder / image.parent.name / image.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
    return folder


def look(folder, names=("B2", "B4", "B8", "ndvi"), **settings):
    source = Sentinel2Settings(path=str(folder), **settings)
    optical.check(source, SQUARE, list(names), SETTINGS, "inputs.sentinel2")


def bands(folder, stem=STEM, **changed):
    """Band files of NUMBERS in `folder`; of `changed` bands with other options of `tif`."""
    for band, number in NUMBERS.items():
        tif(folder / f"{stem}_{band}_10m.tif", np.full((160, 160), number, "uint16"), **changed.get(band, {}))
    return folder


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "R10m"])
def test_jp2_files_copied_out_of_a_product_are_read_as_the_product_is(flat, tmp_path):
    product = write_safe(tmp_path / "in", "L2A", "05.09", "20220610")
    folder = copied(product, tmp_path / "bands", flat)
    outputs = {name: tmp_path / f"{name}.tif" for name in ("B4", "B8")}
    optical.run(Sentinel2Settings(path=str(folder), offset=-1000), GRID, outputs, OpticalSettings())
    cloudy = np.kron(clouds(), np.ones((6, 6), bool))
    for band, name in (("B04", "B4"), ("B08", "B8")):
        truth = np.where(cloudy, np.nan, reflectance(band))
        np.testing.assert_allclose(raster.read(outputs[name], bands=1), truth, atol=1e-6)


BESIDE = ["AOT_10m", "WVP_10m", "TCI_10m", "PVI", "CLD_20m", "SNW_20m", "AOT_60m"]


@pytest.mark.parametrize(
    "name",
    [*(f"{STEM}_{what}.tif" for what in BESIDE), "MSK_CLDPRB_20m.jp2", "MSK_SNWPRB_20m.jp2", "MSK_DETFOO_B02.jp2",
     "aot.tif", "wvp.tif", "visual.tif", "cloud.tif", "snow.tif"],
)  # fmt: skip
def test_products_that_are_no_reflectance_are_passed_over(name, tmp_path):
    bands(tmp_path / "s2")
    if name.endswith(".tif"):
        tif(tmp_path / "s2" / name, np.full((160, 160), 77, "uint16"))
    else:
        write_jp2(tmp_path / "s2" / name, np.full((60, 60), 7, "uint8"), 20)
    look(tmp_path / "s2")
    (scene,) = find_scenes(tmp_path / "s2", Sentinel2Settings(path="x"), [], "key")
    assert {band: Path(found.path).name for band, found in scene.bands.items()} == {
        "B2": f"{STEM}_B02_10m.tif", "B4": f"{STEM}_B04_10m.tif", "B8": f"{STEM}_B08_10m.tif",
    }  # fmt: skip


def test_a_scene_of_named_bands_is_not_passed_over(tmp_path):
    tif(tmp_path / "s2_20210817_CLD.tif", np.full((2, 160, 160), 500), names=("B4", "B8"))
    (scene,) = find_scenes(tmp_path, Sentinel2Settings(path="x"), [], "key")
    assert list(scene.bands) == ["B4", "B8"]


def test_of_copies_of_a_band_the_finest_counts_and_twins_are_asked_about(tmp_path):
    bands(tmp_path)
    tif(tmp_path / f"{STEM}_B02_60m.tif", np.full((27, 27), 9000, "uint16"), transform=TRANSFORM @ TRANSFORM.scale(6))
    (scene,) = find_scenes(tmp_path, Sentinel2Settings(path="x"), [], "key")
    assert scene.bands["B2"].path.endswith("B02_10m.tif")
    shutil.copy(tmp_path / f"{STEM}_B02_10m.tif", tmp_path / f"{STEM}_B02.tif")
    with pytest.raises(InputError, match=r"both hold band B2 of one scene.*same size"):
        look(tmp_path)


@pytest.mark.parametrize("band", ["B02", "B08", "SCL"])
def test_a_band_in_another_zone_than_the_others(band, tmp_path):
    bands(tmp_path)
    tif(tmp_path / f"{STEM}_{band}_10m.tif", np.full((160, 160), 4, "uint16"), crs="EPSG:32633")
    with pytest.raises(InputError, match=rf"{band}_10m.tif .* is in EPSG:32633, and its other bands are in EPSG:32632"):
        look(tmp_path)


def test_a_band_on_other_ground_than_the_others(tmp_path):
    bands(tmp_path, B04={"transform": TRANSFORM @ TRANSFORM.translation(5000, 0)})
    with pytest.raises(InputError, match=r"B04_10m.tif .* lies on other ground"):
        look(tmp_path)


def test_a_band_that_is_empty_in_the_area_and_one_that_ends_before_it(tmp_path):
    bands(tmp_path / "empty")
    tif(tmp_path / "empty" / f"{STEM}_B08_10m.tif", np.zeros((160, 160), "uint16"))
    with pytest.raises(InputError, match=r"band B2 of .* covers the area and band B8 has no data there"):
        look(tmp_path / "empty")
    bands(tmp_path / "wide", B04={"transform": TRANSFORM @ TRANSFORM.translation(-170, 0)})
    for other in ("B02", "B08"):  # of 3.2 km: they have ground in common with B4, and with the area
        wide = TRANSFORM @ TRANSFORM.translation(-160, 0)
        tif(tmp_path / "wide" / f"{STEM}_{other}_10m.tif", np.full((160, 320), 500, "uint16"), transform=wide)
    with pytest.raises(InputError, match=r"band B4 does not overlap it"):
        look(tmp_path / "wide")


@pytest.mark.parametrize("offset", [1000, 100, -500, -10000, -0.1])
def test_offsets_that_cannot_be_are_refused(offset):
    with pytest.raises(ValueError, match=r"-1000"):
        Sentinel2Settings(path="s", offset=offset)


@pytest.mark.parametrize("stem", ["T32TPQ_20230817T101031", "S2A_MSIL2A_20230817T101031_N0509_R022_T32TPQ"])
def test_an_offset_of_0_is_refused_where_the_name_says_baseline_4(stem, tmp_path):
    for band, number in NUMBERS.items():
        tif(tmp_path / f"{stem}_{band}_10m.tif", np.full((160, 160), number + 1000, "uint16"))
    with pytest.raises(InputError, match=r"offset is 0, but .* baseline 04.00 or later .* set the offset to -1000"):
        look(tmp_path, offset=0)
    look(tmp_path, offset=-1000)


@pytest.mark.parametrize("offset", [0, None])
def test_an_offset_of_0_stands_where_the_provider_took_it_off(offset, tmp_path):
    look(bands(tmp_path, "T32TPQ_20230817T101031"), offset=offset)


def test_older_scenes_in_esas_format_may_have_been_processed_again(tmp_path):
    for band, number in NUMBERS.items():
        image = np.full((120, 120), number + 1000, "uint16")
        write_jp2(tmp_path / f"T32TPQ_20180817T101031_{band}_10m.jp2", image, 10)
    source = Sentinel2Settings(path=str(tmp_path))
    with pytest.raises(InputError, match=r"may hold the \+1000"):
        optical.check(source, GRID, ["ndvi"], SETTINGS)


def test_an_offset_that_every_file_contradicts_is_refused(tmp_path):
    product = write_safe(tmp_path, "L2A", "05.09")
    for offset, refused in ((0, True), (-1000, False), (None, False)):
        source = Sentinel2Settings(path=str(product), offset=offset)
        if refused:
            with pytest.raises(InputError, match=r"offset is 0, but S2A\S+ itself says -1000"):
                optical.check(source, GRID, ["ndvi"], SETTINGS)
        else:
            optical.check(source, GRID, ["ndvi"], SETTINGS)


def test_a_gdal_without_jpeg_2000_is_told(tmp_path, monkeypatch):
    write_jp2(tmp_path / f"{STEM}_B04_10m.jp2", np.full((60, 60), 700, "uint16"), 20)
    monkeypatch.setattr(band_files, "_JP2_DRIVERS", ("JP2Nobody",))
    with pytest.raises(InputError, match=r"JPEG 2000, for which this GDAL has no driver"):
        find_scenes(tmp_path, Sentinel2Settings(path="x"), [], "key")


@pytest.mark.parametrize("bytes_left", [40, 3000])
def test_a_truncated_jp2_is_named(bytes_left, tmp_path):
    for band, number in NUMBERS.items():
        noise = np.random.default_rng(1).integers(number, number + 300, (120, 120)).astype("uint16")
        write_jp2(tmp_path / f"{STEM}_{band}_10m.jp2", noise, 10)
    file = tmp_path / f"{STEM}_B04_10m.jp2"
    file.write_bytes(file.read_bytes()[:bytes_left])
    with pytest.raises(InputError, match=r"B04_10m.jp2"):
        optical.check(Sentinel2Settings(path=str(tmp_path)), GRID, ["ndvi"], SETTINGS)
    assert rasterio.open(tmp_path / f"{STEM}_B02_10m.jp2").count == 1
