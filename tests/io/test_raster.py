"""Rasters: the contract that every file on disk keeps, and what is said of files that do not."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rio_cogeo import cog_validate

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 512500, 5010000))


def test_coordinates_of_points_are_those_of_the_transform():
    skewed = Grid(GRID.crs, GRID.transform @ GRID.transform.rotation(20), 5, 5)
    cols, rows = np.random.default_rng(2).uniform(-5, 2000, (2, 30))
    expected = np.transpose([skewed.transform @ (c, r) for c, r in zip(cols.tolist(), rows.tolist(), strict=True)])
    np.testing.assert_array_equal(skewed.coordinates(cols, rows), expected)


@pytest.fixture(scope="module")
def field():
    values = np.random.default_rng(1).normal(size=GRID.shape).astype(np.float32)
    values[:700, :600] = np.nan  # more than one block of nodata
    return values


@pytest.fixture(scope="module")
def cog(field, tmp_path_factory):
    path = tmp_path_factory.mktemp("raster") / "velocity.tif"
    raster.write(
        path, GRID, field, bands=["velocity"], units="mm/yr", long_name="LOS velocity", tags={"origin": "test"}
    )
    return path


def test_a_written_raster_is_a_valid_cog_with_units_nodata_and_crs(cog, field):
    valid, errors, _ = cog_validate(cog, strict=True, quiet=True)
    assert valid, errors
    with rasterio.open(cog) as src:
        assert src.crs.to_epsg() == 32632 and np.isnan(src.nodata) and src.dtypes == ("float32",)
        assert src.tags()["units"] == "mm/yr" and src.units == ("mm/yr",) and src.descriptions == ("velocity",)
        assert src.overviews(1)
    np.testing.assert_array_equal(raster.read(cog, bands=1), field)
    assert GRID.matches(Grid.from_raster(cog))


def test_factors_compressed_by_zstandard_are_valid_cogs_too(field, tmp_path):
    path = tmp_path / "slope.tif"
    raster.write(path, GRID, field, bands=["slope"], units="degrees", long_name="slope", compress="zstd")
    valid, errors, _ = cog_validate(path, strict=True, quiet=True)
    assert valid, errors
    with rasterio.open(path) as src:
        assert src.compression.name == "zstd" and src.overviews(1)
    np.testing.assert_array_equal(raster.read(path, bands=1), field)


def halved(values):
    """Mean of the known of 2 × 2 pixels, by NumPy."""
    rows, cols = values.shape
    even = np.pad(values, ((0, rows % 2), (0, cols % 2)), constant_values=np.nan)
    fours = even.reshape((rows + 1) // 2, 2, (cols + 1) // 2, 2)
    known = np.isfinite(fours)
    with np.errstate(invalid="ignore"):
        return np.where(known, fours, 0).sum(axis=(1, 3)) / known.sum(axis=(1, 3))


def test_overviews_are_the_mean_of_what_is_known_in_every_band(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 511010, 5006070))  # odd both ways, 1101 x 607
    bands = np.random.default_rng(3).normal(size=(2, *grid.shape)).astype(np.float32)
    bands[bands > 1] = np.nan
    path = tmp_path / "pair.tif"
    raster.write(path, grid, bands, bands=["a", "b"], units=["m", "1"], long_name="pair")
    assert [file.name for file in tmp_path.iterdir()] == ["pair.tif"]
    with rasterio.open(path) as src:
        assert src.descriptions == ("a", "b") and src.units == ("m", "1") and src.overviews(2) == [2, 4]
    for number, truth in enumerate(bands, start=1):
        for level in (0, 1):
            truth = halved(truth)
            with rasterio.open(path, OVERVIEW_LEVEL=level) as src:
                assert src.shape == truth.shape
                np.testing.assert_allclose(src.read(number), truth, atol=1e-5)


def test_overviews_of_classes_hold_classes_only(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 511000, 5006000))
    values = np.random.default_rng(3).choice([1, 9, raster.CLASS_NODATA], grid.shape).astype(np.uint8)
    path = tmp_path / "classes.tif"
    raster.write(path, grid, values, bands=["c"], units="1", long_name="c", dtype="uint8", categories={1: "a", 9: "b"})
    with rasterio.open(path, OVERVIEW_LEVEL=0) as src:
        np.testing.assert_array_equal(src.read(1), values[::2, ::2])
    assert raster.read_classes(path) == {1: "a", 9: "b"}


def test_the_same_content_gives_the_same_bytes(cog, field, tmp_path):
    again = tmp_path / "velocity.tif"
    raster.write(
        again, GRID, field, bands=["velocity"], units="mm/yr", long_name="LOS velocity", tags={"origin": "test"}
    )
    assert again.read_bytes() == cog.read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(cog, tmp_path):
    target = tmp_path / "velocity.tif"
    target.write_bytes(cog.read_bytes())
    with pytest.raises(RuntimeError, match="lost"):
        with raster.create(target, GRID, bands=["v"], units="1", long_name="v"):
            raise RuntimeError("lost")
    assert target.read_bytes() == cog.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["velocity.tif"]


def test_classes_keep_their_names_and_nodata(tmp_path):
    grid = GRID.coarsened(10, 10)
    values = np.full(grid.shape, 2, np.uint8)
    values[0, 0] = raster.CLASS_NODATA
    path = tmp_path / "lithology.tif"
    names = {1: "marl", 2: "limestone"}
    raster.write(path, grid, values, bands=["l"], units="1", long_name="lithology", dtype="uint8", categories=names)
    assert raster.read_classes(path) == names
    read = raster.read(path, bands=1)
    assert np.isnan(read[0, 0]) and (read.ravel()[1:] == 2).all()


def test_outside_the_source_is_nodata_also_for_integers_without_nodata(tmp_path):
    path = tmp_path / "dem.tif"
    profile = dict(driver="GTiff", width=20, height=20, count=1, dtype="int16", crs="EPSG:32632")
    with rasterio.open(path, "w", transform=from_origin(500000, 5000250, 12.5, 12.5), **profile) as dst:
        dst.write(np.full((20, 20), 300, np.int16), 1)
    wide = Grid.from_bounds("EPSG:32632", 12.5, (499875, 4999875, 500375, 5000375))
    with raster.warped(path, wide, "nearest") as view:
        values = raster.read_open(view, bands=1)
    assert np.isfinite(values).sum() == 400 and set(np.unique(values[np.isfinite(values)])) == {300}


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"inputs\.dem: .*nothing\.tif does not exist"):
        raster.check(tmp_path / "nothing.tif", "inputs.dem")


def test_not_a_raster(tmp_path):
    path = tmp_path / "page.tif"
    path.write_text("<html>404</html>")
    with pytest.raises(InputError, match="is not a raster that GDAL can open"):
        raster.check(path, "inputs.dem")


def test_no_crs(tmp_path):
    path = tmp_path / "bare.tif"
    profile = dict(driver="GTiff", width=4, height=4, count=1, dtype="float32")
    with rasterio.open(path, "w", transform=from_origin(0, 4, 1, 1), **profile) as dst:
        dst.write(np.zeros((1, 4, 4), np.float32))
    with pytest.raises(InputError, match="has no coordinate reference system"):
        raster.check(path, "inputs.dem")


def test_no_overlap(cog):
    elsewhere = Grid.from_bounds("EPSG:32633", 12.5, (500000, 5000000, 501000, 5001000))
    with pytest.raises(InputError, match="does not overlap the area"):
        raster.check(cog, "inputs.dem", overlaps=elsewhere)
    raster.check(cog, "inputs.dem", overlaps=GRID)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated(cog, tmp_path, share):
    path = tmp_path / "half.tif"
    content = cog.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="is truncated"):
        raster.check(path, "inputs.dem")


def test_truncated_plain_geotiff(tmp_path):
    """Strips instead of tiles, uncompressed: what most programs write."""
    path = tmp_path / "strips.tif"
    profile = dict(driver="GTiff", width=300, height=300, count=2, dtype="int16", crs="EPSG:32632")
    with rasterio.open(path, "w", transform=from_origin(500000, 5000250, 12.5, 12.5), **profile) as dst:
        dst.write(np.ones((2, 300, 300), np.int16))
    raster.check(path, "inputs.dem")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="is truncated"):
        raster.check(path, "inputs.dem")


def test_grid_blocks_tile_it_once():
    count = np.zeros(GRID.shape, int)
    for window in GRID.blocks(300):
        rows, cols = window.toslices()
        count[rows, cols] += 1
        part = GRID.window_grid(window)
        assert part.bounds[0] == GRID.bounds[0] + window.col_off * 12.5
        assert part.bounds[3] == GRID.bounds[3] - window.row_off * 12.5
    assert (count == 1).all()


def test_nested_grids_share_their_edges():
    fine = GRID.nested(4, 1)
    assert fine.bounds == GRID.bounds and fine.resolution == (3.125, 12.5)
    assert fine.coarsened(4, 1) == GRID


def test_bounds_snap_outwards_to_whole_pixels():
    grid = Grid.from_bounds("EPSG:32632", 10, (500003, 5000004, 500021, 5000029))
    assert grid.bounds == (500000, 5000000, 500030, 5000030)
    assert Grid.from_bounds("EPSG:32632", 10, grid.bounds) == grid
