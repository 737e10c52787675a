"""HyP3's products: extents, names of all three job types, tracks, incidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.interferogram_samples import DAYS, PAIRS, SHAPE, hyp3, phase, read, tif, values
from slipmap.errors import InputError
from slipmap.sentinel1.annotation import burst_identifier, track_of_burst


def gamma(a, b, n):
    return f"S1AA_{a:%Y%m%d}T053541_{b:%Y%m%d}T053540_VVP024_INT80_G_ueF_A1{n:02d}"


def burst(number, swath="IW2"):
    return lambda a, b, n: f"S1_{number}_{swath}_{a:%Y%m%d}_{b:%Y%m%d}_VV_INT80_12{n:02d}"


def multi_burst(track, numbers="000000s1n00-136231s2n02-000000s3n00"):
    return lambda a, b, n: f"S1_{track}_{numbers}_IW_{a:%Y%m%d}_{b:%Y%m%d}_VV_INT80_77{n:02d}"


def old_multi_burst(track):
    return lambda a, b, n: f"S1A_{track}_E053_1_N27_3_E054_1_N27_8_{a:%Y%m%d}_{b:%Y%m%d}_VV_INT80_EA{n:02d}"


@given(cuts=st.lists(st.integers(0, 3), min_size=len(PAIRS), max_size=len(PAIRS)))
@settings(max_examples=12, deadline=None)
def test_extents_on_one_lattice_are_cut_to_the_ground_all_share(tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("hyp3")
    hyp3(folder, gamma, cut=lambda n: cuts[n])
    stack = read(folder)
    found, coherence, grid = values(stack)
    most = max(cuts)
    assert grid.shape == (SHAPE[0] - most, SHAPE[1] - most)
    assert (grid.transform.c, grid.transform.f) == (500000 + 50 * most, 5000000 - 50 * most)
    for pair, array in zip(stack.pairs, found, strict=True):
        np.testing.assert_array_equal(array, phase(pair.reference, pair.secondary)[most:, most:])
    np.testing.assert_allclose(coherence, 0.8)


def test_that_extents_differ_is_said_once_however_often_a_stack_is_looked_at(tmp_path, capsys):
    for name in ("one", "two"):
        hyp3(tmp_path / name, gamma, cut=lambda n: n % 2)
    for name in ("one", "two", "one", "two", "one"):
        read(tmp_path / name)
    assert capsys.readouterr().out.count("extents of the interferograms differ") == 2


@pytest.mark.parametrize("suffix", ["_clip", "_clipped", ""])
@pytest.mark.parametrize("stem", [gamma, burst(136231), multi_burst("064"), old_multi_burst("064")])
def test_names_of_all_job_types_and_of_clipped_products(tmp_path, stem, suffix):
    hyp3(tmp_path, stem, suffix=suffix)
    stack = read(tmp_path)
    assert stack.format == "hyp3" and {(p.reference, p.secondary) for p in stack.pairs} == set(PAIRS)
    assert stack.radar.track == ("" if stem is gamma else "64")


def test_a_clipped_product_goes_before_the_whole_one_beside_it(tmp_path):
    hyp3(tmp_path, gamma)
    hyp3(tmp_path, gamma, suffix="_clipped", cut=lambda n: 2)
    assert values(read(tmp_path))[2].shape == (SHAPE[0] - 2, SHAPE[1] - 2)


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (multi_burst("064"), multi_burst("071"), "its track is 7?64|its track is 71"),
        (old_multi_burst("064"), old_multi_burst("137"), "its track is 137"),
        (burst(136231), burst(151231), "its track is 71"),
        (burst(136231), burst(136240), "its burst is 136240_IW2"),
        (multi_burst("064"), multi_burst("064", "000000s1n00-136250s2n02-000000s3n00"), "its burst is"),
    ],
)
def test_two_tracks_or_two_bursts_in_one_folder_are_refused(tmp_path, one, other, says):
    hyp3(tmp_path / "a", one, PAIRS[:5])
    hyp3(tmp_path / "b", other, PAIRS[5:])
    with pytest.raises(InputError, match=says):
        read(tmp_path)


@pytest.mark.parametrize("track", [1, 2, 64, 71, 146, 175])
@pytest.mark.parametrize("time", [300.0, 2900.0, 5600.0])
def test_track_of_a_burst_number_is_the_one_it_was_made_of(track, time):
    assert track_of_burst(burst_identifier(time, track)) == track


def test_track_next_to_the_node_is_not_told():
    assert track_of_burst(burst_identifier(1.0, 64)) is None


ORBITS = [("S1A", 36064, 117), ("S1C", 1681, 110), ("S1C", 8018, 147), ("S1C", 8019, 46), ("S1D", 2389, 73)]


@pytest.mark.parametrize(("satellite", "orbit", "track"), ORBITS)
def test_tracks_of_the_satellites(tmp_path, satellite, orbit, track):
    """S1C of orbit 1681, 8018 and 8019 by sentineleof's tests; S1D of orbit 2389 by its manifest (s1-reader#151)."""
    text = f"Reference Granule: {satellite}_IW_SLC__1SDV_20210109T053541_x\nReference Orbit Number: {orbit}\n"
    hyp3(tmp_path, gamma, text=text)
    assert read(tmp_path).radar.track == str(track)


