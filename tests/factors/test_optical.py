"""Sentinel-2 scenes in every form, composites, indices and change."""

from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from scipy import stats

from helpers.factors_samples import CORNER, CRS, clouds, reflectance, write_safe
from slipmap.config.factors import OpticalSettings
from slipmap.config.inputs import Sentinel2Settings
from slipmap.errors import InputError
from slipmap.factors import optical, scenes
from slipmap.factors.indices import index
from slipmap.io import raster
from slipmap.io.grid import Grid

GRID = Grid(CRS, from_origin(*CORNER, 10, 10), 120, 120)
NAMES = ("B2", "B3", "B4", "B5", "B8", "B11", "SCL")


def made(folder, source, *factors, grid=GRID, **settings):
    """Run the optical stage; return {factor: array}."""
    outputs = {name: folder / f"{name}.tif" for name in factors}
    optical.run(source, grid, outputs, OpticalSettings(**settings))
    return {name: raster.read(path, bands=1) for name, path in outputs.items()}


def write_scene(path, bands, dtype="int16", names=None, nodata=-9999, corner=CORNER, size=10.0):
    """A multi-band scene from {name: array}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = list(bands.values())
    with rasterio.open(
        path, "w", driver="GTiff", width=arrays[0].shape[1], height=arrays[0].shape[0], count=len(arrays), dtype=dtype,
        crs=CRS, transform=from_origin(*corner, size, size), nodata=nodata,
    ) as target:  # fmt: skip
        target.write(np.stack(arrays).astype(dtype))
        target.descriptions = tuple(names if names is not None else bands)
    return path


@pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("baseline", ["02.14", "05.09"])
@pytest.mark.parametrize("level", ["L2A", "L1C"])
def test_every_safe_product_gives_the_same_reflectance(level, baseline, as_zip, tmp_path):
    """Both levels, before and after baseline 04.00 (offset −1000), folder and zip: what was put in comes out."""
    product = write_safe(tmp_path / "in", level, baseline, as_zip=as_zip)
    found = made(tmp_path, Sentinel2Settings(path=str(product)), "B4", "B8", "ndvi")
    cloudy = np.kron(clouds(), np.ones((6, 6), bool))
    for band, name in (("B04", "B4"), ("B08", "B8")):
        truth = reflectance(band)
        if baseline < "04":
            truth = np.maximum(truth, 1e-4)  # stored from 1 up: below 0 does not exist before baseline 04.00
        truth[cloudy] = np.nan
        np.testing.assert_allclose(found[name], truth, atol=1e-6)
    b4, b8 = (np.maximum(found[name], 0) for name in ("B4", "B8"))
    lit = b8 + b4 > 0
    np.testing.assert_allclose(found["ndvi"][lit], ((b8 - b4)[lit] / (b8 + b4)[lit]), atol=1e-5)
    assert np.isnan(found["B4"][cloudy]).all() and np.isnan(found["B4"][0, 0])


def test_safe_band_of_20_m_is_taken_at_its_own_resolution(tmp_path):
    product = write_safe(tmp_path / "in", "L2A", "05.09")
    grid = Grid(CRS, from_origin(*CORNER, 20, 20), 60, 60)
    found = made(tmp_path, Sentinel2Settings(path=str(product)), "B11", grid=grid, masked_classes=[])
    np.testing.assert_allclose(found["B11"], reflectance("B11"), atol=1e-6)


def test_a_folder_of_safe_products_becomes_one_composite(tmp_path):
    """Two dates, one zipped: the scenes are ordered by date and start and end choose among them."""
    folder = tmp_path / "in"
    write_safe(folder, "L2A", "05.09", "20230428")
    packed = write_safe(tmp_path / "other", "L2A", "02.14", "20220601", as_zip=True)
    packed.rename(folder / packed.name)
    source = Sentinel2Settings(path=str(folder))
    found = scenes.find_scenes(folder, source, [9], "inputs.sentinel2")
    assert [scene.date for scene in found] == [date(2022, 6, 1), date(2023, 4, 28)]
    assert [scene.bands["B4"].offset for scene in found] == [0, -1000]
    assert len(scenes.within(found, date(2023, 1, 1), None, "inputs.sentinel2")) == 1
    with pytest.raises(InputError, match="no scene from 2024-01-01 to the last"):
        scenes.within(found, date(2024, 1, 1), None, "inputs.sentinel2")


def test_safe_from_baseline_4_without_its_offsets_is_refused(tmp_path):
    product = write_safe(tmp_path, "L2A", "05.09")
    metadata = product / "MTD_MSIL2A.xml"
    metadata.write_text(metadata.read_text().replace("BOA_ADD_OFFSET band_id", "OTHER band_id"))
    metadata.write_text(metadata.read_text().replace("</BOA_ADD_OFFSET>", "</OTHER>"))
    with pytest.raises(InputError, match=r"processing baseline 05\.09, whose bands are offset"):
        scenes.find_scenes(product, Sentinel2Settings(path=str(product)), [9], "inputs.sentinel2")


@pytest.fixture
def stack(tmp_path):
    """Seven scenes with clouds: ({factor: (scenes, rows, cols) NaN under cloud}, folder)."""
    rng = np.random.default_rng(0)
    values = {name: rng.integers(200, 5000, (7, 120, 120)) for name in NAMES[:-1]}
    scl = rng.choice([4, 5, 6, 3, 8, 9, 10, 0], (7, 120, 120), p=[0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    scl[:, 5:8, 5:8] = 9  # never clear
    values["B4"][2, :, 50] = -9999  # a defect of one band of one scene
    for n in range(7):
        bands = {name: array[n] for name, array in values.items()} | {"SCL": scl[n]}
        write_scene(tmp_path / "s2" / f"2021{n + 1:02d}15.tif", bands)
    clear = np.isin(scl, [4, 5, 6])
    truth = {name: np.where(clear & (array != -9999), array * 1e-4, np.nan) for name, array in values.items()}
    return truth, tmp_path / "s2"


def test_median_composite_of_clear_observations(stack, tmp_path):
    """Equals numpy's median of what the scene classification leaves; nothing else gets in."""
    truth, folder = stack
    found = made(tmp_path, Sentinel2Settings(path=str(folder)), "B2", "B4", "ndbi")
    for name in ("B2", "B4"):
        with np.testing.suppress_warnings() as silent:
            silent.filter(RuntimeWarning)
            np.testing.assert_allclose(found[name], np.nanmedian(truth[name], axis=0), atol=1e-6)
            b11, b8 = (np.nanmedian(truth[band], axis=0) for band in ("B11", "B8"))
    np.testing.assert_allclose(found["ndbi"], (b11 - b8) / (b11 + b8), atol=1e-5)
    assert np.isnan(found["B2"][5:8, 5:8]).all()


