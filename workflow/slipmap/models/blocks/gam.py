"""Global attention mechanism (Liu, Shao & Hoffmann 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.blocks.squeeze import hidden_width, squeeze_layer


class GAM(nn.Module):
    """Channel attention by a perceptron at every pixel, then spatial attention by two 7 × 7 convolutions.

    Liu, Shao & Hoffmann 2021, arXiv:2112.05561: F' = σ(MLP(F)) · F along the channels, F'' = σ(M(F')) · F'
    with M a 7 × 7 convolution C → C/r, normalisation, ReLU, 7 × 7 convolution C/r → C, normalisation.

    Parameters
    ----------
    channels
        Channels C of the input.
    reduction
        r; 4 in the paper.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = hidden_width(channels, reduction)
        # A perceptron over the channels of every pixel is a pair of 1 × 1 convolutions.
        self.channel = nn.Sequential(
            squeeze_layer(channels, hidden), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1)
        )
        self.spatial = nn.Sequential(
            nn.Conv2d(channels, hidden, 7, padding=3),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 7, padding=3),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.sigmoid(self.channel(x))
        return x * torch.sigmoid(self.spatial(x))
