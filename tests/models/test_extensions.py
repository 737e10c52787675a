"""Models of other packages: found by their entry points, checked, listed, built, trained, and part of a job's code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from helpers import plugin
from helpers.training_stores import tiny_store
from slipmap.cli import main
from slipmap.config.run import ExperimentSettings
from slipmap.errors import InputError
from slipmap.jobs.provenance import LIBRARY, code_files
from slipmap.models import create_model, index, list_models
from slipmap.training import train
from slipmap.training.weights import load_weights


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the Python path that holds the package of ``tests/plugin_package``."""
    folder = tmp_path / "site"
    folder.mkdir()
    plugin.install(folder)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "slipmap_example"]:
        del sys.modules[name]


def announce(folder, name, code, entry="mine"):
    """Put a package of one module into `folder`, with an entry point for one model."""
    (folder / f"{entry}.py").write_text(code)
    note = folder / f"{entry}-1.0.dist-info"
    note.mkdir()
    (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {entry}\nVersion: 1.0\n")
    (note / "entry_points.txt").write_text(f"[slipmap.models]\n{name} = {entry}\n")


CHILD = """
from slipmap.models.unet import UNet

ARCHITECTURES = {
    "Child": {
        "paper": "none",
        "options_of": "unet",
        "options": {"decoder": {"default": "narrow", "choices": ("narrow", "half")}},
        "names": {"child": {"parameters": 1, "advice": "none"}},
    },
}


class Child(UNet):
    pass
"""


def test_it_is_listed_and_described_without_running_it(site):
    assert "smallnet" in list_models()
    code = (
        "import sys; from slipmap.cli import main; main(['models']); main(['models', 'smallnet']);"
        "sys.exit(bool({'torch', 'slipmap_example'} & set(sys.modules)))"
    )
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("smallnet ")]
    assert "0.01  an example: a few convolutions" in line and line.endswith("arXiv:1511.07122")
    assert "layers: 3 (a whole number at least 1 and at most 8)" in done.stdout


def test_a_config_names_it_and_its_options(site, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    grid = {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [500000, 5000000, 501600, 5001600]}

    def said(name, **options):
        experiment = {"dataset": "p64", "train_areas": ["valley"], "model": {"name": name, "options": options}}
        record = {
            "areas": {"valley": {"grid": grid, "simulate": {"seed": 1}, "split": {"block": 32}}},
            "datasets": {"p64": {"size": 64, "stride": 64}},
            "experiments": {"small": experiment},
        }
        (tmp_path / "my.yaml").write_text(yaml.safe_dump(record))
        status = main(["check", "my.yaml"])
        text = capsys.readouterr().err.strip()
        assert status == (1 if text else 0)
        return text

    assert said("smallnet", layers=4, width=0.5) == ""
    assert "experiments.small.model.name: there is no model 'smalnet'; did you mean 'smallnet'?" in said("smalnet")
    assert "the model smallnet has no option 'layer'; did you mean 'layers'?" in said("smallnet", layer=4)
    assert "'layers' of the model smallnet is 9; give a whole number at least 1 and at most 8" in said(
        "smallnet", layers=9
    )


def test_it_is_trained_and_loaded(site, tmp_path):
    assert create_model("smallnet", 3, 1).parameter_count() == index.find("smallnet").parameters
    settings = ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        model={"name": "smallnet", "options": {"layers": 2, "width": 0.5}},
        training={"epochs": 1, "batch_size": 4},
    )
    train.run([tiny_store(tmp_path / "d.zarr")], None, settings, 0, tmp_path / "seed_0")
    model, record = load_weights(tmp_path / "seed_0")
    assert record["model"]["name"] == "smallnet" and len(model.layers) == 2
    with torch.no_grad():
        assert model(torch.zeros(1, model.in_channels, 7, 5)).shape == (1, 1, 7, 5)


def test_its_code_is_part_of_the_jobs_that_build_models(site):
    scripts = Path(LIBRARY).parent / "scripts"
    files = [site / "slipmap_example/smallnet.py", LIBRARY / "models/unet.py"]
    for script in ("train", "evaluate", "map_landslides"):
        assert set(files) <= code_files(scripts / f"{script}.py"), script


def test_options_of_another_model_are_inherited(tmp_path, monkeypatch):
    announce(tmp_path, "child", CHILD)
    monkeypatch.syspath_prepend(tmp_path)
    record = index.find("child")
    assert set(record.options) == set(index.find("unet").options)
    assert record.options["decoder"].default == "narrow"
    narrow = create_model("unet", 3, 1, width=0.125, decoder="narrow").parameter_count()
    assert create_model("child", 3, 1, width=0.125).parameter_count() == narrow
    with pytest.raises(InputError, match="model child is 'nearest'; choose one of: 'bilinear', 'transposed'"):
        create_model("child", 3, 1, upsampling="nearest")
    sys.modules.pop("mine")


FAULTS = [
    ("unet", CHILD.replace('"child"', '"unet"'), "brings a model 'unet', a name that .*unet.py has already"),
    ("Child", CHILD, r"mine\.py: the model 'Child' needs a name of small letters"),
    ("chield", CHILD, r"mine\.py: .* 'chield' points here, but ARCHITECTURES names no such model"),
    ("child", "x = 1\n", r"mine\.py: .* names no such model"),
    ("child", CHILD.replace('"paper": "none",', ""), r"mine\.py: ARCHITECTURES is not a literal .*KeyError\('paper'\)"),
    ("child", CHILD.replace('"none",', "WHERE,"), r"mine\.py: ARCHITECTURES is not a literal"),
    ("child", CHILD.replace('"unet"', '"unett"'), r"mine\.py: ARCHITECTURES is not a literal .*unett"),
    ("child", CHILD.replace('"unet"', '"child"'), r"mine\.py: ARCHITECTURES is not a literal"),
    ("child", CHILD.replace('"default": "narrow"', '"defalt": "narrow"'), "ARCHITECTURES is not a literal .*defalt"),
]


@pytest.mark.parametrize(("name", "code", "message"), FAULTS)
def test_a_faulty_package_is_one_sentence(name, code, message, tmp_path, monkeypatch, capsys):
    announce(tmp_path, name, code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=message):
        list_models()
    assert main(["models"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_package_that_cannot_be_imported_is_one_sentence(tmp_path, monkeypatch):
    announce(tmp_path, "child", CHILD.replace("class Child(", "class Another("))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"mine\.py: the class Child of the model child cannot be imported"):
        create_model("child", 3, 1)
    sys.modules.pop("mine")


def test_an_entry_point_without_its_module_is_one_sentence(site):
    shutil.rmtree(site / "slipmap_example")
    with pytest.raises(InputError, match=r"'smallnet' points to the module slipmap_example\.smallnet, whose source is"):
        list_models()
