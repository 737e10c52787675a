"""Downslope velocity of two tracks on planes whose motion and geometry are known."""

import json

import numpy as np
import pytest
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS

from slipmap.deformation.decomposition import Track, zeros
from slipmap.deformation.geometry import sensitivity
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion.slope_parallel import BOTH, NEITHER, OPPOSITE, OWN, combine, run
from slipmap.sentinel1.sight import look_vector

GRID = Grid("EPSG:32632", Affine(12.5, 0, 5e5, 0, -12.5, 5e6), 40, 30)
ANGLES = {"up": (-12.0, 38.0), "down": (-168.0, 41.0)}  # heading, incidence
RATE, DEVIATIONS, ZEROS = 15.0, (1.0, 3.0), (7.0, -4.0)


@pytest.fixture
def tracks(tmp_path):
    """Ground that falls by 20° to the east; its south-eastern quarter moves down, one corner is unseen by a track."""
    fall = np.tan(np.radians(20)) * 12.5 * np.arange(40)
    about = {"bands": ["dem"], "units": "m", "long_name": "elevation"}
    raster.write(tmp_path / "dem.tif", GRID, np.tile(1500 - fall, (30, 1)).astype("f4"), **about)
    lon, lat = rasterio.warp.transform(GRID.crs, "EPSG:4326", *[[v] for v in GRID.transform @ (10.5, 10.5)])
    found = []
    for (name, (heading, incidence)), zero, deviation in zip(ANGLES.items(), ZEROS, DEVIATIONS, strict=True):
        folder = tmp_path / name
        folder.mkdir()
        rate = np.full(GRID.shape, zero)
        rate[20:, 20:] += RATE * sensitivity(np.float64(20), 1.0, 0.0, look_vector(incidence, heading))
        if name == "down":
            rate[25:, 35:] = np.nan
        for product, values in (("velocity", rate), ("velocity_std", np.full(GRID.shape, deviation))):
            raster.write(
                folder / f"{product}.tif", GRID, values.astype("f4"), bands=["v"], units="mm/yr", long_name=product
            )
        radar = {"incidence": incidence, "heading": heading}
        (folder / "stack.json").write_text(json.dumps({"radar": radar, "geometry": {}, "simulated": False}))
        (folder / "reference.json").write_text(json.dumps({"longitude": lon[0], "latitude": lat[0]}))
        found.append(Track(name, folder))
    return found


def test_both_tracks_give_the_motion_back_with_the_error_of_their_weighted_mean(tracks, tmp_path):
    outputs = [tmp_path / "v.tif", tmp_path / "tracks.tif"]
    taken = zeros(*tracks, GRID)
    assert taken == pytest.approx(ZEROS)
    run(*tracks, GRID, tmp_path / "dem.tif", taken, outputs)
    rate, std = raster.read(outputs[0])
    expected = np.zeros(GRID.shape)
    expected[20:, 20:] = RATE
    np.testing.assert_allclose(rate[:, 1:-1], expected[:, 1:-1], atol=2e-3)
    s = [float(sensitivity(np.float64(20), 1.0, 0.0, look_vector(i, h))) for h, i in ANGLES.values()]
    alone = [deviation / abs(one) for one, deviation in zip(s, DEVIATIONS, strict=True)]
    strong = [abs(one) >= 0.2 for one in s]
    both = 1 / np.sqrt(sum(1 / one**2 for one, use in zip(alone, strong, strict=True) if use))
    np.testing.assert_allclose(std[:24, 1:-1], both, rtol=1e-3)
    codes = raster.read(outputs[1], None, 1)
    assert (codes[:24, 1:-1] == OWN * strong[0] + OPPOSITE * strong[1]).all()
    assert (codes[26:, 36:-1] == OWN * strong[0]).all()


def test_a_track_that_sees_nothing_does_not_count():
    velocity = np.array([[10.0, np.nan, 10.0, 10.0], [-4.0, -4.0, -4.0, np.nan]])
    seen = np.array([[0.5, 0.5, 0.1, 0.1], [-0.2, -0.2, -0.5, -0.5]])
    rate, std, code = combine(velocity, np.array([[1.0], [2.0]]) * np.ones((2, 4)), seen, np.ones(4, bool))
    assert list(code) == [BOTH, OPPOSITE, OPPOSITE, NEITHER]
    assert list(rate[:3]) == pytest.approx([20.0, 20.0, 8.0]) and np.isnan(rate[3]) and np.isnan(std[3])
    assert list(std[:3]) == pytest.approx([1 / np.sqrt(0.25 + 0.01), 10.0, 4.0])
    assert list(combine(velocity, np.ones((2, 4)), seen, np.zeros(4, bool))[2]) == [NEITHER] * 4


def test_slopes_are_seen_along_true_north(tmp_path):
    """Ground that falls to true north, on a grid whose own north is 15 degrees off, moves down by 15 mm/yr."""
    lambert = CRS.from_string("+proj=lcc +lat_1=45 +lat_2=47 +lat_0=46 +lon_0=-12 +datum=WGS84 +units=m").to_wkt()
    (x,), (y,) = rasterio.warp.transform("EPSG:4326", lambert, [9.0], [46.0])
    grid = Grid(lambert, Affine(50, 0, x - 1000, 0, -50, y + 1000), 40, 40)
    xs, ys = grid.transform @ np.meshgrid(np.arange(40) + 0.5, np.arange(40) + 0.5)
    _, latitude = rasterio.warp.transform(lambert, "EPSG:4326", xs.ravel(), ys.ravel())
    height = 1000 - (np.reshape(latitude, (40, 40)) - 46.0) * 111_150 * np.tan(np.radians(20))
    raster.write(tmp_path / "dem.tif", grid, height, bands=["dem"], units="m", long_name="elevation")
    found = []
    for name, (heading, incidence) in ANGLES.items():
        folder = tmp_path / name
        folder.mkdir()
        seen = RATE * sensitivity(np.float64(20), 0.0, 1.0, look_vector(incidence, heading))
        for product, value in (("velocity", seen), ("velocity_std", 1.0)):
            values = np.full(grid.shape, value, np.float32)
            raster.write(folder / f"{product}.tif", grid, values, bands=["v"], units="mm/yr", long_name=product)
        radar = {"incidence": incidence, "heading": heading}
        (folder / "stack.json").write_text(json.dumps({"radar": radar, "geometry": {}, "simulated": False}))
        found.append(Track(name, folder))
    run(*found, grid, tmp_path / "dem.tif", (0.0, 0.0), [tmp_path / "v.tif", tmp_path / "tracks.tif"])
    np.testing.assert_allclose(raster.read(tmp_path / "v.tif", bands=1)[2:-2, 2:-2], RATE, rtol=0.01)
