"""Imported data sets through the workflow: trained, scored and reported like an area, without a map."""

import json

import pandas as pd
import pytest

from helpers import patches_samples as samples
from helpers.workflow_runs import snakemake, visible_text, write_config

UNKNOWN = "spatial independence unknown"
# (format, settings of the source, maker of a sample of it)
SETS = {
    "l4s": ({"format": "landslide4sense"}, lambda root: samples.landslide4sense(root, counts=(6, 3, 3))),
    "bijie": (
        {"format": "bijie", "resize": 64, "ratios": "3:1:1"},
        lambda root: samples.bijie(root, landslides=8, others=4),
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of one run on small samples of two published data sets; no area at all."""
    folder = tmp_path_factory.mktemp("published")
    config = {"datasets": {}, "experiments": {}}
    for name, (source, make) in SETS.items():
        make(folder / f"resources/{name}")
        config["datasets"][name] = {"source": source | {"path": f"resources/{name}", "counts": "any"}}
        config["experiments"][f"unet_{name}"] = {
            "train_areas": [name],
            "test_areas": [name],
            "model": {"name": "unet", "options": {"width": 0.0625}},
            "training": {"epochs": 1, "batch_size": 4},
        }
    write_config(folder, config)
    answer = snakemake(folder)
    assert answer.returncode == 0, answer.stdout[-6000:]
    return folder


@pytest.mark.parametrize("name", SETS)
def test_a_published_data_set_is_trained_scored_and_reported(run, name):
    base = run / f"results/{name}"
    seed = base / f"experiments/unet_{name}/seed_0"
    bands = json.loads((seed / "model.json").read_text())["bands"]
    assert len(bands) == {"l4s": 14, "bijie": 4}[name]
    metrics = json.loads((seed / "test_metrics.json").read_text())
    counted = json.loads((base / f"patches/{name}.zarr/zarr.json").read_text())["attributes"]["counts"]["test"]
    assert metrics["images"] == counted["patches"]
    assert metrics["pixels"] == counted["landslide_pixels"] + counted["background_pixels"]
    assert not list(base.rglob("probability.tif"))


@pytest.mark.parametrize("name", SETS)
def test_every_table_of_scores_says_that_independence_is_unknown(run, name):
    base = run / f"results/{name}"
    for path in (base / f"experiments/unet_{name}/metrics.csv", base / "report/tables/scores.csv"):
        assert pd.read_csv(path)["independence"].str.startswith(UNKNOWN).all(), path
    page = visible_text((base / "report/index.html").read_text())
    scores = page.partition(" Scores ")[2]
    assert UNKNOWN in scores and f"unet_{name}" in scores
    assert page.count("Spatial independence unknown") == 1  # the note at the head
    assert "<img" in (base / "report/index.html").read_text()  # what augmentation does


def test_nothing_is_left_to_do(run):
    answer = snakemake(run, "--dry-run", "--quiet", "host")
    assert "Nothing to be done" in answer.stdout, answer.stdout[-2000:]
