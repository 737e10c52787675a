"""U-Net and ResU-Net with spatial and band refinement (SBConv; Land 2024, 13, 835)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.double_conv import ConvFactory, DoubleConv, conv3x3
from slipmap.models.blocks.sbconv import BRU, SRU, Fuse, Gate, SBConv
from slipmap.models.resunet import ResUNetFrame
from slipmap.models.unet import UNetFrame

ARCHITECTURES = {
    "SBConvUNet": {
        "title": "SBConv U-Net",
        "paper": "SBConv, Land 2024, 13, 835, doi:10.3390/land13060835; SCConv, CVPR 2023",
        "options": {
            "idcu": {"default": "A", "choices": ("A", "B")},
            "gate": {"default": "soft", "choices": ("soft", "hard")},
            "fuse": {"default": "pairwise", "choices": ("pairwise", "joint")},
            "groups": {"default": 4, "minimum": 1},
        },
        "names": {
            "sru_unet": {
                "fixed": {"unit": "sru"},
                "parameters": 17_276_225,
                "advice": "ablation: spatial refinement only",
            },
            "bru_unet": {
                "fixed": {"unit": "bru"},
                "parameters": 20_278_529,
                "advice": "ablation: band refinement only",
            },
            "sbconv_unet": {
                "fixed": {"unit": "sbconv"},
                "parameters": 20_287_361,
                "advice": "many correlated bands: spatial and band refinement of each convolution; slower than U-Net",
            },
        },
    },
    "SBConvResUNet": {
        "title": "SBConv ResU-Net",
        "paper": "SBConv, Land 2024, 13, 835, doi:10.3390/land13060835; SCConv, CVPR 2023",
        "options": {
            "gate": {"default": "soft", "choices": ("soft", "hard")},
            "fuse": {"default": "pairwise", "choices": ("pairwise", "joint")},
            "groups": {"default": 4, "minimum": 1},
        },
        "names": {
            "sru_resunet": {
                "fixed": {"unit": "sru"},
                "parameters": 8_229_441,
                "advice": "ablation: spatial refinement only",
            },
            "bru_resunet": {
                "fixed": {"unit": "bru"},
                "parameters": 9_800_513,
                "advice": "ablation: band refinement only",
            },
            "sbconv_resunet": {
                "fixed": {"unit": "sbconv"},
                "parameters": 9_806_145,
                "advice": "many correlated bands, few patches: the smaller of the two SBConv networks",
            },
        },
    },
}

Unit = Literal["sru", "bru", "sbconv"]


def refinement(unit: Unit, channels: int, groups: int, gate: Gate, fuse: Fuse) -> nn.Module:
    """Return the refinement that a variant places after its convolutions: SRU, BRU or both."""
    match unit:
        case "sru":
            return SRU(channels, groups, gate=gate)
        case "bru":
            return BRU(channels, fuse=fuse)
        case "sbconv":
            return SBConv(channels, groups, gate, fuse)
    raise ValueError(unit)


def refined_conv(unit: Unit, groups: int, gate: Gate, fuse: Fuse) -> ConvFactory:
    """Return a maker of (3 × 3 convolution, refinement)."""

    def make(in_channels: int, out_channels: int) -> nn.Module:
        return nn.Sequential(conv3x3(in_channels, out_channels), refinement(unit, out_channels, groups, gate, fuse))

    return make


class ResidualRefinement(nn.Module):
    """Reading B of the improved double convolution: ConvBlock → x + refinement(x) → ConvBlock."""

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int, refine: nn.Module) -> None:
        super().__init__()
        self.input = ConvNormReLU(in_channels, mid_channels, bias=True)
        self.refine = refine
        self.output = ConvNormReLU(mid_channels, out_channels, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.input(x)
        y: Tensor = self.output(x + self.refine(x))
        return y


class SBConvUNet(UNetFrame):
    """SruU-Net, BruU-Net and SBConvU-Net: the U-Net of the same file with refined convolutions.

    SBConv, Land 2024, 13, 835, doi:10.3390/land13060835, sections 2.2.3 to 2.2.6.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    unit
        ``"sru"``, ``"bru"`` or ``"sbconv"`` (both); each registered name fixes one.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    idcu
        The improved double convolution: ``"A"``, (3 × 3 convolution, refinement, normalisation, ReLU)
        twice; or ``"B"``, ConvBlock, then x + refinement(x), then ConvBlock.
    gate
        ``"soft"`` or ``"hard"`` gate of SRU (see :class:`~slipmap.models.blocks.sbconv.SRU`).
    fuse
        ``"pairwise"`` or ``"joint"`` softmax of BRU (see :class:`~slipmap.models.blocks.sbconv.BRU`).
    groups
        Groups of SRU's group normalisation.
    """

    readings = (
        "The paper says both that SBConv follows each convolution of the double convolution (idcu='A', the "
        "default) and that it stands in a residual block between two ConvBlocks (idcu='B'). It prints no "
        "parameter counts; A adds 17 % to U-Net's, whatever 'reduces redundant computing' means. Group "
        "normalisation with 4 groups, as SCConv builds it; the gate is soft, as in the code that the paper "
        "acknowledges, the fusion pairwise, as in equation 8."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        unit: Unit,
        width: float,
        idcu: Literal["A", "B"],
        gate: Gate,
        fuse: Fuse,
        groups: int,
    ) -> None:
        def make(source: int, out: int, mid: int, level: int | None) -> nn.Module:
            if idcu == "A":
                return DoubleConv(source, out, mid, refined_conv(unit, groups, gate, fuse))
            return ResidualRefinement(source, out, mid, refinement(unit, mid, groups, gate, fuse))

        super().__init__(in_channels, classes, scale_channels((64, 128, 256, 512, 512), width), make)
        if gate == "hard":
            self.untrained_by_design = hard_gate_parameters(self)


class SBConvResUNet(ResUNetFrame):
    """SruResU-Net, BruResU-Net and SBConvResU-Net: ResU-Net with a refinement after each 3 × 3 convolution.

    SBConv, Land 2024, 13, 835, doi:10.3390/land13060835.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    unit
        ``"sru"``, ``"bru"`` or ``"sbconv"`` (both); each registered name fixes one.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512.
    gate, fuse, groups
        As in :class:`SBConvUNet`.
    """

    readings = (
        "The paper describes the refined U-Net only; here the refinement follows each 3 × 3 convolution of "
        "Zhang's residual units, as in reading A of the U-Net. It prints no parameter counts."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        unit: Unit,
        width: float,
        gate: Gate,
        fuse: Fuse,
        groups: int,
    ) -> None:
        def refine(channels: int) -> nn.Module:
            return refinement(unit, channels, groups, gate, fuse)

        super().__init__(in_channels, classes, width, refine)
        if gate == "hard":
            self.untrained_by_design = hard_gate_parameters(self)


def hard_gate_parameters(model: nn.Module) -> tuple[str, ...]:
    """Return the names of the scales and shifts that a hard gate cuts off from the gradient."""
    units = [name for name, module in model.named_modules() if isinstance(module, SRU)]
    return tuple(f"{name}.norm.{parameter}" for name in units for parameter in ("weight", "bias"))
