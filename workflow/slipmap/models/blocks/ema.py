"""Efficient multi-scale attention (Ouyang et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.errors import InputError


def fitting_factor(channels: int, factor: int) -> int:
    """Return the largest number of groups up to `factor` that splits the channels into equal groups of at least 2."""
    fitting = (number for number in range(1, factor + 1) if channels % number == 0 and channels // number >= 2)
    return max(fitting, default=1)


class EMA(nn.Module):
    """Efficient multi-scale attention with cross-spatial learning.

    Ouyang et al., ICASSP 2023, arXiv:2305.13563; EMR-HRNet, Sensors 2024, 24, 3677, §2.5 and Fig. 9. The
    channels are split into groups g of c channels, which share all weights:

    - 1 × 1 branch: means of g along the width and along the height, joined, one 1 × 1 convolution, split
      into h and w; a = GroupNorm(g · σ(h) · σ(w)) with one group per channel;
    - 3 × 3 branch: b = 3 × 3 convolution of g;
    - cross-spatial map: m = softmax(mean(a)) · b + softmax(mean(b)) · a, the softmax and the product over
      the c channels;
    - output: g · σ(m).

    Parameters
    ----------
    channels
        Channels of the input.
    factor
        Number of groups. The c = channels / factor channels of a group must be at least 2: the softmax over
        one channel is the constant 1 and nothing would be attended to.
    """

    def __init__(self, channels: int, factor: int = 8) -> None:
        super().__init__()
        if channels % factor or channels // factor < 2:
            raise InputError(
                f"EMA factor {factor} does not split {channels} channels into equal groups of at least 2; "
                "give a factor that divides half of the channel number."
            )
        group = channels // factor
        self.factor = factor
        self.conv1 = nn.Conv2d(group, group, 1)
        self.conv3 = nn.Conv2d(group, group, 3, padding=1)
        self.norm = nn.GroupNorm(group, group)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        g = x.reshape(batch * self.factor, channels // self.factor, height, width)
        rows = g.mean(dim=3, keepdim=True)
        columns = g.mean(dim=2, keepdim=True)
        # A 1 × 1 convolution of the two joined means is the convolution of each.
        a = self.norm(g * torch.sigmoid(self.conv1(rows)) * torch.sigmoid(self.conv1(columns)))
        b = self.conv3(g)
        of_a = torch.softmax(a.mean(dim=(2, 3), keepdim=True), dim=1)
        of_b = torch.softmax(b.mean(dim=(2, 3), keepdim=True), dim=1)
        m = (of_a * b + of_b * a).sum(dim=1, keepdim=True)
        return (g * torch.sigmoid(m)).reshape(batch, channels, height, width)
