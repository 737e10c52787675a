"""Convolutional block attention module (CBAM; Woo, Park, Lee & Kweon, ECCV 2018, arXiv:1807.06521)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.blocks.squeeze import hidden_width, squeeze_layer


class ChannelAttention(nn.Module):
    """Weight channels by what average and maximum over the image say of them (CBAM, equation 2).

    M_c = sigmoid(MLP(mean(x)) + MLP(max(x))), output M_c · x; the two-layer perceptron is shared.

    Parameters
    ----------
    channels
        Channels in and out.
    reduction
        Ratio of the channels to the perceptron's hidden width (at least four units).
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = hidden_width(channels, reduction)
        self.mlp = nn.Sequential(squeeze_layer(channels, hidden), nn.ReLU(), nn.Conv2d(hidden, channels, 1))

    def weights(self, x: Tensor) -> Tensor:
        """Return the weights in (0, 1), of shape (batch, channels, 1, 1)."""
        return torch.sigmoid(self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(x.amax((2, 3), keepdim=True)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights(x)


class SpatialAttention(nn.Module):
    """Weight pixels by what maximum and mean over the channels say of them (CBAM, equation 3).

    M_s = sigmoid(BN(conv7×7([max, mean]))), output M_s · x; the convolution has no bias.
    """

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.norm(self.conv(pooled)))


class CBAM(nn.Sequential):
    """Channel attention, then spatial attention.

    Parameters
    ----------
    channels
        Channels in and out.
    reduction
        Ratio of the channels to the hidden width of the channel attention.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(ChannelAttention(channels, reduction), SpatialAttention())
