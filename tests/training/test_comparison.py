"""All experiments of a place side by side: the numbers of the tables, and pictures of what is right and wrong."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from PIL import Image
from scipy import ndimage
from sklearn.metrics import roc_auc_score, roc_curve

from helpers.training_stores import tiny_store
from slipmap.config.layout import COMPARISON
from slipmap.config.run import ExperimentSettings, RunSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.planning import files
from slipmap.prediction import hazard_figure
from slipmap.susceptibility import figures as classical_figures
from slipmap.training import comparison, comparison_figures, evaluate, train
from slipmap.training.metrics import ScoreHistogram


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two short trainings on one store, compared, with a classical model beside them."""
    folder, threads = tmp_path_factory.mktemp("compared"), torch.get_num_threads()
    torch.set_num_threads(1)
    store = tiny_store(folder / "d.zarr", patches=(8, 4, 6))
    weights, histories = {}, {}
    for name, model in (("plain", "unet"), ("objects", "resunet_obia")):
        settings = ExperimentSettings(
            dataset="d",
            train_areas=["simulated"],
            model={"name": model, "options": {"width": 0.125}},
            training={"epochs": 4, "batch_size": 4},
        )
        weights[name] = folder / name / "seed_0"
        train.run([store], None, settings, 0, weights[name])
        histories[name] = [weights[name] / "history.csv"]
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500)
    curves = {("test", "SVM"): (labels, labels * 0.3 + rng.random(500)), ("random", "SVM"): (labels, rng.random(500))}
    classical_figures.roc_table(curves).to_csv(folder / "roc.csv", index=False)
    comparison.run(store, weights, histories, folder / "out", folder / "roc.csv")
    torch.set_num_threads(threads)
    return folder, store, weights, curves


def test_everything_is_written(made):
    folder, *_ = made
    assert {path.name for path in (folder / "out").iterdir()} == set(COMPARISON)
    pictures = Image.open(folder / "out/predictions.png")
    assert pictures.width > 4 * 200 and pictures.height > 4 * 200  # image, truth and two experiments; four images


def test_losses_are_those_of_the_histories(made):
    folder, _, weights, _ = made
    table = pd.read_csv(folder / "out/losses.csv")
    for name, place in weights.items():
        history = pd.read_csv(place / "history.csv")
        own = table[table["experiment"] == name]
        assert own["validation_loss"].to_numpy() == pytest.approx(history["validation_loss"].to_numpy(), rel=1e-4)
        assert list(own["epoch"]) == [1, 2, 3, 4]


def test_roc_of_networks_and_classical_models_stand_together(made):
    folder, store, weights, curves = made
    table = pd.read_csv(folder / "out/roc.csv")
    assert list(table.groupby("model", sort=False)["kind"].first().items()) == [
        ("plain", "network"), ("objects", "network"), ("SVM", "classical"),
    ]  # fmt: skip
    for name, place in weights.items():
        scored = evaluate.run([store], place, folder / "m.json")
        own = table[table["model"] == name]
        assert own["auc"].iloc[0] == pytest.approx(scored["pooled_over_pixels"]["auc_roc"], abs=1e-5)
        area = np.trapezoid(own["true_positive_rate"], own["false_positive_rate"])
        assert area == pytest.approx(scored["pooled_over_pixels"]["auc_roc"], abs=0.02)
    labels, probability = curves["test", "SVM"]  # not those of random folds
    assert table.loc[table["model"] == "SVM", "auc"].iloc[0] == pytest.approx(
        roc_auc_score(labels, probability), abs=1e-6
    )


def test_a_curve_is_scikit_learns():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 4000)
    logit = rng.normal(size=4000) + 1.5 * labels
    histogram = ScoreHistogram()
    histogram.add(logit, labels)
    table = comparison.curve(histogram)
    theirs = np.column_stack(roc_curve(labels, logit, drop_intermediate=False)[:2])
    ours = table[["false_positive_rate", "true_positive_rate"]].to_numpy()
    assert 150 < len(ours) <= comparison.POINTS
    assert tuple(ours[0]) == (0, 0) and tuple(ours[-1]) == (1, 1)
    assert max(np.abs(theirs - point).max(axis=1).min() for point in ours) < 0.002


def test_sizes_are_those_of_the_masks(made):
    folder, store, _, _ = made
    group = zarr.open_group(store, mode="r")
    rows = pd.read_parquet(store / "index.parquet").query("split == 'test'").index.to_numpy()
    areas = []
    for mask in group["mask"].oindex[rows]:
        labels, count = ndimage.label(mask == 1, np.ones((3, 3)))
        areas += list(np.bincount(labels.ravel(), minlength=count + 1)[1:] * 12.5**2)
    table = pd.read_csv(folder / "out/sizes.csv")
    assert sorted(table.loc[table["source"] == "inventory", "area"]) == pytest.approx(sorted(areas))
    found = table.loc[table["source"] == "objects", "area"]
    assert found.empty or found.min() >= 16 * 12.5**2  # after its object stage


def test_right_false_and_missed_have_their_colours():
    truth = np.array([[1, 1, 0, 0, 255]], np.uint8)
    colours = comparison_figures.agreement(np.array([[True, False, True, False, True]]), truth)
    assert len({tuple(colour) for colour in colours[0, :3]}) == 3
    assert not colours[0, 3:, 3].any()  # clear where there is nothing and where nothing is known
    assert comparison_figures.colours(["slope", "B2", "B3", "B4"]) == ["B4", "B3", "B2"]
    assert comparison_figures.colours(["slope", "B2"]) == ["slope"]


def test_hazard_maps_of_all_models_are_drawn(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (0, 0, 9000, 6000))
    names = ["rs", "rs_dr", "random_forest", "gam", "lsi"]
    for number, name in enumerate(names):
        values = np.full(grid.shape, number / 10)
        values[:, :10] = np.nan
        raster.write(tmp_path / f"{name}.tif", grid, values, bands=["p"], units="1", long_name="p")
    hazard_figure.run({name: tmp_path / f"{name}.tif" for name in names}, tmp_path / "maps.png")
    picture = Image.open(tmp_path / "maps.png")
    assert picture.width > 4 * 250 and picture.height > 2 * 250
    small = hazard_figure.reduced(tmp_path / "gam.tif")
    assert max(small.shape) == hazard_figure.SIDE and np.nanmax(small) == pytest.approx(0.3)


def test_imported_data_sets_have_the_comparison_too():
    run = RunSettings(
        datasets={"bijie": {"source": {"format": "bijie", "path": "b"}}},
        experiments={
            name: {"train_areas": ["bijie"], "test_areas": ["bijie"], "model": {"name": model}}
            for name, model in (("a", "unet"), ("b", "segnet"))
        },
    )
    found = files.compared_files(run, "bijie")
    assert found["store"] == "results/bijie/patches/bijie.zarr" and "classical" not in found
    assert "results/bijie/experiments/b/seed_0/weights.safetensors" in found["weights"]
    shown = files.imported_files(run, "bijie")["shown"]
    assert "results/bijie/comparison/predictions.png" in shown and "results/bijie/comparison/roc.csv" in shown
    assert json.dumps(files.comparison_files(run, "bijie"))
