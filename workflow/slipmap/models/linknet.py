"""LinkNet: a light decoder that adds the encoder's maps."""

from __future__ import annotations

from torch import Tensor, nn

from slipmap.models.backbones.resnet import ResNet
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.conv_norm import ConvNormReLU

ARCHITECTURES = {
    "LinkNet": {
        "paper": "Chaurasia & Culurciello (LinkNet), VCIP 2017, doi:10.1109/VCIP.2017.8305148, arXiv:1707.03718",
        "names": {
            "linknet_resnet18": {
                "fixed": {"depth": 18},
                "parameters": 11_533_313,
                "advice": "fast, takes pretrained ResNet weights; good on a CPU",
            },
            "linknet_resnet34": {
                "fixed": {"depth": 34},
                "parameters": 21_641_473,
                "advice": "as linknet_resnet18, with a deeper trunk",
            },
        },
    },
}


class TransposedConvNormReLU(nn.Sequential):
    """3 × 3 transposed convolution, normalisation, ReLU; doubles the size at stride 2."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 2) -> None:
        super().__init__(
            nn.ConvTranspose2d(in_channels, out_channels, 3, stride, padding=1, output_padding=stride - 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class LinkNet(SegmentationModel):
    """LinkNet: residual encoder; decoders of 1 × 1 (a quarter of the channels), 3 × 3 transposed, 1 × 1 convolutions.

    Chaurasia & Culurciello, VCIP 2017, arXiv:1707.03718, Figs. 1-3. The encoder's maps are added, not joined.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    depth
        Of the residual encoder; 18 in the paper.
    width
        Multiplier of all channel numbers.
    """

    readings = (
        "The first encoder stage keeps the size, as ResNet's does, and so does its decoder. The paper "
        "prints 11.5 M parameters for 20 classes."
    )
    stride = 32

    def __init__(self, in_channels: int, classes: int, depth: int, width: float) -> None:
        super().__init__(in_channels, classes)
        self.trunk = ResNet(depth, in_channels, width)
        stem, *stages = self.trunk.channels
        self.decoder = nn.ModuleList(
            self._decoder(source, target, 1 if level == 0 else 2)
            for level, (source, target) in enumerate(zip(stages, (stem, *stages[:-1]), strict=True))
        )
        half = max(1, stem // 2)
        self.head = nn.Sequential(
            TransposedConvNormReLU(stem, half),
            ConvNormReLU(half, half),
            nn.ConvTranspose2d(half, classes, 2, stride=2),
        )

    @staticmethod
    def _decoder(source: int, target: int, stride: int) -> nn.Module:
        quarter = max(1, source // 4)
        return nn.Sequential(
            ConvNormReLU(source, quarter, 1),
            TransposedConvNormReLU(quarter, quarter, stride),
            ConvNormReLU(quarter, target, 1),
        )

    def _forward(self, x: Tensor) -> Tensor:
        _, *skips, x = self.trunk(x)
        for decoder in list(self.decoder)[:0:-1]:
            x = decoder(x) + skips.pop()
        logits: Tensor = self.head(self.decoder[0](x))
        return logits
