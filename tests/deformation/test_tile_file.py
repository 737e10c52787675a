"""Our own files read without GDAL hold what GDAL finds in them; other files are refused in one sentence."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from slipmap.deformation.scaled_file import Band, create
from slipmap.deformation.tile_file import TileFile
from slipmap.errors import InputError
from slipmap.io.grid import Grid


def write(path, shape, bands=3, east=5e5, seed=0):
    """A file of random integers."""
    names = [Band(f"band_{k}", f"band {k}", "1", 0.5, -1.0) for k in range(bands)]
    grid = Grid("EPSG:32632", Affine(50, 0, east, 0, -50, 5e6), shape[1], shape[0])
    values = np.random.default_rng(seed).integers(0, 2**16, (bands, *shape), np.uint16)
    with create(path, grid, names, {"A": "b" * 5000}) as out:  # tags longer than what is read of the file at first
        out.write(values)
    return values


@settings(deadline=None, max_examples=25)
@given(data=st.data(), rows=st.integers(1, 700), cols=st.integers(1, 700), bands=st.integers(1, 3))
def test_a_window_is_what_gdal_reads(tmp_path_factory, data, rows, cols, bands):
    path = tmp_path_factory.mktemp("tiles") / "t.tif"
    write(path, (rows, cols), bands)
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1))
    window = Window(left, top, data.draw(st.integers(1, cols - left)), data.draw(st.integers(1, rows - top)))
    wanted = data.draw(st.lists(st.integers(1, bands), min_size=1, max_size=3))
    with TileFile(path) as file, rasterio.open(path) as peer:
        assert file.shape == peer.shape
        np.testing.assert_array_equal(file.read(wanted, window), peer.read(wanted, window=window))
        np.testing.assert_array_equal(file.read(wanted), peer.read(wanted))


def test_bigtiff_and_tiles_never_written(tmp_path):
    with rasterio.open(
        tmp_path / "big.tif", "w", driver="GTiff", width=600, height=300, count=2, dtype="uint16", tiled=True,
        blockxsize=256, blockysize=256, interleave="band", compress="zstd", bigtiff="yes", sparse_ok=True, nodata=0,
    ) as out:  # fmt: skip
        out.write(np.full((300, 200), 7, np.uint16), 2, window=Window(0, 0, 200, 300))
    with TileFile(tmp_path / "big.tif") as file, rasterio.open(tmp_path / "big.tif") as peer:
        np.testing.assert_array_equal(file.read([1, 2]), peer.read())


def test_the_same_place_is_the_same_grid(tmp_path):
    places = []
    for name, shape, east in (("a", (40, 60), 5e5), ("b", (40, 60), 5e5), ("c", (40, 60), 6e5)):
        write(tmp_path / f"{name}.tif", shape, east=east, seed=len(name))
        with TileFile(tmp_path / f"{name}.tif") as file:
            places.append(file.place)
    assert places[0] == places[1] != places[2]


@pytest.mark.parametrize("keep", [2, 30, 0.05, 0.5, 0.99])
def test_a_file_cut_short_is_one_sentence(tmp_path, keep):
    path = tmp_path / "t.tif"
    write(path, (600, 300))
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with (
        pytest.raises(InputError, match=r"t\.tif: .*remove the file, so that it is made again\.$"),
        TileFile(path) as file,
    ):
        file.read([1, 2, 3])


@pytest.mark.parametrize(
    "other", [{"compress": "deflate"}, {"dtype": "float32"}, {"interleave": "pixel"}, {"predictor": 2}]
)
def test_another_kind_of_file_is_refused(tmp_path, other):
    about = {"driver": "GTiff", "width": 64, "height": 64, "count": 2, "dtype": "uint16", "tiled": True}
    about |= {"blockxsize": 64, "blockysize": 64, "interleave": "band", "compress": "zstd"} | other
    with rasterio.open(tmp_path / "t.tif", "w", **about) as out:
        out.write(np.ones((2, 64, 64), about["dtype"]))
    with pytest.raises(InputError, match=r"t\.tif: not a file of an unwrapped pair"):
        TileFile(tmp_path / "t.tif")
