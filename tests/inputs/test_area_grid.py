"""The bounds of an area as people write them: in degrees, in another order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipmap.config.inputs import GridSettings
from slipmap.errors import InputError
from slipmap.inputs.area_grid import decide

SIDES = ("left", "bottom", "right", "top")
ELSEWHERE = ("left right bottom top", "bottom left top right", "bottom top left right", "top left bottom right",
             "left top right bottom", "right bottom left top", "right top left bottom")  # fmt: skip


@pytest.mark.parametrize("order", ELSEWHERE)
@given(
    zone=st.sampled_from(["EPSG:32632", "EPSG:32718"]),
    left=st.integers(300_000, 600_000),
    bottom=st.integers(1_500_000, 9_000_000),
    width=st.integers(500, 40_000),
    height=st.integers(500, 40_000),
)
@settings(max_examples=5, deadline=None)
def test_bounds_in_another_order_are_told_as_such(order, zone, left, bottom, width, height):
    meant = dict(zip(SIDES, (left, bottom, left + width, bottom + height), strict=True))
    written = [meant[side] for side in order.split()]
    with pytest.raises(InputError) as error:
        decide(GridSettings(crs=zone, bounds=written), "areas.valley.grid")
    said = str(error.value)
    assert said.startswith(f"areas.valley.grid.bounds: {written} make no sensible area")
    assert f"in the order {', '.join(order.split())}: give {list(meant.values())}." in said
    decide(GridSettings(crs=zone, bounds=list(meant.values())), "areas.valley.grid")


@pytest.mark.parametrize("resolution", [5, 20, 90])
@pytest.mark.parametrize("bounds", [[11.1, 44.25, 11.25, 44.36], [-78.5, -3.2, -78.4, -3.1], [190.5, 44, 191, 44.5]])
def test_bounds_in_degrees_are_repeated_as_they_were_written(bounds, resolution):
    with pytest.raises(InputError) as error:
        decide(GridSettings(crs="EPSG:32632", resolution=resolution, bounds=bounds))
    assert f"{[float(value) for value in bounds]} look like degrees" in str(error.value)


def test_a_large_area_stands():
    grid = decide(GridSettings(crs="EPSG:32632", resolution=100, bounds=[200000, 4500000, 800000, 5100000]))
    assert grid.shape == (6000, 6000)
