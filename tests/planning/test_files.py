"""What the rules ask: which files a run makes and reads, from the config alone."""

import pytest

from helpers.report_samples import run_settings
from slipmap.config import parse_config
from slipmap.planning import files

GRID = {"crs": "EPSG:32632", "bounds": [500000, 5000000, 501600, 5001600]}


def run(inputs=None, **more):
    area = {"grid": GRID, **({"inputs": inputs} if inputs else {"simulate": {"seed": 1}})}
    return parse_config({"areas": {"valley": area | more}})


def test_a_velocity_that_is_supplied_has_no_network_and_no_series():
    """A user's velocity is converted; nothing of ours stands behind it."""
    given = run({"sentinel1": {"level": "velocity", "path": "v.tif"}, "dem": "dem.tif"})
    shown = files.reported_files(given, "valley")
    assert "results/valley/deformation/velocity.tif" in shown
    assert not [path for path in shown if "timeseries" in path or "network" in path or "velocity_std" in path]
    assert files.motion_files(given, "valley") == {} and files.beside_velocity(given, "valley") == []


def test_an_area_without_inventory_shows_no_ground_truth():
    """It is mapped: no split, no screening, no scores."""
    shown = files.reported_files(run_settings(inventory=False, experiments=False), "valley")
    assert shown and not [path for path in shown if "inventory" in path or "split" in path or "screening" in path]


def test_a_report_is_given_what_it_shows_once():
    shown = files.reported_files(run_settings(), "valley")
    assert len(shown) == len(set(shown))
    for name in ("rs", "rs_dr"):
        folder = f"results/valley/experiments/{name}/seed_0"
        assert {f"{folder}/model.json", f"{folder}/history.csv", f"{folder}/test_metrics.json"} <= set(shown)
        assert f"results/valley/maps/{name}/class.tif" in shown
    assert "resources/valley/truth/velocity_los.tif" in shown  # of a simulated area


def test_weights_from_elsewhere_are_read_where_they_lie(tmp_path):
    """They came with a record; a history may have been left behind, and nothing of them is made here."""
    seed = tmp_path / "rs" / "seed_0"
    seed.mkdir(parents=True)
    borrowed = run_settings(weights=tmp_path)
    shown = files.reported_files(borrowed, "valley")
    assert f"{seed}/model.json" in shown and f"{seed}/history.csv" not in shown
    assert not [path for path in shown if path.startswith("results/valley/experiments")]
    (seed / "history.csv").write_text("epoch\n")
    assert f"{seed}/history.csv" in files.reported_files(borrowed, "valley")
    assert files.weight_files(borrowed, "rs")[:2] == [f"{seed}/weights.safetensors", f"{seed}/model.json"]


def test_two_tracks_are_combined_from_files_of_both():
    radar = {"sentinel1": {"level": "unwrapped", "path": "stack"}, "dem": "dem.tif"}
    areas = {
        "up": {"grid": GRID, "inputs": radar, "deformation": {"opposite_area": "down"}},
        "down": {"grid": GRID, "inputs": radar},
    }
    both = parse_config({"areas": areas})
    assert files.opposite_files(both, "up") == {
        f"opposite_{role}": f"results/down/deformation/{name}"
        for role, name in (("velocity", "velocity.tif"), ("velocity_std", "velocity_std.tif"), ("stack", "stack.json"))
    }
    made = {area: [path.rpartition("/")[2] for path in files.beside_velocity(both, area)] for area in areas}
    assert made["down"] == ["active_areas.gpkg", "trend.tif", "velocity_downslope.tif"]
    assert made["up"] == [*made["down"], "velocity_vertical.tif", "velocity_east.tif", "velocity_slope_parallel.tif"]


@pytest.mark.parametrize(("names", "constraint"), [([], "none"), (["a"], "a"), ({"a": 1, "b_c": 2}, "a|b_c")])
def test_a_wildcard_lets_its_names_through_and_else_nothing(names, constraint):
    assert files.wildcard(names) == constraint


def test_an_event_map_takes_both_tracks_where_both_have_the_event_and_its_factors_have_their_sources():
    storm = {"date": "2021-05-20", "landslides": 5}
    one = {"grid": GRID, "simulate": {"event": storm}, "deformation": {"opposite_area": "other"}}
    both = parse_config({"areas": {"valley": one, "other": {"grid": GRID, "simulate": {"event": storm, "seed": 2}}}})
    assert files.event_areas(both) == ["valley", "other"]
    found = files.event_files(both, "valley")
    assert found["opposite_track"] == "results/other/event/track.tif" and found["ndvi_change"] and found["slope"]
    assert both.areas["valley"].event.vh == "resources/valley/sentinel1_vh"
    alone = parse_config({"areas": {"valley": one, "other": {"grid": GRID, "simulate": {"seed": 2}}}})
    assert "opposite_track" not in files.event_files(alone, "valley")
    assert files.motion_source("valley", "vv_change") == "results/valley/event/track.tif"
    assert files.motion_source("valley", "event_significance") == "results/valley/event/significance.tif"
    assert files.motion_source("valley", "acceleration") == "results/valley/deformation/kinematics.tif"


def test_what_is_new_takes_the_earlier_run_and_the_maps_of_the_present_one():
    given = run(changes={"earlier": "earlier/valley"})
    assert "earlier/valley/deformation/reference.json" in files.earlier_files(given, "valley")
    assert files.earlier_files(run(), "valley") == [] and files.new_outline_files(given, "valley") == {}
