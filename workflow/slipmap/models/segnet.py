"""SegNet (Badrinarayanan, Kendall & Cipolla, TPAMI 2017, arXiv:1511.00561)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.vgg import STAGES, VGG16
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.conv_norm import ConvNormReLU, kaiming_init

ARCHITECTURES = {
    "SegNet": {
        "paper": "Badrinarayanan, Kendall & Cipolla, TPAMI 2017, doi:10.1109/TPAMI.2016.2644615, arXiv:1511.00561",
        "options": {"tie_bottleneck": False},
        "names": {
            "segnet": {
                "parameters": 29_443_585,
                "advice": "baseline of the papers; little memory, blurred small slides",
            },
        },
    },
}


def max_unpool(x: Tensor, indices: Tensor, size: tuple[int, int]) -> Tensor:
    """Put each value where its maximum was and zero elsewhere.

    Written as a scatter, which unlike ``F.max_unpool2d`` exports to ONNX for any size.

    Parameters
    ----------
    x, indices
        Values and the flat indices from ``F.max_pool2d(..., return_indices=True)``, of shape (batch,
        channels, h, w).
    size
        Height and width to return.
    """
    height, width = size
    flat = x.new_zeros((x.shape[0], x.shape[1], height * width))
    flat = flat.scatter(2, indices.flatten(2), x.flatten(2))
    return flat.view(x.shape[0], x.shape[1], height, width)


class SegNet(SegmentationModel):
    """SegNet: VGG16-BN down, its mirror up, upsampling by the remembered positions of the maxima.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is VGG16's 64-128-256-512-512.
    tie_bottleneck
        Whether the first block of the decoder is the last of the encoder, used a second time. That
        reproduces the 22.36 M of MsASNet's Table 4, which counts three 512 → 512 convolutions once where
        the FLOPs count them twice.
    """

    readings = (
        "26 convolutions, the last one the 3 × 3 classifier: 29,443,585 parameters at 3 bands and 1 class. "
        "MsASNet's Table 4 prints 22.3610 M: tie_bottleneck=True has 22,361,089. Enhanced U-Net's Table 6 prints "
        "24 M; no reading gives it."
    )
    stride = 32

    def __init__(self, in_channels: int, classes: int, width: float, tie_bottleneck: bool) -> None:
        super().__init__(in_channels, classes)
        self.encoder = VGG16(in_channels, width, batch_norm=True)
        channels = self.encoder.channels
        self.tie_bottleneck = tie_bottleneck
        self.decoder = nn.ModuleList()
        for index in reversed(range(4 if tie_bottleneck else 5)):
            source, out = channels[index], channels[max(index - 1, 0)]
            convs = [ConvNormReLU(source, source, bias=True) for _ in range(STAGES[index] - 1)]
            if index:
                convs.append(ConvNormReLU(source, out, bias=True))
            self.decoder.append(nn.Sequential(*convs))
        self.head = nn.Conv2d(channels[0], classes, 3, padding=1)
        kaiming_init(self.decoder)

    def _forward(self, x: Tensor) -> Tensor:
        pooled: list[tuple[Tensor, tuple[int, int]]] = []
        for index in range(len(STAGES)):
            x = self.encoder.stage(index, x)
            size = (x.shape[2], x.shape[3])
            x, indices = F.max_pool2d(x, 2, return_indices=True)
            pooled.append((indices, size))
        if self.tie_bottleneck:
            x = self.encoder.stage(4, max_unpool(x, *pooled.pop()))
        for unit in self.decoder:
            x = unit(max_unpool(x, *pooled.pop()))
        logits: Tensor = self.head(x)
        return logits
