"""FCN-8s (Long, Shelhamer & Darrell, CVPR 2015) on a residual trunk."""

from __future__ import annotations

from torch import Tensor, nn

from slipmap.models.backbones.resnet import ResNet
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "FCN8s": {
        "title": "FCN-8s",
        "paper": "Long, Shelhamer & Darrell, CVPR 2015, arXiv:1411.4038",
        "names": {
            "fcn8s_resnet18": {
                "fixed": {"depth": 18},
                "parameters": 11_177_411,
                "advice": "baseline of the papers; fast, coarse outlines",
            },
            "fcn8s_resnet50": {
                "fixed": {"depth": 50},
                "parameters": 23_511_619,
                "advice": "as fcn8s_resnet18, with a deeper trunk",
            },
        },
    },
}


class FCN8s(SegmentationModel):
    """Scores at strides 32, 16 and 8, summed on the way up, then enlarged eightfold.

    Long, Shelhamer & Darrell, CVPR 2015, arXiv:1411.4038; trunk: He et al. 2016, arXiv:1512.03385.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    depth
        Depth of the residual trunk; each registered name fixes one.
    width
        Multiplier of the trunk's channel numbers.
    """

    readings = (
        "The papers name no trunk; the count in MsASNet's Table 4, 11.1774 M, is ResNet-18 with 1 × 1 scores on "
        "its last three stages and upsampling without parameters (11,177,411 at 3 bands, 1 class). Its 3.1366 "
        "GMAC are not reproduced: the trunk has 2.38 at 256 × 256."
    )
    stride = 32

    def __init__(self, in_channels: int, classes: int, depth: int, width: float) -> None:
        super().__init__(in_channels, classes)
        self.trunk = ResNet(depth, in_channels, width)
        self.scores = nn.ModuleList(nn.Conv2d(channels, classes, 1) for channels in self.trunk.channels[2:])

    def _forward(self, x: Tensor) -> Tensor:
        maps = self.trunk(x)[2:]
        fine, middle, coarse = (score(features) for score, features in zip(self.scores, maps, strict=True))
        middle = middle + resize_like(coarse, middle)
        return resize_like(fine + resize_like(middle, fine), x)
