"""The alarm for maps that are no probabilities, and classes that training never saw."""

import json

import numpy as np
import pytest
from rasterio.transform import from_origin

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction import unseen, usable

GRID = Grid("EPSG:32632", from_origin(5e5, 5e6, 10, 10), 100, 80)


def judged(folder, probability, threshold=0.5, tests=(), rocks=None, statistics=()):
    """What `usable.run` finds of a map given as an array."""
    raster.write(folder / "p.tif", GRID, probability.astype(np.float32), bands=["p"], units="1", long_name="p")
    found = np.where(np.isfinite(probability), probability >= threshold, 255).astype(np.uint8)
    raster.write(folder / "c.tif", GRID, found, bands=["c"], units="1", long_name="c", dtype="uint8")
    record = {"statistics": Statistics("zscore", tuple(statistics)).as_dict(), "bands": [b.name for b in statistics]}
    (folder / "model.json").write_text(json.dumps(record))
    paths = []
    for number, test in enumerate(tests):
        paths.append(folder / f"test{number}.json")
        paths[-1].write_text(json.dumps(test))
    factors = {"lithology": rocks} if rocks else {}
    return usable.run(
        folder / "p.tif", folder / "c.tif", factors, folder / "model.json", paths, "best", folder / "usable.json"
    )


def scored(brier, share, chosen="platt"):
    counts = {"true_positive": share, "false_positive": 0, "false_negative": 0, "true_negative": 1000 - share}
    return {
        "calibration_chosen": chosen,
        "calibration": {chosen: {"brier": brier}, "none": {"brier": 0.9}},
        "counts": counts,
    }


@pytest.fixture
def good():
    """2 % of the ground likely to be landslide, the rest not; some unknown."""
    p = np.random.default_rng(0).beta(0.5, 8, GRID.shape)
    p[:10, :16] = 0.85
    p[-1] = np.nan
    return p


def test_a_good_map_raises_no_alarm(tmp_path, good):
    record = judged(tmp_path, good, tests=[scored(0.01, 20)])
    assert record["usable"] and record["alarms"] == []
    known = good[np.isfinite(good)]
    assert record["outlined"] == pytest.approx((known >= 0.5).mean())
    assert record["range"] == pytest.approx(np.quantile(known, (0.001, 0.999)), abs=2e-3)
    assert record["brier_skill"] == pytest.approx(1 - 0.01 / (0.02 * 0.98))
    assert json.loads((tmp_path / "usable.json").read_text()) == record


@pytest.mark.parametrize(
    ("change", "tests", "alarm"),
    [
        (lambda p: p * 0.05, (), "all but blank"),
        (lambda p: 0.9 + p * 0.05, (), "of the ground is outlined"),
        (lambda p: p * 0.5, (), "nothing is outlined"),
        (lambda p: p, [scored(0.025, 20)], "no better than one number"),
        (lambda p: p, [scored(0.01, 20), scored(0.035, 20)], "no better than one number"),  # mean over seeds
    ],
)
def test_each_kind_of_useless_map_is_told(tmp_path, good, change, tests, alarm):
    record = judged(tmp_path, change(good), tests=tests)
    assert not record["usable"] and any(alarm in sentence for sentence in record["alarms"])


def test_rocks_that_training_never_saw_have_a_share_and_a_name(tmp_path, good):
    rock = np.ones(GRID.shape, np.uint8)
    rock[:8], rock[8:12], rock[12:13] = 2, 3, 255
    names = {1: "marl", 2: "basalt", 3: "tuff"}
    raster.write(
        tmp_path / "lithology.tif", GRID, rock, bands=["r"], units="1", long_name="r", dtype="uint8", categories=names
    )
    band = BandStatistics(
        "lithology", "categorical", classes={1: "marl", 3: "tuff"}, class_pixels={1: 900}, count=900
    )  # tuff is named by the training area and has no pixel on training ground
    record = judged(tmp_path, good, rocks=tmp_path / "lithology.tif", statistics=[band])
    known = (rock != 255).sum()
    assert {row["class"]: row["share"] for row in record["unseen"]} == {"basalt": 800 / known, "tuff": 400 / known}
    assert (
        "basalt (10.1%), tuff (5.1%)" in record["unseen_said"]
        and "15.2% of the ground (lithology)" in record["unseen_said"]
    )
    assert record["usable"]  # the rest of the map is
    assert unseen.said([]) == ""
