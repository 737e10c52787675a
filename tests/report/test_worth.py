"""What a probability is worth on test ground: counted by hand, and the alarm where it is off."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.report_samples import GRID, words
from slipmap.config import parse_config
from slipmap.io import raster
from slipmap.report import calibration, worth
from slipmap.report.sources import Experiment

AREA = {"valley": {"grid": {"crs": GRID.crs, "resolution": 10, "bounds": list(GRID.bounds)}}}


def experiment(**prediction):
    config = {"areas": AREA, "experiments": {"a": {"weights": "w", "prediction": prediction}}}
    return Experiment("a", parse_config(config, source="test").experiments["a"], {})


def rasters(folder, given, landslides):
    """Columns 50 on are test ground, all with one probability: so many first pixels of them are landslides."""
    split = np.zeros(GRID.shape, np.uint8)
    split[:, 50:] = 2
    truth = np.zeros(GRID.shape, np.uint8)
    rows, cols = np.nonzero(split == 2)
    truth[rows[:landslides], cols[:landslides]] = 1
    probability = np.full(GRID.shape, 0.95, np.float32)  # training ground, which must not count
    probability[:, 50:] = given
    probability[-1, -1] = np.nan
    paths = [folder / f"{name}.tif" for name in ("p", "i", "s")]
    for path, values in zip(paths, (probability, truth, split), strict=True):
        kind = "float32" if values.dtype == np.float32 else "uint8"
        raster.write(path, GRID, values, bands=["x"], units="1", long_name="x", dtype=kind)
    return paths


@pytest.mark.parametrize(
    ("landslides", "said", "alarm"),
    [
        (1600, "The probabilities are too high. Where the map says 0.8 to 0.9, 40", True),
        (3400, "Where the map says 0.8 to 0.9, 85", False),
        (3999, "The probabilities are too low. Where the map says 0.8 to 0.9, 100", True),
    ],
)
def test_the_share_of_landslide_is_that_of_test_ground(tmp_path, landslides, said, alarm):
    counted = worth.count(*rasters(tmp_path, 0.85, landslides)).assign(experiment="a")
    row = counted[counted["pixels"] > 0].iloc[0]
    assert (row["from"], row["to"], row["pixels"]) == (0.8, 0.9, 3999)  # one of 4000 is not known
    assert row["mean_probability"] == pytest.approx(0.85, abs=1e-6) and row["landslide_share"] == pytest.approx(
        landslides / 3999
    )
    found = worth.said(counted, "a")
    assert found["alarm"] is alarm and found["text"].startswith(said)


def test_nothing_is_said_of_too_few_pixels_or_without_test_ground(tmp_path):
    counted = worth.count(*rasters(tmp_path, 0.45, 100)).assign(experiment="a")
    assert worth.said(counted, "a") is None and worth.said(None, "a") is None
    few = pd.DataFrame([[0.8, 0.9, 99, 0.85, 0.1, "a"]], columns=[*worth.COLUMNS, "experiment"])
    assert worth.said(few, "a") is None


def test_the_spread_is_called_what_it_is_and_is_no_error_of_the_probability(full):
    assert worth.members(experiment(flips=True)) == "mirrored views"
    assert worth.members(experiment(flips=False, dropout_samples=8)) == "8 draws of dropout"
    assert "0.83 ±" not in words(full[0]) and '["probability_mean","Mean probability","",2,""]' in full[0]


def test_a_calibration_that_would_have_done_better_on_test_ground_is_named_and_not_taken():
    methods = {"temperature": (0.02, 0.0172), "platt": (0.02, 0.0068), "none": (0.03, 0.05)}
    found = {k: {"brier": b, "expected_calibration_error": e} for k, (b, e) in methods.items()}
    one = experiment(calibration="best")
    one.tests.append({"calibration": found, "calibration_chosen": "temperature"})
    (text,) = calibration.worse(SimpleNamespace(tested={"a": one}))
    assert "use “temperature”, which validation ground chose" in text and "Platt" in text and "0.0068 against" in text
    one.tests[0]["calibration_chosen"] = "platt"
    assert calibration.worse(SimpleNamespace(tested={"a": one})) == []
