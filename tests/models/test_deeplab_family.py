"""The contract for DeepLab, PSPNet, SegFormer and the other rivals that the papers train or quote."""

from typing import ClassVar

from helpers.models_contract import ModelContract

NARROW = {"width": 1 / 8}
PLAIN = NARROW | {"dropout": 0.0}


class TestDilatedTrunks(ModelContract):
    onnx_tolerance: ClassVar = 1e-3  # of trunks a hundred layers deep; eager single precision is 2e-4 off double there
    cases: ClassVar = {
        "deeplabv2_resnet101": NARROW,
        "deeplabv3plus_mobilenetv2": {"width": 1 / 4, "dropout": 0.0},
        "deeplabv3plus_resnet101": PLAIN,
        "deeplabv3plus_resnet50": PLAIN | {"separable": True},
        "pspnet_resnet50": PLAIN,
    }


class TestStride16WithoutDecoder(ModelContract):
    train_size: ClassVar = 64  # the logits are upsampled 16 times: of a patch of 32 pixels only 2 × 2 would be left
    onnx_tolerance: ClassVar = 1e-3  # of trunks a hundred layers deep; eager single precision is 2e-4 off double there
    cases: ClassVar = {
        "deeplabv3_mobilenetv2": {"width": 1 / 4},
        "deeplabv3_resnet101": NARROW,
        "deeplabv3_resnet50": NARROW,
        "pspnet_mobilenetv2": {"width": 1 / 4, "dropout": 0.0},
    }


class TestTransformers(ModelContract):
    cases: ClassVar = {
        "segformer_b0": {"width": 1 / 4, "dropout": 0.0, "drop_path": 0.0},
        "segformer_b1": {"width": 1 / 8, "dropout": 0.0, "drop_path": 0.0},
        "segformer_b2": {"width": 1 / 8, "dropout": 0.0, "drop_path": 0.0},
        "shapeformer_pvtv2b0": {"width": 1 / 4, "drop_path": 0.0},
        "shapeformer_pvtv2b2": {"width": 1 / 8, "drop_path": 0.0},
        "transunet_r50_vitb16": {"width": 1 / 8, "depth": 2, "heads": 2, "dropout": 0.0},
    }


class TestFoundationModels(ModelContract):
    train_size: ClassVar = 64  # a patch of 32 pixels has four tokens
    learning_rate: ClassVar = 2e-3
    cases: ClassVar = {
        f"prithvi_eo_v2_{size}": {"width": 1 / 16, "depth": 4, "features": 256, "dropout": 0.0}
        for size in ("tiny", "100", "300", "600")
    }


class TestEncodersWithDecoders(ModelContract):
    cases: ClassVar = {
        "contextnet": {"width": 1 / 4, "dropout": 0.0},
        "frrn_a": NARROW,
        "frrn_b": NARROW,
        "linknet_resnet18": NARROW,
        "linknet_resnet34": NARROW,
        "renet": NARROW,
        "sqnet": NARROW,
        "unet_mobilenetv2": {"width": 1 / 4},
    }
