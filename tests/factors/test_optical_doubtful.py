"""Sentinel-2 files whose numbers are in doubt: asked about before they become reflectance."""

import numpy as np
import pytest

from helpers.input_writers import BOUNDS, CRS, tif
from slipmap.config.factors import OpticalSettings
from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors import optical
from slipmap.io.grid import Grid

GRID = Grid.from_bounds(CRS, 10, BOUNDS)
BANDS = ("B2", "B3", "B4", "B8")


def check(path, change=lambda numbers: numbers, names=BANDS, dtype="float32", **settings):
    """Look at a scene of reflectance 0.04, 0.06, 0.05 and 0.25 times 10000, changed."""
    numbers = np.array([400.0, 600, 500, 2500])[:, None, None] * np.ones((4, 160, 160))
    scene = tif(path / "s2_20200601.tif", change(numbers), names=names, dtype=dtype)
    source = Sentinel2Settings(path=scene, **settings)
    optical.check(source, GRID, ["ndvi"], OpticalSettings(bands=list(BANDS), indices=["ndvi"]), "inputs.sentinel2")


@pytest.mark.parametrize(
    ("fill", "dtype"), [(-9999, "int16"), (-9999, "float32"), (-32768, "int16"), (32767, "int16"), (65535, "uint16")]
)
@pytest.mark.parametrize("rows", [5, 110])
def test_a_fill_value_is_no_reflectance(fill, dtype, rows, tmp_path):
    def with_gap(numbers):
        return np.where(np.arange(160)[:, None] < rows, fill, numbers)

    with pytest.raises(InputError, match=f"s2_20200601 has the number {fill} in .* stands for nodata"):
        check(tmp_path, with_gap, dtype=dtype)


def test_saturated_pixels_are_no_fill(tmp_path):
    check(tmp_path, lambda numbers: np.where(np.arange(160 * 160).reshape(160, 160) == 700, 65535, numbers))


def test_thousandths_are_no_ten_thousandths(tmp_path):
    with pytest.raises(InputError, match=r"no reflectance above 0.025 in any band, which no ground has"):
        check(tmp_path, lambda numbers: numbers / 10)
    check(tmp_path, lambda numbers: numbers / 10, scale=0.001)


def test_one_band_twice(tmp_path):
    with pytest.raises(InputError, match="has two bands B4"):
        check(tmp_path, names=("B2", "B4", "B4", "B8"))


def test_an_offset_in_reflectance_is_no_offset_of_stored_numbers():
    with pytest.raises(ValueError, match="added to stored numbers, before scaling: -1000"):
        Sentinel2Settings(path="s", offset=-0.1)
    assert Sentinel2Settings(path="s", offset=-0.1, scale=1).offset == -0.1
