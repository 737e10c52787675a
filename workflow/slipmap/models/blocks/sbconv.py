"""Spatial and band refinement: SRU, BRU and their chain SBConv.

Li, Wen & He, SCConv, CVPR 2023, doi:10.1109/CVPR52729.2023.00596; as named and used in SBConv (Land 2024, 13, 835,
equations 1 to 9), where SCConv's channel reconstruction unit (CRU) is the band refinement unit (BRU).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import check_choice

Gate = Literal["hard", "soft"]
Fuse = Literal["pairwise", "joint"]


class SRU(nn.Module):
    """Spatial refinement unit: separate informative from redundant features, then cross-reconstruct (equations 1–4).

    With r = sigmoid(w_γ · GN(x)) and w_γ = |γ| / Σ|γ|, the informative weights W₁ are 1 where r > threshold.

    Parameters
    ----------
    channels
        Channels in and out: even, and a multiple of ``groups``.
    groups
        Groups of the group normalisation.
    threshold
        Threshold on r.
    gate
        ``"hard"``: W₁ is 0 below the threshold, W₂ = 1 − W₁ (the text; the scale and shift of the normalisation then
        have no gradient). ``"soft"``: below it both are r (the code that SBConv acknowledges).

    Notes
    -----
    Equation 2 divides by Σγ, which a trained γ may bring to 0 or below; with absolute values it cannot, and nothing
    changes while γ > 0, as it starts.
    """

    def __init__(self, channels: int, groups: int = 4, threshold: float = 0.5, gate: Gate = "soft") -> None:
        super().__init__()
        check_choice("gate", gate, ("hard", "soft"))
        self.norm = nn.GroupNorm(groups, channels)
        self.threshold = threshold
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        scale = self.norm.weight.abs()
        weight = (scale / (scale.sum() + 1e-12)).view(1, -1, 1, 1)
        r = torch.sigmoid(self.norm(x) * weight)
        above = r > self.threshold
        if self.gate == "hard":
            informative = above.to(x.dtype)
            redundant = 1 - informative
        else:
            informative = torch.where(above, torch.ones_like(r), r)
            redundant = torch.where(above, torch.zeros_like(r), r)
        x11, x12 = (informative * x).chunk(2, dim=1)
        x21, x22 = (redundant * x).chunk(2, dim=1)
        return torch.cat([x11 + x22, x12 + x21], dim=1)


class BRU(nn.Module):
    """Band refinement unit: split, transform, fuse (equations 5–9).

    Parameters
    ----------
    channels
        Channels in and out; a multiple of 8 with the default ratios.
    alpha
        Share of the channels that goes to the upper, rich branch.
    squeeze
        Ratio by which a 1 × 1 convolution narrows each branch.
    groups, kernel_size
        Groups and kernel of the upper branch's group-wise convolution.
    fuse
        ``"pairwise"``: softmax over the two branches for each channel (equation 8). ``"joint"``: softmax over all
        2C means at once (the code that SBConv acknowledges; weights near 1 / 2C shrink the output).
    """

    def __init__(
        self,
        channels: int,
        alpha: float = 0.5,
        squeeze: int = 2,
        groups: int = 2,
        kernel_size: int = 3,
        fuse: Fuse = "pairwise",
    ) -> None:
        super().__init__()
        check_choice("fuse", fuse, ("pairwise", "joint"))
        self.split = [int(alpha * channels), channels - int(alpha * channels)]
        upper, lower = (width // squeeze for width in self.split)
        self.squeeze_upper = nn.Conv2d(self.split[0], upper, 1, bias=False)
        self.squeeze_lower = nn.Conv2d(self.split[1], lower, 1, bias=False)
        self.group_wise = nn.Conv2d(upper, channels, kernel_size, padding=kernel_size // 2, groups=groups)
        self.point_wise_upper = nn.Conv2d(upper, channels, 1, bias=False)
        self.point_wise_lower = nn.Conv2d(lower, channels - lower, 1, bias=False)
        self.fuse = fuse

    def forward(self, x: Tensor) -> Tensor:
        upper, lower = torch.split(x, self.split, dim=1)
        upper, lower = self.squeeze_upper(upper), self.squeeze_lower(lower)
        y1 = self.group_wise(upper) + self.point_wise_upper(upper)
        y2 = torch.cat([self.point_wise_lower(lower), lower], dim=1)
        s1, s2 = y1.mean((2, 3), keepdim=True), y2.mean((2, 3), keepdim=True)
        if self.fuse == "pairwise":
            beta1 = torch.sigmoid(s1 - s2)  # the softmax over a pair
            beta2 = 1 - beta1
        else:
            beta1, beta2 = torch.cat([s1, s2], dim=1).softmax(dim=1).chunk(2, dim=1)
        y: Tensor = beta1 * y1 + beta2 * y2
        return y


class SBConv(nn.Sequential):
    """SRU, then BRU."""

    def __init__(self, channels: int, groups: int = 4, gate: Gate = "soft", fuse: Fuse = "pairwise") -> None:
        super().__init__(SRU(channels, groups, gate=gate), BRU(channels, fuse=fuse))
