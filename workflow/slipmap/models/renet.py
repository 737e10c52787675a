"""Re-Net: a U-Net of five-branch convolutions that fuse to plain ones for inference."""

from __future__ import annotations

from typing import Literal

from torch import nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.reparameterise import FiveBranchConv
from slipmap.models.unet import UNetFrame, double_conv_unit

ARCHITECTURES = {
    "ReNet": {
        "title": "Re-Net",
        "paper": "Zhang, Zhu, Li, Zhang & Chen (Re-Net), IEEE JSTARS 2024, 17, 2828-2837",
        "options": {"placement": {"default": "encoder", "choices": ("encoder", "decoder", "both")}},
        "names": {
            "renet": {
                "parameters": 66_308_170,
                "advice": "heavy in training, a plain U-Net once fused: fast maps of large areas",
            },
        },
    },
}


def five_branch_unit(in_channels: int, out_channels: int, mid_channels: int) -> nn.Module:
    """Return twice (five-branch convolution, ReLU); the branches are normalised themselves."""
    return nn.Sequential(
        FiveBranchConv(in_channels, mid_channels),
        nn.ReLU(inplace=True),
        FiveBranchConv(mid_channels, out_channels),
        nn.ReLU(inplace=True),
    )


class ReNet(UNetFrame):
    """Re-Net: U-Net whose encoder is made of five-branch feature extraction modules (FFEM).

    Zhang, Zhu, Li, Zhang & Chen, JSTARS 2024, 17, 2828-2837.
    ``slipmap.models.blocks.reparameterise.fused(model)`` is the network for inference, every module one 3 ×
    3 convolution.

    The structure is our reading of an abstract, chosen by the published saving of parameters; that the saving is
    reproduced (see `readings`) is therefore no independent evidence for it.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-1024.
    placement
        Where the modules stand: ``"encoder"``, ``"decoder"`` or ``"both"``.
    """

    readings = (
        "The abstract says that the module rebuilds the encoder (EMR-HRNet, quoting it, says decoder) of "
        "a U-shaped network and becomes a convolution; the five branches are not named there. Read: 3 × "
        "3; 1 × 1 then 3 × 3; 1 × 3; 3 × 1; 1 × 1, each normalised, in a 64-1024 U-Net with transposed "
        "convolutions. Fusing then saves 53.2 % of the parameters (published 52.9 %) and 39.8 % of the "
        "FLOPs (published 34.98 %). The paper's text was not at hand: branches and widths were chosen so that the "
        "saving comes out, and a test that it does is no independent evidence that the network is the paper's."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        width: float,
        placement: Literal["encoder", "decoder", "both"],
    ) -> None:

        def make(source: int, out: int, mid: int, level: int | None) -> nn.Module:
            part = "decoder" if level is None else "encoder"
            if placement in (part, "both"):
                return five_branch_unit(source, out, mid)
            return double_conv_unit(source, out, mid, level)

        channels = scale_channels((64, 128, 256, 512, 1024), width)
        super().__init__(in_channels, classes, channels, make, "transposed")
