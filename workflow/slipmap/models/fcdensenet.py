"""FC-DenseNet, the "One Hundred Layers Tiramisu", and FCADenseNet with attention on its skips."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.cbam import CBAM

ARCHITECTURES = {
    "FCDenseNet": {
        "title": "FC-DenseNet",
        "paper": "Jégou et al., CVPR workshops 2017, arXiv:1611.09326",
        "options": {
            "dropout": {"default": 0.2, "minimum": 0, "maximum": 1},
            "bottleneck": False,
            "upsampling": {"default": "transposed", "choices": ("transposed", "convolution")},
        },
        "names": {
            "fcdensenet56": {
                "fixed": {"depth": 56},
                "parameters": 1_374_865,
                "advice": "smallest of the dense networks: few patches, much memory",
            },
            "fcdensenet67": {
                "fixed": {"depth": 67},
                "parameters": 3_460_353,
                "advice": "dense network of middle size; slow for its parameters",
            },
            "fcdensenet103": {
                "fixed": {"depth": 103},
                "parameters": 9_319_521,
                "advice": "deepest dense network: slow, for large data sets",
            },
        },
    },
    "FCADenseNet": {
        "paper": "FCADenseNet, Remote Sens. 2024, 16, 992, doi:10.3390/rs16060992",
        "options": {
            "depth": {"default": 67, "choices": (56, 67, 103)},
            "dropout": {"default": 0.2, "minimum": 0, "maximum": 1},
            "bottleneck": True,
            "upsampling": {"default": "convolution", "choices": ("convolution", "transposed")},
        },
        "names": {
            "fcadensenet": {
                "parameters": 2_567_663,
                "advice": "factors with deformation rate: few parameters, attention on the skips; slow",
            },
        },
    },
}

Upsampling = Literal["transposed", "convolution"]

#: Growth rate, and layers of the dense blocks from the first of the encoder to the bottleneck.
DEPTHS: dict[int, tuple[int, tuple[int, ...]]] = {
    56: (12, (4, 4, 4, 4, 4, 4)),
    67: (16, (5, 5, 5, 5, 5, 5)),
    103: (16, (4, 5, 7, 10, 12, 15)),
}
STEM_CHANNELS = 48


class DenseLayer(nn.Sequential):
    """Normalisation, ReLU, 3 × 3 convolution to ``growth`` maps, dropout.

    With ``bottleneck``, a 1 × 1 convolution to 4 · growth channels, normalisation and ReLU come before
    (DenseNet-B, Huang et al. 2017, arXiv:1608.06993).
    """

    def __init__(self, in_channels: int, growth: int, dropout: float, bottleneck: bool = False) -> None:
        layers: list[nn.Module] = [nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True)]
        if bottleneck:
            layers += [nn.Conv2d(in_channels, 4 * growth, 1), nn.BatchNorm2d(4 * growth), nn.ReLU(inplace=True)]
            in_channels = 4 * growth
        super().__init__(*layers, nn.Conv2d(in_channels, growth, 3, padding=1), nn.Dropout(dropout))


class DenseBlock(nn.Module):
    """Layers that each see the input and all maps before them; returns the new maps only."""

    def __init__(self, in_channels: int, growth: int, layers: int, dropout: float, bottleneck: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            DenseLayer(in_channels + index * growth, growth, dropout, bottleneck) for index in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        new: list[Tensor] = []
        for layer in self.layers:
            new.append(layer(torch.cat([x, *new], dim=1)))
        return torch.cat(new, dim=1)


class TransitionDown(nn.Sequential):
    """Normalisation, ReLU, 1 × 1 convolution of unchanged width, dropout, 2 × 2 maximum."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.Dropout(dropout),
            nn.MaxPool2d(2),
        )


class TransitionUp(nn.Module):
    """Double the size: a 3 × 3 transposed convolution of stride 2, cropped; or nearest neighbour and convolution."""

    def __init__(self, channels: int, upsampling: Upsampling) -> None:
        super().__init__()
        transposed = upsampling == "transposed"
        self.conv: nn.Module
        if transposed:
            self.conv = nn.ConvTranspose2d(channels, channels, 3, stride=2)
        else:
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.transposed = transposed

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        if not self.transposed:
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
        y: Tensor = self.conv(x)[..., : skip.shape[-2], : skip.shape[-1]]
        return y


