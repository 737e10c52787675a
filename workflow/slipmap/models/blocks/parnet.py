"""ParNet attention (Goyal et al. 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ParNetAttention(nn.Module):
    """Skip-squeeze-excitation beside a 1 × 1 and a 3 × 3 branch, summed, then SiLU.

    Goyal, Bochkovskiy, Deng & Koltun 2021 ("Non-deep networks"), arXiv:2110.07641, Fig. 2:
    y = SiLU(BN(W₁ * x) + BN(W₃ * x) + x · σ(W · GAP(x) + b)).

    Parameters
    ----------
    channels
        Channels of the input and of the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pointwise = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels))
        self.spatial = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
        self.excite = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(x.mean(dim=(2, 3), keepdim=True)))
        return F.silu(self.pointwise(x) + self.spatial(x) + x * gate)
