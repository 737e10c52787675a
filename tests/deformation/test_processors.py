"""What ISCE2, LiCSAR and HyP3 write beside and inside their interferograms: the processors' layouts, read by value."""

from datetime import date, timedelta
from itertools import combinations, pairwise

import numpy as np
import pytest
import rasterio
from affine import Affine

from helpers.pair_samples import read_pair
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import network, unwrapping
from slipmap.deformation.phase import wrap
from slipmap.deformation.reading import read_stack
from slipmap.deformation.sources import NetworkReader
from slipmap.deformation.stack import Stack, save_stack
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import LineOfSight, line_of_sight, look_vector

DAYS = [date(2021, 1, 1) + timedelta(days=12 * k) for k in range(4)]
# Perpendicular baseline of each date to the first, m
BASELINES = dict(zip(DAYS, (0.0, 40.0, -25.0, 70.0), strict=True))
SHAPE = (6, 7)


def write(path, *bands):
    """A float32 (or byte) raster of some bands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dict(driver="GTiff", crs="EPSG:4326", transform=Affine(0.001, 0, 11, 0, -0.001, 44))
    size = dict(height=SHAPE[0], width=SHAPE[1], count=len(bands))
    with rasterio.open(path, "w", dtype=bands[0].dtype, **profile, **size) as out:
        out.write(np.stack(bands))


def full(value, dtype=np.float32):
    return np.full(SHAPE, value, dtype)


def name(first, second):
    return f"{first:%Y%m%d}_{second:%Y%m%d}"


def read(folder, level="unwrapped"):
    return read_stack(Sentinel1Settings(level=level, path=str(folder)))


def whole(stack):
    """Phase and coherence of every pair."""
    reader = NetworkReader(stack.pairs, [])
    return reader.read(next(iter(reader.grid.blocks())))


def test_isce2_amplitude_is_not_taken_for_phase_or_coherence(tmp_path):
    """Two-band rasters of ISCE2 hold amplitude, then phase (.unw) or coherence (topophase.cor)."""
    for k, days in enumerate(pairwise(DAYS)):
        folder = tmp_path / "interferograms" / name(*days)
        write(folder / "filt_fine.unw.tif", full(3000), full(-1.5 - k))
        write(folder / "topophase.cor.tif", full(3000), full(0.6))
    stack = read(tmp_path)
    phase, coherence = whole(stack)
    np.testing.assert_array_equal(phase[:, 0, 0], [-1.5, -2.5, -3.5])
    np.testing.assert_allclose(coherence, 0.6)


def test_wrapped_phase_with_isce2s_coherence_is_unwrapped(tmp_path):
    ramp = (0.4 * np.arange(SHAPE[1]) + np.zeros((SHAPE[0], 1))).astype(np.float32)
    folder = tmp_path / name(*DAYS[:2])
    write(folder / "filt_fine.int.tif", (50 * np.exp(1j * ramp)).astype(np.complex64))
    write(folder / "topophase.cor.tif", full(3000), full(0.7))
    pair = read(tmp_path, "wrapped").pairs[0]
    settings = DeformationSettings(goldstein_alpha=0, goldstein_patch=8, phase_window=1)
    unwrapping.run(pair, settings, tmp_path / "u.tif", **pair.files)
    phase, coherence, *_ = read_pair(tmp_path / "u.tif")
    np.testing.assert_allclose(wrap(phase - ramp), 0, atol=1e-4)
    np.testing.assert_allclose(coherence, 0.7)


@pytest.mark.parametrize("origin", [0, 2])
def test_isce2_baselines_of_a_stack_are_those_of_its_pairs(tmp_path, origin):
    """topsStack writes the baseline of every date to the stack's reference only, one value for each swath."""
    for days in combinations(DAYS, 2):
        write(tmp_path / "merged" / name(*days) / "filt_fine.unw.tif", full(1))
    for day in DAYS[:origin] + DAYS[origin + 1 :]:
        place = tmp_path / "baselines" / name(DAYS[origin], day)
        place.mkdir(parents=True)
        value = BASELINES[day] - BASELINES[DAYS[origin]]
        lines = [f"swath: IW{k}\nBperp (average): {value + k - 2}\nBpar (average): 3.3\n" for k in (1, 2, 3)]
        (place / f"{place.name}.txt").write_text("\n".join(lines))
    check_baselines(read(tmp_path))


