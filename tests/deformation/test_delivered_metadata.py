"""What LiCSAR and GAMMA write beside their interferograms, whole and with holes."""

import shutil

import numpy as np
import pytest

from helpers.interferogram_samples import DAYS, PAIRS, SHAPE, licsar, name, phase, read, tif
from slipmap.deformation import network
from slipmap.deformation.baselines import Baselines
from slipmap.deformation.readers import gamma
from slipmap.deformation.velocity import time_model
from slipmap.errors import InputError

METRES = dict(zip(DAYS, (0.0, 40.0, -25.0, 70.0, 15.0), strict=True))


def baselines(folder, change):
    """LiCSAR's file with one line changed: `change(words)`."""
    lines = [f"{DAYS[0]:%Y%m%d} {day:%Y%m%d} {METRES[day]} {(day - DAYS[0]).days}" for day in DAYS]
    lines[2] = change(lines[2].split())
    (folder / "baselines").write_text("\n".join(lines) + "\n")


HOLES = {
    "third column missing": lambda words: " ".join([words[0], words[1], words[3]]),
    "fourth column missing": lambda words: " ".join(words[:3]),
    "both missing": lambda words: " ".join(words[:2]),
    "nan": lambda words: " ".join([words[0], words[1], "nan", words[3]]),
    "no line": lambda words: "",
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_licsars_baselines_is_unknown(tmp_path, hole):
    licsar(tmp_path)
    baselines(tmp_path, HOLES[hole])
    stack = read(tmp_path)
    for pair in stack.pairs:
        told = DAYS[2] not in (pair.reference, pair.secondary)
        expected = METRES[pair.secondary] - METRES[pair.reference]
        assert pair.perpendicular_baseline == (pytest.approx(expected) if told else None)
    by_date = network.baselines_by_date(stack.pairs)
    assert by_date == {day: None if day == DAYS[2] else pytest.approx(METRES[day]) for day in DAYS}


@pytest.mark.parametrize("word", ["forty", "12e9"])
def test_a_baseline_that_cannot_be_is_named(tmp_path, word):
    licsar(tmp_path)
    baselines(tmp_path, lambda words: " ".join([words[0], words[1], word, words[3]]))
    with pytest.raises(InputError, match="baselines: "):
        read(tmp_path)


def test_a_date_of_unknown_baseline_says_nothing_of_the_dem_error():
    """The fit is that without the date: least squares by hand."""
    rng = np.random.default_rng(3)
    days = [DAYS[0].replace(year=2021 + k // 12, month=k % 12 + 1) for k in range(20)]
    metres = rng.normal(0, 60, 20).tolist()
    series = rng.normal(0, 5, (20, 30))
    given = [*metres[:7], None, *metres[8:]]
    model = time_model(days, baselines=given)
    kept = np.delete(np.arange(20), 7)
    years = np.array([(day - days[0]).days / 365.25 for day in days])
    design = np.stack([np.ones(20), years, metres], axis=1)[kept]
    expected = np.linalg.lstsq(design, series[kept], rcond=None)[0]
    found = model.inverse @ series
    for row, key in enumerate(("offset", "velocity", "dem_error")):
        np.testing.assert_allclose(found[model.names.index(key)], expected[row], rtol=1e-9)


@pytest.mark.parametrize("key", ["heading", "avg_incidence_angle", "centre_range_m"])
@pytest.mark.parametrize("value", ["", " ", "nan", None])
def test_incomplete_metadata_of_licsar_is_unknown(tmp_path, key, value):
    licsar(tmp_path)
    words = {"master": "20210109", "heading": "-169.5", "avg_incidence_angle": "39.2", "centre_range_m": "880000"}
    words |= {key: value}
    (tmp_path / "metadata.txt").write_text("\n".join(f"{k}={v}" for k, v in words.items() if v is not None))
    radar = read(tmp_path).radar
    found = {"heading": radar.heading, "avg_incidence_angle": radar.incidence, "centre_range_m": radar.slant_range}
    assert found == {"heading": -169.5, "avg_incidence_angle": 39.2, "centre_range_m": 880000} | {key: None}


@pytest.mark.parametrize("line", ["heading=south", "avg_incidence_angle=0.68", "centre_range_m=880"])
def test_metadata_that_cannot_be_is_named(tmp_path, line):
    licsar(tmp_path)
    (tmp_path / "metadata.txt").write_text(line + "\n")
    with pytest.raises(InputError, match=r"metadata\.txt: "):
        read(tmp_path)


def test_direction_without_a_heading_is_that_of_the_frame(tmp_path):
    licsar(tmp_path / "175D_12845_111312/interferograms")
    assert read(tmp_path).radar.orbit_direction == "DESCENDING" and read(tmp_path).radar.track == "175D"


PAR = {
    "title": "20210109", "heading": "193.2 degrees", "incidence_angle": "39.0 degrees", "radar_frequency": "5.405e9 Hz",
    "range_samples": "1001", "range_pixel_spacing": "18.6 m", "near_range_slc": "802867.7 m",
    "center_range_slc": "812167.7 m", "far_range_slc": "821467.7 m", "chirp_bandwidth": "5.65e7 Hz",
    "sar_to_earth_center": "7080600.4 m", "earth_radius_below_sensor": "6371577.3 m",
}  # fmt: skip


def gamma_stack(folder, without=(), change=None):
    for days in PAIRS:
        stem = name(*days, "-")
        tif(folder / f"{stem}_utm_unw.tif", phase(*days))
        tif(folder / f"{stem}_utm_cc.tif", np.full(SHAPE, 0.8, np.float32))
        (folder / f"{stem}_base.par").write_text("precision_baseline(TCN): 0.1 15.3 9.8 m m m\n")
    par = {key: value for key, value in (PAR | (change or {})).items() if key not in without}
    (folder / "20210109_slc.par").write_text("\n".join(f"{key}:  {value}" for key, value in par.items()))


@pytest.mark.parametrize("without", [(), ("center_range_slc",), ("center_range_slc", "far_range_slc")])
def test_gammas_middle_range_follows_from_near_and_far(tmp_path, without):
    """The second and third are exact: far is near and (samples - 1) spacings, and the centre is half way."""
    gamma_stack(tmp_path, without)
    stack = read(tmp_path)
    assert stack.format == "gamma" and stack.radar.slant_range == pytest.approx(812167.7)
    satellite, earth, slant = 7080600.4, 6371577.3, 812167.7
    look = np.arccos((satellite**2 + slant**2 - earth**2) / (2 * satellite * slant))
    expected = 15.3 * np.cos(look) - 9.8 * np.sin(look)
    assert {round(p.perpendicular_baseline, 6) for p in stack.pairs} == {round(float(expected), 6)}


def test_gammas_middle_range_on_real_data(real_data, tmp_path):
    source = next((real_data / "mexico_city/slc_par").iterdir())
    whole = gamma.read_radar(source)["slant_range"]
    for gone in (["center_range_slc"], ["center_range_slc", "far_range_slc"]):
        lines = [line for line in source.read_text().splitlines() if line.partition(":")[0] not in gone]
        (tmp_path / "slc.par").write_text("\n".join(lines))
        assert gamma.read_radar(tmp_path / "slc.par")["slant_range"] == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize(
    "without",
    [("heading",), ("incidence_angle",), ("radar_frequency",), ("sar_to_earth_center",),
     ("earth_radius_below_sensor",), ("center_range_slc", "near_range_slc")],
)  # fmt: skip
def test_a_key_that_gamma_does_not_give_is_named(tmp_path, without):
    gamma_stack(tmp_path, without)
    with pytest.raises(InputError, match=rf"20210109_slc\.par: the key {without[0]} is missing"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("heading", "south"), ("incidence_angle", "0.68"), ("radar_frequency", "5.4")]
)
def test_a_key_of_gamma_that_cannot_be_is_named(tmp_path, key, value):
    gamma_stack(tmp_path, change={key: value})
    with pytest.raises(InputError, match=rf"20210109_slc\.par: {key} is"):
        read(tmp_path)


def test_gamma_without_parameter_files_has_no_geometry(tmp_path):
    gamma_stack(tmp_path)
    for path in tmp_path.glob("*.par"):
        path.unlink()
    stack = read(tmp_path)
    assert stack.radar.slant_range is None and stack.pairs[0].perpendicular_baseline is None


@pytest.mark.parametrize("ending", ["unw", "diff", "adf.unw"])
def test_gamma_in_radar_coordinates_is_told_to_geocode(tmp_path, ending):
    for days in PAIRS:
        (tmp_path / f"{name(*days)}.{ending}").write_bytes(phase(*days).tobytes())
    with pytest.raises(InputError, match=r"is in radar coordinates, as gamma writes it: geocode it \(geocode_back"):
        read(tmp_path, level="wrapped" if ending == "diff" else "unwrapped")


def test_mexico_city_is_read_as_before(real_data, tmp_path):
    shutil.copytree(real_data / "mexico_city", tmp_path / "m")
    stack = read(tmp_path / "m")
    assert stack.format == "gamma" and len(stack.pairs) == 30 and not stack.left_out
    assert all(pair.perpendicular_baseline is not None for pair in stack.pairs)
    assert stack.radar.incidence == 39.7036 and stack.radar.orbit_direction == "ASCENDING"


def test_baselines_go_by_way_of_other_dates_and_no_further():
    given = {(DAYS[0], DAYS[1]): 10.0, (DAYS[1], DAYS[2]): -4.0, (DAYS[3], DAYS[4]): 7.0}
    found = Baselines(given)
    assert found.between(DAYS[0], DAYS[2]) == 6.0 and found.between(DAYS[2], DAYS[1]) == 4.0
    assert found.between(DAYS[0], DAYS[3]) is None and found.between(DAYS[0], DAYS[0].replace(year=1999)) is None
