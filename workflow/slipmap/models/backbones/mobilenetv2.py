"""MobileNetV2 (Sandler et al. 2018) as a trunk."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from slipmap.models.base import check_choice, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU, kaiming_init

# expansion t, channels c, repeats n, stride s of each group of bottlenecks (Table 2 of the paper)
GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """Expand 1 × 1, depthwise 3 × 3, project 1 × 1 without activation; a shortcut where the shapes agree.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    stride, dilation
        Of the depthwise convolution.
    expansion
        Channels of the depthwise convolution per input channel; 1 leaves the expansion out.
    activation
        Makes the activation; ReLU6 in MobileNetV2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        expansion: int = 6,
        dilation: int = 1,
        activation: type[nn.Module] = nn.ReLU6,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [ConvNormReLU(in_channels, hidden, 1, relu=False), activation(inplace=True)]
        layers += [
            ConvNormReLU(hidden, hidden, 3, stride, dilation, groups=hidden, relu=False),
            activation(inplace=True),
            ConvNormReLU(hidden, out_channels, 1, relu=False),
        ]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x) if self.shortcut else self.layers(x)
        return y


class MobileNetV2(nn.Module):
    """MobileNetV2 trunk without its classifier.

    Sandler, Howard, Zhu, Zhmoginov & Chen, CVPR 2018, arXiv:1801.04381. 1,811,712 parameters to the
    320 channels, 2,223,872 with the last 1 × 1 convolution (three bands).

    Parameters
    ----------
    in_channels
        Input bands.
    width
        Multiplier of all channel numbers.
    output_stride
        32, or 16 or 8 with the last one or two strides replaced by dilation.
    last
        Whether to end with the 1 × 1 convolution to 1280 channels.

    Attributes
    ----------
    channels : tuple of int
        Channels of the five maps that ``forward`` returns: the last of each stride, 2 to 32.
    """

    def __init__(self, in_channels: int = 3, width: float = 1.0, output_stride: int = 32, last: bool = False) -> None:
        super().__init__()
        check_choice("output_stride", output_stride, (8, 16, 32))
        stem, last_channels, *widths = scale_channels((32, 1280, *(c for _, c, _, _ in GROUPS)), width)
        levels = [[ConvNormReLU(in_channels, stem, 3, 2, relu=False), nn.ReLU6(inplace=True)]]
        source, reached, dilation = stem, 2, 1
        for (expansion, _, repeats, stride), channels in zip(GROUPS, widths, strict=True):
            first_dilation = dilation
            if stride == 2:
                levels.append([])
                if reached == output_stride:
                    stride, dilation = 1, dilation * 2
                reached *= stride
            levels[-1].append(InvertedResidual(source, channels, stride, expansion, first_dilation))
            levels[-1] += [InvertedResidual(channels, channels, 1, expansion, dilation) for _ in range(repeats - 1)]
            source = channels
        if last:
            levels[-1] += [ConvNormReLU(source, last_channels, 1, relu=False), nn.ReLU6(inplace=True)]
        self.levels = nn.ModuleList(nn.Sequential(*layers) for layers in levels)
        self.channels = (widths[0], widths[1], widths[2], widths[4], last_channels if last else widths[6])
        kaiming_init(self)

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        """Return the last maps at strides 2, 4, 8, 16 and 32 (or the dilated equivalents), finest first."""
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps
