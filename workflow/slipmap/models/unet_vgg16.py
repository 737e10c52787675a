"""U-Net with VGG16 as encoder, the "U-Net (VGG)" that EMR-HRNet is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.backbones.vgg import VGG16
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.conv_norm import zero_bias
from slipmap.models.blocks.double_conv import conv3x3
from slipmap.models.blocks.resize import BilinearUpsample

ARCHITECTURES = {
    "UNetVGG16": {
        "title": "VGG16 U-Net",
        "paper": "Simonyan & Zisserman, arXiv:1409.1556; in EMR-HRNet, doi:10.3390/s24113677",
        "names": {
            "unet_vgg16": {
                "parameters": 24_891_137,
                "advice": "rival of EMR-HRNet: no normalisation, needs pretrained weights; heavy",
            },
        },
    },
}


class UNetVGG16(SegmentationModel):
    """VGG16 down to its fifth stage, then bilinear upsampling, concatenation and two convolutions; no normalisation.

    EMR-HRNet, Sensors 2024, 24, 3677, Tables 2, 3 and 7; VGG16: arXiv:1409.1556; U-Net: arXiv:1505.04597.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512 down and 512-256-128-64 up.
    """

    readings = "Exact at 3 bands and 21 classes, at which the table was made: 24,892,437 (printed 24.89 M)."
    stride = 16

    def __init__(self, in_channels: int, classes: int, width: float) -> None:
        super().__init__(in_channels, classes)
        self.encoder = VGG16(in_channels, width)
        channels = self.encoder.channels
        self.upsample = BilinearUpsample()
        self.decoder = nn.ModuleList()
        source = channels[4]
        for out in reversed(channels[:4]):
            self.decoder.append(
                nn.Sequential(
                    conv3x3(source + out, out), nn.ReLU(inplace=True), conv3x3(out, out), nn.ReLU(inplace=True)
                )
            )
            source = out
        self.head = nn.Conv2d(source, classes, 1)
        for module in self.decoder.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                zero_bias(module)

    def _forward(self, x: Tensor) -> Tensor:
        *skips, x = self.encoder(x)
        for unit in self.decoder:
            x = unit(torch.cat([skips.pop(), self.upsample(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits
