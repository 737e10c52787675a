"""ContextNet: a deep branch at low resolution and a shallow one at full resolution."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.mobilenetv2 import InvertedResidual
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU, SeparableConv
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "ContextNet": {
        "paper": "Poudel, Bonde, Liwicki & Zach (ContextNet), BMVC 2018, arXiv:1805.04554",
        "options": {
            "reduction": {"default": 4, "choices": (2, 4, 8)},
            "dropout": {"default": 0.1, "minimum": 0, "maximum": 1},
        },
        "names": {
            "contextnet": {
                "parameters": 854_849,
                "advice": "smallest and fastest; a quick look at large areas on a CPU",
            },
        },
    },
}

# expansion t, channels c, repeats n, stride s of the deep branch (Table 1 of the paper)
GROUPS = ((1, 32, 1, 1), (6, 32, 1, 1), (6, 48, 3, 2), (6, 64, 3, 2), (6, 96, 2, 1), (6, 128, 2, 1))


class ContextNet(SegmentationModel):
    """ContextNet: a bottleneck network sees the image reduced four times, separable convolutions see it in full.

    Poudel, Bonde, Liwicki & Zach, BMVC 2018, arXiv:1805.04554, Fig. 1, Tables 1-2 ("cn14").

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers.
    reduction
        How many times the image of the deep branch is smaller: 2, 4 or 8 (the paper's cn12, cn14, cn18).
    dropout
        Probability of dropping a value before the last convolution.
    """

    readings = (
        "The deep branch ends with a separable convolution and the classifier is one 1 × 1 convolution. "
        "Fusion: the deep map upsampled, a depthwise 3 × 3 convolution dilated by the reduction, 1 × 1, "
        "added to the shallow map's 1 × 1, ReLU. 0.86 M parameters with 19 classes, of the order of the "
        "0.85 M to 0.9 M quoted for it."
    )

    def __init__(self, in_channels: int, classes: int, width: float, reduction: int, dropout: float) -> None:
        super().__init__(in_channels, classes)
        self.reduction = reduction
        self.stride = 8 * reduction
        first, detail, deep = scale_channels((32, 64, 128), width)
        widths = scale_channels([channels for _, channels, _, _ in GROUPS], width)
        self.detail = nn.Sequential(
            ConvNormReLU(in_channels, first, 3, 2),
            SeparableConv(first, detail, stride=2, inner_norm=True),
            SeparableConv(detail, deep, stride=2, inner_norm=True),
            SeparableConv(deep, deep, inner_norm=True),
        )
        layers: list[nn.Module] = [ConvNormReLU(in_channels, first, 3, 2)]
        source = first
        for (expansion, _, repeats, stride), channels in zip(GROUPS, widths, strict=True):
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                layers.append(InvertedResidual(source, channels, step, expansion, activation=nn.ReLU))
                source = channels
        self.context = nn.Sequential(*layers, SeparableConv(source, deep, inner_norm=True))
        self.fuse_context = nn.Sequential(
            ConvNormReLU(deep, deep, 3, dilation=reduction, groups=deep), ConvNormReLU(deep, deep, 1, relu=False)
        )
        self.fuse_detail = ConvNormReLU(deep, deep, 1, relu=False)
        self.classify = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(deep, classes, 1))

    def _forward(self, x: Tensor) -> Tensor:
        detail = self.fuse_detail(self.detail(x))
        small = F.interpolate(x, scale_factor=1 / self.reduction, mode="bilinear", align_corners=False)
        context = self.fuse_context(resize_like(self.context(small), detail))
        return resize_like(self.classify(F.relu(detail + context)), x)
