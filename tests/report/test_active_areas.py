"""Active areas in the report: what it says of them, a layer of its maps, and what networks and inventory say."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, box

from helpers.report_samples import GRID, build_report, run_settings, write_area
from slipmap.config.motion import ActiveAreaSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import active_areas
from slipmap.report.active_truth import compare


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
    item = re.search(r'"noun":"Active area".*?"items":\[\{.*?"values":(\[.*?\])', page, re.S)[1]
    assert "45.15" in item and "° N, 9.00" in item and ",2.0," in item  # where it is, and 2 hectares
    assert " 2.00 " in text.partition("Area, ha")[2] and " 0.25 " in text.partition("Area, ha")[2]
    assert "25.0 ± 2.0" in text and "very good" in text and '"id":"active_areas"' in page
    drawn = gpd.read_file(
        tmp_path / "results" / "valley" / "maps" / "rs" / "landslides.gpkg", layer="landslides"
    ).union_all()
    assert table["covered_by_rs"][0] == pytest.approx(drawn.intersection(outlines[0]).area / 20000)


def test_a_table_that_leaves_areas_out_says_how_many_it_has():
    one = {"area_m2": 1e4, "quality": 1, "trend": "linear"}
    one |= {f"{k}{end}": 1.0 for k in ("velocity_mean", "velocity_max", "downslope_mean") for end in ("", "_std")}
    for count, said in ((40, True), (active_areas.MOST, False)):
        found = active_areas.section(pd.DataFrame([{"area": n} | one for n in range(count)]), ActiveAreaSettings())
        assert (f"12 of {count} shown" in " ".join(found["text"])) == said and len(found["table"]["rows"]) == 12


def test_areas_are_counted_one_for_one_against_the_truth(tmp_path):
    """Five landslides, two of which touch, one slow and one still; four areas, one on nothing, two on one landslide."""
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 502000, 5001000))
    squares = [(0, 0, 100), (100, 0, 100), (400, 0, 150), (700, 0, 100), (1000, 0, 100)]
    shapes = [box(500000 + x, 5000000 + y, 500000 + x + side, 5000000 + y + side) for x, y, side in squares]
    moving = [True, True, True, True, False]
    gpd.GeoDataFrame({"moving": moving}, geometry=shapes, crs=grid.crs).to_file(tmp_path / "landslides.gpkg")
    velocity = np.zeros(grid.shape, np.float32)
    for (x, _, side), rate in zip(squares, (-30, -30, -20, -8, 0), strict=True):
        velocity[-side // 10 :, x // 10 : (x + side) // 10] = rate
    raster.write(tmp_path / "v.tif", grid, velocity, bands=["velocity"], units="mm/yr", long_name="velocity")
    areas = [box(500000, 5000000, 500150, 5000100), box(500400, 5000000, 500475, 5000150)]
    areas += [box(500480, 5000000, 500500, 5000050), box(501500, 5000500, 501600, 5000600)]
    table = compare(gpd.GeoDataFrame(geometry=areas, crs=grid.crs), tmp_path / "landslides.gpkg", tmp_path / "v.tif")
    table = table.set_index("landslides, ha")
    assert list(table.loc["all"])[:4] == [2, 2, 4, 2], "touching ones are one; the second area on one counts for none"
    assert table.loc["all", "median IoU"] == pytest.approx((0.75 + 0.5) / 2)
    assert table.loc["all", "area ratio"] == pytest.approx((15000 + 11250) / (20000 + 22500))
    assert list(table.loc["2 to 4"])[:2] == [2, 2] and table.loc["> 4", "of those found"] == 0
    nothing = compare(gpd.GeoDataFrame(geometry=[], crs=grid.crs), tmp_path / "landslides.gpkg", tmp_path / "v.tif")
    assert nothing.loc[0, "of those found"] == 0 and np.isnan(nothing.loc[0, "median IoU"])
