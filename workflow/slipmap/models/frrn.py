"""Full-resolution residual networks."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.resnet import BasicBlock
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU, kaiming_init

ARCHITECTURES = {
    "FRRN": {
        "paper": "Pohlen, Hermans, Mathias & Leibe (FRRN), CVPR 2017, arXiv:1611.08323",
        "names": {
            "frrn_a": {
                "fixed": {"variant": "A"},
                "parameters": 17_745_985,
                "advice": "sharp outlines from a full-resolution stream; much memory",
            },
            "frrn_b": {
                "fixed": {"variant": "B"},
                "parameters": 24_754_881,
                "advice": "as frrn_a with a wider view, for large patches",
            },
        },
    },
}

# (units, channels, pooling) on the way down, and on the way up (Table 1 of the paper)
DOWN = {
    "A": ((3, 96, 2), (4, 192, 4), (2, 384, 8), (2, 384, 16)),
    "B": ((3, 96, 2), (4, 192, 4), (2, 384, 8), (2, 384, 16), (2, 384, 32)),
}
UP = {
    "A": ((2, 192, 8), (2, 192, 4), (2, 96, 2)),
    "B": ((2, 192, 16), (2, 192, 8), (2, 192, 4), (2, 96, 2)),
}


class FRRU(nn.Module):
    """Full-resolution residual unit: works on the pooling stream, adds to the residual stream (Fig. 2 of the paper).

    y' = G(y, pool(z)), two 3 × 3 convolutions with normalisation and ReLU of the two joined; z' = z +
    unpool(W y' + b).

    Parameters
    ----------
    in_channels, channels
        Channels of the pooling stream before and after.
    residual_channels
        Channels of the residual stream.
    pooling
        How many times the pooling stream is smaller.
    """

    def __init__(self, in_channels: int, channels: int, residual_channels: int, pooling: int) -> None:
        super().__init__()
        self.pooling = pooling
        self.convs = nn.Sequential(
            ConvNormReLU(in_channels + residual_channels, channels), ConvNormReLU(channels, channels)
        )
        self.residual = nn.Conv2d(channels, residual_channels, 1)

    def forward(self, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        y = self.convs(torch.cat([y, F.max_pool2d(z, self.pooling)], dim=1))
        return y, z + F.interpolate(self.residual(y), scale_factor=self.pooling, mode="nearest")


class FRRN(SegmentationModel):
    """FRRN: a residual stream at full resolution and a pooling stream, joined in every unit.

    Pohlen, Hermans, Mathias & Leibe, CVPR 2017, arXiv:1611.08323, Table 1.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    variant
        ``"A"``, pooling four times, or ``"B"``, five times.
    width
        Multiplier of all channel numbers; 1 has 48 in the first and last units, 32 in the residual stream.
    """

    readings = (
        "Unpooling repeats values, in the units and in the pooling stream; the residual units are "
        "ResNet's, with a 1 × 1 shortcut where the width changes. With 19 classes 17.75 M (A) and 24.76 M "
        "(B), of the order of the 18 M and 25 M quoted for them."
    )

    def __init__(self, in_channels: int, classes: int, variant: Literal["A", "B"], width: float) -> None:
        super().__init__(in_channels, classes)
        self.stride = DOWN[variant][-1][2]
        first, stream = scale_channels((48, 32), width)
        self.first = nn.Sequential(ConvNormReLU(in_channels, first, 5), *(BasicBlock(first, first) for _ in range(3)))
        self.split = nn.Conv2d(first, stream, 1)
        source = first
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for stages, table in ((self.down, DOWN[variant]), (self.up, UP[variant])):
            for count, channels, pooling in table:
                out = scale_channels((channels,), width)[0]
                units = [FRRU(source if unit == 0 else out, out, stream, pooling) for unit in range(count)]
                stages.append(nn.ModuleList(units))
                source = out
        self.last = nn.Sequential(BasicBlock(source + stream, first), *(BasicBlock(first, first) for _ in range(2)))
        self.classify = nn.Conv2d(first, classes, 1)
        kaiming_init(self)

    def _forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        z = self.split(y)
        for units in self.down:
            y = F.max_pool2d(y, 2)
            for unit in units.children():
                y, z = unit(y, z)
        for units in self.up:
            y = F.interpolate(y, scale_factor=2, mode="nearest")
            for unit in units.children():
                y, z = unit(y, z)
        y = F.interpolate(y, scale_factor=2, mode="nearest")
        logits: Tensor = self.classify(self.last(torch.cat([y, z], dim=1)))
        return logits
