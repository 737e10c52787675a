"""Ground that was learnt from is not tested on, whatever the area, the store or the CRS."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from rasterio.warp import transform, transform_bounds

from helpers.patches_areas import area
from slipmap.errors import InputError
from slipmap.patches import apart, checks, ground, store


def test_ground_that_was_learnt_from_is_never_scored(tmp_path):
    """A model of one area is not scored in another that shares ground with it, in whatever CRS that is."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    checks.check_tested([a], [a])
    with pytest.raises(InputError, match=r"'a' and 'b' overlap on the ground.*training and the other test"):
        checks.check_tested([a], [b])
    index = store.read_index(b)
    elsewhere = index.assign(x=index["x"] + 50_000)
    elsewhere.to_parquet(b / "index.parquet", index=False)
    checks.check_tested([a], [b])
    checks.check_stores([a, b])
    x, y = transform("EPSG:32632", "EPSG:32633", index["x"], index["y"])
    index.assign(x=x, y=y, crs="EPSG:32633").to_parquet(b / "index.parquet", index=False)
    for check in (lambda: checks.check_tested([a], [b]), lambda: checks.check_stores([a, b])):
        with pytest.raises(InputError, match="overlap on the ground"):
            check()
    copied = elsewhere[elsewhere["split"] == "test"].assign(digest=store.read_index(a)["digest"].iloc[0])
    pd.concat([elsewhere[elsewhere["split"] != "test"], copied]).to_parquet(b / "index.parquet", index=False)
    assert store.read_index(a)["split"].iloc[0] != "test"
    with pytest.raises(InputError, match="The same image is in two splits"):
        checks.check_tested([a], [b])


def test_distance_of_another_areas_test_ground(tmp_path):
    """Against the distance of boxes in the areas' own CRS, and in the next zone's; a place without CRS is unknown."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    index = store.read_index(b)
    index.assign(x=index["x"] + 9000).to_parquet(b / "index.parquet", index=False)
    boxes = {}
    for name, path, split_name in (("learnt", a, "training"), ("tested", b, "test")):
        rows = store.read_index(path)
        rows = rows[rows["split"] == split_name]
        boxes[name] = shapely.box(rows["x"], rows["y"] - rows["extent_y"], rows["x"] + rows["extent_x"], rows["y"])
    metres = [shapely.distance(boxes["learnt"], tested).min() for tested in boxes["tested"]]
    found = apart.to_training([a], b)
    assert found["median"] == pytest.approx(np.median(metres), rel=2e-3)
    assert found["least"] == pytest.approx(min(metres), rel=2e-3)
    assert f"{found['median']:,.0f} m from training ground" in apart.said(found)
    x, y = transform("EPSG:32632", "EPSG:32633", index["x"] + 9000, index["y"])
    index.assign(x=x, y=y, crs="EPSG:32633").to_parquet(b / "index.parquet", index=False)
    assert apart.to_training([a], b)["median"] == pytest.approx(np.median(metres), rel=0.02)  # boxes turn with the zone
    assert apart.to_training([a, b], b) == {key: pytest.approx(v) for key, v in apart.to_training([b], b).items()}
    index.assign(crs="", x=np.nan).to_parquet(b / "index.parquet", index=False)
    assert apart.to_training([a], b) == {"median": None, "least": None} and apart.said(apart.to_training([], b)) == ""


def test_ground_that_initial_weights_saw_is_not_tested_on(tmp_path):
    """The same division of the area is fine, another one or a neighbour on the same ground is not."""
    a, b = area(tmp_path / "a"), area(tmp_path / "b", seed=1)
    seen = json.loads(json.dumps(apart.learnt_ground([a])))
    index = store.read_index(a)
    own = index[(index["split"] != "test")]
    assert len(seen[0]["bounds"]) == own["block"].nunique() and seen[0]["crs"] == "EPSG:32632"
    assert apart.check_seen(seen, a) == apart.check_seen([], b) == ""
    with pytest.raises(InputError, match=r"initial_weights: they learnt from ground of 'a' that is test ground of 'b'"):
        apart.check_seen(seen, b)
    other = [{**ground, "split": "another seed"} for ground in seen]
    assert apart.check_seen(other, a) == ""  # not the words count but the ground: it is disjoint
    boxes = np.array(other[0]["bounds"]) + np.array([50_000, 0, 50_000, 0])
    assert apart.check_seen([{**other[0], "bounds": boxes.tolist()}], b) == ""
    unknown = [{"area": "elsewhere/seed_0", "split": "", "crs": "", "bounds": []}]
    assert "initial weights learnt from elsewhere/seed_0 of unknown place" in apart.check_seen(unknown, b)


def test_overlap_on_the_ground_is_found_across_crs():
    box = np.array([740_000.0, 5_000_000, 741_280, 5_001_280])
    same = np.array(transform_bounds("EPSG:32632", "EPSG:32633", *box))
    east, beside = same + np.array([5000, 0, 5000, 0]), box + np.array([1280, 0, 1280, 0])
    pairs = ground.overlapping([box, same, east, beside], ["EPSG:32632", *["EPSG:32633"] * 2, ""])
    assert pairs.tolist() == [[0, 1]]
    touching = [box, beside, box + np.array([1270, 0, 1270, 0])]
    assert ground.overlapping(touching, ["EPSG:32632"] * 3).tolist() == [[0, 2], [1, 2]]
    with pytest.raises(InputError, match="'UTM 32' is no coordinate reference system"):
        ground.overlapping([box, same], ["UTM 32", "EPSG:32633"])
