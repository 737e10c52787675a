"""SE-U-Net: U-Net with squeeze-and-excitation."""

from __future__ import annotations

from torch import nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.se import SqueezeExcitation
from slipmap.models.unet import UNetFrame, double_conv_unit

ARCHITECTURES = {
    "SEUNet": {
        "title": "SE-U-Net",
        "paper": "Chen et al., Int. J. Digit. Earth 2023, 16, 552; Hu, Shen & Sun, CVPR 2018, arXiv:1709.01507",
        "options": {"reduction": {"default": 16, "minimum": 1}},
        "names": {
            "se_unet": {
                "parameters": 17_357_053,
                "advice": "U-Net that weighs its channels: cheap attention for many factors",
            },
        },
    },
}


class SEUNet(UNetFrame):
    """Bilinear U-Net with squeeze-and-excitation after every unit.

    Chen et al., Int. J. Digit. Earth 2023, 16, 552 (a landslide U-Net with SENet); compared with in
    EMR-HRNet, Sensors 2024, 24, 3677, Tables 2 and 3; the block: Hu, Shen & Sun, arXiv:1709.01507.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    reduction
        Ratio of the channels to the hidden width of the squeeze.
    """

    readings = "After each double convolution of the bilinear U-Net, reduction 16; no parameter count is published."

    def __init__(self, in_channels: int, classes: int, width: float, reduction: int) -> None:
        def make(source: int, out: int, mid: int, level: int | None) -> nn.Module:
            return nn.Sequential(double_conv_unit(source, out, mid, level), SqueezeExcitation(out, reduction))

        super().__init__(in_channels, classes, scale_channels((64, 128, 256, 512, 512), width), make)
