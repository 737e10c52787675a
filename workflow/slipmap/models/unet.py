"""U-Net with batch normalisation (Ronneberger, Fischer & Brox 2015), and the frame of its relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.resize import BilinearUpsample

ARCHITECTURES = {
    "UNet": {
        "title": "U-Net",
        "paper": "Ronneberger, Fischer & Brox, MICCAI 2015, arXiv:1505.04597",
        "options": {
            "upsampling": {"default": "bilinear", "choices": ("bilinear", "transposed")},
            "decoder": {"default": "half", "choices": ("half", "narrow")},
        },
        "names": {
            "unet": {
                "parameters": 17_267_393,
                "advice": "begin here: robust with few landslides; what the others are compared with",
            },
        },
    },
}

#: Makes a unit from its input, output and middle channels and its level (0 is full resolution; None in the
#: decoder).
UnitFactory = Callable[[int, int, int, int | None], nn.Module]
Upsampling = Literal["bilinear", "transposed"]
Decoder = Literal["half", "narrow"]


def double_conv_unit(in_channels: int, out_channels: int, mid_channels: int, level: int | None) -> nn.Module:
    """Return the plain unit of a U-Net, at any level."""
    return DoubleConv(in_channels, out_channels, mid_channels)


class UNetFrame(SegmentationModel):
    """Four poolings down and four upsamplings with skip connections up; a subclass chooses the units.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    channels
        Channels of the five levels, from full resolution down.
    unit
        Makes each convolution unit.
    upsampling
        ``"bilinear"``: corners aligned, no parameters. ``"transposed"``: 2 × 2 transposed convolutions to the
        channels of the skip.
    decoder
        With bilinear upsampling, the channels between the two convolutions of a decoder unit: ``"half"`` of
        its input or ``"narrow"``, those of its output.
    """

    stride = 16

    def __init__(
        self,
        in_channels: int,
        classes: int,
        channels: Sequence[int],
        unit: UnitFactory,
        upsampling: Upsampling = "bilinear",
        decoder: Decoder = "half",
    ) -> None:
        super().__init__(in_channels, classes)
        self.encoder = nn.ModuleList()
        source = in_channels
        for level, width in enumerate(channels):
            self.encoder.append(unit(source, width, width, level))
            source = width
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for level in (3, 2, 1, 0):
            skip = channels[level]
            if upsampling == "transposed":
                self.upsample.append(nn.ConvTranspose2d(source, skip, 2, stride=2))
                joined, out = 2 * skip, skip
                mid = out
            else:
                self.upsample.append(BilinearUpsample())
                joined, out = skip + source, channels[max(level - 1, 0)]
                mid = joined // 2 if decoder == "half" else out
            self.decoder.append(unit(joined, out, mid, None))
            source = out
        self.head = nn.Conv2d(source, classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, unit in enumerate(self.encoder):
            x = unit(self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        for upsample, unit in zip(self.upsample, self.decoder, strict=True):
            x = unit(torch.cat([skips.pop(), upsample(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits


class UNet(UNetFrame):
    """U-Net: the network of the Landslide4Sense baseline, on which SBConv (Land 2024, 13, 835) builds.

    Ronneberger, Fischer & Brox, MICCAI 2015, arXiv:1505.04597, with padded convolutions, batch
    normalisation and, by default, bilinear upsampling (baseline: Ghorbanzadeh et al. 2022,
    arXiv:2209.02556).

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    upsampling
        ``"bilinear"`` (bottom 512 wide; 17.27 M parameters at 14 bands and 2 classes) or ``"transposed"``
        (2 × 2 transposed convolutions, bottom 1024 wide; 31.04 M at 3 bands and 1 class).
    decoder
        Width between the two convolutions of a decoder unit: ``"half"`` of its input (17.27 M) or
        ``"narrow"``, that of its output (13.40 M at 7 bands and 2 classes). Bilinear upsampling only.
    """

    readings = (
        "Batch normalisation and same-size convolutions, as in the Landslide4Sense baseline. Of the papers that "
        "compare with 'U-Net' only Enhanced U-Net prints a count, 14 M; decoder='narrow' has 13.40 M at its 7 "
        "bands."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        width: float,
        upsampling: Upsampling,
        decoder: Decoder,
    ) -> None:
        bottom = 512 if upsampling == "bilinear" else 1024
        channels = scale_channels((64, 128, 256, 512, bottom), width)
        super().__init__(in_channels, classes, channels, double_conv_unit, upsampling, decoder)
