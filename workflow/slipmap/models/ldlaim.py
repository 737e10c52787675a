"""LDLAIM, the limited-angle imaging inpainting model that MsASNet is compared with, as a segmenter."""

from __future__ import annotations

from torch import Tensor, nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.double_conv import DoubleConv, conv3x3
from slipmap.models.unet import UNetFrame, double_conv_unit

ARCHITECTURES = {
    "LDLAIM": {
        "paper": "Zhang et al., J. X-Ray Sci. Technol. 2023, 31, 131–152, doi:10.3233/XST-221260",
        "options": {"residual_blocks": {"default": 2, "minimum": 1}},
        "names": {
            "ldlaim": {
                "parameters": 17_415_619,
                "advice": "rival of MsASNet: U-Net with residual blocks at full resolution",
            },
        },
    },
}


class PReLUResidual(nn.Module):
    """x + BN(conv(PReLU(BN(conv(x))))), the residual block of SRGAN (Ledig et al. 2017, arXiv:1609.04802)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv3x3(channels, channels),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
            conv3x3(channels, channels),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.residual(x)
        return y


class LDLAIM(UNetFrame):
    """Bilinear U-Net whose first level ends in residual blocks with PReLU: the generator alone, trained to segment.

    Zhang et al., J. X-Ray Sci. Technol. 2023, 31, 131–152, doi:10.3233/XST-221260, as used in
    MsASNet, Remote Sens. 2024, 16, 1712, Tables 1, 3 and 4.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    residual_blocks
        Number of residual blocks, at least 1.
    """

    readings = (
        "MsASNet's Table 1 says 23 convolutions, 3 × 3 and 1 × 1, with PReLU and ReLU: U-Net's 19 and two "
        "residual blocks, at full resolution. 17.42 M, 0.8 % above the 17.2806 M of its Table 4; its "
        "discriminator is left out."
    )

    def __init__(self, in_channels: int, classes: int, width: float, residual_blocks: int) -> None:
        def make(source: int, out: int, mid: int, level: int | None) -> nn.Module:
            if level == 0:
                return nn.Sequential(
                    DoubleConv(source, out, mid), *(PReLUResidual(out) for _ in range(residual_blocks))
                )
            return double_conv_unit(source, out, mid, level)

        super().__init__(in_channels, classes, scale_channels((64, 128, 256, 512, 512), width), make)
