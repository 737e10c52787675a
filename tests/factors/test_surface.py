"""Slope, aspect and curvature against analytic surfaces, an independent slope raster and gdaldem."""

import shutil
import subprocess

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from slipmap.config.factors import TerrainSettings
from slipmap.factors import terrain
from slipmap.factors.surface import METHODS, attributes
from slipmap.io import raster
from slipmap.io.grid import Grid

L = 10.0


def surface(function, n=81, size=L, height=None):
    """Elevation of `function`(x east, y north), metres from the middle, and the coordinates of the inner pixels.

    Pixels are `size` wide and `height` (the same) high, metres.
    """
    axis = np.arange(n) - n // 2
    x, y = np.meshgrid(axis * size, -axis * (height or size))
    return function(x, y).astype(np.float64), x[1:-1, 1:-1], y[1:-1, 1:-1]


@pytest.mark.parametrize("method", METHODS)
def test_plane(method):
    """A plane that falls to the south-east: one slope, one aspect, no curvature; and so at its edges, with a void."""
    z, _, _ = surface(lambda x, y: 500 - 0.3 * x + 0.4 * y)
    names = ["slope", "aspect", "aspect_sin", "aspect_cos", "plan_curvature", "profile_curvature", "mean_curvature"]
    z[30, 40] = np.nan
    found = attributes(np.pad(z, 1, constant_values=np.nan), names, (L, L), method)
    assert np.isnan(found[:, 30, 40]).all()
    assert np.isnan(found).sum() == len(names)
    known = np.delete(found.reshape(len(names), -1), 30 * 81 + 40, axis=1)
    expected = [np.degrees(np.arctan(0.5)), np.degrees(np.arctan2(0.3, -0.4)), 0.6, -0.8, 0, 0, 0]
    for values, value in zip(known, expected, strict=True):
        np.testing.assert_allclose(values, value, atol=2e-4 if value > 1 else 2e-6)


@pytest.mark.parametrize(
    ("direction", "aspect"), [((0, 1), 180), ((1, 0), 270), ((0, -1), 0), ((-1, 0), 90)], ids=["n", "e", "s", "w"]
)
def test_aspect_is_the_way_down(direction, aspect):
    """Ground that rises to the north faces south."""
    z, _, _ = surface(lambda x, y: direction[0] * x + direction[1] * y)
    assert np.allclose(attributes(z, ["aspect"], (L, L))[0], aspect)


@pytest.mark.parametrize("method", METHODS)
def test_level_ground(method):
    """No way down: aspect is unknown, its sine and cosine, slope and curvatures are 0."""
    z, _, _ = surface(lambda x, y: np.full_like(x, 7.0))
    names = ["slope", "aspect_sin", "aspect_cos", "plan_curvature", "profile_curvature", "mean_curvature", "aspect"]
    found = attributes(z, names, (L, L), method)
    assert (found[:-1] == 0).all()
    assert np.isnan(found[-1]).all()


