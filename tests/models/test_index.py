"""The registry: names, options, errors; every model is under contract and says where it comes from."""

import importlib
from pathlib import Path

import pytest
import torch

from helpers.models_contract import ModelContract
from slipmap.errors import InputError
from slipmap.models import SegmentationModel, create_model, list_models, model_entry, register
from slipmap.models.base import check_choice


def contracted() -> set[str]:
    for path in Path(__file__).parent.glob("test_*_family.py"):
        importlib.import_module(f"models.{path.stem}")
    return {name for family in ModelContract.__subclasses__() for name in family.cases}


def test_every_model_is_under_contract():
    assert set(list_models()) == contracted()


@pytest.mark.parametrize("name", list_models())
def test_every_model_has_a_source_and_a_width(name):
    entry = model_entry(name)
    assert entry.model.paper
    assert entry.model.readings
    assert "width" in entry.options
    assert "Parameters\n" in entry.model.__doc__


def test_unknown_model_proposes_the_nearest():
    with pytest.raises(InputError, match=r"Model 'unett' is unknown; did you mean 'unet'\?"):
        create_model("unett", 3, 1)


def test_unknown_option_proposes_the_nearest():
    with pytest.raises(InputError, match=r"Model 'unet' has no option 'widht'; did you mean 'width'\?"):
        create_model("unet", 3, 1, widht=2)


def test_option_that_the_name_fixes_is_refused():
    with pytest.raises(InputError, match="Model 'sru_unet' fixes option 'unit' to 'sru'"):
        create_model("sru_unet", 3, 1, unit="bru")


@pytest.mark.parametrize(("in_channels", "classes"), [(0, 1), (3, 0), (3.0, 1), (True, 1)])
def test_channels_and_classes_are_whole_numbers(in_channels, classes):
    with pytest.raises(InputError, match="give a whole number of at least 1"):
        create_model("unet", in_channels, classes)


def test_option_value_that_is_not_allowed_lists_the_allowed():
    with pytest.raises(InputError, match="upsampling is 'nearest'; choose one of: 'bilinear', 'transposed'"):
        create_model("unet", 3, 1, upsampling="nearest")
    check_choice("gate", "hard", ("hard", "soft"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fcdensenet56", {"dropout": 2}),
        ("sru_unet", {"groups": 7}),
        ("se_unet", {"reduction": 0}),
        ("drs_unet", {"reduction": "x"}),
    ],
)
def test_option_that_torch_refuses_is_one_sentence(name, options):
    with pytest.raises(InputError, match=f"Model '{name}' cannot be built with the options"):
        create_model(name, 3, 1, **options)


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


def test_a_name_cannot_be_given_to_two_classes():
    with pytest.raises(ValueError, match="registered twice"):

        @register("unet")
        class Other(SegmentationModel):
            pass


OPTIONS = [
    ("unet", {"upsampling": "transposed"}),
    ("unet", {"decoder": "narrow"}),
    ("sbconv_unet", {"idcu": "B"}),
    ("sbconv_unet", {"gate": "hard"}),
    ("sbconv_unet", {"fuse": "joint"}),
    ("sru_unet", {"groups": 8}),
    ("sbconv_resunet", {"gate": "hard", "fuse": "joint"}),
    ("fcadensenet", {"depth": 56, "bottleneck": True}),
    ("fcadensenet", {"upsampling": "transposed"}),
    ("msasnet", {"variant": "table"}),
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
