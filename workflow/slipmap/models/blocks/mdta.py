"""Multi-Dconv head transposed attention (Zamir et al. 2022)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.errors import InputError


class ChannelLayerNorm(nn.Module):
    """Layer normalisation over the channels of every pixel of a (batch, channels, height, width) tensor."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return y


class MDTA(nn.Module):
    """Attention among channels, after a depthwise convolution: linear in the number of pixels.

    Zamir et al. (Restormer), CVPR 2022, arXiv:2111.09881, eq. 1; EMR-HRNet, Sensors 2024, 24, 3677, eq. 2:
    y = x + W · (softmax(α · Q̂ K̂ᵀ) V), Q̂ and K̂ the queries and keys of unit length along the pixels, the
    softmax over the C/h channels of each of h heads. α is learned, one per head, initially 1 (eq. 2 of
    EMR-HRNet divides by it: the same function in another parametrisation). 4C² + 27C + h + 2C parameters.

    Parameters
    ----------
    channels
        Channels C of the input.
    heads
        Number of heads h, a divisor of C.
    """

    def __init__(self, channels: int, heads: int = 1) -> None:
        super().__init__()
        if channels % heads:
            raise InputError(f"MDTA cannot split {channels} channels into {heads} heads; give a divisor.")
        self.heads = heads
        self.norm = ChannelLayerNorm(channels)
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Sequential(
            nn.Conv2d(channels, 3 * channels, 1, bias=False),
            nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False),
        )
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, 3, self.heads, channels // self.heads, height * width)
        query, key, value = qkv.unbind(1)
        query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
        attention = torch.softmax(query @ key.transpose(-2, -1) * self.temperature, dim=-1)
        y: Tensor = x + self.project((attention @ value).reshape(batch, channels, height, width))
        return y