def check_baselines(stack):
    for pair in stack.pairs:
        expected = BASELINES[pair.secondary] - BASELINES[pair.reference]
        assert pair.perpendicular_baseline == pytest.approx(expected, abs=1e-6)
    for day, value in network.baselines_by_date(stack.pairs).items():
        assert value == pytest.approx(BASELINES[day], abs=1e-6)


def licsar(folder, frame=""):
    for days in combinations(DAYS, 2):
        place = folder / frame / "interferograms" / name(*days)
        write(place / f"{place.name}.geo.unw.tif", full(-2))
        write(place / f"{place.name}.geo.cc.tif", full(204, np.uint8))
    return folder


def test_licsar_baselines_geometry_and_coherence(tmp_path):
    """The primary has no line in `baselines`; coherence is stored as bytes; E, N and U are 0 outside the frame."""
    licsar(tmp_path)
    rows = [f"{DAYS[0]:%Y%m%d} {day:%Y%m%d} {BASELINES[day]} {(day - DAYS[0]).days}" for day in DAYS[1:]]
    (tmp_path / "baselines").write_text("\n".join(rows) + "\n")
    (tmp_path / "metadata.txt").write_text("centre_range_m=880000\nheading=-169.5\navg_incidence_angle=39.2\n")
    for axis, value in zip("ENU", look_vector(39.2, -169.5), strict=True):
        band = full(value)
        band[0] = 0
        write(tmp_path / "metadata" / f"123D_04567_131313.geo.{axis}.tif", band)
    stack = read(tmp_path)
    check_baselines(stack)
    assert (stack.radar.slant_range, stack.radar.heading, stack.radar.incidence) == pytest.approx(
        (880000, -169.5, 39.2)
    )
    phase, coherence = whole(stack)
    np.testing.assert_array_equal(phase, -2)
    np.testing.assert_allclose(coherence, 0.8)
    save_stack(tmp_path / "stack.json", stack)
    sight = line_of_sight(tmp_path / "stack.json")
    grid = Grid.from_raster(stack.pairs[0].files["unwrapped"])
    vectors = sight.read(next(iter(grid.blocks())), grid)
    assert isinstance(sight, LineOfSight) and np.isnan(vectors[:, 0]).all()
    np.testing.assert_allclose(vectors[:, 3, 3], look_vector(39.2, -169.5), atol=1e-6)


def test_licsar_frames_of_two_tracks_are_told_apart(tmp_path):
    licsar(tmp_path, "123D_04567_131313")
    assert len(read(tmp_path).pairs) == 6
    later = name(DAYS[0], DAYS[-1] + timedelta(days=12))
    odd = tmp_path / "044A_04568_131313" / later / f"{later}.geo.unw.tif"
    write(odd, full(1))
    with pytest.raises(InputError, match=r"its track is 044A, the other files' is 123D") as error:
        read(tmp_path)
    assert odd.name in str(error.value)


HYP3_TEXT = """Reference Granule: S1A_IW_SLC__1SDV_20210101T053551_20210101T053618_035949_0435F5_1A2B
Secondary Granule: S1A_IW_SLC__1SDV_20210113T053551_20210113T053618_036124_043C07_3C4D
Reference Pass Direction: DESCENDING
Reference Orbit Number: {orbit}
Secondary Pass Direction: DESCENDING
Secondary Orbit Number: 36124
Baseline: {baseline}
UTC time: 20151.5
Heading: -167.9
Spacecraft height: 700000.0
Earth radius at nadir: 6371000.0
Slant range near: 800000.0
Slant range center: {slant}
Slant range far: 970000.0
"""


def hyp3(folder, orbit=35949):
    """Products of all pairs; the ground at the middle is seen at 39 degrees from the vertical."""
    earth, height, theta = 6371000.0, 700000.0, np.radians(39.0)
    slant = -earth * np.cos(theta) + np.sqrt((earth * np.cos(theta)) ** 2 + height**2 + 2 * earth * height)
    for days in combinations(DAYS, 2):
        stem = "S1AA_{:%Y%m%d}T053551_{:%Y%m%d}T053551_VVP012_INT80_G_ueF_51B6".format(*days)
        for role in ("unw_phase", "corr"):
            write(folder / stem / f"{stem}_{role}.tif", full(0.5))
        text = HYP3_TEXT.format(orbit=orbit, baseline=BASELINES[days[1]] - BASELINES[days[0]], slant=slant)
        (folder / stem / f"{stem}.txt").write_text(text)
    return folder / stem / f"{stem}.txt"


