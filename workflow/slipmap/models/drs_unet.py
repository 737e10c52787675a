"""DRs-UNet: U-Net with residual shrinkage (Ma & Mei, Remote Sens. 2022, 14, 1848)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.resize import BilinearUpsample
from slipmap.models.blocks.rsbu import RSBU

ARCHITECTURES = {
    "DRsUNet": {
        "title": "DRs-UNet",
        "paper": "Ma & Mei, Remote Sens. 2022, 14, 1848, doi:10.3390/rs14081848",
        "options": {"reduction": {"default": 16, "minimum": 1}},
        "names": {
            "drs_unet": {
                "parameters": 7_956_533,
                "advice": "noisy bands such as InSAR: learned thresholds suppress weak responses",
            },
        },
    },
}


class DRsUNet(SegmentationModel):
    """Stem of stride 2, four residual shrinkage units down, transposed convolutions and double convolutions up.

    Ma & Mei, Remote Sens. 2022, 14, 1848, doi:10.3390/rs14081848; the unit: doi:10.1109/TII.2019.2943898;
    as compared with in MsASNet, Remote Sens. 2024, 16, 1712, Tables 1, 3 and 4.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512.
    reduction
        Ratio of the channels to the hidden width of the thresholds' perceptron.
    """

    readings = (
        "Stem of stride 2 (1 convolution), four units at 64-128-256-512 (8), three 2 × 2 transposed convolutions "
        "and three double convolutions (9): the 18 of MsASNet's Table 1; logits enlarged bilinearly to full size. "
        "The perceptrons' hidden width, as wide as the channels in the paper on shrinkage, is a sixteenth here: "
        "7.96 M, 0.2 % above the 7.9369 M of Table 4 (8.61 M with reduction=1). Its 11.1131 GMAC count each "
        "transposed convolution four times. Enhanced U-Net's Table 6 prints 47 M for the same name; no reading "
        "gives it."
    )
    stride = 16

    def __init__(self, in_channels: int, classes: int, width: float, reduction: int) -> None:
        super().__init__(in_channels, classes)
        c = scale_channels((64, 128, 256, 512), width)
        self.stem = ConvNormReLU(in_channels, c[0], stride=2)
        self.encoder = nn.ModuleList(
            RSBU(source, out, 2 if index else 1, reduction)
            for index, (source, out) in enumerate(zip([c[0], *c[:-1]], c, strict=True))
        )
        self.upsample, self.decoder = nn.ModuleList(), nn.ModuleList()
        for source, out in zip(reversed(c[1:]), reversed(c[:-1]), strict=True):
            self.upsample.append(nn.ConvTranspose2d(source, out, 2, stride=2))
            self.decoder.append(DoubleConv(2 * out, out))
        self.enlarge = BilinearUpsample()
        self.head = nn.Conv2d(c[0], classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        skips = []
        for unit in self.encoder:
            x = unit(x)
            skips.append(x)
        skips.pop()
        for upsample, unit in zip(self.upsample, self.decoder, strict=True):
            x = unit(torch.cat([skips.pop(), upsample(x)], dim=1))
        logits: Tensor = self.enlarge(self.head(x))
        return logits
