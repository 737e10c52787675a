"""Multi-channel spatial attention of Enhanced U-Net (J. Comput. Commun. 2025, 13, 80–107, equations 10 to 15)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import check_choice
from slipmap.models.blocks.cbam import ChannelAttention

AttentionKind = Literal["none", "channel", "spatial", "both"]
Combine = Literal["multiply", "add"]


class MCSA(nn.Module):
    """Apply the sum A of a channel map and a spatial map to the features.

    A_c = sigmoid(MLP(mean x) + MLP(max x)), A_s = sigmoid(conv(ReLU(conv([max_c x, mean_c x])))), A = A_c + A_s.

    Parameters
    ----------
    channels
        Channels in and out.
    attention
        Which of the two maps make up A: ``"channel"``, ``"spatial"``, ``"both"``, or ``"none"`` (identity).
    combine
        ``"multiply"``: A · x, as equations 11 and 13 and the purpose say. ``"add"``: x + A, as equation 15 is printed.
    reduction
        Ratio of the channels to the hidden width of the channel map's perceptron.
    hidden_channels, kernel_size
        Channels between the two convolutions of the spatial map, and their kernel.

    Notes
    -----
    Equation 10 nests a perceptron between two fully connected layers; one hidden layer, FC–ReLU–FC, shared by both
    poolings, says the same.
    """

    def __init__(
        self,
        channels: int,
        attention: AttentionKind = "both",
        combine: Combine = "multiply",
        reduction: int = 16,
        hidden_channels: int = 8,
        kernel_size: int = 7,
    ) -> None:
        super().__init__()
        check_choice("attention", attention, ("none", "channel", "spatial", "both"))
        check_choice("combine", combine, ("multiply", "add"))
        self.combine = combine
        self.channel = ChannelAttention(channels, reduction) if attention in ("channel", "both") else None
        self.spatial = None
        if attention in ("spatial", "both"):
            padding = kernel_size // 2
            self.spatial = nn.Sequential(
                nn.Conv2d(2, hidden_channels, kernel_size, padding=padding),
                nn.ReLU(inplace=True),
                nn.Conv2d(hidden_channels, 1, kernel_size, padding=padding),
                nn.Sigmoid(),
            )

    def forward(self, x: Tensor) -> Tensor:
        maps = []
        if self.channel is not None:
            maps.append(self.channel.weights(x))
        if self.spatial is not None:
            maps.append(self.spatial(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)))
        if not maps:
            return x
        attention = maps[0] + maps[1] if len(maps) == 2 else maps[0]
        return x * attention if self.combine == "multiply" else x + attention
