"""Prediction sets: the stated coverage on test ground that is exchangeable, and what a shift takes of it."""

import json

import numpy as np
import pytest
from scipy.special import expit

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction import conformal

GRID = Grid.from_bounds("EPSG:32632", 10, (0, 0, 4000, 4000))


def area(folder, seed=0, shift=0.0, sharp=1.5):
    """Simulated map: blocks of 20 pixels that share an error, 10 % landslide, split drawn by block.

    On test ground the landslides have logits lower by `shift`.
    """
    rng = np.random.default_rng(seed)
    per_block = np.kron(rng.integers(0, 5, (20, 20)), np.ones((20, 20), int))
    split = np.select([per_block == 3, per_block == 4], [1, 2], 0)
    label = (rng.random(GRID.shape) < 0.1).astype(np.uint8)
    label[rng.random(GRID.shape) < 0.05] = 255
    error = np.kron(rng.normal(scale=0.3, size=(20, 20)), np.ones((20, 20))) + rng.normal(size=GRID.shape)
    logit = sharp * (label == 1) - 1 + error - shift * (split == 2) * (label == 1)
    p = expit(logit).astype(np.float32)
    p[0] = np.nan
    raster.write(folder / "p.tif", GRID, p, bands=["p"], units="1", long_name="p")
    for name, values in (("inventory", label), ("split", split.astype(np.uint8))):
        raster.write(
            folder / f"{name}.tif", GRID, values, bands=[name], units="1", long_name=name, dtype="uint8",
            categories={0: "a", 1: "b", 2: "c"},
        )  # fmt: skip
    return p, label, split


def sets(folder, coverage=0.9):
    paths = [folder / f"{name}.tif" for name in ("p", "inventory", "split")]
    record = conformal.run(*paths, coverage, folder / "sets.tif", folder / "sets.json")
    return raster.read(folder / "sets.tif", bands=1), record


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_coverage_on_exchangeable_test_ground_is_the_stated_one(tmp_path, coverage):
    """Counted on the raster, for each class, within 3 %; and the record says the same."""
    _, label, split = area(tmp_path)
    found, record = sets(tmp_path, coverage)
    test = (split == 2) & np.isfinite(found)
    for code, name, held in ((1, "landslide", (2, 3)), (0, "other", (1, 3))):
        share = np.isin(found[test & (label == code)], held).mean()
        assert share == pytest.approx(coverage, abs=0.03)
        assert record["test_coverage"][name] == pytest.approx(share, abs=1e-3)
    assert json.loads((tmp_path / "sets.json").read_text()) == record
    assert np.isnan(found[0]).all() and sum(record["shares"].values()) == pytest.approx(1)


def test_shifted_ground_loses_the_coverage_and_the_record_says_so(tmp_path):
    """Landslides of test ground that look less like those of validation ground: far fewer than 90 % are held."""
    area(tmp_path, shift=2.0)
    _, record = sets(tmp_path)
    assert record["test_coverage"]["landslide"] < 0.6 < record["stated_coverage"] - 0.2
    assert record["test_coverage"]["other"] == pytest.approx(0.9, abs=0.03)  # these did not shift


def test_a_sharper_map_is_undecided_on_less_ground(tmp_path):
    either = []
    for sharp in (0.5, 2.0):
        area(tmp_path, sharp=sharp)
        either.append(sets(tmp_path)[1]["shares"]["either"])
    assert either[0] > 0.5 > either[1]


def test_every_size_of_calibration_covers_at_least_what_is_stated():
    """Finite-sample guarantee: over 3000 draws of 25 validation pixels and one test pixel of each class."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(3000):
        scores = rng.random(26)
        counts = np.bincount((scores[:25] * 1000).astype(int), minlength=1000)
        held += scores[25] >= conformal.thresholds(counts, counts, 0.9).landslide
    assert 0.885 < held / 3000 < 0.945


def test_too_few_landslides_for_the_coverage_are_one_sentence():
    few, many = np.zeros(100, int), np.full(100, 10)
    few[50] = 5
    with pytest.raises(InputError, match=r"coverage is 0.9, but validation ground has only 5 landslide pixels"):
        conformal.thresholds(few, many, 0.9)
