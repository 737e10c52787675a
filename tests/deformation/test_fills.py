"""Fill values that nobody declares, units that are said, and passes of two tracks: refused before they become a map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.interferogram_samples import DAYS, PAIRS, SHAPE, hyp3, licsar, phase, read, tif
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import ready_velocity
from slipmap.errors import InputError
from slipmap.inputs.contract import repeated_value

ROUGH = np.random.default_rng(1).normal(0, 2, SHAPE).astype(np.float32)


def with_corner(values, fill):
    changed = values.copy()
    changed[:4, :4] = fill
    return changed


def convert(folder):
    settings = Sentinel1Settings(level="velocity", path=str(folder))
    ready_velocity.convert(settings, folder.with_name("out.tif"))


@given(st.floats(-1e6, 1e6, width=32), st.integers(0, 2**32 - 1), st.integers(21, 80))
def test_a_value_repeated_in_a_corner_is_found(fill, seed, count):
    values = np.random.default_rng(seed).normal(0, 5, 2000).astype(np.float32)
    assert repeated_value(values) is None
    values[:count] = fill
    assert repeated_value(values) == np.float32(fill)


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
def test_rounded_measurements_have_no_fill(step):
    values = np.random.default_rng(2).normal(0, 6, 5000)
    assert repeated_value(np.round(values / step) * step) is None


@pytest.mark.parametrize("fill", [100.0, 255.0, -1.0, -9.0, 1.0])
def test_fills_of_phases_that_look_like_phases(tmp_path, fill):
    for days, path in licsar(tmp_path).items():
        tif(path, with_corner(phase(*days) + ROUGH, fill))
    with pytest.raises(InputError, match=rf"unw\.tif: many of its phases are exactly {fill:g}, .*a_nodata {fill:g}"):
        read(tmp_path)
    for days, path in licsar(tmp_path).items():
        tif(path, with_corner(phase(*days) + ROUGH, fill), nodata=fill)
    assert len(read(tmp_path).pairs) == len(PAIRS)


@pytest.mark.parametrize("unit", ["degrees", "m", "mm", "cycles"])
def test_phases_in_another_unit(tmp_path, unit):
    for path in licsar(tmp_path, units=(unit,)).values():
        cc = path.with_name(path.name.replace(".unw.", ".cc."))
        tif(cc, np.full(SHAPE, 0.8, np.float32))
    with pytest.raises(InputError, match=rf"unw\.tif: its unit is '{unit}', not radians"):
        read(tmp_path)


@pytest.mark.parametrize("unit", ["", "radians", "rad", "Radian"])
def test_phases_in_radians(tmp_path, unit):
    licsar(tmp_path, units=(unit,))
    assert len(read(tmp_path).pairs) == len(PAIRS)


@pytest.mark.parametrize(("largest", "fine"), [(80, False), (100, False), (101, True), (240, True)])
def test_bytes_that_may_be_percent(tmp_path, largest, fine):
    for path in licsar(tmp_path).values():
        tif(path.with_name(path.name.replace(".unw.", ".cc.")), np.full(SHAPE, largest, np.uint8))
    if fine:
        assert len(read(tmp_path).pairs) == len(PAIRS)
    else:
        with pytest.raises(InputError, match=r"cc\.tif: coherence in bytes, none above .* may be percent"):
            read(tmp_path)


@pytest.mark.parametrize(("other", "fine"), [("053606", True), ("054351", False), ("171503", False)])
def test_hyp3_products_without_parameters_tell_their_pass_by_its_time(tmp_path, other, fine):
    def stem(first, second, n):
        time = other if n == 2 else "053541"
        return f"S1AA_{first:%Y%m%d}T{time}_{second:%Y%m%d}T{time}_VVP012_INT80_G_ueF_A1{n:02d}"

    hyp3(tmp_path, stem)
    if fine:
        assert len(read(tmp_path).pairs) == len(PAIRS)
    else:
        with pytest.raises(
            InputError, match=rf"it was taken at {other[:2]}:{other[2:4]} UTC, .*05:35, on another track"
        ):
            read(tmp_path)


@pytest.mark.parametrize(
    ("heading", "center", "sentence"),
    [("347", "63000", "its heading is 347"), ("193.4", "20000", "05:33"), ("193.2", "63025.5", "")],
)
def test_gamma_images_of_two_tracks(tmp_path, heading, center, sentence):
    for first, second in PAIRS:
        stem = f"{first:%Y%m%d}-{second:%Y%m%d}_utm"
        tif(tmp_path / f"{stem}_unw.tif", phase(first, second))
        tif(tmp_path / f"{stem}_cc.tif", np.full(SHAPE, 0.8, np.float32))
    for n, day in enumerate(DAYS):
        mine, time = (heading, center) if n == 3 else ("193.0", "63000.0")
        (tmp_path / f"{day:%Y%m%d}_slc.par").write_text(
            f"radar_frequency: 5.405e9 Hz\nincidence_angle: 39 degrees\nheading: {mine} degrees\n"
            f"center_time: {time} s\ncenter_range_slc: 850000 m\n"
        )
    if not sentence:
        assert len(read(tmp_path).pairs) == len(PAIRS)
    else:
        with pytest.raises(InputError, match=rf"{DAYS[3]:%Y%m%d}_slc\.par: .*{sentence}"):
            read(tmp_path)


@pytest.mark.parametrize("fill", [-999.0, 9999.0, 255.0, 0.0])
def test_fills_of_velocities(tmp_path, fill):
    path = tif(tmp_path / "v" / "v.tif", with_corner(10 * ROUGH, fill), units=("mm/yr",))
    with pytest.raises(InputError, match=rf"v\.tif: .* of its velocities are exactly {fill:g}"):
        convert(path.parent)
    tif(path, with_corner(10 * ROUGH, fill), units=("mm/yr",), nodata=fill)
    convert(path.parent)


@pytest.mark.parametrize("fill", [0, -999])
def test_fills_of_velocities_in_whole_numbers(tmp_path, fill):
    stored = np.round(np.random.default_rng(3).normal(0, 2000, (60, 60))).astype(np.int16)
    path = tif(tmp_path / "v" / "v.tif", stored, units=("mm/yr",), scales=(0.01,))
    convert(path.parent)
    stored[:20, :20] = fill
    tif(path, stored, units=("mm/yr",), scales=(0.01,))
    with pytest.raises(InputError, match=r"v\.tif: .* of its velocities are exactly"):
        convert(path.parent)


@pytest.mark.parametrize("fill", [-9999.0, 0.0, -999.0])
def test_fills_of_egms_rasters(tmp_path, fill):
    path = tmp_path / "v" / "EGMS_L3_E44N28_100km_U_2018_2022_1.tiff"
    tif(path, with_corner(10 * ROUGH, fill), crs="EPSG:3035")
    with pytest.raises(InputError, match="of its velocities are exactly"):
        convert(path.parent)


def test_no_velocity_at_all(tmp_path):
    path = tif(tmp_path / "v" / "v.tif", np.full(SHAPE, np.nan, np.float32), units=("mm/yr",))
    with pytest.raises(InputError, match=r"v\.tif: none of its pixels has a velocity"):
        convert(path.parent)


@pytest.mark.parametrize("said", ["mm/yr", "cm/yr"])
def test_velocities_in_metres_that_say_something_smaller(tmp_path, said):
    path = tif(tmp_path / "v" / "v.tif", ROUGH / 1000, units=(said,))
    with pytest.raises(InputError, match=r"v\.tif: 99% of its velocities are below 0\.1 mm/yr"):
        convert(path.parent)


def test_egms_periods_are_not_mixed(tmp_path):
    for number, period in (("0282", "2018_2022"), ("0283", "2019_2023")):
        path = tmp_path / "v" / f"EGMS_L2b_088_{number}_IW2_VV_{period}_1.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("easting,northing,mean_velocity\n4400050,2800050,-12.5\n4400150,2800050,-3.5\n")
    with pytest.raises(InputError, match=r"L2b, track 88, 2019_2023, .* of L2b, track 88, 2018_2022"):
        convert(tmp_path / "v")
