"""A user's first map: a narrow U-Net, eight epochs, a small area. It ranks the ground and shows nothing."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from slipmap.config.prediction import PredictionSettings
from slipmap.config.run import ExperimentSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches import split, store
from slipmap.prediction import map_files, mosaic, usable
from slipmap.training import evaluate, train

SIDE = 192
GRID = Grid.from_bounds("EPSG:32632", 12.5, (5e5, 5e6, 5e5 + 12.5 * SIDE, 5e6 + 12.5 * SIDE))


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """What `usable.run` says of the map without and with the calibration that validation chose, and the test scores."""
    folder, threads = tmp_path_factory.mktemp("small"), torch.get_num_threads()
    torch.set_num_threads(1)
    rng = np.random.default_rng(3)
    seeds = np.zeros((SIDE, SIDE))
    seeds[tuple(rng.integers(4, SIDE - 4, (2, SIDE * SIDE // 700)))] = 1
    landslide = (ndimage.gaussian_filter(seeds, 2.2) > 0.02).astype(np.uint8)  # 2 % of the ground
    raster.write(
        folder / "i.tif", GRID, landslide, bands=["i"], units="1", long_name="i", dtype="uint8", categories={1: "yes"}
    )
    factors = {}
    for name, gain in (("slope", 2.0), ("ndvi", -2.0), ("velocity", 1.0)):
        factors[name] = folder / f"{name}.tif"
        values = 3 * ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 1.5) + gain * landslide
        raster.write(factors[name], GRID, values, bands=[name], units="1", long_name=name)
    split.run(folder / "i.tif", {"block": 32, "buffer": 0}, folder / "split.tif", folder / "blocks.gpkg")
    stores = [folder / "d.zarr"]
    settings = {"size": 32, "stride": 16}
    store.build(list(factors.values()), folder / "i.tif", folder / "split.tif", settings, stores[0], area="small")
    experiment = ExperimentSettings(
        dataset="d",
        train_areas=["small"],
        model={"name": "unet", "options": {"width": 0.125}},
        training={"epochs": 8},
    )
    train.run(stores, None, experiment, 0, folder / "seed_0")
    scored = evaluate.run(stores, folder / "seed_0", folder / "m.json", learnt=stores)
    judged = {}
    for method in ("none", "best"):
        made = map_files.Outputs(*(folder / f"{method}_{kind}.tif" for kind in ("p", "u", "c", "pc")))
        chosen = PredictionSettings(calibration=method)
        mosaic.run(factors, [folder / "seed_0"], GRID, chosen, made, progress=False)
        judged[method] = usable.run(
            made.probability, made.classes, {}, folder / "seed_0/model.json", [folder / "m.json"], method,
            folder / "usable.json",
        )  # fmt: skip
    torch.set_num_threads(threads)
    return judged, scored


def test_the_blank_map_raises_the_alarm_although_its_f1_is_fair(maps):
    judged, scored = maps
    assert scored["pooled_over_pixels"]["f1"] > 0.4 and judged["none"]["range"][1] < 0.05
    assert not judged["none"]["usable"]
    assert "all but blank. Train longer" in judged["none"]["alarms"][0]


def test_with_the_chosen_calibration_it_is_usable(maps):
    """Same pixels outlined, but for the middle of a step; probabilities better than one number for the whole area."""
    judged, scored = maps
    assert scored["calibration_chosen"] not in ("none", "temperature")
    assert judged["best"]["usable"] and judged["best"]["range"][1] > 0.3
    assert judged["best"]["brier_skill"] > 0.2 > judged["none"]["brier_skill"]
    assert judged["best"]["outlined"] == pytest.approx(judged["none"]["outlined"], rel=0.2)