@pytest.mark.parametrize("method", METHODS)
def test_cone(method):
    """A peak of even slope: contours are circles (plan curvature 1/R, positive), the slope line is straight."""
    z, x, y = surface(lambda x, y: 1000 - 0.5 * np.hypot(x, y))
    slope, plan, profile, tangential = attributes(
        z, ["slope", "plan_curvature", "profile_curvature", "tangential_curvature"], (L, L), method
    )
    away = np.hypot(x, y) > 15 * L
    np.testing.assert_allclose(slope[away], np.degrees(np.arctan(0.5)), atol=0.1)
    np.testing.assert_allclose(plan[away] * np.hypot(x, y)[away], 1, atol=0.02)
    np.testing.assert_allclose(tangential[away] * np.hypot(x, y)[away], np.sin(np.arctan(0.5)), atol=0.02)
    assert np.abs(profile[away]).max() < 1e-4
    basin = attributes(-z, ["plan_curvature"], (L, L), method)[0]
    np.testing.assert_allclose(basin[away], -plan[away], rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sign", [1, -1], ids=["hill", "bowl"])
def test_paraboloid(method, sign):
    """z = −a(x² + y²)/2 by sign: all curvatures known everywhere, positive on the hill, negative in the bowl."""
    a = 2e-3
    z, x, y = surface(lambda x, y: -sign * a * (x**2 + y**2) / 2)
    plan, profile, tangential, mean = attributes(
        z, ["plan_curvature", "profile_curvature", "tangential_curvature", "mean_curvature"], (L, L), method
    )
    r = np.hypot(x, y)
    w = 1 + (a * r) ** 2
    off = r > 2 * L  # plan curvature is limited to 1/pixel near the top
    np.testing.assert_allclose(profile[off], sign * a / w[off] ** 1.5, rtol=1e-3)
    np.testing.assert_allclose(tangential[off], sign * a / w[off] ** 0.5, rtol=1e-3)
    np.testing.assert_allclose(plan[off], sign / r[off], rtol=1e-3)
    np.testing.assert_allclose(mean, sign * a * (1 + w) / (2 * w**1.5), rtol=1e-3)
    assert np.abs(plan).max() <= 1 / L + 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_saddle(method):
    """z = a x y: level and of no mean curvature at the pass; convex along one diagonal, concave along the other."""
    a = 1e-3
    z, x, y = surface(lambda x, y: a * x * y)
    slope, plan, profile, mean = attributes(
        z, ["slope", "plan_curvature", "profile_curvature", "mean_curvature"], (L, L), method
    )
    np.testing.assert_allclose(np.tan(np.radians(slope)), a * np.hypot(x, y), atol=1e-6)
    middle = mean.shape[0] // 2
    assert abs(mean[middle, middle]) < 1e-12
    p, q = a * y, a * x
    away = np.hypot(x, y) > 3 * L
    g2 = np.where(away, p**2 + q**2, 1)
    np.testing.assert_allclose(profile[away], (-2 * p * q * a / (g2 * (1 + g2) ** 1.5))[away], atol=2e-7)
    np.testing.assert_allclose(plan[away], (2 * p * q * a / g2**1.5)[away], atol=1e-6)
    ridge, valley = (x == y) & away, (x == -y) & away  # z rises along x = y, falls along x = −y
    assert (profile[ridge] < 0).all() and (plan[ridge] > 0).all()
    assert (profile[valley] > 0).all() and (plan[valley] < 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pixel", [(2.0, 2.0), (2.0, 3.0)], ids=["square", "oblong"])
def test_shape_of_a_rough_surface_is_that_of_its_exact_derivatives(method, pixel):
    k, m = 2 * np.pi / 400, 2 * np.pi / 650
    elevation, x, y = surface(lambda x, y: 40 * np.sin(k * x + 0.3) * np.cos(m * y) + 0.2 * x, 401, *pixel)
    sx, cx, sy, cy = np.sin(k * x + 0.3), np.cos(k * x + 0.3), np.sin(m * y), np.cos(m * y)
    p, q = 40 * k * cx * cy + 0.2, -40 * m * sx * sy
    r, s, t = -40 * k * k * sx * cy, -40 * k * m * cx * sy, -40 * m * m * sx * cy
    g = p**2 + q**2
    along, across = p**2 * r + 2 * p * q * s + q**2 * t, q**2 * r - 2 * p * q * s + p**2 * t
    expected = {
        "slope": np.degrees(np.arctan(np.sqrt(g))),
        "profile_curvature": -along / (g * (1 + g) ** 1.5),
        "plan_curvature": -across / g**1.5,
        "tangential_curvature": -across / (g * np.sqrt(1 + g)),
        "mean_curvature": -((1 + q**2) * r - 2 * p * q * s + (1 + p**2) * t) / (2 * (1 + g) ** 1.5),
    }
    steep = g > 0.1**2  # the contour of flatter ground turns within a pixel
    for values, (name, truth) in zip(
        attributes(elevation, list(expected), pixel, method), expected.items(), strict=True
    ):
        scale = np.abs(truth[steep]).max()
        assert np.abs(values - truth)[steep].max() < 0.01 * scale, name


def test_hillshade_is_the_cosine_to_the_sun():
    z, _, _ = surface(lambda x, y: x * np.tan(np.radians(30)))  # faces west, 30 degrees
    assert np.allclose(attributes(z, ["hillshade"], (L, L), sun=(270, 60))[0], 1)
    assert np.allclose(attributes(z, ["hillshade"], (L, L), sun=(90, 30))[0], np.cos(np.radians(90)), atol=1e-6)
    assert np.allclose(attributes(z, ["hillshade"], (L, L), sun=(90, 20))[0], 0)


def test_slope_equals_the_independent_slope_of_ecuador(real_data, tmp_path):
    """SAGA's slope and profile curvature (Zevenbergen–Thorne) of the same DEM, edges included, to 0.001°."""
    source = real_data / "ecuador" / "terrain_attributes.tif"
    grid = Grid.from_raster(source)
    slope, plan, profile, elevation = raster.read(source, bands=[1, 2, 3, 4])
    dem = tmp_path / "dem.tif"
    raster.write(dem, grid, elevation, bands=["elevation"], units="m", long_name="elevation")
    outputs = {name: tmp_path / f"{name}.tif" for name in ("slope", "plan_curvature", "profile_curvature")}
    terrain.run(dem, grid, outputs, TerrainSettings(max_void=1.0))
    found = raster.read(outputs["slope"], bands=1)
    both = np.isfinite(slope) & np.isfinite(found)
    assert both.mean() > 0.9
    assert np.abs(found - slope)[both].max() <= 1e-3
    assert np.abs(raster.read(outputs["profile_curvature"], bands=1) - profile)[both].max() <= 1e-6
    limited = np.clip(plan, -1 / grid.resolution[0], 1 / grid.resolution[0])
    assert np.abs(raster.read(outputs["plan_curvature"], bands=1) - limited)[both].max() <= 1e-5


@pytest.mark.parametrize(("method", "algorithm"), [("horn", "Horn"), ("zevenbergen_thorne", "ZevenbergenThorne")])
def test_slope_and_aspect_equal_gdaldem(method, algorithm, tmp_path):
    """GDAL's own tool on the same DEM, in the interior (it leaves the edge out), to 0.001°."""
    gdaldem = shutil.which("gdaldem")
    if gdaldem is None:
        pytest.skip("gdaldem is not installed (Debian: gdal-bin)")
    rng = np.random.default_rng(5)
    z = 800 + np.cumsum(np.cumsum(rng.normal(0, 0.6, (300, 700)), 0), 1)
    dem = tmp_path / "dem.tif"
    with rasterio.open(
        dem, "w", driver="GTiff", width=700, height=300, count=1, dtype="float32", crs="EPSG:32632",
        transform=from_origin(496500, 5000000, 10, 10),  # on the meridian: gdaldem counts from the grid's north
    ) as target:  # fmt: skip
        target.write(z.astype(np.float32), 1)
    outputs = {name: tmp_path / f"{name}.tif" for name in ("slope", "aspect")}
    terrain.run(dem, Grid.from_raster(dem), outputs, TerrainSettings(method=method))
    for name in outputs:
        reference = tmp_path / f"gdal_{name}.tif"
        subprocess.run([gdaldem, name, str(dem), str(reference), "-alg", algorithm, "-q"], check=True)
        theirs, ours = raster.read(reference, bands=1)[1:-1, 1:-1], raster.read(outputs[name], bands=1)[1:-1, 1:-1]
        gap = np.abs(ours - theirs)
        gap = np.minimum(gap, 360 - gap) if name == "aspect" else gap
        steep = raster.read(outputs["slope"], bands=1)[1:-1, 1:-1] > (
            5.0 if name == "aspect" else 0.0
        )  # gdaldem adds in float32
        assert np.isfinite(gap[steep]).all() and gap[steep].max() <= (1e-3 if name == "slope" else 1e-2)
