"""What the report takes from the files that its rule gives."""

import pytest

from slipmap.config.run import ExperimentSettings
from slipmap.report.sources import Experiment


@pytest.mark.parametrize(
    ("settings", "trained", "called"),
    [
        ({}, None, "U-Net (mine)"),
        ({"model": {"name": "deeplabv3plus_resnet50"}}, None, "DeepLabV3+ (backbone resnet50) (mine)"),
        ({"weights": "elsewhere"}, "segformer_b0", "SegFormer (backbone mit_b0) (mine)"),
        ({"weights": "elsewhere"}, "of_a_package_that_is_gone", "of_a_package_that_is_gone (mine)"),
        ({"weights": "elsewhere"}, None, "Map of mine"),  # its record was not given
        ({"description": "Optical alone"}, "unet", "Optical alone (mine)"),
    ],
)
def test_a_map_is_called_by_its_description_else_by_the_model_it_was_trained_with(settings, trained, called):
    seeds = {"seed_0": {"record": {"model": {"name": trained}}}} if trained else {}
    assert Experiment("mine", ExperimentSettings(**settings), {}, seeds).called == called
