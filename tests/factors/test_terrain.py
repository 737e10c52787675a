"""Terrain and hydrology drivers: what they do with grids, margins, voids and DEMs in degrees; relief and distances."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.transform import from_bounds, from_origin
from rasterio.warp import transform, transform_bounds
from scipy import ndimage

from slipmap.config.factors import HydrologySettings, TerrainSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue, distances, hydrology, relief, terrain
from slipmap.factors.align import reader, with_margin
from slipmap.factors.block import DEM, Block
from slipmap.factors.surface import attributes
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling
from slipmap.parallel import in_parallel

UTM = "EPSG:32632"


def hills(grid):
    """A smooth analytic landscape, so that its elevation and slope are known at any point of any grid."""
    x = grid.bounds[0] + (np.arange(grid.width) + 0.5) * grid.resolution[0]
    y = grid.bounds[3] - (np.arange(grid.height) + 0.5) * grid.resolution[1]
    x, y = np.meshgrid(x, y)
    k = 2 * np.pi / 1500
    z = 700 + 60 * np.sin(k * x) * np.cos(k * y)
    slope = np.degrees(np.arctan(60 * k * np.hypot(np.cos(k * x) * np.cos(k * y), np.sin(k * x) * np.sin(k * y))))
    return z, slope


def write_dem(path, grid, z, dtype="float32", nodata=None):
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.width, height=grid.height, count=1, dtype=dtype,
        crs=CRS.from_user_input(grid.crs), transform=grid.transform, nodata=nodata,
    ) as target:  # fmt: skip
        target.write(z.astype(dtype), 1)
    return path


def run(folder, dem, grid, *names, **settings):
    outputs = {name: folder / f"{name}.tif" for name in names}
    terrain.run(dem, grid, outputs, TerrainSettings(**settings), threads=2)
    return [raster.read(path, bands=1) for path in outputs.values()]


def test_blocks_leave_no_seam(tmp_path):
    """Over several blocks and their edges the result is that of the whole array at once."""
    grid = Grid(UTM, from_origin(500000, 5000000, 10, 10), 1100, 1030)
    z, _ = hills(grid)
    z = z + np.random.default_rng(0).normal(0, 1, z.shape)
    dem = write_dem(tmp_path / "dem.tif", grid, z)
    names = ["slope", "profile_curvature", "hillshade", "tri", "tpi_150", "roughness"]
    found = run(tmp_path, dem, grid, *names)
    z = z.astype(np.float32)
    whole = attributes(np.pad(z, 1, constant_values=np.nan), names[:3], (10, 10))
    for block, expected in zip(found, whole, strict=False):
        assert (block == expected).all()
    wide = np.pad(z, 15, constant_values=np.nan)
    for name, block in zip(names[3:], found[3:], strict=True):
        at_once = Block({DEM: wide}, 15, (10, 10), TerrainSettings(), catalogue.get(name).number(name))
        np.testing.assert_allclose(block, catalogue.get(name).function()(at_once), atol=2e-4)


def test_dem_that_goes_beyond_the_area_is_used_beyond_it(tmp_path):
    """Slope at the edge of the area comes from the neighbours outside, not from extrapolation."""
    wide = Grid(UTM, from_origin(500000, 5000000, 10, 10), 100, 100)
    z, _ = hills(wide)
    dem = write_dem(tmp_path / "dem.tif", wide, z)
    inner = Grid(UTM, from_origin(500200, 4999700, 10, 10), 40, 30)
    (whole,) = run(tmp_path / "a", dem, wide, "slope")
    (part,) = run(tmp_path / "b", dem, inner, "slope")
    assert (part == whole[30:60, 20:60]).all()
    assert with_margin(inner, 150, dem) == (
        Grid(UTM, from_origin(500050, 4999850, 10, 10), 70, 60), 15, 15
    )  # fmt: skip
    assert with_margin(inner, 5000, dem)[0].matches(wide)


@pytest.mark.parametrize("kind", ["degrees", "coarse", "fine"])
def test_slope_of_a_dem_on_another_grid(kind, tmp_path):
    """A DEM in degrees, one coarser and one finer than the grid: warped once, slope to a few hundredths of a degree."""
    grid = Grid(UTM, from_origin(500000, 5000000, 12.5, 12.5), 120, 100)
    left, bottom, right, top = grid.bounds
    if kind == "degrees":
        west, south, east, north = transform_bounds(CRS.from_user_input(UTM), CRS.from_epsg(4326), *grid.bounds)
        pad = 0.002
        bounds = (west - pad, south - pad, east + pad, north + pad)
        source = Grid("EPSG:4326", from_bounds(*bounds, 110, 80), 110, 80)
        lon = bounds[0] + (np.arange(110) + 0.5) * (bounds[2] - bounds[0]) / 110
        lat = bounds[3] - (np.arange(80) + 0.5) * (bounds[3] - bounds[1]) / 80
        lon, lat = np.meshgrid(lon, lat)
        x, y = rasterio.warp.transform("EPSG:4326", UTM, lon.ravel(), lat.ravel())
        k = 2 * np.pi / 1500
        z = (700 + 60 * np.sin(k * np.array(x)) * np.cos(k * np.array(y))).reshape(lon.shape)
    else:
        size = 30.0 if kind == "coarse" else 2.5
        source = Grid.from_bounds(UTM, size, (left - 90, bottom - 90, right + 90, top + 90))
        z, _ = hills(source)
    dem = write_dem(tmp_path / "dem.tif", source, z)
    expected_resampling = {"degrees": "cubic", "coarse": "cubic", "fine": "average"}[kind]
    assert choose_resampling(dem, grid, "surface") == expected_resampling
    elevation, slope = run(tmp_path, dem, grid, "elevation", "slope")
    truth, steepness = hills(grid)
    assert np.abs(elevation - truth).max() < 0.3
    assert np.abs(slope - steepness).max() < 0.25 and np.abs(slope - steepness).mean() < 0.05


def test_what_the_tags_say(tmp_path):
    grid = Grid(UTM, from_origin(500000, 5000000, 10, 10), 60, 50)
    dem = write_dem(tmp_path / "dem.tif", grid, hills(grid)[0])
    run(tmp_path, dem, grid, "slope", method="horn")
    with rasterio.open(tmp_path / "slope.tif") as src:
        tags = src.tags()
        assert tags["units"] == "degrees" and tags["method"] == "horn" and tags["dem_resampling"] == "nearest"
        assert src.descriptions == ("slope",) and np.isnan(src.nodata) and Grid.from_raster(src.name).matches(grid)


def test_bad_dems_get_one_sentence(tmp_path):
    grid = Grid(UTM, from_origin(500000, 5000000, 10, 10), 60, 50)
    z, _ = hills(grid)
    holes = z.copy()
    holes[:10] = -32768
    undeclared = write_dem(tmp_path / "a.tif", grid, holes, "int16")
    with pytest.raises(InputError, match=r"-32768, which is no elevation in metres .*-a_nodata -32768"):
        run(tmp_path, undeclared, grid, "slope")
    declared = write_dem(tmp_path / "b.tif", grid, holes, "int16", -32768)
    with pytest.raises(InputError, match=r"no elevation in 20.0% of the area \(factors.terrain.max_void allows 5.0%\)"):
        run(tmp_path, declared, grid, "slope")
    assert not (tmp_path / "slope.tif").exists()
    (slope,) = run(tmp_path, declared, grid, "slope", max_void=0.3)
    assert np.isnan(slope).sum() == 600
    away = Grid(UTM, from_origin(900000, 5000000, 10, 10), 60, 50)
    with pytest.raises(InputError, match="does not overlap the area"):
        run(tmp_path, declared, away, "slope")
    with pytest.raises(InputError, match="is not in metres"):
        run(tmp_path, declared, Grid("EPSG:4326", from_origin(9, 45, 1e-4, 1e-4), 60, 50), "slope")


def test_relief_against_scipy():
    """Roughness: max − min; TPI: elevation less the mean of a disc; TRI: root of summed squares; voids left out."""
    z = np.random.default_rng(3).normal(500, 30, (60, 70)).astype(np.float32)
    high, low = ndimage.maximum_filter(z, 5), ndimage.minimum_filter(z, 5)
    np.testing.assert_allclose(relief.roughness(z, 5), (high - low)[2:-2, 2:-2], rtol=1e-6)
    disc = np.hypot(*np.mgrid[-6:7, -6:7]) <= 6
    mean = ndimage.convolve(z.astype(float), disc / disc.sum())
    np.testing.assert_allclose(relief.position(z, 6), (z - mean)[6:-6, 6:-6], atol=1e-3)
    squares = sum((np.roll(z, (i, j), (0, 1)).astype(float) - z) ** 2 for i in (-1, 0, 1) for j in (-1, 0, 1))
    np.testing.assert_allclose(relief.ruggedness(z), np.sqrt(squares)[1:-1, 1:-1], rtol=1e-5)
    z[20:24, 20:24] = np.nan
    filled = np.where(np.isnan(z), 0, z).astype(float)
    count = ndimage.convolve(np.isfinite(z).astype(float), disc.astype(float))
    expected = z - ndimage.convolve(filled, disc.astype(float)) / count
    np.testing.assert_allclose(relief.position(z, 6), expected[6:-6, 6:-6], atol=1e-3)
    assert np.isnan(relief.roughness(z, 5)).sum() == np.isnan(relief.ruggedness(z)).sum() == 16


def test_distance_equals_scipy():
    """Exact Euclidean distance, pixels not square, marks few and many."""
    rng = np.random.default_rng(1)
    for share in (0.0005, 0.02, 0.6):
        marked = rng.random((131, 87)) < share
        marked[5, 60] = True
        expected = ndimage.distance_transform_edt(~marked, sampling=(12.5, 3.125))
        np.testing.assert_allclose(distances.distance(marked, (3.125, 12.5)), expected, atol=1e-9)
    assert np.isinf(distances.distance(np.zeros((4, 5), bool), (1, 1))).all()


def test_distance_in_strips(tmp_path):
    """Three strips and a margin: what lies outside the area counts, and no strip shows."""
    wide = Grid(UTM, from_origin(500000, 5000000, 10, 10), 300, 1300)
    marked = np.random.default_rng(2).random(wide.shape) < 2e-5
    marked[1290, 3] = True
    grid = Grid(UTM, from_origin(500200, 4999900, 10, 10), 250, 1250)
    arguments = {"name": "distance_to_streams", "long_name": "d", "nothing": "no stream at all"}

    def strip(window):
        return marked[window.toslices()]

    distances.write(strip, wide, grid, (10, 20), tmp_path / "d.tif", **arguments)
    expected = ndimage.distance_transform_edt(~marked, sampling=10)[10:1260, 20:270]
    np.testing.assert_allclose(raster.read(tmp_path / "d.tif", bands=1), expected, rtol=1e-6)
    with pytest.raises(InputError, match="no stream at all; leave distance_to_streams out"):
        distances.write(lambda w: np.zeros_like(strip(w)), wide, grid, (10, 20), tmp_path / "e.tif", **arguments)


def test_water_on_an_even_valley(tmp_path):
    """A V-shaped valley: known contributing areas on its flanks, wettest along the line, streams at the line."""
    grid = Grid(UTM, from_origin(500000, 5000000, 10, 10), 121, 200)
    col, row = np.meshgrid(np.arange(121), np.arange(200))
    z = 1000 - 0.02 * 10 * row + 0.4 * 10 * np.abs(col - 60)
    dem = write_dem(tmp_path / "dem.tif", grid, z)
    names = ("twi", "spi", "flow_accumulation", "distance_to_streams")
    outputs = {name: tmp_path / f"{name}.tif" for name in names}
    settings = HydrologySettings(algorithm="d8", stream_area=40_000)
    hydrology.run(dem, grid, outputs, settings)
    twi, spi, area, distance = (raster.read(path, bands=1) for path in outputs.values())
    # D8 on a flank runs straight to the line: the pixel at column c has c + 1 pixels of 100 m2 above it
    np.testing.assert_allclose(10 ** area[100, :60], 100 * (np.arange(60) + 1), rtol=1e-4)
    # the line gathers both flanks and itself from every row above: 121 pixels a row
    np.testing.assert_allclose(10 ** area[:, 60], 100 * 121 * (np.arange(200) + 1), rtol=1e-4)
    slope = np.arctan(np.hypot(0.4, 0.02))
    np.testing.assert_allclose(twi[100, 1:60], np.log(10 * (np.arange(1, 60) + 1) / np.tan(slope)), rtol=1e-4)
    np.testing.assert_allclose(spi[100, 1:60], np.log1p(10 * (np.arange(1, 60) + 1) * np.tan(slope)), rtol=1e-4)
    assert (twi[5:195].argmax(axis=1) == 60).all()
    first = np.flatnonzero(np.arange(1, 201) * 12100 >= 40_000)[0]
    np.testing.assert_allclose(distance[first:, :], np.abs(col - 60)[first:] * 10)


def test_hydrology_sees_the_catchment_outside_the_area(tmp_path):
    """With a margin the stream that enters the area is known; without, its water is missing."""
    wide = Grid(UTM, from_origin(500000, 5000000, 10, 10), 121, 200)
    col, row = np.meshgrid(np.arange(121), np.arange(200))
    dem = write_dem(tmp_path / "dem.tif", wide, 1000 - 0.2 * row + 4 * np.abs(col - 60))
    inner = Grid(UTM, from_origin(500400, 4998500, 10, 10), 41, 40)
    flow = {}
    for margin in (0, 3000):
        out = tmp_path / f"{margin}.tif"
        hydrology.run(dem, inner, {"flow_accumulation": out}, HydrologySettings(algorithm="d8", margin=margin))
        flow[margin] = 10 ** raster.read(out, bands=1)[0, 20]
    assert flow[0] == pytest.approx(41 * 100, rel=1e-4)
    assert flow[3000] == pytest.approx(121 * 151 * 100, rel=1e-4)


def test_catchment_area_agrees_with_ecuador(real_data, tmp_path):
    """Against SAGA's catchment area of a larger DEM: ranks agree where little water enters from outside."""
    source = real_data / "ecuador" / "terrain_attributes.tif"
    grid = Grid.from_raster(source)
    elevation, reference = raster.read(source, bands=[4, 5])
    dem = tmp_path / "dem.tif"
    raster.write(dem, grid, elevation, bands=["elevation"], units="m", long_name="elevation")
    hydrology.run(dem, grid, {"flow_accumulation": tmp_path / "a.tif"})
    found = raster.read(tmp_path / "a.tif", bands=1)
    both = np.isfinite(found) & np.isfinite(reference)
    inner = both & ndimage.binary_erosion(both, iterations=20) & (reference < 5)
    assert inner.mean() > 0.5
    assert np.corrcoef(found[inner], reference[inner])[0, 1] > 0.85


