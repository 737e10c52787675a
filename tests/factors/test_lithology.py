"""Lithology on the grid: polygons and rasters of any CRS, slivers and gaps."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from rasterio.transform import from_origin
from scipy import ndimage
from shapely.geometry import Polygon, box

from helpers.ground_samples import GRID, UTM, X, Y, polygons
from slipmap.config.factors import LithologySettings
from slipmap.config.inputs import VectorSettings
from slipmap.errors import InputError
from slipmap.factors import lithology
from slipmap.io import raster
from slipmap.io.grid import Grid


def litho(folder, path, attribute="rock", **settings):
    codes = lithology.run(
        VectorSettings(path=path, attribute=attribute), GRID, folder / "l.tif", LithologySettings(**settings)
    )
    assert raster.read_classes(folder / "l.tif") == codes
    return raster.read(folder / "l.tif", bands=1), codes


@pytest.mark.parametrize(
    ("crs", "suffix"),
    [(UTM, "gpkg"), ("EPSG:4326", "gpkg"), ("EPSG:3857", "gpkg"), (UTM, "shp"), ("EPSG:4326", "geojson")],
)
def test_polygons_of_any_crs_and_format(crs, suffix, tmp_path):
    """Two halves, names sorted into codes, the smaller polygon on top where they overlap."""
    path = polygons(
        tmp_path / f"rock.{suffix}",
        ("shale", (350, 300, 650, 500)), ("limestone", (-50, -50, 502, 850)), ("granite", (502, -50, 1050, 850)),
        crs=crs,
    )  # fmt: skip
    found, codes = litho(tmp_path, path)
    assert codes == {1: "granite", 2: "limestone", 3: "shale"}
    expected = np.where(np.arange(100)[None, :] < 50, 2.0, 1.0).repeat(80, axis=0)
    expected[30:50, 35:65] = 3
    agree = found == expected
    assert agree.mean() > (0.999 if crs == UTM else 0.99)


def test_polygons_that_cross_themselves_are_mended(tmp_path):
    """A bow tie has no area until it is corrected, and would be drawn over what lies on it as the smaller one."""
    x, y = np.array([0, 1000, 0, 1000]) + X, Y - np.array([0, 800, 800, 0])
    bow = Polygon(list(zip(x, y, strict=True)))
    inset = box(X + 480, Y - 60, X + 520, Y - 20)
    frame = gpd.GeoDataFrame({"rock": ["bow", "inset"]}, geometry=[bow, inset], crs=UTM)
    frame.to_file(tmp_path / "rock.gpkg")
    found, codes = litho(tmp_path, str(tmp_path / "rock.gpkg"), fill_distance=0)
    assert (found[2:6, 48:52] == 2).all() and codes[2] == "inset"
    assert (found == 1).mean() == pytest.approx(0.5, abs=0.01) and np.isnan(found[40, [0, 99]]).all()


def test_slivers_and_narrow_gaps_are_healed_and_wide_gaps_stay(tmp_path):
    path = polygons(
        tmp_path / "rock.gpkg",
        ("a", (0, 0, 480, 800)), ("b", (520, 0, 800, 800)),  # a gap of 4 pixels, then one of 20
        ("c", (200, 200, 215, 210)),  # a sliver of one pixel
        ("c", (600, 600, 640, 640)),  # 16 pixels: no sliver
    )  # fmt: skip
    found, codes = litho(tmp_path, path, fill_distance=50, min_patch=4)
    assert codes == {1: "a", 2: "b", 3: "c"}
    assert found[20, 20] == 1  # the sliver went to what surrounds it
    assert (found[:, 48:50] == 1).all() and (found[:, 50:52] == 2).all()
    assert (found[:, 80:85] == 2).all() and np.isnan(found[:, 85:]).all()
    assert (found[60:64, 60:64] == 3).all()
    bare, _ = litho(tmp_path, path, fill_distance=0, min_patch=1)
    assert bare[20, 20] == 3 and np.isnan(bare[:, 48:52]).all()


def test_healing_takes_patches_below_the_limit_and_no_others():
    """Against scipy's labels on random classes."""
    classes = np.random.default_rng(0).integers(1, 4, (90, 90)).astype(np.uint8)
    classes = ndimage.zoom(classes[:30, :30], 3, order=0)
    classes[np.random.default_rng(1).random(classes.shape) < 0.1] = 2
    healed = lithology.heal(classes, 5, 0)
    small = np.zeros(classes.shape, bool)
    for value in (1, 2, 3):
        labels, n = ndimage.label(classes == value)
        sizes = ndimage.sum_labels(np.ones_like(labels), labels, np.arange(n + 1))
        edge = np.zeros(n + 1, bool)
        for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            edge[side] = True
        small |= (labels > 0) & (sizes[labels] < 5) & ~edge[labels]
    assert small.any() and (healed[~small] == classes[~small]).all()
    _, (rows, cols) = ndimage.distance_transform_edt(small, return_indices=True)
    assert (healed == classes[rows, cols]).all()


