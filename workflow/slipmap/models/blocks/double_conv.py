"""The pair of convolutions that U-Nets are made of."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

ConvFactory = Callable[[int, int], nn.Module]


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Return a 3 × 3 convolution that keeps the size, with bias (the published counts include it)."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


class DoubleConv(nn.Sequential):
    """Twice (3 × 3 convolution, batch normalisation, ReLU).

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    mid_channels
        Channels between the two convolutions; ``out_channels`` if not given.
    conv
        Makes a convolution from its input and output channels; a plain 3 × 3 one if not given.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        mid_channels: int | None = None,
        conv: ConvFactory = conv3x3,
    ) -> None:
        mid = mid_channels or out_channels
        super().__init__(
            conv(in_channels, mid),
            nn.BatchNorm2d(mid),
            nn.ReLU(inplace=True),
            conv(mid, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
