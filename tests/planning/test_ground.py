"""Where a new area lies, from its files alone: bounds and CRS of what they share, pixels of the finest."""

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from helpers.interferogram_samples import PAIRS, hyp3, licsar, name, phase, tif
from slipmap.errors import InputError
from slipmap.planning import ground, init


def place(pixel, left=500_000.0, top=5_006_400.0):
    return Affine(pixel, 0, left, 0, -pixel, top)


def dem(path, pixel, size=6400, **where):
    side = round(size / pixel)
    return str(tif(path, np.zeros((side, side), np.float32), place=place(pixel, **where)))


@pytest.mark.parametrize(
    ("pixels", "expected", "said"),
    [
        ({"dem": 20}, 20, "--dem"),
        ({"dem": 30}, 30, "--dem"),
        ({"dem": 90, "sentinel2": 20}, 20, "--sentinel2"),
        ({"dem": 30, "sentinel2": 10}, 10, "--sentinel2"),
        ({"dem": 2}, 10, "give --resolution for finer"),
        ({"dem": 12.5}, 12.5, "--dem"),
        ({"dem": 37.3}, 40, "--dem"),
        ({"dem": 34.0}, 34, "--dem"),
    ],
)
def test_pixels_are_those_of_the_finest_raster(tmp_path, pixels, expected, said):
    files = {key: dem(tmp_path / f"{key}.tif", pixel) for key, pixel in pixels.items()}
    found = ground.share(files, None, None, None, None)
    assert found.grid["resolution"] == expected and said in found.because
    left, bottom, right, top = found.grid["bounds"]
    assert 500_000 <= left and right <= 506_400 + 1 and bottom >= 5_000_000 - 1 and top <= 5_006_400
    asked = ground.share(files, None, None, None, 25)
    assert asked.grid["resolution"] == 25 and asked.because == "--resolution"


def test_where_no_raster_tells_the_size_is_the_usual_one():
    box = (11.2, 44.1, 11.3, 44.2)
    assert ground.share({"inventory": "i.gpkg"}, None, box, None, None).grid["resolution"] == 12.5
    with pytest.raises(InputError, match="do not tell where the area is"):
        ground.share({"inventory": "i.gpkg"}, None, None, None, None)


def test_interferograms_alone_tell_the_area(tmp_path):
    """HyP3's extents differ by whole pixels: what all share counts."""
    hyp3(
        tmp_path,
        lambda a, b, n: f"S1AA_{name(a, b, 'T170530_')}T170530_VVP012_INT80_G_ueF_77{n:02d}",
        cut=lambda n: n % 3,
    )
    found = ground.share({"sentinel1": str(tmp_path)}, "unwrapped", None, None, None)
    # 16 x 12 pixels of 50 m, two cut off on the left and at the top
    assert found.grid == {"crs": "EPSG:32632", "resolution": 50, "bounds": [500100, 4999400, 500800, 4999900]}


@pytest.mark.parametrize(
    ("longitude", "latitude", "crs"),
    [(9.0, 45.15, "EPSG:32632"), (-70.5, -33.2, "EPSG:32719"), (179.2, -17.0, "EPSG:32760")],
)
def test_interferograms_in_degrees_get_their_zone(tmp_path, longitude, latitude, crs):
    step = Affine(0.001, 0, longitude, 0, -0.001, latitude)
    for days in PAIRS:
        for role, array in (("unw", phase(*days, (60, 80))), ("cc", np.full((60, 80), 0.8, np.float32))):
            tif(tmp_path / name(*days) / f"{name(*days)}.geo.{role}.tif", array, place=step, crs="EPSG:4326")
    found = ground.share({"sentinel1": str(tmp_path)}, "unwrapped", None, None, None)
    assert found.grid["crs"] == crs and found.grid["resolution"] == 111  # a thousandth of a degree
    west, south, east, north = transform_bounds(CRS.from_user_input(crs), "EPSG:4326", *found.grid["bounds"])
    assert longitude - 2e-3 < west and east < longitude + 0.08 + 2e-3
    assert latitude - 0.06 - 2e-3 < south and north < latitude + 2e-3


def test_a_ready_velocity_alone_tells_the_area(tmp_path):
    path = tif(tmp_path / "v.tif", np.full((40, 60), -12, np.float32), place=place(20), units=("mm/yr",), nodata=0)
    found = ground.share({"sentinel1": str(path)}, "velocity", None, None, None)
    assert found.grid == {"crs": "EPSG:32632", "resolution": 20, "bounds": [500000, 5005600, 501200, 5006400]}


def test_a_config_of_interferograms_alone_is_written_and_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    licsar("ifg")
    begun = init.begin("valley", {"sentinel1": "ifg"}, output="valley.yaml")
    assert begun.faults == []
    assert begun.made[0] == "a grid of 50 m (--sentinel1 ifg has 50 m, the finest of the rasters)"
