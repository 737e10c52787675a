"""Residual networks (He et al. 2016) as trunks: feature maps at every stride, optionally dilated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from slipmap.models.base import check_choice, scale_channels
from slipmap.models.blocks.conv_norm import kaiming_init

Norm = Callable[[int], nn.Module]
Conv = Callable[..., nn.Module]

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut (He et al. 2016, Fig. 5 left).

    Parameters
    ----------
    in_channels, channels
        Channels of the input and of the output.
    stride, dilation
        Stride of the first convolution, dilation of both.
    attention
        Makes, from the number of channels, a module applied after the second normalisation.
    conv, norm
        Make a bias-free convolution and a normalisation layer.
    """

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        dilation: int = 1,
        attention: Callable[[int], nn.Module] | None = None,
        conv: Conv = nn.Conv2d,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv(in_channels, channels, 3, stride=stride, padding=dilation, dilation=dilation, bias=False),
            norm(channels),
            nn.ReLU(inplace=True),
            conv(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            norm(channels),
        )
        if attention is not None:
            self.residual.append(attention(channels))
        self.shortcut = _shortcut(in_channels, channels, stride, conv, norm)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.residual(x) + self.shortcut(x))
        return y


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3, 1 × 1 convolutions and a shortcut (He et al. 2016, Fig. 5 right).

    Parameters
    ----------
    in_channels, channels
        Channels of the input and of the 3 × 3 convolution; the output has ``4 * channels``.
    stride, dilation
        Of the 3 × 3 convolution (the stride there, not in the first 1 × 1 as in the paper, as is now usual).
    conv, norm
        Make a bias-free convolution and a normalisation layer.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        dilation: int = 1,
        conv: Conv = nn.Conv2d,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        out = channels * self.expansion
        self.residual = nn.Sequential(
            conv(in_channels, channels, 1, bias=False),
            norm(channels),
            nn.ReLU(inplace=True),
            conv(channels, channels, 3, stride=stride, padding=dilation, dilation=dilation, bias=False),
            norm(channels),
            nn.ReLU(inplace=True),
            conv(channels, out, 1, bias=False),
            norm(out),
        )
        self.shortcut = _shortcut(in_channels, out, stride, conv, norm)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.residual(x) + self.shortcut(x))
        return y


def _shortcut(in_channels: int, out_channels: int, stride: int, conv: Conv, norm: Norm) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(conv(in_channels, out_channels, 1, stride=stride, bias=False), norm(out_channels))


class ResNet(nn.Module):
    """Residual trunk without its classifier.

    He, Zhang, Ren & Sun, CVPR 2016, arXiv:1512.03385. 11,176,512 parameters at depth 18, 21,284,672 at 34,
    23,508,032 at 50, 42,500,160 at 101 (three bands).

    Parameters
    ----------
    depth
        18, 34, 50, 101 or 152.
    in_channels
        Input bands.
    width
        Multiplier of all channel numbers.
    output_stride
        32, or 16 or 8 with the last one or two stages dilated instead of strided (arXiv:1706.05587).
    blocks
        Residual units of each stage, where they are not the depth's usual ones; as many stages are built.
    conv, norm
        Make a bias-free convolution and a normalisation layer.

    Attributes
    ----------
    channels : tuple of int
        Channels of the maps that ``forward`` returns: after the stem (stride 2), then after each stage.
    """

    def __init__(
        self,
        depth: int,
        in_channels: int = 3,
        width: float = 1.0,
        output_stride: int = 32,
        blocks: Sequence[int] | None = None,
        conv: Conv = nn.Conv2d,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        check_choice("depth", depth, tuple(BLOCKS))
        check_choice("output_stride", output_stride, (8, 16, 32))
        block = BasicBlock if depth < 50 else Bottleneck
        counts = blocks or BLOCKS[depth]
        widths = scale_channels((64, 128, 256, 512), width)[: len(counts)]
        self.stem = nn.Sequential(
            conv(in_channels, widths[0], 7, stride=2, padding=3, bias=False),
            norm(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stages = nn.ModuleList()
        source, reached, dilation = widths[0], 4, 1
        for level, (channels, count) in enumerate(zip(widths, counts, strict=True)):
            stride, first_dilation = (1 if level == 0 else 2), dilation
            if stride == 2 and reached == output_stride:
                stride, dilation = 1, dilation * 2
            reached *= stride
            units = [block(source, channels, stride, first_dilation, conv=conv, norm=norm)]
            source = channels * block.expansion
            units += [block(source, channels, 1, dilation, conv=conv, norm=norm) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(*units))
        self.channels = (widths[0], *(channels * block.expansion for channels in widths))
        kaiming_init(self)

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        """Return the maps after the stem and after each stage, finest first."""
        maps = [self.stem(x)]
        x = self.pool(maps[0])
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
