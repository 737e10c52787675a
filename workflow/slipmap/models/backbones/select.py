"""The trunks that DeepLab and PSPNet take their features from, by name."""

from __future__ import annotations

from slipmap.models.backbones.mobilenetv2 import MobileNetV2
from slipmap.models.backbones.resnet import ResNet
from slipmap.models.base import check_choice

DEPTHS = {"resnet18": 18, "resnet34": 34, "resnet50": 50, "resnet101": 101, "resnet152": 152}
BACKBONES = (*DEPTHS, "mobilenetv2")


def dilated_trunk(backbone: str, in_channels: int, width: float, output_stride: int) -> ResNet | MobileNetV2:
    """Return a trunk whose ``forward`` gives five maps, the second at stride 4 and the last at the output stride.

    Parameters
    ----------
    backbone
        ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``, ``resnet152`` or ``mobilenetv2`` (to its 320
        channels).
    in_channels
        Input bands.
    width
        Multiplier of all channel numbers.
    output_stride
        8, 16 or 32; strides beyond it are replaced by dilation.
    """
    check_choice("backbone", backbone, BACKBONES)
    if backbone == "mobilenetv2":
        return MobileNetV2(in_channels, width, output_stride)
    return ResNet(DEPTHS[backbone], in_channels, width, output_stride)
