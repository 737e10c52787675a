"""Squeeze-and-excitation (Hu, Shen & Sun, CVPR 2018, arXiv:1709.01507)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.blocks.squeeze import hidden_width, squeeze_layer


class SqueezeExcitation(nn.Module):
    """Weight channels by their means: s = sigmoid(W₂ ReLU(W₁ mean(x))), output s · x (equations 2 to 4).

    Parameters
    ----------
    channels
        Channels in and out.
    reduction
        Ratio of the channels to the hidden width (at least four units).
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = hidden_width(channels, reduction)
        self.squeeze = squeeze_layer(channels, hidden)
        self.excite = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.excite(hidden))