def test_least_cloud_composite_takes_all_bands_from_one_scene(stack, tmp_path):
    truth, folder = stack
    found = made(tmp_path, Sentinel2Settings(path=str(folder)), "B2", "B4", composite="least_cloud")
    complete = np.isfinite(truth["B2"]) & np.isfinite(truth["B4"])
    order = np.argsort(-np.isfinite(truth["B2"]).mean(axis=(1, 2)))
    pick = order[complete[order].argmax(axis=0)]
    for name in ("B2", "B4"):
        expected = np.take_along_axis(truth[name], pick[None], axis=0)[0]
        expected[~complete.any(axis=0)] = np.nan
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_mask_buffer_grows_clouds(stack, tmp_path):
    """Every pixel whose centre is within 20 m of a masked one is masked as well."""
    _, folder = stack
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    plain = made(tmp_path, Sentinel2Settings(path=str(folder)), "B2")["B2"]
    grown = made(tmp_path, Sentinel2Settings(path=str(folder)), "B2", mask_buffer=20)["B2"]
    masked = np.argwhere(np.isnan(plain))
    rows, cols = np.mgrid[:120, :120]
    near = np.zeros((120, 120), bool)
    for row, col in masked:
        near |= (rows - row) ** 2 + (cols - col) ** 2 <= 4
    assert (np.isnan(grown) == near).all()


def test_tiles_that_meet_are_joined(tmp_path):
    """Two tiles of one date, each half of the area, overlapping by 200 m."""
    values = np.arange(120 * 120).reshape(120, 120) % 4000 + 100
    write_scene(tmp_path / "s2" / "T32TPQ_20210115.tif", {"B2": values[:, :70]})
    write_scene(tmp_path / "s2" / "T32TPR_20210115.tif", {"B2": values[:, 50:]}, corner=(CORNER[0] + 500, CORNER[1]))
    found = made(tmp_path, Sentinel2Settings(path=str(tmp_path / "s2")), "B2")["B2"]
    np.testing.assert_allclose(found, values * 1e-4, atol=1e-6)


def test_band_files_in_folders(tmp_path):
    """A folder of single-band files for each scene (as COG archives give them), named either way, is one scene each."""
    rng = np.random.default_rng(1)
    values = rng.integers(100, 5000, (2, 2, 120, 120))
    for n, (folder, names) in enumerate(
        [("S2A_32TPQ_20210115_0_L2A", ("red", "nir")), ("S2A_32TPQ_20210215_0_L2A", ("B04", "B08"))]
    ):
        for k, name in enumerate(names):
            write_scene(tmp_path / "s2" / folder / f"{name}.tif", {"": values[n, k]}, nodata=0, dtype="uint16")
    found = made(tmp_path, Sentinel2Settings(path=str(tmp_path / "s2")), "B4", "B8")
    np.testing.assert_allclose(found["B4"], values[:, 0].mean(axis=0) * 1e-4, atol=1e-6)
    np.testing.assert_allclose(found["B8"], values[:, 1].mean(axis=0) * 1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "name"),
    [("B02", "B2"), ("B2", "B2"), ("b8a", "B8A"), ("B08_10m", "B8"), ("B12", "B12"), ("blue", "B2"), ("nir08", "B8A"),
     ("SCL", "SCL"), ("B13", None), ("red_edge", None), (None, None), ("B22", None)],
)  # fmt: skip
def test_band_names(text, name):
    assert scenes.band_name(text) == name


