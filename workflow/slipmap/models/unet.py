"""U-Net with batch normalisation (Ronneberger, Fischer & Brox 2015), the default model and the frame of its relatives."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, check_choice, scale_channels
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.resize import BilinearUpsample
from slipmap.models.registry import register


@register("unet")
class UNet(SegmentationModel):
    """U-Net: four poolings down, four upsamplings with skip connections up.

    Ronneberger, Fischer & Brox, MICCAI 2015, arXiv:1505.04597, with batch normalisation, padded convolutions and, by
    default, bilinear upsampling: the network of the Landslide4Sense baseline (Ghorbanzadeh et al. 2022,
    doi:10.1109/JSTARS.2022.3220845) on which SBConv (Land 2024, 13, 835) builds.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    upsampling
        ``"bilinear"`` (bottom 512 wide, 17.27 M parameters at 14 bands and 2 classes) or ``"transposed"`` (2 × 2
        transposed convolutions, bottom 1024 wide, 31.04 M at 3 bands and 1 class).
    decoder
        Width between the two convolutions of a decoder unit: ``"half"`` of its input (17.27 M) or ``"narrow"``, that
        of its output (13.40 M at 7 bands and 1 class, the size nearest the "14 M" of Enhanced U-Net's Table 6). Used
        with bilinear upsampling only.
    """

    paper = "Ronneberger, Fischer & Brox, MICCAI 2015, arXiv:1505.04597"
    published_parameters = None
    readings = (
        "Batch normalisation and same-size convolutions, as in the Landslide4Sense baseline; the papers that compare with "
        "'U-Net' print no count but Enhanced U-Net (14 M; decoder='narrow' has 13.40 M)."
    )
    stride = 16

    def __init__(
        self,
        in_channels: int,
        classes: int,
        width: float = 1.0,
        upsampling: Literal["bilinear", "transposed"] = "bilinear",
        decoder: Literal["half", "narrow"] = "half",
    ) -> None:
        super().__init__(in_channels, classes)
        check_choice("upsampling", upsampling, ("bilinear", "transposed"))
        check_choice("decoder", decoder, ("half", "narrow"))
        bottom = 512 if upsampling == "bilinear" else 1024
        c = scale_channels((64, 128, 256, 512, bottom), width)
        self.encoder = nn.ModuleList(
            self._unit(source, out, out, level) for level, (source, out) in enumerate(zip([in_channels, *c], c))
        )
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.ModuleList()
        self.decoder = nn.ModuleList()
        below = c[4]
        for level in (3, 2, 1, 0):
            if upsampling == "transposed":
                self.upsample.append(nn.ConvTranspose2d(below, c[level], 2, stride=2))
                out = mid = below = c[level]
                joined = 2 * c[level]
            else:
                self.upsample.append(BilinearUpsample())
                joined = c[level] + below
                out = below = c[max(level - 1, 0)]
                mid = joined // 2 if decoder == "half" else out
            self.decoder.append(self._unit(joined, out, mid, None))
        self.head = nn.Conv2d(below, classes, 1)

    def _unit(self, in_channels: int, out_channels: int, mid_channels: int, level: int | None) -> nn.Module:
        """Make one convolution unit; ``level`` counts from 0 in the encoder and is None in the decoder."""
        return DoubleConv(in_channels, out_channels, mid_channels)

    def _forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, unit in enumerate(self.encoder):
            x = unit(self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        for upsample, unit in zip(self.upsample, self.decoder):
            x = unit(torch.cat([skips.pop(), upsample(x)], dim=1))
        return self.head(x)
