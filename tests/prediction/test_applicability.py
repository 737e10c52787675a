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


def mapped(folder, slope, rock, names, **more):
    """The mask of an area whose rocks are numbered by `names`."""
    raster.write(folder / "slope.tif", GRID, slope.astype(np.float32), bands=["slope"], units="degrees", long_name="s")
    raster.write(folder / "rock.tif", GRID, rock.astype(np.uint8), bands=["rock"], units="1", long_name="r",
                 dtype="uint8", categories=names)  # fmt: skip
    p = np.full(GRID.shape, 0.5, np.float32)
    p[0] = np.nan
    raster.write(folder / "p.tif", GRID, p, bands=["p"], units="1", long_name="p")
    outputs = Outputs(folder / "d.tif", folder / "m.tif", folder / "s.json")
    factors = {name: folder / f"{name}.tif" for name in ("slope", "rock")}
    record = applicability.run(factors, folder, folder / "p.tif", outputs, **more)
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


def test_importance_of_the_screening_weights_the_factors(trained):
    rock, slope = np.full(GRID.shape, 1), np.full(GRID.shape, 70.0)
    table = pd.DataFrame({"factor": ["slope", "rock"], "permutation": [-0.01, 0.2]})
    table.to_csv(trained / "importance.csv", index=False)
    mask, _ = mapped(trained, slope, rock, {1: "marl"}, importance_csv=trained / "importance.csv")
    assert (mask[1:] == 1).all()  # slope is of no importance to this model
    assert applicability.importances(trained / "importance.csv", ["rock", "B4"]) == {"rock": 0.2, "B4": 0.2}


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
    assert list(table.columns) == ["fold", *patches.bands] and table.fold.nunique() > 1
    for name, values in table[patches.bands].items():
        there = np.concatenate([patches.raw(i)[0][patches.bands.index(name)].ravel() for i in range(len(patches))])
        found = values.dropna().to_numpy()
        there = np.sort(there[np.isfinite(there)])
        near = there[np.clip(np.searchsorted(there, found * (1 - 1e-5 * np.sign(found)) - 1e-9), 0, len(there) - 1)]
        np.testing.assert_allclose(near, found, rtol=1e-4, atol=1e-6)  # six digits are kept
