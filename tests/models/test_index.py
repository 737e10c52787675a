"""The index: names, options, errors; every model is under contract and says where it comes from."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from helpers.models_contract import ModelContract
from slipmap.cli import main
from slipmap.errors import InputError
from slipmap.models import create_model, index, list_models
from slipmap.models.base import check_choice
from slipmap.models.options import Option


def contracted() -> set[str]:
    for path in Path(__file__).parent.glob("test_*_family.py"):
        importlib.import_module(f"models.{path.stem}")
    return {name for family in ModelContract.__subclasses__() for name in family.cases}


def test_every_model_is_under_contract():
    assert set(list_models()) == contracted()


@pytest.mark.parametrize("name", list_models())
def test_what_the_index_says_is_what_the_class_is(name):
    """Every option is a parameter of the class, which has no default of its own; the size is the one told."""
    record = index.find(name)
    model = getattr(importlib.import_module(record.module), record.class_name)
    parameters = inspect.signature(model.__init__).parameters
    assert set(parameters) == {"self", "in_channels", "classes", *record.options, *record.fixed}
    assert not [key for key, value in parameters.items() if value.default is not inspect.Parameter.empty]
    assert "width" in record.options
    assert record.paper and record.advice and model.readings
    for key in (*record.options, *record.fixed):
        assert key in model.__doc__, f"the docstring of {model} does not say what {key} is"
    for key, option in record.options.items():
        assert option.wrong(option.default) == "", key
    with torch.device("meta"):
        assert create_model(name, 3, 1).parameter_count() == record.parameters


def test_every_class_is_held_against_its_figure():
    """Some name of each stands in a test of wiring, which writes the network as plain functions."""
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_wiring_*.py"))
    names = {}
    for name, record in index.records().items():
        names.setdefault(record.class_name, set()).add(name)
    assert not [known for known in names.values() if not any(f'"{name}"' in text for name in known)]


def test_models_are_listed_without_torch():
    code = (
        "import sys; from slipmap.cli import main; main(['models']); main(['models', 'unet']);"
        "from slipmap.models import create_model, list_models;"
        "sys.exit(bool({'torch', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in list_models():
        record = index.find(name)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name} ")]
        assert line.endswith(record.paper) and record.advice in line
        assert f" {record.parameters / 1e6:.2f} " in line
    assert "upsampling: 'bilinear' (one of 'bilinear', 'transposed')" in done.stdout


def test_asking_for_one_that_is_not_there(capsys):
    assert main(["models", "unte"]) == 1
    assert "there is no model 'unte'; did you mean 'unet'?" in capsys.readouterr().err


WRONG = [
    ("unett", {}, r"there is no model 'unett'; did you mean 'unet'\?"),
    ("unet", {"widht": 2}, r"the model unet has no option 'widht'; did you mean 'width'\?"),
    ("sru_unet", {"unit": "bru"}, "the model sru_unet fixes the option 'unit' to 'sru'; leave that option out"),
    ("unet", {"upsampling": "nearest"}, "'upsampling' .* is 'nearest'; choose one of: 'bilinear', 'transposed'"),
    ("fcadensenet", {"depth": 60}, "'depth' .* is 60; choose one of: 56, 67, 103"),
    ("fcadensenet", {"bottleneck": 1}, "'bottleneck' .* is 1; give true or false"),
    ("fcdensenet56", {"dropout": 2}, "'dropout' .* is 2; give a number at least 0 and at most 1"),
    ("se_unet", {"reduction": 0}, "'reduction' .* is 0; give a whole number at least 1"),
    ("drs_unet", {"reduction": "x"}, "'reduction' .* is 'x'; give a whole number at least 1"),
    ("ldlaim", {"residual_blocks": 1.5}, "give a whole number at least 1"),
    ("enhanced_unet", {"weights": [1, 0]}, "give 2 items in a list, each a number greater than 0"),
    ("enhanced_unet", {"weights": [1, 1, 1]}, "give 2 items in a list"),
    ("pspnet_resnet50", {"bins": []}, "give one or more items in a list, each a whole number at least 1"),
    *(("unet", {"width": width}, "give a number greater than 0") for width in (0, -1, "2", True, float("nan"))),
]


@pytest.mark.parametrize(("name", "options", "message"), WRONG)
def test_wrong_names_options_and_values_are_refused_alike_by_check_and_create(name, options, message):
    with pytest.raises(InputError, match=message):
        create_model(name, 3, 1, **options)
    with pytest.raises(InputError, match=rf"experiments\.a\.model\.(name|options): .*{message}"):
        index.check(name, options, "experiments.a.model")


def test_options_are_right_by_type_and_bound():
    assert Option(1.0, above=0).wrong(2) == ""
    assert Option(2, minimum=1).wrong(2.0) == "give a whole number at least 1"
    assert Option((1, 2)).wrong((3, 4, 5)) == ""
    assert Option("a").wrong("b") == ""
    assert Option("a").wrong(1) == "give text"
    assert Option(1, choices=(1, 2)).wrong(True) == "choose one of: 1, 2"


@pytest.mark.parametrize(("in_channels", "classes"), [(0, 1), (3, 0), (3.0, 1), (True, 1)])
def test_channels_and_classes_are_whole_numbers(in_channels, classes):
    with pytest.raises(InputError, match="give a whole number of at least 1"):
        create_model("unet", in_channels, classes)


def test_a_block_lists_the_choices_that_it_has():
    with pytest.raises(InputError, match="gate is 'firm'; choose one of: 'hard', 'soft'"):
        check_choice("gate", "firm", ("hard", "soft"))


def test_option_that_torch_refuses_is_one_sentence():
    with pytest.raises(InputError, match=r"The model sru_unet cannot be built with the options \{'groups': 7\}"):
        create_model("sru_unet", 3, 1, groups=7)


def test_config_builds_the_same_model_again():
    model = create_model("enhanced_unet", 7, 2, width=1 / 8, attention="channel", weights=[0.3, 0.7])
    assert model.config == {
        "name": "enhanced_unet",
        "in_channels": 7,
        "classes": 2,
        "width": 1 / 8,
        "attention": "channel",
        "weights": [0.3, 0.7],
    }
    again = create_model(**model.config)
    assert str(again) == str(model)


OPTIONS = [
    ("unet", {"upsampling": "transposed"}),
    ("unet", {"decoder": "narrow"}),
    ("sbconv_unet", {"idcu": "B"}),
    ("sbconv_unet", {"gate": "hard"}),
    ("sbconv_unet", {"fuse": "joint"}),
    ("sru_unet", {"groups": 8}),
    ("sbconv_resunet", {"gate": "hard", "fuse": "joint"}),
    ("fcadensenet", {"depth": 56, "bottleneck": False}),
    ("fcadensenet", {"upsampling": "transposed"}),
    ("fcdensenet56", {"upsampling": "convolution", "bottleneck": True}),
    ("msasnet", {"variant": "natural"}),
    ("segnet", {"tie_bottleneck": True}),
    ("ldlaim", {"residual_blocks": 1}),
    ("drs_unet", {"reduction": 1}),
    ("enhanced_unet", {"convolution": "dilated+grouped", "combine": "add"}),
    ("enhanced_unet", {"convolution": "grouped", "attention": "spatial", "hybrid_levels": 5}),
]


class TestOptions:
    """Each option of these families changes the model, and the changed model trains and exports nothing less."""

    @pytest.mark.parametrize(("name", "options"), OPTIONS)
    def test_option_changes_the_logits_and_trains(self, name, options):
        x = torch.randn(2, 5, 40, 33)
        torch.manual_seed(0)
        plain = create_model(name, 5, 1, width=1 / 8).eval()
        torch.manual_seed(0)
        model = create_model(name, 5, 1, width=1 / 8, **options).eval()
        with torch.no_grad():
            assert not torch.equal(plain(x), model(x))
        model.train()(x).mean().backward()
        reached = {key for key, parameter in model.named_parameters() if parameter.grad is not None}
        assert reached == set(dict(model.named_parameters())) - set(model.untrained_by_design)


@pytest.mark.parametrize("name", ["unet", "sbconv_resunet", "msasnet", "segnet", "fcadensenet"])
def test_graph_is_captured_whole_for_compilation(name):
    model = create_model(name, 4, 1, width=1 / 8).eval()
    x = torch.randn(1, 4, 37, 50)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x))
