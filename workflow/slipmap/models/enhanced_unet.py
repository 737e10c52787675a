"""Enhanced U-Net: hybrid convolutions and multi-channel spatial attention (J. Comput. Commun. 2025, 13, 80–107)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from slipmap.models.base import scale_channels
from slipmap.models.blocks.double_conv import DoubleConv
from slipmap.models.blocks.hybrid_conv import HybridConv
from slipmap.models.blocks.mcsa import MCSA, AttentionKind, Combine
from slipmap.models.unet import UNetFrame, double_conv_unit

ARCHITECTURES = {
    "EnhancedUNet": {
        "title": "Enhanced U-Net",
        "paper": "Enhanced U-Net, J. Comput. Commun. 2025, 13, 80–107, doi:10.4236/jcc.2025.138004",
        "options": {
            "convolution": {
                "default": "standard+dilated",
                "choices": (
                    "standard",
                    "dilated",
                    "grouped",
                    "standard+dilated",
                    "standard+grouped",
                    "dilated+grouped",
                ),
            },
            "weights": {"default": (0.5, 0.5), "above": 0, "length": 2},
            "dilation": {"default": 2, "minimum": 1},
            "groups": {"default": 4, "minimum": 1},
            "hybrid_levels": {"default": 3, "minimum": 0, "maximum": 5},
            "attention": {"default": "both", "choices": ("none", "channel", "spatial", "both")},
            "combine": {"default": "multiply", "choices": ("multiply", "add")},
            "reduction": {"default": 16, "minimum": 1},
        },
        "names": {
            "enhanced_unet": {
                "parameters": 14_624_514,
                "advice": "wider view in the first levels, attention after each: indices and the LSI",
            },
        },
    },
}


class EnhancedUNet(UNetFrame):
    """U-Net with hybrid convolutions in the first encoder levels and MCSA after each encoder level.

    J. Comput. Commun. 2025, 13, 80–107, section 2.4 and Tables 3 to 6.

    Parameters
    ----------
    in_channels, classes
        Bands in (7 in the paper), logits out.
    width
        Multiplier of all channel numbers; 1 is 64-128-256-512-512.
    convolution
        Table 3: ``"standard"``, ``"dilated"``, ``"grouped"``, ``"standard+dilated"``,
        ``"standard+grouped"`` or ``"dilated+grouped"``.
    weights
        Table 4: weights of the two convolutions of a pair.
    dilation, groups
        Of the dilated and of the grouped convolution.
    hybrid_levels
        How many encoder levels, from full resolution down, have that convolution (0 to 5).
    attention
        Table 5: ``"none"``, ``"channel"``, ``"spatial"`` or ``"both"``.
    combine
        ``"multiply"`` features and attention, or ``"add"`` as equation 15 is printed.
    reduction
        Ratio of the channels to the hidden width of the channel attention.
    """

    readings = (
        "The U-Net whose 13.40 M come nearest to the paper's 14 M (decoder 'narrow'), hybrid convolutions in the "
        "first three encoder levels (14.54 M; in all of them the encoder alone would have 22.8 M), MCSA after "
        "each encoder level: 14.6 M. The grouped convolution's groups are not given: 4. Equation 15 adds the "
        "attention, which would make it a bias; it multiplies unless combine='add'."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        width: float,
        convolution: str,
        weights: Sequence[float],
        dilation: int,
        groups: int,
        hybrid_levels: int,
        attention: AttentionKind,
        combine: Combine,
        reduction: int,
    ) -> None:
        def hybrid(source: int, out: int) -> nn.Module:
            return HybridConv(source, out, convolution, weights, dilation, groups)

        def make(source: int, out: int, mid: int, level: int | None) -> nn.Module:
            if level is None:
                return double_conv_unit(source, out, mid, level)
            unit = DoubleConv(source, out, mid, *([hybrid] if level < hybrid_levels else []))
            return nn.Sequential(unit, MCSA(out, attention, combine, reduction))

        channels = scale_channels((64, 128, 256, 512, 512), width)
        super().__init__(in_channels, classes, channels, make, decoder="narrow")