def test_a_pixel_may_be_missing_in_one_band_alone(tmp_path):
    """Warping several bands at once keeps each band's own voids."""
    grid = Grid(UTM, from_origin(500000, 5000000, 10, 10), 40, 40)
    path = tmp_path / "bands.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=2, dtype="int16", crs=UTM, transform=grid.transform,
        nodata=-9999,
    ) as target:  # fmt: skip
        values = np.full((2, 40, 40), 500)
        values[0, 10:20, 10:20] = -9999
        target.write(values.astype(np.int16))
    other = Grid.from_bounds(UTM, 12.5, grid.bounds)
    with reader(path, other, bands=[1, 2]) as read:
        block = read(next(other.blocks()))
    assert np.nanmin(block) == np.nanmax(block) == 500
    assert np.isnan(block[0]).sum() > np.isnan(block[1]).sum()


def test_work_in_parallel_keeps_its_order_and_its_errors():
    for threads in (1, 3):
        found = list(in_parallel(range(20), lambda n: n * n, threads, load=lambda n: n + 1))
        assert found == [(n, (n + 1) ** 2) for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            list(in_parallel(range(5), lambda n: 1 / (n - 3), threads))


def test_work_in_parallel_holds_few_items():
    loaded, most = [], 0

    def load(n):
        loaded.append(n)
        return n

    for done, _ in in_parallel(range(50), lambda n: n, 2, load=load):
        most = max(most, len(loaded) - done)
    assert most == 3


def test_aspect_is_counted_from_true_north(tmp_path):
    """Ground that falls to true north, on a grid whose own north is 15 degrees off."""
    lambert = CRS.from_string("+proj=lcc +lat_1=45 +lat_2=47 +lat_0=46 +lon_0=-12 +datum=WGS84 +units=m").to_wkt()
    (x,), (y,) = transform(CRS.from_epsg(4326), CRS.from_wkt(lambert), [9.0], [46.0])
    grid = Grid(lambert, Affine(50, 0, x - 1500, 0, -50, y + 1500), 60, 60)
    xs, ys = grid.transform @ np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    _, latitude = transform(CRS.from_wkt(lambert), CRS.from_epsg(4326), xs.ravel(), ys.ravel())
    height = 1000 - (np.reshape(latitude, (60, 60)) - 46.0) * 111_150 * np.tan(np.radians(20))
    raster.write(tmp_path / "dem.tif", grid, height, bands=["dem"], units="m", long_name="elevation")
    outputs = {name: tmp_path / f"{name}.tif" for name in ("aspect", "aspect_cos", "slope")}
    terrain.run(tmp_path / "dem.tif", grid, outputs)
    aspect, ahead, slope = (raster.read(path, bands=1)[2:-2, 2:-2] for path in outputs.values())
    assert np.abs((aspect + 180) % 360 - 180).max() < 0.5
    np.testing.assert_allclose(ahead, 1, atol=1e-3)
    np.testing.assert_allclose(slope, 20, atol=0.2)
    terrain.run(tmp_path / "dem.tif", grid, {"aspect_sin": tmp_path / "east.tif"})
    np.testing.assert_allclose(raster.read(tmp_path / "east.tif", bands=1)[2:-2, 2:-2], 0, atol=0.01)
