"""What a run starts from, what stays frozen, what it says when it cannot; several processes."""

import json
import re

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.training_stores import tiny_store
from slipmap.config.run import ExperimentSettings
from slipmap.config.training import EncoderWeightsSettings, TrainingSettings
from slipmap.errors import InputError
from slipmap.models import create_model
from slipmap.training import memory, train
from slipmap.training.losses import landslide_logit
from slipmap.training.module import SegmentationModule, thawed_last
from slipmap.training.start import load_encoder, set_prior, spread_kernels


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def experiment(exclude=(), model=None, **training):
    return ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        exclude=list(exclude),
        model={"name": "unet", "options": {"width": 0.125}} | (model or {}),
        training={"epochs": 2, "batch_size": 4, **training},
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny_store(tmp_path_factory.mktemp("store") / "d.zarr")


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "seed_0"
    train.run([store], None, experiment(epochs=20), 0, folder)
    return folder


def test_fine_tuning_starts_where_the_other_run_ended(store, trained, tmp_path):
    settings = experiment(initial_weights=str(trained), learning_rate=1e-6, epochs=1)
    train.run([store], None, settings, 1, tmp_path / "a")
    tuned, fresh = (pd.read_csv(folder / "history.csv") for folder in (tmp_path / "a", trained))
    assert tuned["validation_f1"][0] == pytest.approx(fresh["validation_f1"].max(), abs=0.02)
    assert fresh["validation_f1"][0] < 0.8
    first, second = (json.loads((folder / "model.json").read_text()) for folder in (trained, tmp_path / "a"))
    assert first["ground_before"] == [] and second["ground_before"] == first["ground"] != []
    with pytest.raises(InputError, match=r"was trained on the channels velocity, .* this experiment has slope, "):
        train.run([store], None, experiment(["velocity"], initial_weights=str(trained)), 0, tmp_path / "b")
    with pytest.raises(InputError, match="weights of another unet: 'decoder"):
        other = {"options": {"width": 0.25}}
        train.run([store], None, experiment(model=other, initial_weights=str(trained)), 0, tmp_path / "c")


def test_frozen_parameters_do_not_move(store, trained, tmp_path):
    settings = experiment(initial_weights=str(trained), freeze_epochs=2)
    train.run([store], None, settings, 1, tmp_path / "a")
    before, after = load_file(trained / "weights.safetensors"), load_file(tmp_path / "a" / "last.safetensors")
    learnt = [name for name in before if not re.search("running|num_batches", name)]
    moved = {name for name in learnt if not torch.equal(before[name], after[name])}
    assert moved == {"head.weight", "head.bias"}
    train.run([store], None, experiment(initial_weights=str(trained), freeze_epochs=1), 1, tmp_path / "b")
    after = load_file(tmp_path / "b" / "last.safetensors")
    assert not torch.equal(before["encoder.0.0.weight"], after["encoder.0.0.weight"])


def test_encoder_weights_go_to_bands_by_name(tmp_path):
    source = create_model("unet", 3, 1, width=0.125)
    path = tmp_path / "rgb.safetensors"
    save_file({f"backbone.{k}": v for k, v in source.encoder.state_dict().items()}, path)
    model = create_model("unet", 4, 1, width=0.125)
    given = EncoderWeightsSettings(
        path=str(path), prefix="encoder.", source_prefix="backbone.", bands={"B4": 0, "B3": 1, "B2": 2}
    )
    loaded = load_encoder(model, given, ["slope", "B4", "B3", "B2"])
    theirs, ours = source.encoder[0][0].weight, model.encoder[0][0].weight
    torch.testing.assert_close(ours[:, 1:], theirs * 0.75)
    torch.testing.assert_close(ours[:, 0], theirs.mean(1) * 0.75)
    for name, tensor in source.encoder.state_dict().items():
        if name != "0.0.weight":
            assert torch.equal(model.encoder.state_dict()[name], tensor)
    assert all(name.startswith("encoder.") for name in loaded)
    # A constant image of the same value gives the same response, whatever the number of bands.
    kernel = spread_kernels(theirs, {}, ["a"] * 7, path)
    torch.testing.assert_close(kernel.sum(1), theirs.sum(1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": {"B5": 0}}, r"names 'B5', which the model does not get; known are: B2, B4"),
        ({"bands": {"B4": 3}}, r"bands\.B4 is 3, but .* has 3 input channels"),
        ({"source_prefix": "nothing."}, "holds no tensor that fits a parameter of unet"),
        ({"path": "weights.pth"}, "does not exist"),
    ],
)
def test_encoder_weights_that_do_not_fit(tmp_path, changes, message):
    source = create_model("unet", 3, 1, width=0.125)
    path = tmp_path / "rgb.safetensors"
    save_file(source.encoder.state_dict(), path)
    given = EncoderWeightsSettings(**{"path": str(path), "prefix": "encoder.", "bands": {"B4": 0}} | changes)
    with pytest.raises(InputError, match=message):
        load_encoder(create_model("unet", 2, 1, width=0.125), given, ["B4", "B2"])


