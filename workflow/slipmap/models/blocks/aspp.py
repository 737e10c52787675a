"""Atrous spatial pyramid pooling, as in DeepLabV2 (summed scores) and DeepLabV3 (joined features)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from slipmap.models.blocks.conv_norm import ConvNormReLU, PooledBatchNorm2d, SeparableConv


class ASPP(nn.Module):
    """A 1 × 1 convolution, dilated 3 × 3 convolutions and the image mean, joined and projected.

    Chen et al. 2017 (DeepLabV3), arXiv:1706.05587, Fig. 5.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input, and of every branch and the output.
    rates
        Dilations of the 3 × 3 convolutions: 6, 12, 18 at output stride 16.
    separable
        Whether the dilated convolutions are depthwise separable (DeepLabV3+, arXiv:1802.02611).
    bias
        Whether the convolutions have a bias before their normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        rates: Sequence[int] = (6, 12, 18),
        separable: bool = False,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList([ConvNormReLU(in_channels, out_channels, 1, bias=bias)])
        for rate in rates:
            if separable:
                self.branches.append(SeparableConv(in_channels, out_channels, dilation=rate))
            else:
                self.branches.append(ConvNormReLU(in_channels, out_channels, 3, dilation=rate, bias=bias))
        self.image = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, bias=bias),
            PooledBatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
        self.project = ConvNormReLU((len(rates) + 2) * out_channels, out_channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        maps = [branch(x) for branch in self.branches]
        image = self.image(x.mean(dim=(2, 3), keepdim=True))
        maps.append(image.expand(-1, -1, x.shape[2], x.shape[3]))
        y: Tensor = self.project(torch.cat(maps, dim=1))
        return y


class SummedASPP(nn.Module):
    """Parallel dilated 3 × 3 classifiers, summed.

    Chen et al. (DeepLabV2), TPAMI 2018, arXiv:1606.00915, Fig. 7, in its ResNet form: each rate is one 3 × 3
    convolution straight to the classes.

    Parameters
    ----------
    in_channels, classes
        Channels of the input, scores of the output.
    rates
        Dilations; 6, 12, 18, 24 is the paper's ASPP-L.
    """

    def __init__(self, in_channels: int, classes: int, rates: Sequence[int] = (6, 12, 18, 24)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(in_channels, classes, 3, padding=rate, dilation=rate) for rate in rates)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([branch(x) for branch in self.branches]).sum(dim=0)
