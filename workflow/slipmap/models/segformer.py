"""SegFormer: a hierarchical transformer and a decoder of linear layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.backbones.mit import PyramidTransformer
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "SegFormer": {
        "paper": "Xie et al. (SegFormer), NeurIPS 2021, arXiv:2105.15203",
        "options": {
            "dropout": {"default": 0.1, "minimum": 0, "maximum": 1},
            "drop_path": {"default": 0.1, "minimum": 0, "maximum": 0.99},
        },
        "names": {
            "segformer_b0": {
                "fixed": {"backbone": "mit_b0"},
                "parameters": 3_714_401,
                "advice": "smallest transformer; best with pretrained weights",
            },
            "segformer_b1": {
                "fixed": {"backbone": "mit_b1"},
                "parameters": 13_677_505,
                "advice": "middle size; transfers well between regions",
            },
            "segformer_b2": {
                "fixed": {"backbone": "mit_b2"},
                "parameters": 27_347_393,
                "advice": "large; many patches, a GPU, pretrained weights",
            },
        },
    },
}

DECODER = {"mit_b0": 256, "mit_b1": 256, "mit_b2": 768}


class SegFormer(SegmentationModel):
    """SegFormer: the four maps of a mix transformer brought to one width and size, joined and classified.

    Xie et al., NeurIPS 2021, arXiv:2105.15203, eq. 4.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        ``mit_b0``, ``mit_b1`` or ``mit_b2``.
    width
        Multiplier of the channels of an attention head and of the decoder.
    dropout
        Probability of dropping a channel before the last convolution.
    drop_path
        Probability of dropping a residual branch of the trunk's last unit, growing linearly from 0 in the
        first.
    """

    readings = (
        "The 'SegFormer' of EMR-HRNet's Table 7 (3.72 M, 13.67 G) is B0 with 21 classes, 2 × MAC at 512 × "
        "512; its profiler does not see the products of attention, which FlopCounterMode counts."
    )
    stride = 32

    def __init__(
        self,
        in_channels: int,
        classes: int,
        backbone: str,
        width: float,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = PyramidTransformer(backbone, in_channels, width, drop_path)
        features = scale_channels((DECODER.get(backbone, 256),), width)[0]
        # A linear layer on every token is a 1 × 1 convolution of the map.
        self.project = nn.ModuleList(nn.Conv2d(channels, features, 1) for channels in self.trunk.channels)
        self.fuse = ConvNormReLU(4 * features, features, 1)
        self.dropout = nn.Dropout2d(dropout)
        self.classify = nn.Conv2d(features, classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        maps = [project(level) for project, level in zip(self.project, self.trunk(x), strict=True)]
        joined = torch.cat([resize_like(level, maps[0]) for level in maps], dim=1)
        return resize_like(self.classify(self.dropout(self.fuse(joined))), x)
