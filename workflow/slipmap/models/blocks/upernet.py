"""Decoders of maps of one stride, as a plain vision transformer gives them: UPerNet and a U-Net's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.pyramid_pooling import PyramidPooling
from slipmap.models.blocks.resize import resize_like


class Pyramid(nn.Module):
    """Four maps of one stride to four strides: four and two times finer, as they are, half as fine.

    Li et al. 2022 (ViTDet), arXiv:2203.16527, the plain pyramid: transposed convolutions up, a maximum down.

    Parameters
    ----------
    channels
        Channels of every map, in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.finest = nn.Sequential(
            nn.ConvTranspose2d(channels, channels, 2, stride=2),
            nn.BatchNorm2d(channels),
            nn.GELU(),
            nn.ConvTranspose2d(channels, channels, 2, stride=2),
        )
        self.finer = nn.ConvTranspose2d(channels, channels, 2, stride=2)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        first, second, third, last = maps
        return [self.finest(first), self.finer(second), third, F.max_pool2d(last, 2, ceil_mode=True)]


class UPerNet(nn.Module):
    """Pyramid pooling on the coarsest map, a feature pyramid down to the finest, all levels joined.

    Xiao et al., ECCV 2018, arXiv:1807.10221, Fig. 4.

    Parameters
    ----------
    in_channels
        Channels of each of the maps.
    features
        Channels of the decoder; those of the map that it returns, at the stride of the finest.
    levels
        Number of maps.
    """

    def __init__(self, in_channels: int, features: int, levels: int = 4) -> None:
        super().__init__()
        self.pooling = PyramidPooling(in_channels, features)
        self.bottom = ConvNormReLU(self.pooling.out_channels, features)
        self.lateral = nn.ModuleList(ConvNormReLU(in_channels, features, 1) for _ in range(levels - 1))
        self.smooth = nn.ModuleList(ConvNormReLU(features, features) for _ in range(levels - 1))
        self.fuse = ConvNormReLU(levels * features, features)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        summed = [self.bottom(self.pooling(maps[-1]))]
        for lateral, level in zip(reversed(self.lateral), reversed(maps[:-1]), strict=True):
            own = lateral(level)
            summed.insert(0, own + resize_like(summed[0], own))
        done = [smooth(level) for smooth, level in zip(self.smooth, summed, strict=False)] + summed[-1:]
        y: Tensor = self.fuse(torch.cat([resize_like(level, done[0]) for level in done], dim=1))
        return y


class UNetDecoder(nn.Module):
    """From the coarsest map up, each level joined with the next finer one.

    Parameters
    ----------
    in_channels
        Channels of each of the maps.
    features
        Channels of the decoder; those of the map that it returns, at the stride of the finest.
    levels
        Number of maps.
    """

    def __init__(self, in_channels: int, features: int, levels: int = 4) -> None:
        super().__init__()
        self.steps = nn.ModuleList()
        source = in_channels
        for _ in range(levels - 1):
            self.steps.append(DoubleConv(source + in_channels, features, features))
            source = features

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        x = maps[-1]
        for step, level in zip(self.steps, reversed(maps[:-1]), strict=True):
            x = step(torch.cat([level, resize_like(x, level)], dim=1))
        return x
