"""MsASNet (Remote Sens. 2024, 16, 1712) and the variants of its ablation."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, check_choice, scale_channels
from slipmap.models.blocks.cbam import CBAM, ChannelAttention
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.pyramid_pooling import PyramidPooling
from slipmap.models.registry import register

Attention = Literal["none", "channel", "cbam"]


@register("msasnet", pyramid=True, attention="cbam")
@register("msasnet_pyramid", pyramid=True, attention="none")
@register("msasnet_cbam", pyramid=False, attention="cbam")
@register("msasnet_channel", pyramid=False, attention="channel")
@register("msasnet_unet", pyramid=False, attention="none")
class MsASNet(SegmentationModel):
    """MsASNet: U-Net with pyramid pooling at its bottom and CBAM before each upsampling; and its ablations.

    Double convolution to 64; four (maximum, double convolution) to 128-256-512-512; one more double
    convolution; pyramid pooling 512 → 1024; then four times CBAM, 2 × 2 transposed convolution,
    concatenation with the skip, double convolution; head. Remote Sens. 2024, 16, 1712,
    doi:10.3390/rs16101712, section 2.2, Figures 3 and 4, Table 2.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    pyramid
        Whether the pyramid pooling is there; each registered name fixes it.
    attention
        What precedes the upsamplings: ``"cbam"``, its channel part, or nothing; each registered name fixes
        it.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    variant
        ``"natural"``, decoder 512-256-128-64; or ``"table"``, the design nearest to the published count: a
        1 × 1 convolution after the pyramid pooling (where there is one), decoder 512-256-64-64.
    """

    paper = "MsASNet, Remote Sens. 2024, 16, 1712, doi:10.3390/rs16101712"
    published_parameters = {"msasnet": 27_539_100}  # noqa: RUF012
    readings = (
        "Pyramid with bins 1-2-3-6 of 128 channels each, appended to the 512; CBAM with reduction 16; transposed "
        "convolutions to the width of the skip. That is 26.77 M, 2.8 % below the 27.5391 M of Table 4 (which is "
        "at 256 × 256 pixels, 3 bands, 1 class); variant='table' has 27.54 M, without being provably the authors' "
        "design."
    )
    stride = 16

    def __init__(
        self,
        in_channels: int,
        classes: int,
        pyramid: bool,
        attention: Attention,
        width: float = 1.0,
        variant: Literal["natural", "table"] = "natural",
    ) -> None:
        super().__init__(in_channels, classes)
        check_choice("attention", attention, ("none", "channel", "cbam"))
        check_choice("variant", variant, ("natural", "table"))
        c = scale_channels((64, 128, 256, 512, 512), width, divisor=16)
        decoded = [c[3], c[2], c[0] if variant == "table" else c[1], c[0]]
        self.encoder = nn.ModuleList(
            DoubleConv(source, out) for source, out in zip([in_channels, *c[:-1]], c, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.bottom = nn.Sequential(DoubleConv(c[4], c[4]))
        source = c[4]
        if pyramid:
            self.bottom.append(PyramidPooling(source, source // 4, bias=True))
            source *= 2
            if variant == "table":
                self.bottom.append(ConvNormReLU(source, source, 1))
        make_attention = {"none": lambda _: nn.Identity(), "channel": ChannelAttention, "cbam": CBAM}[attention]
        self.attention, self.upsample, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for skip, out in zip(reversed(c[:4]), decoded, strict=True):
            self.attention.append(make_attention(source))
            self.upsample.append(nn.ConvTranspose2d(source, skip, 2, stride=2))
            self.decoder.append(DoubleConv(2 * skip, out))
            source = out
        self.head = nn.Conv2d(source, classes, 1)

    def _forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, unit in enumerate(self.encoder):
            x = unit(self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        x = self.bottom(x)
        for attention, upsample, unit in zip(self.attention, self.upsample, self.decoder, strict=True):
            x = unit(torch.cat([skips.pop(), upsample(attention(x))], dim=1))
        return self.head(x)