def test_lithology_is_the_same_whatever_the_blocks(tmp_path):
    """Slivers and gaps across the edge of a block (512 pixels)."""
    grid = Grid(UTM, from_origin(X, Y, 10, 10), 600, 540)
    rng = np.random.default_rng(4)
    xs = np.sort(rng.uniform(0, 6000, 60))
    parts = [(f"r{n % 7}", (a, 0, b - rng.uniform(0, 30), 5400)) for n, (a, b) in enumerate(pairwise(xs))]
    path = polygons(tmp_path / "rock.gpkg", *parts)
    settings = LithologySettings(fill_distance=30)
    lithology.run(VectorSettings(path=path, attribute="rock"), grid, tmp_path / "all.tif", settings)
    part = grid.window_grid(next(w for w in grid.blocks(500) if w.col_off == 500 and w.row_off == 0))
    lithology.run(VectorSettings(path=path, attribute="rock"), part, tmp_path / "part.tif", settings)
    names = [raster.read_classes(tmp_path / f"{n}.tif") for n in ("all", "part")]
    whole, some = (raster.read(tmp_path / f"{n}.tif", bands=1) for n in ("all", "part"))
    to_whole = {code: next(c for c, name in names[0].items() if name == label) for code, label in names[1].items()}
    some = np.vectorize(lambda v: to_whole.get(v, np.nan), otypes=[float])(some)
    np.testing.assert_array_equal(some, whole[:500, 500:600])


def test_class_raster_and_a_given_order(tmp_path):
    values = np.where(np.arange(100)[None, :] < 50, 12, 40).repeat(80, axis=0).astype(np.uint8)
    description = {"bands": ["c"], "units": "class", "long_name": "c", "dtype": "uint8"}
    raster.write(tmp_path / "in.tif", GRID, values, categories={12: "marl", 40: "flysch"}, **description)
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None)
    assert codes == {1: "marl", 2: "flysch"} and (found == np.where(values == 12, 1, 2)).all()
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["flysch", "gabbro", "marl"])
    assert codes == {1: "flysch", 2: "gabbro", 3: "marl"} and (found == np.where(values == 12, 3, 1)).all()
    found, codes = litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["marl", "gabbro", "flysch"])
    assert codes == {1: "marl", 2: "gabbro", 3: "flysch"} and (found == np.where(values == 12, 1, 3)).all()
    with pytest.raises(InputError, match=r"has the class 'flysch', which factors.lithology.classes does not list"):
        litho(tmp_path, str(tmp_path / "in.tif"), None, classes=["flisch", "marl"])


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_bad_lithology_gets_one_sentence(tmp_path):
    path = polygons(tmp_path / "rock.gpkg", ("a", (0, 0, 480, 800)))
    with pytest.raises(InputError, match=r"has no attribute 'rocks' .*; did you mean 'rock'"):
        litho(tmp_path, path, "rocks")
    with pytest.raises(InputError, match="attribute is missing; name the attribute of"):
        litho(tmp_path, path, None)
    far = polygons(tmp_path / "far.gpkg", ("a", (90000, 0, 90480, 800)))
    with pytest.raises(InputError, match="has nothing in the area"):
        litho(tmp_path, far)
    (tmp_path / "text.gpkg").write_text("no")
    with pytest.raises(InputError, match="is not a vector file"):
        litho(tmp_path, str(tmp_path / "text.gpkg"))
    lost = tmp_path / "lost.shp"
    gpd.GeoDataFrame({"rock": ["a"]}, geometry=[box(0, 0, 1, 1)]).to_file(lost)
    with pytest.raises(InputError, match="has no coordinate reference system"):
        litho(tmp_path, str(lost))