class DenseNetFrame(SegmentationModel):
    """Dense blocks, five poolings down and up; only the new maps of a block are upsampled.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    depth
        56, 67 or 103 (see :data:`DEPTHS`).
    width
        Multiplier of growth rate and stem.
    dropout
        Share of values dropped after each convolution.
    upsampling
        How maps are upsampled (see :class:`TransitionUp`).
    bottleneck
        Whether dense layers have a 1 × 1 bottleneck.
    skip_attention
        Whether CBAM is applied to each skip before concatenation.
    """

    stride = 32

    def __init__(
        self,
        in_channels: int,
        classes: int,
        depth: int,
        width: float,
        dropout: float,
        upsampling: Upsampling,
        bottleneck: bool = False,
        skip_attention: bool = False,
    ) -> None:
        super().__init__(in_channels, classes)
        growth, layers = DEPTHS[depth]
        growth, channels = scale_channels((growth, STEM_CHANNELS), width, divisor=2)
        self.stem = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.dense_down, self.down, self.attention = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        skips = []
        for count in layers[:-1]:
            self.dense_down.append(DenseBlock(channels, growth, count, dropout, bottleneck))
            channels += growth * count
            skips.append(channels)
            self.attention.append(CBAM(channels) if skip_attention else nn.Identity())
            self.down.append(TransitionDown(channels, dropout))
        self.bottom = DenseBlock(channels, growth, layers[-1], dropout, bottleneck)
        self.up, self.dense_up = nn.ModuleList(), nn.ModuleList()
        new = growth * layers[-1]
        for count, skip in zip(reversed(layers[:-1]), reversed(skips), strict=True):
            self.up.append(TransitionUp(new, upsampling))
            channels = skip + new
            self.dense_up.append(DenseBlock(channels, growth, count, dropout, bottleneck))
            new = growth * count
        self.head = nn.Conv2d(channels + new, classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        skips = []
        for dense, attention, down in zip(self.dense_down, self.attention, self.down, strict=True):
            x = torch.cat([x, dense(x)], dim=1)
            skips.append(attention(x))
            x = down(x)
        new = self.bottom(x)
        for up, dense in zip(self.up, self.dense_up, strict=True):
            skip = skips.pop()
            x = torch.cat([skip, up(new, skip)], dim=1)
            new = dense(x)
        logits: Tensor = self.head(torch.cat([x, new], dim=1))
        return logits


class FCDenseNet(DenseNetFrame):
    """FC-DenseNet56, 67 and 103.

    Jégou, Drozdzal, Vazquez, Romero & Bengio, CVPR workshops 2017, arXiv:1611.09326, Tables 1 and 2.
    Convolutions start from He's uniform distribution.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    depth
        56, 67 or 103; each registered name fixes one.
    width
        Multiplier of growth rate and stem; 1 is growth 12, 16, 16 and stem 48.
    dropout
        Share of values dropped after each convolution.
    bottleneck, upsampling
        As in :class:`FCADenseNet`; neither a bottleneck nor a convolution in the paper.
    """

    readings = (
        "Layers, growth and widths as published: 1.377, 3.463 and 9.322 M at 3 bands and 11 classes, where the "
        "paper rounds to 1.5, 3.5 and 9.4 M. FCADenseNet (Remote Sens. 2024, 16, 992) compares with 'FC-DenseNet' "
        "without saying which; with its own bottleneck=True and upsampling='convolution', attention is all that "
        "differs."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        depth: int,
        width: float,
        dropout: float,
        bottleneck: bool,
        upsampling: Upsampling,
    ) -> None:
        super().__init__(in_channels, classes, depth, width, dropout, upsampling, bottleneck)


class FCADenseNet(DenseNetFrame):
    """FCADenseNet: FC-DenseNet with CBAM on the skips and upsampling by 2 × 2 enlargement and 3 × 3 convolution.

    FCADenseNet, Remote Sens. 2024, 16, 992, doi:10.3390/rs16060992, section 3.2; CBAM: arXiv:1807.06521.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    depth
        Topology: 56, 67 or 103.
    width
        Multiplier of growth rate and stem.
    dropout
        Share of values dropped after each convolution.
    bottleneck
        Whether dense layers have the 1 × 1 bottleneck of the paper's §3.2.
    upsampling
        ``"convolution"`` (nearest neighbour, then 3 × 3 convolution: the paper's text) or ``"transposed"``.
    """

    readings = (
        "The paper gives neither depth nor growth rate: topology of FC-DenseNet67 by default. CBAM (reduction 16) "
        "acts on the encoder's maps before they are concatenated with the upsampled ones. The bottleneck's width is "
        "not given: 4 · growth, as in DenseNet-B. No parameter count is "
        "published."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        depth: int,
        width: float,
        dropout: float,
        bottleneck: bool,
        upsampling: Upsampling,
    ) -> None:
        super().__init__(in_channels, classes, depth, width, dropout, upsampling, bottleneck, skip_attention=True)
