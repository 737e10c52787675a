"""The event map and what is new, through the workflow: a simulated storm, and the target `latest` after a run."""

import json
import shutil

import geopandas as gpd
import pytest

from helpers.workflow_runs import snakemake, write_config
from slipmap.config.layout import Results
from slipmap.io import raster

GRID = {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [680000, 4880000, 681600, 4881600]}
STORM = {"date": "2021-03-25", "landslides": 6}
MADE = Results("valley")


def config(**more):
    simulate = {"seed": 3, "dates": 5, "landslides": 12, "scenes": 1, "inventory": False, "event": STORM}
    factors = {"include": ["slope", "ndvi_change", "event_significance", "vh_change"]}
    return {"areas": {"valley": {"grid": GRID, "simulate": simulate, "factors": factors, **more}}}


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storm")
    write_config(folder, config())
    answer = snakemake(folder, MADE.event_landslides, MADE.factor("event_significance"), MADE.factor("vh_change"))
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder


def test_the_night_after_the_rain_needs_no_interferogram(storm):
    assert not (storm / MADE.unwrapped_interferograms).exists() and not (storm / MADE.velocity).exists()
    found = gpd.read_file(storm / MADE.event_landslides)
    true = gpd.read_file(storm / "resources/valley/truth/event_landslides.gpkg")
    assert true.intersects(found.union_all()).mean() >= 0.5
    for name, units in (("event_significance", "1"), ("vh_change", "dB")):
        with raster.rasterio.open(storm / MADE.factor(name)) as source:
            assert source.descriptions == (name,) and source.units == (units,)
    assert json.loads((storm / MADE.event_record).read_text())["tracks"]["own"]["polarisations"] == ["VV", "VH"]


def test_latest_ends_with_what_is_new_and_a_run_that_is_no_earlier_one_is_told_at_once(storm):
    write_config(storm, config(changes={"earlier": "earlier"}))
    answer = snakemake(storm, "--dry-run", "latest")
    assert "areas.valley.changes.earlier: there is no grid.json in earlier; give the folder" in answer.stdout
    write_config(storm, config())
    answer = snakemake(storm, MADE.active_areas)
    assert answer.returncode == 0, answer.stdout[-4000:]
    shutil.copytree(storm / MADE.folder, storm / "earlier")
    write_config(storm, config(changes={"earlier": "earlier"}))
    answer = snakemake(storm, MADE.changes)
    assert answer.returncode == 0, answer.stdout[-4000:]
    record = json.loads((storm / MADE.changes_record).read_text())
    assert "no image since the earlier run" in record["reduced"][0]
    answer = snakemake(storm, "--dry-run", "latest")
    assert answer.returncode == 0 and "report" in answer.stdout
