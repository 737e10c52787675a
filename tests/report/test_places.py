"""What the report says to look at first: by one rule, each speed with what it is the mean of."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Point

from helpers.report_samples import GRID
from slipmap.config.run import ExperimentSettings
from slipmap.report import active_areas, headline, landslides, summary
from slipmap.report.sources import Experiment

UNTITLED = {"rs": Experiment("rs", ExperimentSettings(), {})}


def test_places_to_look_at_first_are_what_moves_and_is_new_then_what_moves_then_the_rest():
    """Nine moving landslides, four active areas of which an outline covers one, two landslides that do not move."""
    number = 11
    frame = gpd.GeoDataFrame(
        {
            "landslide": range(1, number + 1),
            "area_m2": 100.0 * np.arange(number, 0, -1),
            "motion": ["moving"] * 9 + ["not observable", "no movement detected"],
            "inventory": ["matched"] * 10 + ["new"],
            "velocity_downslope": 20.0,
            "velocity_downslope_std": 4.0,
            "place": "here",
        },
        geometry=[Point(500000, 5000000)] * number,
        crs=GRID.crs,
    )
    areas = gpd.GeoDataFrame(
        {
            "area": [1, 2, 3, 4],
            "area_m2": 1e4,
            "significance": 8.0,
            "quality": 1,
            "velocity_mean": -9.0,
            "velocity_mean_std": 1.0,
            "downslope_mean": [14.0, 14.0, np.nan, 14.0],
            "downslope_mean_std": 2.0,
            "inventory": ["new", "matched", "matched", "new"],
        },
        geometry=[Point(500000, 5000000)] * 4,
        crs=GRID.crs,
    )
    found = summary.places({"rs": frame}, pd.DataFrame(areas).assign(covered_by_rs=[0, 0.4, 0, 0]), areas)
    assert [p["what"] for p in found] == [f"Active area {n}" for n in (1, 4, 3)] + [
        f"Landslide {n}" for n in range(1, 8)
    ]
    table = pd.DataFrame(areas).assign(covered_by_rs=[0, 0.4, 0, 0])
    assert summary.how_many_move({"rs": frame}, table, 10) == (
        "9 landslides and 3 active areas outside them move; the first 10 are listed here."
    )
    assert found[3]["href"] == "#landslide=1&map=rs" and found[0]["href"] == "#area=1"
    assert found[3]["moves"] == "moving: 20.0 ± 4.0 mm/yr downslope (mean of the outline), 5.0 σ"
    known, lost = found[0], found[2]
    mean = "(mean of the active area)"
    assert known["moves"] == f"moving: 14.0 ± 2.0 mm/yr downslope {mean}, up to 8 × the noise around it"
    assert lost["moves"] == f"moving: −9.0 ± 1.0 mm/yr in the line of sight {mean}, up to 8 × the noise around it"
    assert "1.00 ha, not in the inventory, outlined by no map" in known["why"] and ", in the inventory" in lost["why"]
    alone = summary.places({"rs": frame}, None, None)
    assert [p["what"] for p in alone[-2:]] == [
        "Landslide 9",
        "Landslide 11",
    ]  # what the inventory lacks before the rest
    assert alone[-1]["moves"] == "no movement detected"
    apart = areas[:1].assign(downslope_mean=-14.0, velocity_mean=[18.0])
    (only,) = summary.places({}, pd.DataFrame(apart), apart)  # no map, and motion against the slope
    assert only["why"] == "1.00 ha, not in the inventory, series very good"
    assert only["moves"].startswith("moving: 18.0 ± 1.0 mm/yr in the line of sight (mean of the active area), which is")


def test_an_active_area_is_told_with_its_landslide_by_one_speed_and_by_the_factor_of_its_projection():
    """The mean of landslide 1 shows nothing, that of active area 7 in it does; area 8 is told with no outline."""
    frame = gpd.GeoDataFrame(
        {
            "landslide": [1, 2, 3],
            "area_m2": [100.0, 900.0, 800.0],
            "motion": ["moves in part", "moving", "moves slowly"],
            "motion_by": ["active area", "mean velocity", "mean velocity"],
            "inventory": ["new", "matched", "new"],
            "velocity_downslope": [5.0, 12.84, 3.24],
            "velocity_downslope_std": [4.0, 2.04, 1.56],
            "active_area": ["7", None, None],
            "active_share": [0.4, np.nan, np.nan],
            "active_velocity": [40.3, np.nan, np.nan],
            "active_velocity_std": [4.1, np.nan, np.nan],
            "place": "here",
        },
        geometry=[Point(500000, 5000000)] * 3,
        crs=GRID.crs,
    )
    areas = gpd.GeoDataFrame(
        {
            "area": [7, 8], "area_m2": [50.0, 60.0], "significance": 8.0, "quality": 1, "inventory": "matched",
            "velocity_mean": [-10.8, -9.0], "velocity_mean_std": 1.0, "downslope_mean": [40.3, 14.0],
            "downslope_mean_std": [4.1, 2.0],
        },
        geometry=[Point(500000, 5000000)] * 2,
        crs=GRID.crs,
    )  # fmt: skip
    table = active_areas.numbers(areas, {"rs": frame})
    assert table["landslides_rs"].fillna("none").tolist() == ["1", "none"]
    found = summary.places({"rs": frame}, table, areas)
    assert [p["what"] for p in found] == ["Landslide 1", "Landslide 2", "Active area 8", "Landslide 3"]
    assert found[0]["moves"] == (
        "moves in part: 40.3 ± 4.1 mm/yr downslope, 10.8 in the line of sight × 3.7 (mean of active area 7; "
        "40\u202f% of it is active)"
    )
    assert found[1]["moves"].endswith("12.8 ± 2.0 mm/yr downslope (mean of the outline), 6.4 σ"), "of the numbers shown"
    assert found[3]["moves"] == "may move slowly: 3.2 ± 1.6 mm/yr downslope (mean of the outline), 2.0 σ"
    assert summary.how_many_move({"rs": frame}, table, 4).startswith(
        "2 landslides and 1 active area outside them move; all"
    )
    card = headline.cards(SimpleNamespace(grid=GRID, experiments=UNTITLED), {"active_areas": table}, {"rs": frame})[2]
    assert card["value"] == "1" and card["detail"].endswith(
        "2 move in all, 1 of them by an active area, 1 by mean velocity, 0 by both; 1 more may move slowly, by mean "
        "velocity alone; 2 active areas: 1 in outlines, 1 outside them"
    )


def test_motion_that_is_not_downslope_is_no_stillness():
    kinds = ["no movement detected", "moves slowly", "moves, not downslope", "moves, not downslope"]
    frame = gpd.GeoDataFrame(
        {
            "landslide": [1, 2, 3, 4],
            "area_m2": [900.0, 800.0, 200.0, 300.0],
            "motion": kinds,
            "velocity_mean": 20.0,
            "velocity_std": 4.4,
            "place": "here",
        },
        geometry=[Point(500000, 5000000)] * 4,
        crs=GRID.crs,
    )
    card = headline.cards(SimpleNamespace(grid=GRID, experiments=UNTITLED), {}, {"rs": frame})[1]
    assert card["value"] == "0" and card["detail"] == (
        "2 move, but not downslope; 1 moves slowly; 1 without movement detected; 0 the radar cannot tell"
    )
    found = summary.places({"rs": frame}, None, None)
    assert [place["what"] for place in found][:2] == ["Landslide 4", "Landslide 3"]
    assert found[0]["moves"] == (
        "moves 20.0 ± 4.4 mm/yr in the line of sight (mean of the outline), which is not downslope"
    )


def test_moving_landslides_come_first_then_new_ones():
    frame = gpd.GeoDataFrame(
        {
            "landslide": [1, 2, 3, 4, 5],
            "area_m2": [900.0, 100.0, 200.0, 300.0, 800.0],
            "motion": ["not observable", "moving", "moving", "no movement detected", "not observable"],
            "inventory": ["matched", "matched", "matched", "new", "matched"],
        },
        geometry=[Point(0, 0)] * 5,
    )
    assert landslides.first_to_look_at(frame)["landslide"].tolist() == [3, 2, 4, 1, 5]
