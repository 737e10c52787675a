"""Sentinel-2 of the harmonised archive (HLS v2.0): its names, numbers and Fmask."""

from datetime import date

import numpy as np
import pytest

from helpers.input_writers import BOUNDS, CRS, tif
from slipmap.config.inputs import Sentinel2Settings
from slipmap.factors import optical
from slipmap.factors.scene import scene_date
from slipmap.io import raster
from slipmap.io.grid import Grid

SCENE = "HLS.S30.T32TPQ.2023134T100601.v2.0"
REFLECTANCE = {"B02": 0.05, "B03": 0.08, "B04": 0.05, "B08": 0.25, "B11": 0.2}


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("bits", [0b0010, 0b0100, 0b1000, 0b11000010])
def test_reflectance_and_clouds(tmp_path, scaled, bits):
    folder = tmp_path / SCENE
    for name, value in REFLECTANCE.items():
        array = np.full((160, 160), round(value * 10_000), np.int16)
        array[:60] = 9000  # the cloud
        tif(folder / f"{SCENE}.{name}.tif", array, nodata=-9999, **({"scales": (1e-4,)} if scaled else {}))
    mask = np.full((160, 160), 0b01100000, np.uint8)  # water and much aerosol: clear
    mask[:60] = bits
    tif(folder / f"{SCENE}.Fmask.tif", mask, nodata=255)
    grid = Grid.from_bounds(CRS, 10, BOUNDS)
    outputs = {"ndvi": tmp_path / "ndvi.tif", "B8": tmp_path / "b8.tif"}
    optical.run(Sentinel2Settings(path=str(folder)), grid, outputs)
    ndvi, infrared = (raster.read(tmp_path / f"{name}.tif", bands=1) for name in ("ndvi", "b8"))
    assert np.isnan(ndvi[:60]).all()
    assert ndvi[60:] == pytest.approx(0.2 / 0.3, abs=1e-5) and infrared[60:] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "day"),
    [(SCENE, date(2023, 5, 14)), ("HLS.S30.T01ABC.2024366T000000.v2.0", date(2024, 12, 31)), ("x.2023134T", None)],
)
def test_dates_by_the_day_of_the_year(name, day):
    assert scene_date(name) == day
