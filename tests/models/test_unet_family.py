"""The contract for U-Net, its relatives, and the families of SBConv, FCADenseNet, MsASNet and Enhanced U-Net."""

from typing import ClassVar

from helpers.models_contract import ModelContract

SMALL = {"width": 1 / 8}
DENSE = {"width": 1 / 4, "dropout": 0.0}


class TestUNets(ModelContract):
    cases: ClassVar = {
        "unet": SMALL,
        "se_unet": SMALL,
        "unet_vgg16": SMALL,
        "ldlaim": SMALL,
        "resunet": SMALL,
        "resunet_obia": SMALL,
        "drs_unet": SMALL,
        "segnet": SMALL,
        "fcn8s_resnet18": SMALL,
        "fcn8s_resnet50": SMALL,
        "enhanced_unet": SMALL,
    }


class TestSBConv(ModelContract):
    cases: ClassVar = {
        f"{unit}_{backbone}": SMALL for unit in ("sru", "bru", "sbconv") for backbone in ("unet", "resunet")
    }


class TestMsASNet(ModelContract):
    cases: ClassVar = {
        "msasnet": SMALL,
        "msasnet_pyramid": SMALL,
        "msasnet_cbam": SMALL,
        "msasnet_channel": SMALL,
        "msasnet_unet": SMALL,
    }


class TestFCDenseNets(ModelContract):
    cases: ClassVar = {
        "fcdensenet56": DENSE,
        "fcdensenet67": DENSE,
        "fcdensenet103": DENSE,
        "fcadensenet": DENSE,
    }