def test_pickled_weights_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    path = tmp_path / "encoder.pth"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(InputError, match="pickled checkpoints can run code and are never read"):
        load_encoder(create_model("unet", 2, 1, width=0.125), EncoderWeightsSettings(path=str(path)), ["a", "b"])
    path.rename(tmp_path / "encoder.safetensors")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_encoder(
            create_model("unet", 2, 1, width=0.125),
            EncoderWeightsSettings(path=str(tmp_path / "encoder.safetensors")),
            ["a", "b"],
        )
    assert not (tmp_path / "sprung").exists()


def test_a_planted_checkpoint_runs_no_code(store, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    train._claim(resume := tmp_path / "a.resume", {})
    torch.save({"state_dict": Trap()}, resume / "state.ckpt")
    mark = (resume / "run.sha256").read_text()
    original = train._claim
    train._claim = lambda folder, record: None  # as if the checkpoint were of this very run
    try:
        with pytest.raises(Exception, match=r"[Ww]eights.only"):
            train.run([store], None, experiment(), 0, tmp_path / "a")
    finally:
        train._claim = original
    assert mark and not (tmp_path / "sprung").exists()


def test_out_of_memory_says_which_batch_fits(store, tmp_path, monkeypatch):
    model_forward = SegmentationModule.training_step

    def full(module, batch, number):
        if len(batch[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return model_forward(module, batch, number)

    def one_step(model, image):
        if len(image) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(SegmentationModule, "training_step", full)
    monkeypatch.setattr(memory, "_one_step", one_step)
    with pytest.raises(InputError, match=r"batch_size 8 \(patches of 6x16x16\); 2 fits: .* training.accumulate 4"):
        train.run([store], None, experiment(batch_size=8), 0, tmp_path / "a")
    assert "not even one patch" in memory.out_of_memory_sentence(8, 0, (3, 64, 64))


def test_freezing_all_leaves_the_last_convolution():
    model = create_model("unet", 2, 2, width=0.125)
    names = {name for name, _ in model.named_parameters()}
    assert names - thawed_last(model, names) == {"head.weight", "head.bias"}
    assert thawed_last(model, {"encoder.0.0.weight"}) == {"encoder.0.0.weight"}


def test_two_processes_train_together(store, tmp_path):
    """On the CPU two processes share each batch; scores are of all validation patches."""
    record = train.run([store], None, experiment(devices=2, epochs=4, loss={"bce": 1.0}), 0, tmp_path / "a")
    history = pd.read_csv(tmp_path / "a" / "history.csv")
    assert history["step"].tolist() == [2, 4, 6, 8]
    assert history["training_loss"].iloc[-1] < history["training_loss"].iloc[0]
    scores = pd.read_csv(tmp_path / "a" / "validation_scores.csv")
    assert scores[["background", "landslide"]].to_numpy().sum() == 4 * 15 * 16
    row = history[history["epoch"] == record["best_epoch"]].iloc[0]
    assert record["validation"]["f1_at_threshold"] == pytest.approx(row["validation_f1"], abs=1e-3)
    with pytest.raises(InputError, match="batch_size 3 cannot be shared by 2 devices"):
        train.run([store], None, experiment(devices=2, batch_size=3), 0, tmp_path / "b")


def test_reduced_precision_compile_and_channels_last(store, tmp_path):
    settings = experiment(precision="bfloat16", channels_last=True, tensorboard=True, accumulate=2, epochs=2)
    record = train.run([store], None, settings, 0, tmp_path / "seed_0")
    assert all(torch.isfinite(t).all() for t in load_file(tmp_path / "seed_0" / "weights.safetensors").values())
    assert list((tmp_path / "seed_0.logs").glob("events*"))
    assert pd.read_csv(tmp_path / "seed_0" / "history.csv")["step"].tolist() == [1, 2]  # two batches a step
    assert json.loads((tmp_path / "seed_0" / "model.json").read_text()) == record
    assert TrainingSettings().precision == "auto"
    assert train.lightning_precision("auto", torch.device("cpu")) == "32-true"


@pytest.mark.parametrize("classes", [1, 2])
def test_the_first_guess_is_the_share_of_landslide_pixels(classes):
    model = create_model("unet", 3, classes, width=0.125).eval()
    set_prior(model, 99.0)
    with torch.inference_mode():
        probability = torch.sigmoid(landslide_logit(model(torch.zeros(1, 3, 32, 32))))
        model.head.weight.zero_()
        exact = torch.sigmoid(landslide_logit(model(torch.zeros(1, 3, 32, 32))))
    assert probability.max() < 0.1
    torch.testing.assert_close(exact, torch.full_like(exact, 0.01))
