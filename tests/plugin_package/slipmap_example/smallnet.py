"""A small network at full resolution: convolutions whose dilation doubles from layer to layer (Yu & Koltun 2016)."""

from itertools import pairwise

from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU

ARCHITECTURES = {
    "SmallNet": {
        "paper": "Yu & Koltun, ICLR 2016, arXiv:1511.07122",
        "options": {"layers": {"default": 3, "minimum": 1, "maximum": 8}},
        "names": {
            "smallnet": {"parameters": 5_153, "advice": "an example: a few convolutions at full resolution"},
        },
    },
}


class SmallNet(SegmentationModel):
    """Convolutions at full resolution, each dilated twice as wide as the one before, then the classes.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of the 16 channels.
    layers
        Number of convolutions.
    """

    readings = "The paper's context module, without its last layers."

    def __init__(self, in_channels: int, classes: int, width: float, layers: int) -> None:
        super().__init__(in_channels, classes)
        channels = [in_channels, *scale_channels([16] * layers, width)]
        self.layers = nn.Sequential(
            *(ConvNormReLU(source, out, dilation=2**layer) for layer, (source, out) in enumerate(pairwise(channels)))
        )
        self.head = nn.Conv2d(channels[-1], classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.layers(x))
        return logits
