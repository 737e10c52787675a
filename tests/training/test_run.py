"""The driver: what it writes, that it learns, that it repeats itself to the byte, that it survives a kill."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.training_stores import tiny_store
from slipmap.config.run import ExperimentSettings
from slipmap.errors import InputError
from slipmap.training import evaluate, train
from slipmap.training.weights import load_weights

OUTPUTS = (
    "weights.safetensors",
    "last.safetensors",
    "model.json",
    "history.csv",
    "curves.png",
    "validation_scores.csv",
    "training_ground.csv",
)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def experiment(model=None, exclude=(), factors=None, **training):
    return ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        factors=factors,
        exclude=list(exclude),
        model=model or {"name": "unet", "options": {"width": 0.125}},
        training={"epochs": 4, "batch_size": 4, **training},
    )


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in OUTPUTS}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny_store(tmp_path_factory.mktemp("store") / "d.zarr")


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments") / "seed_0"
    torch.set_num_threads(1)
    train.run([store], None, experiment(epochs=25), 0, folder)
    return folder


def test_learns_and_writes_all(trained, store, tmp_path):
    assert {path.name for path in trained.iterdir()} == set(OUTPUTS)
    assert not trained.with_name("seed_0.resume").exists()
    scored = evaluate.run([store], trained, tmp_path / "test_metrics.json")
    assert scored["pooled_over_pixels"]["f1"] > 0.7  # the task is easy
    assert json.loads((tmp_path / "test_metrics.json").read_text()) == scored
    history = pd.read_csv(trained / "history.csv")
    assert len(history) == 25
    best = history.loc[history["validation_f1"].idxmax()]
    record = json.loads((trained / "model.json").read_text())
    assert record["best_epoch"] == best["epoch"]
    assert record["threshold"] == pytest.approx(best["threshold"], rel=1e-6)
    assert record["bands"] == ["velocity", "slope", "B4", "lithology"]
    assert record["channels"][-3:] == ["lithology=clay", "lithology=granite", "lithology=marl"]


def test_what_was_learnt_from_is_not_scored(trained, store, tmp_path):
    """Another store, in which the test images train, is among those that the weights were trained on."""
    other = shutil.copytree(store, tmp_path / "other.zarr")
    index = pd.read_parquet(other / "index.parquet")
    index.assign(split="training").to_parquet(other / "index.parquet", index=False)
    with pytest.raises(InputError, match="The same image is in two splits"):
        evaluate.run([store], trained, tmp_path / "m.json", learnt=[store, other])
    assert not (tmp_path / "m.json").exists()


def test_scores_are_those_of_the_stored_pixels(trained, store, tmp_path):
    """Recount with nothing but zarr, numpy and sklearn."""
    import zarr
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    scored = evaluate.run([store], trained, tmp_path / "m.json")
    model, record = load_weights(trained)
    group = zarr.open_group(store, mode="r")
    index = pd.read_parquet(store / "index.parquet")
    rows = index.index[index["split"] == "test"].to_numpy()
    raw, mask = group["image"].oindex[rows], group["mask"].oindex[rows]
    continuous = (raw[:, :3] - np.array([-3, 20, 0.1])[:, None, None]) / np.array([10, 5, 0.05])[:, None, None]
    continuous = np.nan_to_num(continuous)
    onehot = np.stack([raw[:, 3] == value for value in (1, 2, 5)], axis=1)
    image = torch.from_numpy(np.concatenate([continuous, onehot], axis=1).astype(np.float32))
    with torch.inference_mode():
        probability = torch.sigmoid(model(image))[:, 0].numpy()
    known = mask != 255
    truth, p = mask[known], probability[known]
    pooled = scored["pooled_over_pixels"]
    assert scored["pixels"] == known.sum()
    assert pooled["f1"] == pytest.approx(f1_score(truth, p >= record["threshold"]), abs=1e-9)
    assert pooled["auc_roc"] == pytest.approx(roc_auc_score(truth, p), abs=1e-4)
    assert pooled["average_precision"] == pytest.approx(average_precision_score(truth, p), abs=1e-3)


def test_same_seed_same_bytes_other_seed_others(store, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train.run([store], None, experiment(), seed, tmp_path / name)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a")["weights.safetensors"] != digests(tmp_path / "c")["weights.safetensors"]


KILLED = """
import os, sys, torch
from pathlib import Path
from slipmap.config.run import ExperimentSettings
from slipmap.training import callbacks, train
torch.set_num_threads(1)
ended = callbacks.EpochRecord.on_train_epoch_end
def end(self, trainer, module):
    ended(self, trainer, module)
    if trainer.current_epoch == {epoch}:
        os.kill(os.getpid(), 9)
