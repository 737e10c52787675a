"""MsASNet (Remote Sens. 2024, 16, 1712) and the variants of its ablation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.cbam import CBAM, ChannelAttention
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.pyramid_pooling import PyramidPooling

ARCHITECTURES = {
    "MsASNet": {
        "paper": "MsASNet, Remote Sens. 2024, 16, 1712, doi:10.3390/rs16101712",
        "options": {"variant": {"default": "table", "choices": ("table", "natural")}},
        "names": {
            "msasnet": {
                "fixed": {"pyramid": True, "attention": "cbam"},
                "parameters": 27_539_333,
                "advice": "slides of very different sizes in optical images: pyramid pooling and attention",
            },
            "msasnet_pyramid": {
                "fixed": {"pyramid": True, "attention": "none"},
                "parameters": 27_364_417,
                "advice": "ablation: pyramid pooling without attention",
            },
            "msasnet_cbam": {
                "fixed": {"pyramid": False, "attention": "cbam"},
                "parameters": 25_077_605,
                "advice": "ablation: attention without pyramid pooling",
            },
            "msasnet_channel": {
                "fixed": {"pyramid": False, "attention": "channel"},
                "parameters": 25_077_205,
                "advice": "ablation: channel attention only",
            },
            "msasnet_unet": {
                "fixed": {"pyramid": False, "attention": "none"},
                "parameters": 25_001_537,
                "advice": "ablation: the U-Net below MsASNet",
            },
        },
    },
}

Attention = Literal["none", "channel", "cbam"]
ATTENTIONS: dict[Attention, Callable[[int], nn.Module]] = {
    "none": lambda _: nn.Identity(),
    "channel": ChannelAttention,
    "cbam": CBAM,
}


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
        ``"table"``, as published: a 1 × 1 convolution after the pyramid pooling (where there is one), decoder
        512-256-64-64, which gives the parameters and operations printed; or ``"natural"``, what one would draw
        from the text alone: decoder 512-256-128-64.
    """

    readings = (
        "Pyramid with bins 1-2-3-6 of 128 channels each, appended to the 512; CBAM with reduction 16; transposed "
        "convolutions to the width of the skip. The text leaves the decoder's widths open. Of about ten thousand "
        "combinations the default is the nearest to Table 4 (27.5391 M and 42.7559 GMAC at 256 × 256 pixels, 3 "
        "bands, 1 class): 27,539,333 parameters, and GMAC within 1 %; it is not provably the authors' design. "
        "variant='natural' has 26.77 M (-2.8 %)."
    )
    stride = 16

    def __init__(
        self,
        in_channels: int,
        classes: int,
        pyramid: bool,
        attention: Attention,
        width: float,
        variant: Literal["natural", "table"],
    ) -> None:
        super().__init__(in_channels, classes)
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
        make_attention: Callable[[int], nn.Module] = ATTENTIONS[attention]
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
        logits: Tensor = self.head(x)
        return logits
