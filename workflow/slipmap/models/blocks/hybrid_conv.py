"""Hybrid convolution of Enhanced U-Net (J. Comput. Commun. 2025, 13, 80–107, equations 7 to 9)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from slipmap.errors import InputError
from slipmap.models.base import check_choice

#: The convolutions of Table 3, alone and in pairs.
CONVOLUTIONS = (
    "standard",
    "dilated",
    "grouped",
    "standard+dilated",
    "standard+grouped",
    "dilated+grouped",
)


class HybridConv(nn.Module):
    """Weighted sum of one or two 3 × 3 convolutions of different kind on the same input.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    kind
        One of :data:`CONVOLUTIONS`.
    weights
        Weights of the two convolutions of a pair (Table 4); a single convolution has weight 1.
    dilation
        Dilation of the dilated convolution; it is padded by as much, to keep the size.
    groups
        Groups of the grouped convolution; the largest common divisor with the channels is taken, because the first
        layer's bands need not be a multiple.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kind: str = "standard+dilated",
        weights: Sequence[float] = (0.5, 0.5),
        dilation: int = 2,
        groups: int = 4,
    ) -> None:
        super().__init__()
        check_choice("convolution", kind, CONVOLUTIONS)
        if len(weights) != 2 or not all(weight > 0 for weight in weights):
            raise InputError(f"Model option weights is {weights!r}; give two numbers greater than 0.")
        kinds = kind.split("+")
        shared = math.gcd(groups, in_channels, out_channels)
        made = {
            "standard": lambda: nn.Conv2d(in_channels, out_channels, 3, padding=1),
            "dilated": lambda: nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation),
            "grouped": lambda: nn.Conv2d(in_channels, out_channels, 3, padding=1, groups=shared),
        }
        self.convs = nn.ModuleList(made[name]() for name in kinds)
        self.weights = tuple(map(float, weights)) if len(kinds) == 2 else (1.0,)

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = (weight * conv(x) for weight, conv in zip(self.weights, self.convs, strict=True))
        return torch.add(first, rest[0]) if rest else first
