"""VGG16 (Simonyan & Zisserman, ICLR 2015, arXiv:1409.1556) as a trunk."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.conv_norm import zero_bias

#: Convolutions in each of the five stages of configuration D.
STAGES = (2, 2, 3, 3, 3)


class VGG16(nn.Module):
    """The thirteen convolutions of VGG16, without its classifier. 14,714,688 parameters at three bands.

    Layers are numbered as published weights are (``features.0.weight`` ...), the poolings taking a number
    too.

    Parameters
    ----------
    in_channels
        Input bands.
    width
        Multiplier of the channels 64-128-256-512-512.
    batch_norm
        Whether batch normalisation follows each convolution (VGG16-BN).

    Attributes
    ----------
    channels : list of int
        Channels of the five stages.
    """

    def __init__(self, in_channels: int = 3, width: float = 1.0, batch_norm: bool = False) -> None:
        super().__init__()
        self.channels = scale_channels((64, 128, 256, 512, 512), width)
        layers: list[nn.Module] = []
        self._stages: list[range] = []
        source = in_channels
        for out, count in zip(self.channels, STAGES, strict=True):
            start = len(layers)
            for _ in range(count):
                layers.append(nn.Conv2d(source, out, 3, padding=1))
                layers += [nn.BatchNorm2d(out)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                source = out
            self._stages.append(range(start, len(layers)))
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                zero_bias(layer)

    def stage(self, index: int, x: Tensor) -> Tensor:
        """Apply the convolutions of one stage (0 to 4), without the pooling before or after it."""
        for layer in self._stages[index]:
            x = self.features[layer](x)
        return x

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of the five stages, at strides 1, 2, 4, 8 and 16."""
        maps = []
        for index in range(len(STAGES)):
            x = self.stage(index, F.max_pool2d(x, 2) if index else x)
            maps.append(x)
        return maps
