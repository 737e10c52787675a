"""ResU-Net (Zhang, Liu & Wang 2018), and its use in ResU-Net-OBIA."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.double_conv import conv3x3
from slipmap.models.blocks.object_rules import keep_objects
from slipmap.models.blocks.resize import BilinearUpsample

ARCHITECTURES = {
    "ResUNet": {
        "title": "ResU-Net",
        "paper": "Zhang, Liu & Wang, IEEE Geosci. Remote Sens. Lett. 2018, 15, 749, doi:10.1109/LGRS.2018.2802944",
        "names": {
            "resunet": {
                "parameters": 8_223_809,
                "advice": "half of U-Net's parameters, residual units: few patches, fast training",
            },
        },
    },
    "ResUNetOBIA": {
        "title": "ResU-Net-OBIA",
        "paper": "Ghorbanzadeh, Gholamnia & Ghamisi, Big Earth Data 2022, doi:10.1080/20964471.2022.2031544",
        "options": {
            "least_pixels": {"default": 16, "minimum": 1},
            "least_compactness": {"default": 0.1, "minimum": 0, "maximum": 0.78},
        },
        "names": {
            "resunet_obia": {
                "parameters": 8_223_809,
                "advice": "ResU-Net, then rules for whole objects: scores without specks and roads",
            },
        },
    },
}

Refine = Callable[[int], nn.Module]


class ResidualUnit(nn.Module):
    """Full pre-activation unit: twice (normalisation, ReLU, 3 × 3 convolution), and a projected shortcut.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    stride
        Stride of the first convolution and of the shortcut.
    first
        Whether the first normalisation and ReLU are left out, as in the unit that sees the image.
    refine
        Makes, from the number of channels, a module that follows each 3 × 3 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        first: bool = False,
        refine: Refine | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [] if first else [nn.BatchNorm2d(in_channels), nn.ReLU()]
        layers.append(nn.Conv2d(in_channels, out_channels, 3, stride, 1))
        layers += [refine(out_channels)] if refine else []
        layers += [nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True), conv3x3(out_channels, out_channels)]
        layers += [refine(out_channels)] if refine else []
        self.residual = nn.Sequential(*layers)
        self.shortcut = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.residual(x) + self.shortcut(x)
        return y


class ResUNetFrame(SegmentationModel):
    """Three residual units down, a bridge, three up; a subclass chooses what follows the convolutions.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512.
    refine
        Makes, from the number of channels, a module that follows each 3 × 3 convolution.
    """

    stride = 8

    def __init__(self, in_channels: int, classes: int, width: float = 1.0, refine: Refine | None = None) -> None:
        super().__init__(in_channels, classes)
        c = scale_channels((64, 128, 256, 512), width)
        self.encoder = nn.ModuleList([ResidualUnit(in_channels, c[0], first=True, refine=refine)])
        for source, out in pairwise(c):
            self.encoder.append(ResidualUnit(source, out, stride=2, refine=refine))
        self.upsample = BilinearUpsample()
        self.decoder = nn.ModuleList(
            ResidualUnit(c[level + 1] + c[level], c[level], refine=refine) for level in (2, 1, 0)
        )
        self.head = nn.Conv2d(c[0], classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        skips = []
        for unit in self.encoder:
            x = unit(x)
            skips.append(x)
        skips.pop()
        for unit in self.decoder:
            x = unit(torch.cat([skips.pop(), self.upsample(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits


class ResUNet(ResUNetFrame):
    """ResU-Net: U-Net of pre-activation residual units, strides in place of pooling.

    Zhang, Liu & Wang, IEEE Geosci. Remote Sens. Lett. 2018, 15, 749, doi:10.1109/LGRS.2018.2802944.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512 (8.22 M parameters at 3 bands and 1 class).
    """

    readings = (
        "Projection with bias and normalisation on every shortcut, bilinear upsampling: 8.22 M, 4.4 % above the "
        "7.8757 M of MsASNet's Table 4 (0.43 M of it are the projections). That table's 651.5 GFLOPs cannot come "
        "from a net of this size and are taken for an error."
    )

    def __init__(self, in_channels: int, classes: int, width: float) -> None:
        super().__init__(in_channels, classes, width)


class ResUNetOBIA(ResUNetFrame):
    """ResU-Net-OBIA: ResU-Net, and after it rules for the objects that its landslide pixels make.

    Ghorbanzadeh, Gholamnia & Ghamisi, Big Earth Data 2022, doi:10.1080/20964471.2022.2031544. Test scores are those
    after the rules; maps have rules of their own (``prediction.outlines.rules``), of area, slope and vegetation too.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512.
    least_pixels
        Objects of fewer pixels are none.
    least_compactness
        Objects less compact (4 π area / perimeter², π/4 of a square) are none.
    """

    readings = (
        "The method's rules use land cover and indices of several dates besides size and shape; a single image has "
        "size and shape, which are the rules here, on pixels that hang together by their sides. MsASNet cites "
        "Ghorbanzadeh et al., Landslides 2022, 19, 929; the network is the same as ResU-Net."
    )

    def __init__(
        self, in_channels: int, classes: int, width: float, least_pixels: int, least_compactness: float
    ) -> None:
        super().__init__(in_channels, classes, width)
        self.least_pixels, self.least_compactness = least_pixels, least_compactness

    def object_stage(self, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return keep_objects(found, self.least_pixels, self.least_compactness)
