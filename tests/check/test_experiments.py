"""Models, options, factors and weights that an experiment names are there, or one sentence says which is not."""

import contextlib
import copy
import json
import subprocess
import sys

import pytest
import torch
import yaml

from helpers import patches_samples as samples
from slipmap.cli import main
from slipmap.models import create_model

CONFIG = {
    "areas": {
        "valley": {
            "grid": {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [500000, 5000000, 501600, 5001600]},
            "simulate": {"seed": 1},
            "split": {"block": 48},
        }
    },
    "datasets": {"p64": {"size": 64, "stride": 64}},
    "experiments": {"rs": {"dataset": "p64", "train_areas": ["valley"]}},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(capsys, experiment=None, **area):
    record = copy.deepcopy(CONFIG)
    record["experiments"]["rs"].update(experiment or {})
    record["areas"]["valley"].update(area)
    with open("my.yaml", "w") as file:
        yaml.safe_dump(record, file)
    status = main(["check", "my.yaml"])
    text = capsys.readouterr().err.strip()
    assert (status == 0) == (text == "") and "\n" not in text and "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("model", "size", "training", "refused"),
    [
        ("contextnet", 32, {"batch_size": 1}, True),  # pools to one pixel, and normalises it
        ("contextnet", 64, {"batch_size": 1}, False),
        ("bru_unet", 8, {"batch_size": 1}, True),  # a patch of 8 pixels is one pixel at stride 8
        ("bru_unet", 8, {"batch_size": 2}, False),
        ("bru_unet", 8, {"batch_size": 2, "devices": 2}, True),  # one patch to each device
        ("segnet", 32, {"batch_size": 1}, False),
    ],
)
def test_a_batch_of_one_is_refused_where_it_cannot_train(folder, capsys, model, size, training, refused):
    record = copy.deepcopy(CONFIG)
    record["datasets"]["p64"] = {"size": size, "stride": size}
    record["experiments"]["rs"] |= {"model": {"name": model}, "training": training}
    (folder / "my.yaml").write_text(yaml.safe_dump(record))
    status, text = main(["check", "my.yaml"]), capsys.readouterr().err
    assert (status, "experiments.rs.training.batch_size" in text) == ((1, True) if refused else (0, False))
    torch.manual_seed(0)
    net = create_model(model, 3, 1).train()
    patches = torch.randn(training["batch_size"] // training.get("devices", 1), 3, size, size)
    with pytest.raises(ValueError, match="more than 1 value") if refused else contextlib.nullcontext():
        net(patches)


def test_the_check_does_not_import_torch(folder):
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    code = "import sys; from slipmap.cli import main; main(['check', 'my.yaml']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 0


def test_model_and_options(capsys):
    assert check(capsys, {"model": {"name": "unet", "options": {"width": 0.5}}}) == ""
    text = check(capsys, {"model": {"name": "unett"}})
    assert "experiments.rs.model.name: there is no model 'unett'; did you mean 'unet'?" in text
    text = check(capsys, {"model": {"name": "unet", "options": {"widht": 0.5}}})
    assert "experiments.rs.model.options: the model unet has no option 'widht'; did you mean 'width'?" in text
    text = check(capsys, {"model": {"name": "fcdensenet56", "options": {"depth": 67}}})
    assert "the model fcdensenet56 fixes the option 'depth'" in text
    text = check(capsys, {"model": {"name": "unet", "options": {"upsampling": "nearest"}}})
    assert "the option 'upsampling' of the model unet is 'nearest'; choose one of: 'bilinear', 'transposed'." in text


@pytest.mark.parametrize("key", ["include", "extra", "exclude"])
def test_factors_of_an_area(key, capsys):
    text = check(capsys, factors={key: ["slop"]})
    assert f"areas.valley.factors.{key} names 'slop', which is no factor; did you mean 'slope'?" in text
    assert check(capsys, factors={key: ["slope", "twi"]}) == ""


@pytest.mark.parametrize("role", ["factors", "exclude"])
def test_factors_of_an_experiment(role, capsys):
    assert check(capsys, {role: ["slope", "velocity"]}) == ""
    text = check(capsys, {role: ["velocty"]})
    assert f"experiments.rs.{role} names 'velocty', which is no factor of the area valley" in text
    assert "did you mean 'velocity'?" in text


def test_an_imported_data_set_is_there(folder, capsys):
    record = {
        "datasets": {"bijie": {"source": {"format": "bijie", "path": "resources/bijie"}}},
        "experiments": {"unet": {"train_areas": ["bijie"], "test_areas": ["bijie"]}},
    }
    (folder / "my.yaml").write_text(yaml.safe_dump(record))
    assert main(["check", "my.yaml"]) == 1
    assert "datasets.bijie.source.path: resources/bijie is not a folder" in capsys.readouterr().err
    samples.bijie(folder / "resources/bijie")
    assert main(["check", "my.yaml"]) == 1
    assert "8 images were found, 770 are published" in capsys.readouterr().err
    record["datasets"]["bijie"]["source"]["counts"] = "any"
    (folder / "my.yaml").write_text(yaml.safe_dump(record))
    assert main(["check", "my.yaml"]) == 0
    for name, status in (("sen12landslides", 0), ("bijie", 1)):  # the first is fetched, the other cannot be
        record["datasets"]["bijie"]["source"]["path"] = f"resources/published/{name}"
        (folder / "my.yaml").write_text(yaml.safe_dump(record))
        assert main(["check", "my.yaml"]) == status


def test_weights_must_be_whole(folder, capsys):
    record = copy.deepcopy(CONFIG)
    record["experiments"]["rs"] = {"weights": "trained"}

    def said():
        (folder / "my.yaml").write_text(yaml.safe_dump(record))
        main(["check", "my.yaml"])
        return capsys.readouterr().err.strip()

    assert "experiments.rs.weights: trained does not exist" in said()
    (folder / "trained" / "seed_0").mkdir(parents=True)
    assert "trained/seed_0 holds no trained model (model.json and weights.safetensors missing)" in said()
    (folder / "trained/seed_0/model.json").write_text(json.dumps({}))
    assert "trained/seed_0 holds no trained model (weights.safetensors missing)" in said()
    (folder / "trained/seed_0/weights.safetensors").write_bytes(b"0")
    assert "trained/seed_0/model.json does not say on which bands the weights were trained" in said()
    (folder / "trained/seed_0/model.json").write_text(json.dumps({"bands": ["slope", "snow_depth"]}))
    assert "experiments.rs.weights need the factor 'snow_depth', which the area valley does not have" in said()
    (folder / "trained/seed_0/model.json").write_text(json.dumps({"bands": ["slope"]}))
    assert said() == ""
    (folder / "trained/seed_1").mkdir()
    assert "trained/seed_1 holds no trained model" in said()