@pytest.mark.parametrize("beside", ["README.txt", "AAA.txt", "S1AA_20210109_20210121.README.md.txt"])
def test_other_text_files_do_not_hide_the_parameters(tmp_path, beside):
    hyp3(tmp_path, gamma, text="Baseline: 12.5\nHeading: -12.5\nSlant range center: 880000\n")
    for folder in tmp_path.iterdir():
        (folder / beside).write_text("Heading: 99\nFetched on a rainy day.\n")
    stack = read(tmp_path)
    assert stack.radar.heading == -12.5 and stack.pairs[0].perpendicular_baseline == 12.5


@pytest.mark.parametrize("incidence", [31.0, 39.0, 45.5])
def test_incidence_of_burst_products_is_that_of_their_look_vector(tmp_path, incidence):
    hyp3(tmp_path, burst(136231), text="Baseline: 10.0\nHeading: -167.2\n")
    product = burst(136231)(*PAIRS[0], 0)
    elevation = np.full(SHAPE, np.radians(90 - incidence), np.float32)
    elevation[0] = 0  # beside the swath
    tif(tmp_path / product / f"{product}_lv_theta.tif", elevation)
    radar = read(tmp_path).radar
    assert radar.incidence == pytest.approx(incidence, abs=1e-4) and radar.orbit_direction == "DESCENDING"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_products_that_are_still_packed(tmp_path, count):
    for n, days in enumerate(PAIRS[:count]):
        (tmp_path / f"{gamma(*days, n)}.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"A100\.zip is a zip, and no other file there is of a known format; unpack"):
        read(tmp_path)


def test_a_look_vector_in_degrees_is_refused(tmp_path):
    hyp3(tmp_path, burst(136231))
    product = burst(136231)(*PAIRS[0], 0)
    tif(tmp_path / product / f"{product}_lv_theta.tif", np.full(SHAPE, 51.0, np.float32))
    with pytest.raises(InputError, match=r"lv_theta\.tif: it has angles up to 51, .*degrees, where radians"):
        read(tmp_path)


@pytest.mark.parametrize(("line", "says"), [("Heading: north", "is not a number"), ("Heading: 5000", "cannot be")])
def test_parameters_that_cannot_be(tmp_path, line, says):
    hyp3(tmp_path, gamma, text=line + "\n")
    with pytest.raises(InputError, match=says):
        read(tmp_path)


def test_products_without_georeference_are_told_to_geocode(tmp_path):
    from affine import Affine

    for n, days in enumerate(PAIRS):
        product = gamma(*days, n)
        for role in ("unw_phase", "corr"):
            tif(tmp_path / product / f"{product}_{role}.tif", phase(*days) / 9, place=Affine.identity(), crs=None)
    with pytest.raises(InputError, match=r"radar coordinates: .*geocoded products") as error:
        read(tmp_path)
    assert f"{DAYS[0]:%Y%m%d}" in str(error.value)
