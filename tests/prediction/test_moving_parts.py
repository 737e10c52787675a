"""Active areas in outlines, by cases told by hand: a part that moves, a still neighbour, a noisy mean."""

import geopandas as gpd
import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from slipmap.config.prediction import PredictionSettings
from slipmap.io.vector import write_layers
from slipmap.prediction import moving_parts, polygons
from slipmap.prediction.motion import COLUMNS

CRS = 32632
OUTLINE = box(0, 0, 90, 100)


def landslides(kind, downslope=np.nan, deviation=np.nan, outline=OUTLINE):
    table = {"motion": [kind], "velocity_downslope": [downslope], "velocity_downslope_std": [deviation]}
    return gpd.GeoDataFrame(table, geometry=[outline], crs=CRS)


def areas(*outlines, rate=30.0, spread=1.0):
    table = {
        "area": range(1, len(outlines) + 1),
        "downslope_mean": rate,
        "downslope_mean_std": spread,
        "velocity_mean": -0.6 * rate,
        "velocity_mean_std": 0.6 * spread,
    }
    return gpd.GeoDataFrame(table, geometry=[MultiPolygon([one]) for one in outlines], crs=CRS)


def decided(frame, active):
    return moving_parts.with_active_areas(frame, active, 10.0).iloc[0]


THIRD = box(0, 0, 30, 100)


def test_a_third_that_moves_is_no_stillness():
    """Mean of a third at 30 mm/yr and the rest at 0: 10 mm/yr, below two standard deviations of 6."""
    found = decided(landslides("no movement detected", 10.0, 6.0), areas(THIRD))
    assert found["motion"] == "moves in part" and found["motion_by"] == "active area"
    assert found["active_area"] == "1" and found["active_share"] == pytest.approx(1 / 3)
    assert (found["active_velocity"], found["active_velocity_std"]) == (30, 1)
    assert found["motion_because"] == (
        "Active area 1, which covers 33\u202f% of it, moves 30.0 ± 1.0 mm/yr downslope; its own mean velocity alone "
        "shows no motion."
    )


def test_ground_beside_an_active_area_stands_still():
    """An active area that touches it, and a large one of which a corner, a twentieth of the outline, reaches in."""
    for active in (box(90, 0, 200, 100), box(85.5, 0, 400, 100)):
        found = decided(landslides("no movement detected", 1.0, 6.0), areas(active))
        assert found["motion"] == "no movement detected" and found["motion_by"] == ""
        assert pd.isna(found["active_area"]) and pd.isna(found["active_velocity"])
        assert found["motion_because"].endswith("and no active area lies in it.")


def test_a_small_area_inside_a_large_outline_counts():
    """Four hundredths of the outline, all of the area."""
    found = decided(landslides("no movement detected", 1.0, 6.0), areas(box(0, 0, 18, 20)))
    assert found["motion"] == "moves in part" and found["active_share"] == pytest.approx(0.04)


@pytest.mark.parametrize(("rate", "said"), [(30, "moving"), (9.9, "moves slowly")])
@pytest.mark.parametrize("own", ["no movement detected", "moves slowly", "not observable"])
def test_a_noisy_mean_does_not_hide_ground_that_moves(own, rate, said):
    found = decided(landslides(own, 16.8, 10.5), areas(box(0, 0, 45, 100), rate=rate))
    assert found["motion"] == said and "active area" in found["motion_by"]


def test_either_evidence_is_enough_and_both_are_told():
    found = decided(landslides("moving", 20.36, 5.58), areas(box(0, 0, 9, 100)))
    assert (found["motion"], found["motion_by"]) == ("moving", "mean velocity and active area")
    assert found["motion_because"] == (
        "Its mean velocity is 20.4 ± 5.6 mm/yr downslope, 3.6 standard deviations; active area 1, which covers "
        "10\u202f% of it, moves 30.0 ± 1.0 mm/yr downslope."
    )
    found = decided(landslides("moving", 20.36, 5.58), areas())
    assert (found["motion"], found["motion_by"]) == ("moving", "mean velocity")
    upward = decided(landslides("no movement detected", 1, 6), areas(box(0, 0, 50, 100), rate=-20.0))
    assert upward["motion"] == "moves, not downslope" and np.isnan(upward["active_velocity"])
    assert "moves 12.0 ± 0.6 mm/yr in the line of sight, which is not downslope" in upward["motion_because"]


def test_the_area_that_covers_most_comes_first():
    found = decided(landslides("not observable"), areas(box(0, 0, 10, 100), box(20, 0, 50, 100), box(60, 0, 80, 100)))
    assert found["active_area"] == "2, 3, 1" and found["active_share"] == pytest.approx(2 / 3)
    assert found["motion_because"].startswith("Active areas 2, 3 and 1 cover 67\u202f% of it, of which the first moves")


@given(left=st.floats(-200, 200), width=st.floats(1, 300))
@hypothesis.settings(deadline=None)
def test_what_counts_is_a_tenth_of_the_outline_or_half_of_the_area(left, width):
    """Two intervals of a line: 0 to 90, and `left` to `left + width`."""
    common = max(0.0, min(90.0, left + width) - max(0.0, left))
    found = moving_parts.pairs(landslides("moving").geometry, areas(box(left, 0, left + width, 100)).geometry)
    if common > 9.001 or common > 0.501 * width:
        assert found["share"].tolist() == pytest.approx([common / 90])
    elif common < 8.999 and common < 0.499 * width:
        assert not len(found)


def test_landslides_gpkg_tells_the_active_areas_of_each(tmp_path, monkeypatch):
    """The job that outlines landslides reads them; where motion is not told, they still are."""
    frame = landslides("no movement detected", 10.0, 6.0)
    write_layers(tmp_path / "active.gpkg", {"active_areas": areas(THIRD)}, geometry_type="MultiPolygon")
    read = moving_parts.read(tmp_path / "active.gpkg")
    silent = moving_parts.with_active_areas(frame[["geometry"]], read, 10.0)
    assert "motion" not in silent and silent["active_area"].tolist() == ["1"]
    assert not set(moving_parts.COLUMNS) & set(COLUMNS)
    for name in ("describe", "kept_by_rules", "outlines", "describe_motion"):
        monkeypatch.setattr(polygons, name, lambda *_: frame)
    monkeypatch.setattr(polygons, "displacement", lambda *_: pd.DataFrame({"landslide": [1]}))
    monkeypatch.setattr(polygons.Grid, "from_raster", lambda *_: None)
    given = {"active_areas": tmp_path / "active.gpkg", "timeseries": ""}
    polygons.run("", {}, None, PredictionSettings(smooth=False), tmp_path / "l.gpkg", given)
    assert gpd.read_file(tmp_path / "l.gpkg", layer="landslides")["motion"].tolist() == ["moves in part"]