def test_hyp3_parameters_make_baselines_geometry_and_track(tmp_path):
    hyp3(tmp_path)
    stack = read(tmp_path)
    check_baselines(stack)
    assert stack.radar.incidence == pytest.approx(39.0, abs=1e-6)
    # Orbit 35949 of Sentinel-1A is on track 2 by ESA's rule: (35949 - 73) mod 175 + 1.
    assert stack.radar.track == "2" and stack.radar.orbit_direction == "DESCENDING"
    save_stack(tmp_path / "stack.json", stack)
    np.testing.assert_allclose(line_of_sight(tmp_path / "stack.json").vector, look_vector(39.0, -167.9), atol=1e-9)


def test_hyp3_look_vectors_are_read_pixel_by_pixel(tmp_path):
    """HyP3's product guide: lv_theta is the elevation of the satellite, lv_phi its direction, π/2 in the north."""
    hyp3(tmp_path)
    folder, pattern = next(tmp_path.rglob("*_unw_phase.tif")).parent, "_unw_phase.tif"
    first = next(folder.glob(f"*{pattern}"))
    grid = Grid.from_raster(first)
    incidence = np.linspace(30, 45, grid.width) + np.zeros(grid.shape)
    compass = 102.1  # of a satellite in the east-south-east, degrees clockwise from north
    for name, values in (("theta", np.radians(90 - incidence)), ("phi", np.full(grid.shape, np.radians(90 - compass)))):
        path = first.with_name(first.name.replace(pattern, f"_lv_{name}.tif"))
        raster.write(path, grid, values.astype(np.float32), bands=[name], units="rad", long_name=name)
    stack = read(tmp_path)
    save_stack(tmp_path / "stack.json", stack)
    found = line_of_sight(tmp_path / "stack.json").read(next(iter(grid.blocks())), grid)
    np.testing.assert_allclose(found, look_vector(incidence, -167.9), atol=1e-6)


@pytest.mark.parametrize(("heading", "direction"), [(-12.1, "ASCENDING"), (-167.9, "DESCENDING"), (192, "DESCENDING")])
def test_direction_of_old_hyp3_products_is_that_of_the_heading(tmp_path, heading, direction):
    text = hyp3(tmp_path)
    for path in tmp_path.rglob("*.txt"):
        path.write_text(f"Baseline: 1.0\nHeading: {heading}\n")
    assert read(tmp_path).radar.orbit_direction == direction
    text.write_text("Baseline: none\n")
    with pytest.raises(InputError, match="'Baseline: none' is not a number"):
        read(tmp_path)


def test_hyp3_product_of_another_track_is_named(tmp_path):
    odd = hyp3(tmp_path)
    odd.write_text(odd.read_text().replace("Number: 35949", "Number: 35950"))
    with pytest.raises(InputError, match="its track is 3, the other files' is 2") as error:
        read(tmp_path)
    assert odd.stem in str(error.value)


def test_supplied_pairs_stay_unless_the_config_asks_for_the_thresholds(tmp_path):
    hyp3(tmp_path)
    stack = read(tmp_path)
    loose = DeformationSettings(max_temporal_baseline=12)
    assert len(network.choose_pairs(stack, loose)) == 6
    asked = loose.model_copy(update={"threshold_supplied": True})
    assert [p.days for p in network.choose_pairs(stack, asked)] == [12, 12, 12]


def test_longest_baseline_is_the_share_of_the_critical_one():
    """By hand: 0.0555 m · 850 km · tan 39° · 56.5 MHz / c = 7.2 km, of which 2 % are 144 m."""
    radar = Stack("slc", "geotiff", network.Radar(0.0555, 39.0, 850e3, 56.5e6)).radar
    settings = DeformationSettings(max_critical_baseline_fraction=0.02)
    assert network.baseline_limit(radar, settings) == pytest.approx(144.0, rel=2e-3)
    acquisitions = [network.Acquisition(day, "", b) for day, b in zip(DAYS[:2], (0.0, 150.0), strict=True)]
    with pytest.raises(InputError, match="leave no pair"):
        network.choose_pairs(Stack("slc", "geotiff", radar, acquisitions), settings)
    wide = settings.model_copy(update={"max_critical_baseline_fraction": 0.03})
    assert len(network.choose_pairs(Stack("slc", "geotiff", radar, acquisitions), wide)) == 1
