"""DeepLabV2, DeepLabV3 and DeepLabV3+: dilated trunks and atrous spatial pyramid pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.backbones.select import dilated_trunk
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.aspp import ASPP, SummedASPP
from slipmap.models.blocks.conv_norm import ConvNormReLU, SeparableConv
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "DeepLabV2": {
        "paper": "Chen et al. (DeepLab), IEEE TPAMI 2018, doi:10.1109/TPAMI.2017.2699184, arXiv:1606.00915",
        "options": {"rates": {"default": (6, 12, 18, 24), "minimum": 1}},
        "names": {
            "deeplabv2_resnet101": {
                "fixed": {"backbone": "resnet101"},
                "parameters": 42_573_892,
                "advice": "quoted rival of SBConv; superseded by deeplabv3plus",
            },
        },
    },
    "DeepLabV3": {
        "paper": "Chen, Papandreou, Schroff & Adam (DeepLabV3) 2017, arXiv:1706.05587",
        "options": {"output_stride": {"default": 16, "choices": (8, 16, 32)}},
        "names": {
            "deeplabv3_mobilenetv2": {
                "fixed": {"backbone": "mobilenetv2"},
                "parameters": 4_518_401,
                "advice": "light trunk, wide view; coarse outlines: large slides only",
            },
            "deeplabv3_resnet50": {
                "fixed": {"backbone": "resnet50"},
                "parameters": 39_043_393,
                "advice": "wide view without a decoder: large slides, many patches",
            },
            "deeplabv3_resnet101": {
                "fixed": {"backbone": "resnet101"},
                "parameters": 58_035_521,
                "advice": "as deeplabv3_resnet50, deeper; needs a GPU and pretrained weights",
            },
        },
    },
    "DeepLabV3Plus": {
        "title": "DeepLabV3+",
        "paper": "Chen, Zhu, Papandreou, Schroff & Adam (DeepLabV3+), ECCV 2018, arXiv:1802.02611",
        "options": {
            "output_stride": {"default": 16, "choices": (8, 16)},
            "separable": False,
            "dropout": {"default": 0.5, "minimum": 0, "maximum": 1},
        },
        "names": {
            "deeplabv3plus_mobilenetv2": {
                "fixed": {"backbone": "mobilenetv2"},
                "parameters": 5_813_009,
                "advice": "light, wide view and finer outlines; EMR-HRNet's 'DeeplabV3'",
            },
            "deeplabv3plus_resnet50": {
                "fixed": {"backbone": "resnet50"},
                "parameters": 40_349_137,
                "advice": "strong general network for many patches and pretrained weights",
            },
            "deeplabv3plus_resnet101": {
                "fixed": {"backbone": "resnet101"},
                "parameters": 59_341_265,
                "advice": "as deeplabv3plus_resnet50, deeper; needs a GPU",
            },
        },
    },
}

RATES = {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}


class DeepLabV2(SegmentationModel):
    """DeepLabV2: a trunk dilated to stride 8, four parallel dilated classifiers summed, bilinear upsampling.

    Chen et al., TPAMI 2018, arXiv:1606.00915, §3.1-3.2 and Fig. 7. The paper's conditional random field is a
    post-processing of its own and not part of the network.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        A name of :func:`~slipmap.models.backbones.select.dilated_trunk`.
    width
        Multiplier of the trunk's channel numbers.
    rates
        Dilations of the classifiers; 6, 12, 18, 24 is the paper's ASPP-L.
    """

    readings = (
        "The ResNet-101 form, in which each rate is one 3 × 3 convolution to the classes. Without the "
        "fully connected CRF and without the three input scales of the paper's best run. SBConv's Table 2 "
        "quotes it from Ghorbanzadeh et al. 2022 and prints no parameter count."
    )
    stride = 8

    def __init__(
        self,
        in_channels: int,
        classes: int,
        backbone: str,
        width: float,
        rates: tuple[int, ...],
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = dilated_trunk(backbone, in_channels, width, 8)
        self.aspp = SummedASPP(self.trunk.channels[-1], classes, tuple(rates))

    def _forward(self, x: Tensor) -> Tensor:
        return resize_like(self.aspp(self.trunk(x)[-1]), x)


class DeepLabV3(SegmentationModel):
    """DeepLabV3: a dilated trunk, ASPP with image pooling, a 1 × 1 convolution to the classes, bilinear upsampling.

    Chen, Papandreou, Schroff & Adam 2017, arXiv:1706.05587, Fig. 5.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        A name of :func:`~slipmap.models.backbones.select.dilated_trunk`.
    width
        Multiplier of all channel numbers.
    output_stride
        8, 16 or 32; the rates of ASPP are 6, 12, 18 at 16, and scaled with it.
    """

    readings = (
        "What EMR-HRNet calls 'DeeplabV3' (5.82 M) is DeepLabV3+ with MobileNetV2: "
        "deeplabv3plus_mobilenetv2 here. This is DeepLabV3 for real; no landslide paper prints its count."
    )

    def __init__(self, in_channels: int, classes: int, backbone: str, width: float, output_stride: int) -> None:
        super().__init__(in_channels, classes)
        self.trunk = dilated_trunk(backbone, in_channels, width, output_stride)
        self.stride = output_stride
        features = scale_channels((256,), width)[0]
        self.aspp = ASPP(self.trunk.channels[-1], features, RATES[output_stride])
        self.classify = nn.Conv2d(features, classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        return resize_like(self.classify(self.aspp(self.trunk(x)[-1])), x)


class DeepLabV3Plus(SegmentationModel):
    """DeepLabV3+: DeepLabV3's features joined with those at stride 4, two 3 × 3 convolutions, the classes.

    Chen, Zhu, Papandreou, Schroff & Adam, ECCV 2018, arXiv:1802.02611, Fig. 2.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        A name of :func:`~slipmap.models.backbones.select.dilated_trunk`.
    width
        Multiplier of all channel numbers.
    output_stride
        8 or 16; the rates of ASPP are 6, 12, 18 at 16, and scaled with it.
    separable
        Whether the 3 × 3 convolutions of ASPP and decoder are depthwise separable, as in the paper's best
        network, or plain, as in the one that EMR-HRNet measured.
    dropout
        Probability of dropping a value after the first 3 × 3 convolution; a fifth of it after the second.
    """

    readings = (
        "The 'DeeplabV3' of EMR-HRNet's Table 7 (5.82 M, 53.03 G) is this network on MobileNetV2 at "
        "output stride 16, with plain convolutions that have a bias before their normalisation, 21 "
        "classes, 2 × MAC at 512 × 512. Enhanced U-Net's 58 M is not reproducible (45.7 M separable, 59 M "
        "plain, with ResNet-101)."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        backbone: str,
        width: float,
        output_stride: int,
        separable: bool,
        dropout: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = dilated_trunk(backbone, in_channels, width, output_stride)
        self.stride = output_stride
        features, low = scale_channels((256, 48), width)
        bias = not separable
        self.aspp = ASPP(self.trunk.channels[-1], features, RATES[output_stride], separable, bias)
        self.low_level = ConvNormReLU(self.trunk.channels[1], low, 1, bias=bias)

        def conv(source: int) -> nn.Module:
            return SeparableConv(source, features) if separable else ConvNormReLU(source, features, bias=True)

        self.decoder = nn.Sequential(conv(features + low), nn.Dropout(dropout), conv(features), nn.Dropout(dropout / 5))
        self.classify = nn.Conv2d(features, classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        maps = self.trunk(x)
        low = self.low_level(maps[1])
        joined = torch.cat([resize_like(self.aspp(maps[-1]), low), low], dim=1)
        return resize_like(self.classify(self.decoder(joined)), x)
