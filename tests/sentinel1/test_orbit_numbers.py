"""Relative orbits of published products, and the manoeuvre of Sentinel-1C."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipmap.sentinel1.orbit_numbers import following, relative_orbit

# Published pairs: (satellite, absolute orbit, relative orbit)
PUBLISHED = [
    ("S1A", 18302, 30),  # S1A_IW_GRDH_1SDV_20170909T175748 (STEP forum, thread 7042)
    ("S1B", 7231, 30),  # S1B_IW_GRDH_1SDV_20170903T175659, the same ground six days before
    ("S1A", 29739, 92),  # S1A_IW_GRDH_1SDV_20191103T003105 (STEP forum)
    ("S1A", 33764, 92),
    ("S1C", 1681, 110),  # sentineleof's test of a real product
    ("S1C", 8018, 147),  # the last before the manoeuvre
    ("S1C", 8019, 46),  # by the rule after it
    ("S1D", 2389, 73),  # of its manifest (isce-framework/s1-reader#151)
]


@pytest.mark.parametrize(("satellite", "absolute", "relative"), PUBLISHED)
def test_published_pairs(satellite, absolute, relative):
    assert relative_orbit(satellite, absolute) == relative
    assert relative_orbit(satellite.lower(), absolute) == relative


def test_what_is_not_known_is_none():
    assert relative_orbit("S1E", 100) is None
    assert relative_orbit("", 100) is None
    assert relative_orbit("S1A", 0) is None


@given(st.sampled_from(["S1A", "S1B", "S1C", "S1D"]), st.integers(8019, 10**6))
def test_one_orbit_later_is_the_next_track_and_a_cycle_later_the_same(satellite, absolute):
    track = relative_orbit(satellite, absolute)
    assert 1 <= track <= 175
    assert relative_orbit(satellite, absolute + 175) == track
    assert following(track) == relative_orbit(satellite, absolute + 1)