def test_bands_are_found_by_name_not_by_order(tmp_path):
    a, b = np.full((120, 120), 1000), np.full((120, 120), 3000)
    first = write_scene(tmp_path / "a" / "20210115.tif", {"B4": a, "B8": b})
    second = write_scene(tmp_path / "b" / "20210115.tif", {"B08": b, "B04": a})
    for path in (first, second):
        found = made(tmp_path, Sentinel2Settings(path=str(path)), "B4", "ndvi")
        assert np.allclose(found["B4"], 0.1) and np.allclose(found["ndvi"], 0.5)


def test_change_is_after_minus_before_for_romagna(real_data, tmp_path):
    """Real pair: change factors, and how well they tell the mapped landslides (area under the ROC curve)."""
    folder = real_data / "romagna"
    before, after = folder / "p4120_s2_2023-04-28.tif", folder / "p4120_s2_2023-05-23.tif"
    grid = Grid.from_raster(folder / "p4120_dem.tif")
    source = Sentinel2Settings(before=str(before), after=str(after))
    found = made(
        tmp_path, source, "B4_before", "B4_after", "B4_change", "ndvi_change", "ndwi_change", "ndbi_change", grid=grid
    )
    with rasterio.open(before) as one, rasterio.open(after) as two:
        red = [src.read(3).astype(float) * 1e-4 for src in (one, two)]
        nir = [src.read(7).astype(float) * 1e-4 for src in (one, two)]
    np.testing.assert_allclose(found["B4_before"], red[0], atol=1e-6)
    np.testing.assert_allclose(found["B4_change"], red[1] - red[0], atol=1e-6)
    ndvi = [(n - r) / (n + r) for r, n in zip(red, nir, strict=True)]
    np.testing.assert_allclose(found["ndvi_change"], ndvi[1] - ndvi[0], atol=1e-5)
    slid = raster.read(folder / "p4120_mask.tif", bands=1) == 1

    def auc(values):
        rank = stats.rankdata(values)[slid.ravel()]
        return (rank.sum() - rank.size * (rank.size + 1) / 2) / (rank.size * (slid.size - rank.size))

    assert auc(-found["ndvi_change"]) > 0.85  # vegetation was lost
    assert auc(found["B4_change"]) > 0.8  # bare ground is bright


def test_indices_by_hand():
    """Values worked out by hand from the equations; a surface without light has no index."""
    bands = {"B2": 0.1, "B3": 0.2, "B4": 0.1, "B8": 0.3, "B8A": 0.4, "B11": 0.2}
    bands = {name: np.array([value, 0.0]) for name, value in bands.items()}
    expected = {"ndvi": 0.5, "ndwi": -0.2, "ndbi": -0.2, "ndmi": 1 / 3, "bsi": (0.3 - 0.4) / 0.7}
    for name, value in expected.items():
        found = index(name, bands)
        assert found[0] == pytest.approx(value) and np.isnan(found[1])


@pytest.mark.parametrize(
    ("bands", "settings", "factors", "message"),
    [
        ({"B4": 1000}, {}, ("ndvi",), "has no band B8"),
        ({"B4": 1000}, {"scale": 1.0}, ("B4",), "median reflectance of 1000, not 0 to 1; set inputs.sentinel2.scale"),
        ({"B4": 50}, {"offset": -1000}, ("B4",), "below 0; the offset was taken off twice"),
        ({"": 1000}, {}, ("B4",), "does not name its 1 bands"),
        ({"": 1000}, {"bands": ["B4", "B8"]}, ("B4",), "has 1 bands, but inputs.sentinel2.bands names 2"),
        ({"B4": 1000}, {"bands": ["B8"]}, ("B8",), "the file's own names hold"),
    ],
)
def test_bad_scenes_get_one_sentence(bands, settings, factors, message, tmp_path):
    path = write_scene(tmp_path / "20210115.tif", {name: np.full((120, 120), v) for name, v in bands.items()})
    with pytest.raises(InputError, match=message):
        made(tmp_path, Sentinel2Settings(path=str(path), **settings), *factors)


def test_reflectance_that_is_scaled_already_is_noticed(tmp_path):
    path = write_scene(tmp_path / "20210115.tif", {"B4": np.full((120, 120), 0.12)}, dtype="float32", nodata=None)
    with pytest.raises(InputError, match=r"set inputs\.sentinel2\.scale to 1"):
        made(tmp_path, Sentinel2Settings(path=str(path)), "B4")
    assert np.allclose(made(tmp_path, Sentinel2Settings(path=str(path), scale=1.0), "B4")["B4"], 0.12)


def test_wholly_clouded_area_is_refused_and_leaves_no_file(tmp_path):
    path = write_scene(tmp_path / "20210115.tif", {"B4": np.full((120, 120), 900), "SCL": np.full((120, 120), 9)})
    with pytest.raises(InputError, match="B4 has no clear pixel"):
        made(tmp_path, Sentinel2Settings(path=str(path)), "B4")
    assert not (tmp_path / "B4.tif").exists()
