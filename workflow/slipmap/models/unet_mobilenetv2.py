"""U-Net on a MobileNetV2 encoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.mobilenetv2 import MobileNetV2
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU

ARCHITECTURES = {
    "MobileNetV2UNet": {
        "title": "MobileNetV2 U-Net",
        "paper": "Sandler et al. (MobileNetV2), CVPR 2018, arXiv:1801.04381; U-Net, arXiv:1505.04597",
        "names": {
            "unet_mobilenetv2": {
                "parameters": 6_628_945,
                "advice": "U-Net on a light trunk: fast on a CPU, takes pretrained weights",
            },
        },
    },
}


class MobileNetV2UNet(SegmentationModel):
    """U-Net whose encoder is MobileNetV2: maps of 16-24-32-96-1280 channels, decoder of 256-128-64-32-16.

    Sandler et al., CVPR 2018, arXiv:1801.04381, for the encoder; Ronneberger et al. 2015, arXiv:1505.04597,
    for the form.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers.
    """

    readings = (
        "The 'MobileNetV2' of Enhanced U-Net's Table 6 (13 M) is not described. The usual MobileNetV2 "
        "U-Net has 6.63 M; the 13 M is not reproduced."
    )
    stride = 32

    def __init__(self, in_channels: int, classes: int, width: float) -> None:
        super().__init__(in_channels, classes)
        self.trunk = MobileNetV2(in_channels, width, last=True)
        decoder = scale_channels((256, 128, 64, 32, 16), width)
        *skips, source = self.trunk.channels
        self.decoder = nn.ModuleList()
        for skip, channels in zip((*skips[::-1], 0), decoder, strict=True):
            self.decoder.append(nn.Sequential(ConvNormReLU(source + skip, channels), ConvNormReLU(channels, channels)))
            source = channels
        self.head = nn.Conv2d(source, classes, 3, padding=1)

    def _forward(self, x: Tensor) -> Tensor:
        *skips, x = self.trunk(x)
        for unit in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = unit(torch.cat([x, skips.pop()], dim=1) if skips else x)
        logits: Tensor = self.head(x)
        return logits
