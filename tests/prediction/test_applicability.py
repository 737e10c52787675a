"""Where a network's map applies: from what training kept beside the weights to the rasters."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.training_stores import BANDS, tiny_store
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.patches.store import load_statistics
from slipmap.prediction import applicability
from slipmap.screening.applicability import Outputs
from slipmap.training.ground import write_ground

GRID = Grid.from_bounds("EPSG:32632", 10, (0, 0, 400, 300))


@pytest.fixture
def trained(tmp_path):
    """Weights of a model of slope (10 to 20 degrees in training) and rock (marl 1, tuff 2, never granite 3)."""
    rng = np.random.default_rng(0)
    bands = (
        BandStatistics("slope", mean=15, std=3),
        BandStatistics("rock", kind="categorical", classes={1: "marl", 2: "tuff", 3: "granite"},
                       class_pixels={1: 500, 2: 500}),
    )  # fmt: skip
    record = {"bands": ["slope", "rock"], "statistics": Statistics("zscore", bands).as_dict()}
    (tmp_path / "model.json").write_text(json.dumps(record))
    table = {"fold": np.arange(200) // 20, "slope": rng.uniform(10, 20, 200), "rock": rng.integers(1, 3, 200)}
    pd.DataFrame(table).to_csv(tmp_path / "training_ground.csv", index=False)
    return tmp_path


def mapped(folder, slope, rock, names):
    """The mask of an area whose rocks are numbered by `names`."""
    raster.write(folder / "slope.tif", GRID, slope.astype(np.float32), bands=["slope"], units="degrees", long_name="s")
    raster.write(folder / "rock.tif", GRID, rock.astype(np.uint8), bands=["rock"], units="1", long_name="r",
                 dtype="uint8", categories=names)  # fmt: skip
    p = np.full(GRID.shape, 0.5, np.float32)
    p[0] = np.nan
    raster.write(folder / "p.tif", GRID, p, bands=["p"], units="1", long_name="p")
    outputs = Outputs(folder / "d.tif", folder / "m.tif", folder / "s.json")
    factors = {name: folder / f"{name}.tif" for name in ("slope", "rock")}
    record = applicability.run(factors, folder, folder / "p.tif", outputs)
    return raster.read(folder / "m.tif", bands=1), record


def test_steep_ground_is_outside_and_an_unseen_rock_is_told_by_its_name(trained):
    slope, rock = np.full(GRID.shape, 15.0), np.full(GRID.shape, 7)
    slope[10:20], rock[20:25], rock[25:] = 70, 8, 9
    mask, record = mapped(trained, slope, rock, {7: "tuff", 8: "granite", 9: "basalt"})  # numbered otherwise here
    assert np.isnan(mask[0]).all()  # no map, no judgement
    assert (mask[1:10] == 1).all() and (mask[10:20] == 0).all() and (mask[20:] == 2).all()
    assert record["shares"] == pytest.approx(
        {"inside": 9 / 29, "outside": 10 / 29, "class unseen in training": 10 / 29}
    )
    assert json.loads((trained / "s.json").read_text()) == record


def test_one_model_has_one_threshold_wherever_it_maps(trained):
    rock = np.full(GRID.shape, 1)
    here = mapped(trained, np.full(GRID.shape, 15.0), rock, {1: "marl"})[1]
    there = mapped(trained, np.full(GRID.shape, 70.0), rock, {1: "marl"})[1]
    assert here["threshold"] == there["threshold"] and here["shares"]["inside"] == there["shares"]["outside"] == 1


def test_each_class_of_the_ground_learnt_from_lies_inside(tmp_path):
    """Landslides are 1 % of the ground and told by bareness alone: the model learnt from them all the same."""
    rng = np.random.default_rng(3)
    blocks, size = 16, 64
    slides = np.zeros((blocks, size, size), bool)
    slides[:, 10:16, 10:17] = True
    bare = np.where(slides, rng.uniform(-0.2, 0.5, slides.shape), 0.8 + 0.02 * rng.normal(size=slides.shape))
    slope = 25 + 5 * rng.normal(size=slides.shape)
    images = np.stack([bare, slope], axis=1).astype(np.float32)
    counts = slides.sum((1, 2))
    index = pd.DataFrame({"block": range(blocks), "landslide_pixels": counts, "background_pixels": size**2 - counts})
    patches = Patches(index, images, slides.astype(np.uint8))
    write_ground(patches, tmp_path / "training_ground.csv")
    table = pd.read_csv(tmp_path / "training_ground.csv")
    assert (table.label == 1).sum() == slides.sum()  # as many as there are, up to the limit
    statistics = Statistics(
        "zscore", (BandStatistics("ndvi", mean=0.8, std=0.1), BandStatistics("slope", mean=25, std=5))
    )
    record = {"bands": ["ndvi", "slope"], "statistics": statistics.as_dict()}
    (tmp_path / "model.json").write_text(json.dumps(record))
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 10 * size, 10 * size * blocks))
    for name, values in {"ndvi": bare, "slope": slope, "p": np.full(slides.shape, 0.5)}.items():
        raster.write(tmp_path / f"{name}.tif", grid, values.reshape(grid.shape).astype(np.float32), bands=[name],
                     units="1", long_name=name)  # fmt: skip
    outputs = Outputs(tmp_path / "d.tif", tmp_path / "m.tif", tmp_path / "s.json")
    factors = {name: tmp_path / f"{name}.tif" for name in ("ndvi", "slope")}
    applicability.run(factors, tmp_path, tmp_path / "p.tif", outputs)
    outside = raster.read(outputs.mask, bands=1).reshape(slides.shape) != 1
    assert outside[slides].mean() < 0.05 and outside[~slides].mean() < 0.05


class Patches:
    """What `write_ground` asks of patches."""

    bands = ("ndvi", "slope")

    def __init__(self, index, images, masks):
        self.index, self.images, self.masks = index, images, masks

    def __len__(self):
        return len(self.index)

    def raw(self, number):
        return self.images[number], self.masks[number]


def test_weights_without_their_ground_are_one_sentence(trained):
    (trained / "training_ground.csv").unlink()
    with pytest.raises(InputError, match=r"training_ground.csv does not exist, and applicability is judged by it"):
        mapped(trained, np.ones(GRID.shape), np.ones(GRID.shape), {1: "marl"})


def test_training_keeps_raw_values_of_its_own_patches(tmp_path):
    store = tiny_store(tmp_path / "s.zarr")
    patches = StoredPatches([store], "training", BANDS, load_statistics(store))
    write_ground(patches, tmp_path / "g.csv")
    write_ground(patches, tmp_path / "h.csv")
    assert (tmp_path / "g.csv").read_bytes() == (tmp_path / "h.csv").read_bytes()
    table = pd.read_csv(tmp_path / "g.csv")
    assert list(table.columns) == ["fold", "label", *patches.bands] and table.fold.nunique() > 1
    for name, values in table[patches.bands].items():
        there = np.concatenate([patches.raw(i)[0][patches.bands.index(name)].ravel() for i in range(len(patches))])
        found = values.dropna().to_numpy()
        there = np.sort(there[np.isfinite(there)])
        near = there[np.clip(np.searchsorted(there, found * (1 - 1e-5 * np.sign(found)) - 1e-9), 0, len(there) - 1)]
        np.testing.assert_allclose(near, found, rtol=1e-4, atol=1e-6)  # six digits are kept
