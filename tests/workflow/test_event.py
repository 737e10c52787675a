"""The event map and what is new, through the workflow: a simulated storm, and the target `latest` after a run."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pytest

from benchmarks.event import auroc
from helpers.workflow_runs import snakemake, write_config
from slipmap.config.layout import Results
from slipmap.event import track
from slipmap.io import raster
from slipmap.simulator.event import NEW

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


@pytest.mark.slow
def test_raw_products_of_two_polarisations_become_the_event_map(tmp_path):
    """VV and VH of the same products, geocoded: what changed is what the simulator changed, in either of them."""
    simulate = {"seed": 3, "dates": 6, "landslides": 12, "scenes": 1, "inventory": False, "baseline": 5}
    area = {"grid": GRID | {"bounds": [680000, 4880000, 681800, 4881800]}, "factors": {"include": ["slope"]}}
    storm = STORM | {"landslides": 8}
    write_config(tmp_path, {"areas": {"valley": area | {"simulate": simulate | {"sentinel1": "safe", "event": storm}}}})
    answer = snakemake(tmp_path, MADE.event_landslides)
    assert answer.returncode == 0, answer.stdout[-4000:]
    truth = tmp_path / "resources/valley/truth"
    found, true = (gpd.read_file(p) for p in (tmp_path / MADE.event_landslides, truth / "event_landslides.gpkg"))
    assert true.intersects(found.union_all()).mean() >= 0.6 and found.intersects(true.union_all()).mean() >= 0.6
    new, changed = raster.read(truth / "event.tif", None, 1) == NEW, raster.read(truth / "event_backscatter.tif")
    bands = dict(zip(track.BANDS, raster.read(tmp_path / MADE.event_track), strict=True))
    for name, truly in (("vv", changed[0]), ("vh", changed[1])):
        assert np.mean((bands[f"{name}_change"] - truly)[new]) == pytest.approx(0, abs=1.2), name
        assert auroc(np.abs(bands[f"{name}_change_score"]), new, np.ones(new.shape, bool)) > 0.8, name
    assert np.corrcoef(bands["vv_change"][new], changed[0][new])[0, 1] > 0.7, "it rises in some and falls in others"
    assert json.loads((tmp_path / MADE.event_record).read_text())["tracks"]["own"]["polarisations"] == ["VV", "VH"]
