"""The DEM of an area against the one that came with the interferograms."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import Resampling, reproject

from helpers.interferogram_samples import hyp3
from helpers.interferogram_samples import tif as small
from slipmap.config.run import AreaSettings
from slipmap.deformation.check import check
from slipmap.deformation.two_dems import require_same_ground
from slipmap.errors import InputError
from slipmap.io.grid import Grid

CRS = "EPSG:32632"
BOUNDS = (600000, 4900000, 606000, 4906000)
GRID = Grid.from_bounds(CRS, 20, BOUNDS)
FEET = 1 / 0.3048


def ground(size, seed=3, relief=200.0):
    """A smooth landscape of 6 km, first row in the north, metres."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    found = np.zeros((size, size))
    for k in range(12):
        east, north, turn = *rng.uniform(-5, 5, 2), rng.uniform(0, 7)
        found += np.sin(2 * np.pi * (east * x + north * y) + turn) / (1 + k / 4)
    return 900 + relief * found / found.std()


def tif(path, values, crs=CRS, **more):
    step = 6000 / values.shape[0]
    place = Affine(step, 0, BOUNDS[0], 0, -step, BOUNDS[3])
    return str(small(path, values.astype(np.float32), place=place, crs=crs, **more))


@pytest.fixture
def delivered(tmp_path):
    """The processor's DEM, 40 m, above the ellipsoid, with a void of zeros, as HyP3 delivers it."""
    found = ground(150) + 45.6
    found[:, :20] = 0
    return tif(tmp_path / "S1AA_dem.tif", found, nodata=0)


@pytest.mark.parametrize(
    ("change", "unit", "says"),
    [
        (lambda z: z, None, ""),
        (lambda z: z + np.random.default_rng(0).normal(0, 5, z.shape), None, ""),
        (lambda z: z * FEET, None, r"are 3\.\d+ times those of .*S1AA_dem\.tif, as feet .*-units ft"),
        (lambda z: z * FEET, "ft", ""),
        (lambda z: z * FEET, "us-ft", ""),
        (lambda z: z, "ft", r"are 0\.3\d+ times .*-units m\)"),
        (lambda z: z * 10, None, r"are (9.9|10).* times"),
        (lambda z: z[::-1], None, "upside down"),
        (lambda z: z[:, ::-1], None, "lies on other ground"),
        (lambda z: np.roll(z, 60, axis=0), None, "lies on other ground"),
    ],
)
def test_heights_that_contradict_those_delivered_are_refused(tmp_path, delivered, change, unit, says):
    dem = tif(tmp_path / "mine.tif", change(ground(300)), **({"units": (unit,)} if unit else {}))
    if not says:
        require_same_ground(dem, delivered, GRID, "inputs.dem")
        return
    with pytest.raises(InputError, match=f"inputs.dem: the heights of .*mine.tif .*{says}") as error:
        require_same_ground(dem, delivered, GRID, "inputs.dem")
    assert "\n" not in str(error.value)


def valley(size):
    """A valley along the middle of the area, the same upside down, m."""
    return 1400 * np.abs(2 * (np.arange(size)[:, None] + 0.5) / size - 1) * np.ones((1, size))


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda z: z[::-1], "upside down"), (lambda z: z[:, ::-1], "other ground"), (lambda z: z, "")],
)
def test_a_valley_hides_no_mirror_image(tmp_path, change, says):
    """Half of the relief is the same the other way up, so that even the wrong heights are well correlated."""
    other, right = tif(tmp_path / "a.tif", ground(150) + valley(150)), ground(300) + valley(300)
    given = tif(tmp_path / "m.tif", change(right)), other, GRID, "inputs.dem"
    if not says:
        require_same_ground(*given)
        return
    with pytest.raises(InputError, match=rf"correlation 0\.[789].*{says}"):
        require_same_ground(*given)


def test_a_dem_in_degrees_is_compared_at_the_same_places(tmp_path, delivered):
    metres, turned = tif(tmp_path / "m.tif", ground(300) * FEET), tmp_path / "d.tif"
    with rasterio.open(metres) as src:
        place = Affine(2e-4, 0, 10.24, 0, -2e-4, 44.32)
        with rasterio.open(turned, "w", driver="GTiff", width=480, height=420, count=1, dtype="float32",
                           crs="EPSG:4326", transform=place, nodata=-9999) as out:  # fmt: skip
            reproject(rasterio.band(src, 1), rasterio.band(out, 1), resampling=Resampling.bilinear)
    with pytest.raises(InputError, match=r"d.tif are 3\.2\d times"):
        require_same_ground(turned, delivered, GRID, "inputs.dem")


@pytest.mark.parametrize("relief", [0.5, 3.0])
def test_flat_ground_and_other_places_tell_nothing(tmp_path, relief):
    flat = tif(tmp_path / "S1AA_dem.tif", ground(150, relief=relief))
    require_same_ground(tif(tmp_path / "a.tif", ground(300, 8) * FEET), flat, GRID, "inputs.dem")
    away = Grid.from_bounds(CRS, 20, tuple(v + 50000 for v in BOUNDS))
    require_same_ground(tif(tmp_path / "b.tif", ground(300, 8)), flat, away, "inputs.dem")


def test_check_compares_them(tmp_path):
    stem = lambda a, b, n: f"S1AA_{a:%Y%m%d}T053541_{b:%Y%m%d}T053540_VVP024_INT80_G_ueF_A1{n:02d}"  # noqa: E731
    hyp3(tmp_path / "ifg", stem)
    product = next((tmp_path / "ifg").iterdir())
    small(product / f"{product.name}_dem.tif", ground(16)[:12].astype(np.float32))
    place = {"crs": CRS, "resolution": 50, "bounds": [500000, 4999400, 500800, 5000000]}
    sentinel1 = {"level": "unwrapped", "path": str(tmp_path / "ifg")}
    for factor in (1, FEET):
        dem = str(small(tmp_path / f"{factor:.0f}.tif", (factor * ground(16)[:12]).astype(np.float32)))
        area = AreaSettings.model_validate({"grid": place, "inputs": {"dem": dem, "sentinel1": sentinel1}})
        given = area, "areas.v.inputs.sentinel1.path", Grid.from_bounds(CRS, 50, place["bounds"])
        if factor == 1:
            assert check(*given).pairs
            continue
        with pytest.raises(InputError, match=r"^areas\.v\.inputs\.dem: the heights of .* are 3\.28 times"):
            check(*given)
