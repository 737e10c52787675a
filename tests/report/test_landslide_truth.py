"""Outlines against the simulator's landslides: counts that can be seen by eye."""

import geopandas as gpd
from shapely.geometry import box

from slipmap.report import landslide_truth


def test_outlines_are_counted_by_what_they_claim_and_what_is_there(tmp_path):
    """Three true landslides, one of them moving; outlines: on the moving one, on a still one, on nothing, on both."""
    real = gpd.GeoDataFrame(
        {"moving": [True, False, False]},
        geometry=[box(0, 0, 10, 10), box(20, 0, 30, 10), box(40, 0, 50, 10)],
        crs=32632,
    )
    real.to_file(tmp_path / "truth.gpkg", driver="GPKG")
    outlines = gpd.GeoDataFrame(
        {
            "inventory": ["matched", "new", "new", "matched"],
            "motion": ["moving", "no movement detected", "moving", "no movement detected"],
        },
        geometry=[box(5, 5, 12, 12), box(25, 5, 35, 15), box(100, 0, 110, 10), box(5, 5, 25, 9)],
        crs=32632,
    )
    found = landslide_truth.compare({"rs": outlines}, tmp_path / "truth.gpkg")
    assert found.to_numpy().tolist() == [
        ["rs", "all", 4, 3, 2],
        ["rs", "matches the inventory", 2, 2, 2],
        ["rs", "not in the inventory", 2, 1, 0],
        ["rs", "moving", 2, 1, 1],
        ["rs", "no movement detected", 2, 2, 1],
    ]
