"""Active areas in the report: what it says of them, a layer of its maps, and what networks and inventory say."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, box

from helpers.report_samples import GRID, build_report, run_settings, write_area


def test_active_areas_stand_in_the_report_with_what_networks_and_inventory_say_of_them(tmp_path):
    """One area on the first landslide, of which a map covers a known share, and one on still ground."""
    write_area(tmp_path)
    t = GRID.transform
    outlines = [box(*t @ (30, 40), *t @ (40, 20)), box(*t @ (5, 10), *t @ (10, 5))]
    spread = {f"{name}{end}": [-12.5, 8.0] for name in ("velocity_mean", "velocity_max") for end in ("", "_std")}
    frame = gpd.GeoDataFrame(
        {
            "area": [1, 2],
            "area_m2": [20000.0, 2500.0],
            "significance": [9.0, 6.0],
            "quality": [1, 4],
            "trend": ["linear", None],
        }
        | spread
        | {"downslope_mean": [25.0, np.nan], "downslope_mean_std": [2.0, np.nan], "inventory": ["matched", "new"]},
        geometry=[MultiPolygon([one]) for one in outlines],
        crs=GRID.crs,
    )
    frame.to_file(tmp_path / "results" / "valley" / "deformation" / "active_areas.gpkg", layer="active_areas")
    page_path = tmp_path / "report" / "index.html"
    build_report(run_settings(), tmp_path, page_path)
    page = page_path.read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", page)
    table = pd.read_csv(tmp_path / "report" / "tables" / "active_areas.csv")
    assert "2 active areas." in text and "1 share ground with the inventory." in text
    assert "25.0 ± 2.0" in text and "very good" in text and '"id":"active_areas"' in page
    drawn = gpd.read_file(
        tmp_path / "results" / "valley" / "maps" / "rs" / "landslides.gpkg", layer="landslides"
    ).union_all()
    assert table["covered_by_rs"][0] == pytest.approx(drawn.intersection(outlines[0]).area / 20000)
