"""Residual shrinkage building unit with channel-wise thresholds (RSBU-CW).

Zhao, Zhong, Fu, Tang & Pecht, Deep residual shrinkage networks, IEEE Trans. Ind. Inform. 2020, 16, 4681,
doi:10.1109/TII.2019.2943898.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.blocks.conv_norm import PooledBatchNorm2d
from slipmap.models.blocks.squeeze import hidden_width, squeeze_layer


class SoftThreshold(nn.Module):
    """Shrink each channel towards zero by a threshold of its own, learned from its mean magnitude.

    a = mean|x|, τ = a · sigmoid(FC(ReLU(BN(FC(a))))), output sign(x) · max(|x| − τ, 0).

    Parameters
    ----------
    channels
        Channels in and out.
    reduction
        Ratio of the channels to the hidden width (at least four units); 1 in the paper.
    """

    def __init__(self, channels: int, reduction: int = 1) -> None:
        super().__init__()
        hidden = hidden_width(channels, reduction)
        self.scale = nn.Sequential(
            squeeze_layer(channels, hidden),
            PooledBatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        magnitude = x.abs()
        mean = magnitude.mean((2, 3), keepdim=True)
        return torch.sign(x) * torch.relu(magnitude - mean * self.scale(mean))


class RSBU(nn.Module):
    """Two 3 × 3 convolutions, soft thresholding, and a shortcut, a 1 × 1 convolution where the shape changes.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    stride
        Stride of the first convolution and of the shortcut.
    reduction
        Ratio of the channels to the hidden width of the thresholds' perceptron.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, reduction: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            SoftThreshold(out_channels, reduction),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.residual(x) + self.shortcut(x))
