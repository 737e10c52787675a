"""PSPNet: pyramid scene parsing."""

from __future__ import annotations

from torch import Tensor, nn

from slipmap.models.backbones.select import dilated_trunk
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.pyramid_pooling import PyramidPooling
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "PSPNet": {
        "paper": "Zhao, Shi, Qi, Wang & Jia (PSPNet), CVPR 2017, arXiv:1612.01105",
        "options": {
            "bins": {"default": (1, 2, 3, 6), "minimum": 1},
            "dropout": {"default": 0.1, "minimum": 0, "maximum": 1},
        },
        "names": {
            "pspnet_mobilenetv2": {
                "fixed": {"backbone": "mobilenetv2", "output_stride": 16},
                "parameters": 2_375_793,
                "advice": "light; context of the whole patch, coarse outlines",
            },
            "pspnet_resnet50": {
                "fixed": {"backbone": "resnet50", "output_stride": 8},
                "parameters": 46_582_337,
                "advice": "context of the whole patch; large, for pretrained weights and a GPU",
            },
        },
    },
}


class PSPNet(SegmentationModel):
    """PSPNet: a dilated trunk, pooling over 1, 2, 3 and 6 cells a side, a 3 × 3 convolution, the classes.

    Zhao, Shi, Qi, Wang & Jia, CVPR 2017, arXiv:1612.01105, Fig. 3. Without the auxiliary loss.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        A name of :func:`~slipmap.models.backbones.select.dilated_trunk`.
    width
        Multiplier of all channel numbers.
    output_stride
        8 (the paper's), 16 or 32.
    bins
        Cells a side of the poolings.
    dropout
        Probability of dropping a value before the last convolution.
    """

    readings = (
        "The same name stands for two networks: MsASNet's Table 4 (46.5823 M, 44.4399 G) is ResNet-50 at "
        "output stride 8, one class, MAC at 256 × 256; EMR-HRNet's Table 7 (2.38 M, 6.03 G) is "
        "MobileNetV2 at output stride 16, 21 classes, 2 × MAC at 512 × 512. Both reduce the trunk's "
        "channels by four in the poolings and in the 3 × 3 convolution."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        backbone: str,
        width: float,
        output_stride: int,
        bins: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = dilated_trunk(backbone, in_channels, width, output_stride)
        self.stride = output_stride
        features = self.trunk.channels[-1] // 4
        self.pyramid = PyramidPooling(self.trunk.channels[-1], features, tuple(bins))
        self.head = nn.Sequential(
            ConvNormReLU(self.pyramid.out_channels, features),
            nn.Dropout(dropout),
            nn.Conv2d(features, classes, 1),
        )

    def _forward(self, x: Tensor) -> Tensor:
        return resize_like(self.head(self.pyramid(self.trunk(x)[-1])), x)