callbacks.EpochRecord.on_train_epoch_end = end
started = callbacks.EpochRecord.on_train_batch_start if {batch} is not None else None
def batch(self, trainer, module, data, number):
    if trainer.current_epoch == {epoch} and number == {batch}:
        os.kill(os.getpid(), 9)
if {batch} is not None:
    callbacks.EpochRecord.on_train_batch_start = batch
train.run([Path(sys.argv[1])], None, ExperimentSettings.model_validate_json(sys.argv[3]), 0, Path(sys.argv[2]))
"""


WITH_DROPOUT = experiment(
    model={"name": "fcdensenet56", "options": {"width": 0.25, "dropout": 0.2}},
    positive_share=0.5,
    schedule="cosine",
    augment={"brightness": 0.2, "centerrep": 0.5},
)


@pytest.fixture(scope="module")
def whole(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "seed_0"
    torch.set_num_threads(1)
    train.run([store], None, WITH_DROPOUT, 0, folder)
    return folder


@pytest.mark.parametrize(("epoch", "batch"), [(1, None), (2, 1), (3, None)])
def test_killed_run_goes_on_to_the_same_bytes(store, whole, tmp_path, epoch, batch):
    """Killed after an epoch, in the middle of one, and after the last; with dropout and a resampled order."""
    settings = WITH_DROPOUT
    code = KILLED.format(epoch=epoch, batch=batch)
    arguments = [str(store), str(tmp_path / "killed"), settings.model_dump_json()]
    died = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert died.returncode == -9, died.stderr
    assert not (tmp_path / "killed" / "weights.safetensors").exists()
    assert (tmp_path / "killed.resume" / "state.ckpt").exists()
    begun = []
    original = train.EpochRecord.on_train_epoch_start
    try:
        train.EpochRecord.on_train_epoch_start = lambda self, trainer, module: (
            begun.append(trainer.current_epoch),
            original(self, trainer, module),
        )
        train.run([store], None, settings, 0, tmp_path / "killed")
    finally:
        train.EpochRecord.on_train_epoch_start = original
    assert begun == list(range(epoch if batch is not None else epoch + 1, 4))  # what was done is not done again
    assert digests(tmp_path / "killed") == digests(whole)
    assert not (tmp_path / "killed.resume").exists()


def test_checkpoint_of_other_settings_is_not_resumed(store, tmp_path):
    resume = tmp_path / "a.resume"
    resume.mkdir()
    (resume / "run.sha256").write_text("of another run")
    (resume / "state.ckpt").write_bytes(b"not a checkpoint")
    train.run([store], None, experiment(epochs=1), 0, tmp_path / "a")
    assert (tmp_path / "a" / "weights.safetensors").exists()


def test_excluded_band_is_not_in_the_model(store, tmp_path):
    record = train.run([store], None, experiment(epochs=1, exclude=["velocity"]), 0, tmp_path / "a")
    assert record["bands"] == ["slope", "B4", "lithology"]
    assert load_file(tmp_path / "a" / "weights.safetensors")["encoder.0.0.weight"].shape[1] == 5


def test_selection_decides_and_explicit_factors_win(store, tmp_path):
    selection = tmp_path / "selection.json"
    selection.write_text(json.dumps({"factors": ["B4", "slope"]}))
    bands, _ = train.choose_bands([store], selection, None, [])
    assert bands == ["slope", "B4"]  # in the store's order
    bands, _ = train.choose_bands([store], selection, ["velocity", "B4"], ["B4"])
    assert bands == ["velocity"]
    with pytest.raises(InputError, match=r"exclude name a band 'velocty' .* did you mean 'velocity'"):
        train.choose_bands([store], None, None, ["velocty"])
    with pytest.raises(InputError, match="leave no band"):
        train.choose_bands([store], None, ["B4"], ["B4"])


def test_max_steps_cuts_the_last_epoch_short_and_still_validates(store, tmp_path):
    train.run([store], None, experiment(max_steps=5, batch_size=2), 0, tmp_path / "a")
    history = pd.read_csv(tmp_path / "a" / "history.csv")  # 8 patches: 4 steps an epoch
    assert history["step"].tolist() == [4, 5]
    assert history["validation_f1"].notna().all()


def test_early_stopping(store, tmp_path):
    record = train.run(
        [store], None, experiment(epochs=30, patience=2, learning_rate=1e-7, monitor="loss"), 0, tmp_path / "a"
    )
    assert record["epochs"] == record["best_epoch"] + 2 or record["epochs"] == 30


def test_nan_loss_names_the_batch_and_keeps_the_last_good(tmp_path):
    store = tiny_store(tmp_path / "d.zarr", broken=5)
    with pytest.raises(InputError, match=r"loss became nan in epoch 1, batch \d \(patches .*\b5\b.* of d.zarr\)"):
        train.run([store], None, experiment(batch_size=2), 0, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_nan_loss_later_keeps_the_epoch_before(store, tmp_path, monkeypatch):
    step = train.SegmentationModule.training_step

    def spoilt(module, batch, number):
        image, mask = batch
        if (module.trainer.current_epoch, number) == (2, 1):
            image = image * float("nan")
        return step(module, (image, mask), number)

    monkeypatch.setattr(train.SegmentationModule, "training_step", spoilt)
    with pytest.raises(
        InputError, match=r"nan in epoch 3, batch 2 .* the weights after epoch 2 are kept in .*a\.resume"
    ):
        train.run([store], None, experiment(), 0, tmp_path / "a")
    best = next((tmp_path / "a.resume").glob("best_*.safetensors"))
    assert all(torch.isfinite(tensor).all() for tensor in load_file(best).values())


def test_weights_that_do_not_fit(trained, tmp_path):
    def copy(**changes):
        record = json.loads((trained / "model.json").read_text())
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes((trained / "weights.safetensors").read_bytes())
        record.update(changes)
        (folder / "model.json").write_text(json.dumps({k: v for k, v in record.items() if v is not None}))
        return folder

    model = json.loads((trained / "model.json").read_text())["model"]
    with pytest.raises(InputError, match="weights of another architecture than resunet"):
        load_weights(copy(model={**model, "name": "resunet"}))
    with pytest.raises(InputError, match=r"encoder.* is \(.*\), the model needs \("):
        load_weights(copy(model={**model, "in_channels": 3}))
    with pytest.raises(InputError, match="has no 'statistics'"):
        load_weights(copy(statistics=None))
    with pytest.raises(InputError, match="does not exist"):
        load_weights(tmp_path / "nowhere")
    folder = copy()
    torch.save({"a": torch.ones(1)}, folder / "weights.safetensors")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_weights(folder)
    whole = (trained / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_weights(folder)
    save_file({"a": torch.ones(1)}, folder / "weights.safetensors")
    with pytest.raises(InputError, match="another architecture than unet"):
        load_weights(folder)


def test_class_weights_reach_the_loss(store, tmp_path):
    losses = []
    for weights in (None, 50.0):
        chosen = experiment(epochs=1, loss={"bce": 1.0}, learning_rate=1e-9, class_weights=weights)
        train.run([store], None, chosen, 0, tmp_path / str(weights))
        losses.append(pd.read_csv(tmp_path / str(weights) / "history.csv")["training_loss"][0])
    assert losses[1] > 3 * losses[0]
