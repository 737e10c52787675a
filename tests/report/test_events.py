"""The event map, what is new since an earlier run, and the troposphere: said first, shown in Explore, kept in words."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, Polygon, box

from helpers.report_samples import GRID, run_settings, words, write_area
from slipmap.event.landslides import LAYER
from slipmap.io import raster
from slipmap.planning.files import reported_files
from slipmap.report.build import build

EVENT = {
    "tracks": {"valley": {"before": ["2023-05-01"], "after": ["2023-05-13", "2023-05-25"]}},
    "reduced": ["one track: slopes in its layover or shadow are not seen"],
    "looked_at_km2": 0.6,
    "landslides": 2,
    "landslide_area_m2": 26400.0,
    "by_confidence": {"high": 1, "medium": 0, "low": 1},
}
CHANGES = {
    "earlier_last": "2022-01-04",
    "last": "2022-03-05",
    "new_areas": 1,
    "gone_areas": 0,
    "by_change": {"began to move": 1, "no change": 0},
    "new_outlines": {"rs_dr": 3},
    "reduced": ["two dates are new"],
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("event")
    write_area(root)
    results = root / "results" / "valley"
    (results / "event").mkdir()
    (results / "changes").mkdir()
    shapes = [Polygon(box(*GRID.transform @ (30, 40), *GRID.transform @ (40, 20)).exterior)] * 2
    about = {"landslide": [1, 2], "significance": [9.0, 4.0], "confidence": [1, 3], "area_m2": [20000.0, 6400.0]}
    frame = gpd.GeoDataFrame(
        about | {"seen_by": "radar", "inventory": ["new", "matched"]}, geometry=shapes, crs=GRID.crs
    )
    frame.to_file(results / "event/event_landslides.gpkg", layer=LAYER)
    changed = {"area": [7], "change": ["began to move"], "area_m2": [900.0], "significance": [-5.0]}
    changed |= {"velocity_before": [-2.0], "velocity_since": [-22.0], "velocity_change": [-20.0]}
    changed |= {f"velocity_{name}_std": [4.0] for name in ("before", "since", "change")}
    moved = gpd.GeoDataFrame(changed, geometry=[MultiPolygon(shapes[:1])], crs=GRID.crs)
    moved.to_file(results / "changes/changes.gpkg", layer="changes")
    for path, bands in (("event/significance.tif", 3), ("changes/velocity_change.tif", 5)):
        values = np.random.default_rng(0).normal(size=(bands, *GRID.shape)).astype(np.float32)
        names = [f"b{i}" for i in range(bands)]
        raster.write(results / path, GRID, values, bands=names, units="1", long_name="x")
    (results / "event/event.json").write_text(json.dumps(EVENT))
    (results / "changes/changes.json").write_text(json.dumps(CHANGES))
    table = {"troposphere": ["none", "elevation"], "rms_mm": [4.25, 3.125], "used": [False, True]}
    pd.DataFrame(table).to_csv(results / "deformation/troposphere.csv", index=False)
    run = run_settings()
    own = ("event/significance.tif", "event/event_landslides.gpkg", "event/event.json", "deformation/troposphere.csv")
    own += ("changes/changes.gpkg", "changes/changes.json", "changes/velocity_change.tif")
    files = [path for path in reported_files(run, "valley") if (root / path).exists()]
    files += [f"results/valley/{path}" for path in own]
    build(area="valley", run=run, files=files, page=root / "index.html", tables=root / "tables", root=root)
    return (root / "index.html").read_text(encoding="utf-8")


def test_the_event_and_what_is_new_stand_before_the_map(page):
    top = words(page[page.index("<body") : page.index('class="overview"')])
    assert "2 landslides of the event on 2.64 ha: 1 of high confidence, 0 of medium confidence, 1 of low" in top
    assert "before: 2023-05-01; after: 2023-05-13, 2023-05-25" in top and "One track: slopes in its layover" in top
    assert "1 new active area, 0 gone; 1 began to move." in top and "3 landslides outlined by rs_dr are new." in top
    assert "Two dates are new." in top


def test_their_places_are_among_the_first_to_look_at_and_their_sections_in_methods(page):
    first = words(re.search(r'<table id="places">.*?</table>', page, re.S)[0]).split()
    assert first.index("Event") < first.index("moving:")  # before what moves
    assert "map=event%20landslides" in page
    event = words(re.search(r'<section id="event">.*?</section>', page, re.S)[0])
    assert "2 landslides of the event" in event and "in standard deviations of the noise" in event
    new = words(re.search(r'<section id="changes">.*?</section>', page, re.S)[0])
    assert "began to move" in new and "−2.0 ± 4.0" in new and "−22.0 ± 4.0" in new and "−20.0 ± 4.0" in new


def test_explore_has_their_outlines_and_layers(page):
    data = json.loads(re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page, re.S)[1])
    event, new = data["landslides"]["event landslides"], data["landslides"]["changes"]
    named = [dict(zip([f[0] for f in event["fields"]], item["values"], strict=True)) for item in event["items"]]
    assert [one["confidence"] for one in named] == ["high", "low"]
    assert [one["inventory"] for one in named] == ["not in the inventory", "in the inventory"]
    assert new["items"][0]["id"] == 7 and "began to move" in new["items"][0]["values"]
    assert {"event_significance", "velocity_change"} <= {layer["id"] for layer in data["layers"]}
    assert data["chosen"] == "rs_dr"  # the landslides of the last map stay what is outlined at first


def test_the_ways_of_removing_the_troposphere_stand_in_methods(page):
    shown = words(page.partition('id="deformation"')[2])
    assert "Delay in the troposphere" in shown and "3.125" in shown and "4.25" in shown
