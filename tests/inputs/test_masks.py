"""Where a raster says by a mask or an alpha band that there are no data, none are read, whatever lies below."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from helpers.input_writers import BOUNDS, CRS, TRANSFORM, heights
from helpers.interferogram_samples import PAIRS, licsar, phase, read, tif, values
from slipmap.factors import terrain
from slipmap.io import raster
from slipmap.io.grid import Grid

HIDDEN = (slice(0, 20), slice(0, 20))


def shown(kind=np.uint8):
    mask = np.full((160, 160), np.iinfo(kind).max, kind)
    mask[HIDDEN] = 0
    return mask


def masked(path, array, *, alpha=False, **about):
    """`array` with plausible heights where the mask says that there are none."""
    array = array.copy()
    array[HIDDEN] = array.mean()
    bands = np.stack([array, shown(array.dtype)]) if alpha else array[None]
    options = {"alpha": "YES", "photometric": "MINISBLACK"} if alpha else {}
    with rasterio.open(path, "w", driver="GTiff", count=len(bands), height=160, width=160, dtype=bands.dtype, crs=CRS,
                       transform=TRANSFORM, nodata=about.pop("nodata", None), **options) as out:  # fmt: skip
        out.write(bands)
        for name, value in about.items():
            setattr(out, name, value)
        if not alpha:
            out.write_mask(shown())
    return path


@pytest.mark.parametrize(
    ("array", "about", "factor"),
    [
        (heights().astype("float32"), {}, 1),
        (heights().astype("float32"), {"units": ("ft",)}, 0.3048),
        ((heights() * 2).astype("int16"), {"scales": (0.5,), "nodata": -9999}, 0.5),
        (heights().astype("uint16"), {"alpha": True, "units": ("ft", "")}, 0.3048),
        (heights().astype("uint16"), {"alpha": True}, 1),
    ],
    ids=["floats", "feet", "scaled", "alpha in feet", "alpha"],
)
@pytest.mark.parametrize("resolution", [10, 20])
def test_a_masked_elevation_is_none(tmp_path, array, about, factor, resolution):
    path = masked(tmp_path / "d.tif", array, **about)
    grid = Grid.from_bounds(CRS, resolution, BOUNDS)
    terrain.run(dem=path, grid=grid, outputs={"elevation": tmp_path / "e.tif"})
    made = raster.read(tmp_path / "e.tif", bands=1)
    size = resolution // 10
    hidden = 20 // size
    assert np.isnan(made[: hidden - 1, : hidden - 1]).all()
    truth = array.astype(float).reshape(160 // size, size, 160 // size, size).mean(axis=(1, 3)) * factor
    assert made[hidden + 2 :, hidden + 2 :] == pytest.approx(truth[hidden + 2 :, hidden + 2 :], abs=factor)


def test_a_masked_phase_is_none_also_where_extents_are_cut(tmp_path):
    rows = np.ones((12, 16), np.uint8) * 255
    rows[:4] = 0
    files = licsar(tmp_path)
    for days, path in files.items():
        tif(path, phase(*days))
        with rasterio.open(path, "r+") as out:
            out.write_mask(rows)
    found, _, _ = values(read(tmp_path))
    assert np.isnan(found[:, :4]).all() and np.isfinite(found[:, 4:]).all()
    days = PAIRS[0]
    with rasterio.open(files[days]) as src:
        place = src.transform
    for path, array in ((files[days], phase(*days)), (files[days].with_name(files[days].name.replace("unw", "cc")),
                                                      np.full((12, 16), 0.8, np.float32))):  # fmt: skip
        path.unlink()
        tif(path, array[1:], place=place @ Affine.translation(0, 1))
    with rasterio.open(files[days], "r+") as out:
        out.write_mask(rows[1:])
    found, _, grid = values(read(tmp_path))
    assert grid.shape == (11, 16)
    assert np.isnan(found[:, :3]).all() and np.isfinite(found[:, 3:]).all()
