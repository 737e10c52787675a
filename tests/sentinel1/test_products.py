"""SAFE products as they come: folder, zip, single bursts, calibration; and each fault of theirs in one sentence."""

import dataclasses
import shutil
import xml.etree.ElementTree as ET
import zipfile

import h5py
import numpy as np
import pytest
import rasterio
from rasterio.windows import Window
from scipy import ndimage

from helpers.sentinel1_samples import GRID, HEIGHT, first_pass, geocoded, swath_of, targets, write_dem, write_points
from slipmap.check.run import check_area
from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.config.run import AreaSettings
from slipmap.deformation.reading import read_stack
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1 import acquisitions, geocode, listing, radar_geometry
from slipmap.sentinel1.heights import open_heights
from slipmap.sentinel1.products import find_products, open_product

NESTED = GRID.nested(4, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder with a DEM and, under ``safe``, one product of some point targets."""
    folder = tmp_path_factory.mktemp("products")
    write_dem(folder)
    _, _, points = targets(12)
    return folder, write_points(folder / "safe", swath_of(first_pass()), points, np.full(12, 3000.0))


@pytest.fixture(scope="module")
def whole(made):
    """The product geocoded."""
    folder, product = made
    return geocoded(product, folder / "dem.tif", NESTED)


@pytest.fixture
def copied(made, tmp_path):
    """A copy of the product that may be broken."""
    shutil.copytree(made[1], tmp_path / made[1].name)
    return tmp_path / made[1].name


def zipped(product, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(product.rglob("*")):
            archive.write(file, f"{product.name}/{file.relative_to(product)}")
    return path


def test_annotation_is_read_as_it_was_written(made):
    written = swath_of(first_pass())
    [found] = open_product(made[1]).swaths("VV")
    for name in (
        "mission",
        "swath",
        "track",
        "steering_rate",
        "chirp_rate",
        "range_window",
        "slant_range_time",
    ):
        assert getattr(found, name) == getattr(written, name)
    for ours, theirs in zip(written.bursts, found.bursts, strict=True):
        assert dataclasses.replace(theirs, start=ours.start) == ours and abs(theirs.start - ours.start) < 1e-9
    np.testing.assert_allclose(found.orbit.positions, written.orbit.positions, rtol=0, atol=1e-9)
    assert [p.coefficients for p in found.fm_rates] == [p.coefficients for p in written.fm_rates]
    assert found.bistatic_reference == pytest.approx(written.middle_range_time, abs=2e-6)


def test_a_zip_gives_what_the_folder_gives(made, whole, tmp_path):
    folder, product = made
    archive = zipped(product, tmp_path / product.with_suffix(".zip").name)
    np.testing.assert_array_equal(geocoded(archive, folder / "dem.tif", NESTED), whole)
    assert [p.path for p in find_products(tmp_path)] == [archive]


def single_burst(product, folder, number):
    """What the Alaska Satellite Facility would cut out of the product: TIFF and XML."""
    opened = open_product(product)
    [swath] = opened.swaths("VV")
    burst = swath.bursts[number]
    stem = f"S1_{burst.identifier:06d}_IW2_20210109T170530_VV_7C85-BURST"
    with opened.measurement(swath) as measurement:
        pixels = measurement.read(burst, (0, burst.lines), (0, burst.samples))
    options = {"width": burst.samples, "height": burst.lines, "count": 1, "dtype": "complex_int16", "driver": "GTiff"}
    with rasterio.open(
        folder / f"{stem}.tiff",
        "w",
        gcps=[rasterio.control.GroundControlPoint(0, 0, 9, 45)],
        crs="EPSG:4326",
        **options,
    ) as out:
        out.write(pixels, 1)
    root = ET.Element("burst")
    ET.SubElement(root, "manifest").append(ET.fromstring(opened.text(opened.manifest)))
    metadata = ET.SubElement(root, "metadata")
    for kind in ("calibration", "product"):
        part = ET.SubElement(metadata, kind)
        ET.SubElement(part, "polarisation").text = "VV"
        ET.SubElement(part, "swath").text = "IW2"
        member = opened.members["annotation" if kind == "product" else kind, "IW2", "VV"]
        content = ET.fromstring(opened.text(member))
        content.tag = "content"
        part.append(content)
    ET.ElementTree(root).write(folder / f"{stem}.xml")
    return folder / f"{stem}.tiff"


def test_single_bursts_together_give_what_the_scene_gives(made, whole, tmp_path):
    folder, product = made
    bursts = [single_burst(product, tmp_path, k) for k in range(2)]
    assert len(find_products(tmp_path, "VV")) == 2
    with pytest.raises(InputError, match=r"no single burst .* of geocoding\.polarisation"):
        find_products(tmp_path, "VH")
    settings = GeocodingSettings(calibration="sigma_nought")
    geocode.run(bursts, folder / "dem.tif", settings, NESTED, tmp_path / "both.h5")
    with h5py.File(tmp_path / "both.h5") as file:
        both = file["data/VV"][:]
    sigma = float(ET.parse(next((product / "annotation/calibration").iterdir())).findtext(".//sigmaNought").split()[0])
    np.testing.assert_allclose(both * sigma, whole, rtol=1e-5, atol=1e-3)
    # one burst alone sees a part
    alone = geocoded(bursts[0], folder / "dem.tif", NESTED)
    assert 0.3 < np.isfinite(alone).mean() < 0.9
    seen = np.isfinite(alone) & (np.abs(whole) > 0)
    assert (alone[seen] == whole[seen]).mean() > 0.9


@pytest.mark.parametrize("away", [-1, 1])
def test_a_single_burst_is_told_by_its_time_where_numbers_are_computed(made, tmp_path, away):
    path = single_burst(made[1], tmp_path, 0)
    number = int(path.name[3:9])
    other = f"S1_{number + away:06d}"
    for file in list(tmp_path.glob("S1_*")):
        file.rename(file.with_name(file.name.replace(path.name[:9], other)))
    [found] = find_products(tmp_path, "VV")
    [swath] = found.swaths("VV")
    assert abs(swath.bursts[0].identifier - (number + away)) <= 1 and swath.listed == 1
    late = found.path.with_name(found.path.name.replace("T170530", "T170533"))
    for suffix in (".tiff", ".xml"):
        found.path.with_suffix(suffix).rename(late.with_suffix(suffix))
    with pytest.raises(InputError, match=rf"burst {number + away} of 17:05:33 is not in its annotation"):
        open_product(late).swaths("VV")


def test_the_stack_is_read_as_opera_products(made, whole, tmp_path):
    """Layout and names are those that `read_opera` knows, with baseline, line of sight and the mark of simulation."""
    folder, product = made
    slc = tmp_path / "slc"
    slc.mkdir()
    geocode.run([product], folder / "dem.tif", GeocodingSettings(), NESTED, slc / "20210109.h5")
    _, _, points = targets(12)
    later = swath_of(first_pass().shifted(60.0, 10.0, 61_530.0), absolute_orbit=36239)
    later = dataclasses.replace(later, epoch=np.datetime64("2021-01-21").astype("M8[ns]"))
    second = write_points(tmp_path / "later", later, points, np.full(12, 3000.0))
    geocode.run([second], folder / "dem.tif", GeocodingSettings(), NESTED, slc / "20210121.h5")
    radar_geometry.run([product], folder / "dem.tif", GeocodingSettings(), GRID, slc / "geometry.tif")
    (slc / "20210202.h5").write_bytes(b"of a date that is no longer there")
    settings = Sentinel1Settings(level="slc", format="opera", path=str(slc))
    stack = read_stack(settings, [slc / "20210109.h5", slc / "20210121.h5"])
    assert stack.simulated and not stack.left_out
    assert [str(a.date) for a in stack.acquisitions] == ["2021-01-09", "2021-01-21"]
    assert stack.acquisitions[1].perpendicular_baseline == pytest.approx(60, abs=0.5)
    assert stack.radar.incidence == pytest.approx(39.0, abs=0.01)
    cell = 299792458 / (2 * 48.3e6) / np.sin(np.radians(39)) * 6800 / 313  # whitened: of the whole bands
    assert stack.radar.cell == pytest.approx(cell, rel=0.01)
    assert stack.radar.track == "117" and stack.radar.orbit_direction == "ASCENDING"
    east, north, up, incidence = raster.read(stack.geometry["los"])
    np.testing.assert_allclose(east**2 + north**2 + up**2, 1, atol=1e-6)
    np.testing.assert_allclose(np.degrees(np.arccos(up)), incidence, atol=1e-3)
    middle = east.shape[0] // 2, east.shape[1] // 2
    theta, alpha = np.radians(39.0), np.radians(-12.5)
    expected = [-np.sin(theta) * np.cos(alpha), np.sin(theta) * np.sin(alpha), np.cos(theta)]
    np.testing.assert_allclose([east[middle], north[middle], up[middle]], expected, atol=1e-3)
    assert np.all(np.diff(incidence[10]) > 0)  # the satellite is in the west


def listed(folder, **more):
    return acquisitions.run(
        Sentinel1Settings(level="safe", path=str(folder), **more), GeocodingSettings(), folder / "list.json"
    )


def test_products_are_listed_by_date(made, tmp_path):
    shutil.copytree(made[1], tmp_path / made[1].name)
    assert listed(tmp_path) == {"20210109": [str(tmp_path / made[1].name)]}
    assert listing.load(tmp_path / "list.json") == {"20210109": [str(tmp_path / made[1].name)]}


def broken(copied, dem, grid=NESTED, **settings):
    with pytest.raises(InputError) as caught:
        geocode.run([copied], dem, GeocodingSettings(**settings), grid, copied.parent / "out.h5")
    assert not (copied.parent / "out.h5").exists()
    text = str(caught.value)
    assert "\n" not in text
    return text


def annotation_of(product):
    return next((product / "annotation").glob("*.xml"))


def test_missing_polarisation(made, copied):
    assert "it has no polarisation VH (it has VV)" in broken(copied, made[0] / "dem.tif", polarisation="VH")


def test_missing_measurement_of_a_swath(made, copied):
    next((copied / "measurement").iterdir()).unlink()
    text = broken(copied, made[0] / "dem.tif")
    assert "the measurement of IW2 VV is missing" in text
    with pytest.raises(InputError, match="the measurement of IW2 VV is missing"):
        listed(copied.parent)


def test_truncated_measurement(made, copied):
    path = next((copied / "measurement").iterdir())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    text = broken(copied, made[0] / "dem.tif")
    assert path.name in text and ("truncated" in text)
    with pytest.raises(InputError, match="truncated"):
        listed(copied.parent)
    archive = zipped(copied, copied.with_suffix(".zip"))
    shutil.rmtree(copied)
    assert "is truncated" in broken(archive, made[0] / "dem.tif")
    with pytest.raises(InputError, match=rf"{path.name} is truncated"):
        listed(copied.parent)


def test_missing_orbit(made, copied):
    path = annotation_of(copied)
    tree = ET.parse(path)
    vectors = tree.getroot().find("generalAnnotation/orbitList")
    for vector in list(vectors)[2:]:
        vectors.remove(vector)
    tree.write(path)
    assert "2 state vectors are too few" in broken(copied, made[0] / "dem.tif")


def test_orbit_that_does_not_cover(made, copied, real_data):
    with pytest.raises(InputError, match="none of the 2 orbit files"):
        listed(copied.parent, orbits=str(real_data / "s1_annotation"))


def test_dem_that_does_not_cover(made, copied, tmp_path):
    part = Grid(GRID.crs, GRID.transform, 100, 240)
    assert "does not cover the whole area" in broken(copied, write_dem(tmp_path, part))
    empty = write_dem(tmp_path, GRID, np.nan)
    assert "has no elevation in the area" in broken(copied, empty)


def test_an_area_that_the_product_does_not_see(copied, tmp_path):
    far = Grid("EPSG:32632", GRID.transform @ GRID.transform.translation(3000, 0), 100, 100)
    assert "none of its 2 bursts sees the area" in broken(copied, write_dem(tmp_path, far), grid=far)


def test_annotation_that_is_cut_off_or_of_another_product(made, copied):
    path = annotation_of(copied)
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    assert "not XML that can be read" in broken(copied, made[0] / "dem.tif")
    path.write_text(text.replace("<swathTiming>", "<other>").replace("</swathTiming>", "</other>"))
    said = broken(copied, made[0] / "dem.tif")
    assert "something is missing in it (product has no swathTiming)" in said
    path.write_text(text.replace("polarisation>", "other>"))
    assert "something is missing in it (adsHeader has no polarisation)" in broken(copied, made[0] / "dem.tif")
    path.write_text(text.replace("<mode>IW</mode>", "<mode>EW</mode>"))
    assert "a product of mode EW and type SLC; give IW SLC products" in broken(copied, made[0] / "dem.tif")


def test_a_product_that_has_gone(made, copied):
    shutil.rmtree(copied)
    assert "is not there any more" in broken(copied, made[0] / "dem.tif")


def test_mixed_tracks(made, tmp_path):
    shutil.copytree(made[1], tmp_path / made[1].name)
    other = tmp_path / made[1].name.replace("20210109", "20210110")
    shutil.copytree(made[1], other)
    (other / "manifest.safe").write_text((other / "manifest.safe").read_text().replace(">117<", ">118<"))
    with pytest.raises(InputError, match=r"it is of track 11[78], the other products of 11[78]; a stack has one track"):
        listed(tmp_path)


def test_a_zip_with_paths_outside_itself(made, tmp_path):
    path = zipped(made[1], tmp_path / made[1].with_suffix(".zip").name)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../etc/cron.d/job", "evil")
    with pytest.raises(InputError, match=r"a path outside itself \(\.\./\.\./etc/cron\.d/job\)"):
        find_products(tmp_path)
    path.write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a zip that can be opened"):
        find_products(tmp_path)
    with pytest.raises(InputError, match="no SAFE product of IW SLC"):
        find_products(made[0] / "dem.tif")


def area(folder, dem="dem.tif", looks=(1, 4), polarisation="VV", level="safe"):
    return AreaSettings(
        grid={"crs": GRID.crs, "resolution": 12.5, "bounds": GRID.bounds},
        inputs={
            "dem": str(folder / dem) if dem else None,
            "sentinel1": {"level": level, "path": str(folder / "safe")},
        },
        geocoding={"polarisation": polarisation},
        deformation={"slc_looks": looks},
    )


def test_the_check_before_any_work(made):
    folder = made[0]
    check_area("valley", area(folder))
    with pytest.raises(InputError, match=r"areas\.valley\.inputs\.sentinel1\.path: .* has no polarisation HH"):
        check_area("valley", area(folder, polarisation="HH"))
    with pytest.raises(InputError, match=r"holds raw SAFE products; set inputs\.sentinel1\.level: safe"):
        check_area("valley", area(folder, level="slc"))
    with pytest.raises(InputError, match="raw Sentinel-1 is geocoded on a DEM"):
        check_area("valley", area(folder, dem=None))
    with pytest.raises(InputError, match=r"leave SLC pixels of 12\.5 x 12\.5 m \(x, y\), too coarse"):
        check_area("valley", area(folder, looks=(1, 1)))


def test_heights_above_the_geoid(made, tmp_path):
    """A DEM 47 m too low and its undulation, as a number or as a raster, is the DEM of ellipsoidal heights."""
    folder, product = made
    orthometric = write_dem(tmp_path, GRID, HEIGHT - 47.0)
    whole = geocoded(product, folder / "dem.tif", NESTED)
    number = geocoded(product, orthometric, NESTED, GeocodingSettings(undulation=47.0))
    np.testing.assert_array_equal(number, whole)
    (tmp_path / "geoid").mkdir()
    shutil.move(write_dem(tmp_path / "geoid", GRID, 47.0), tmp_path / "geoid.tif")
    map_ = geocoded(product, orthometric, NESTED, GeocodingSettings(undulation=str(tmp_path / "geoid.tif")))
    np.testing.assert_array_equal(map_, whole)
    without = geocoded(product, orthometric, NESTED)
    assert not np.allclose(without, whole, equal_nan=True)


def test_heights_between_the_dems_pixels_are_linear(tmp_path):
    """On narrow pixels, in windows that begin anywhere, to the very edge; and on square ones."""
    grid = Grid(GRID.crs, GRID.transform, 40, 30)
    elevation = np.random.default_rng(0).uniform(0, 500, grid.shape).astype(np.float32)
    raster.write(tmp_path / "dem.tif", grid, elevation, bands=["z"], units="m", long_name="elevation")
    for factor in (4, 1):
        fine = grid.nested(factor, 1)
        columns = (np.arange(fine.width) + 0.5) / factor - 0.5
        places = np.meshgrid(np.arange(30.0), columns, indexing="ij")
        expected = ndimage.map_coordinates(elevation, places, order=1, mode="nearest")
        with open_heights(tmp_path / "dem.tif", None, fine) as heights:
            for window in (Window(0, 0, fine.width, 30), Window(7, 3, 21, 9), Window(fine.width - 6, 20, 6, 10)):
                np.testing.assert_allclose(heights(window), expected[window.toslices()], atol=1e-3)
