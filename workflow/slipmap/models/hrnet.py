"""HRNetV2 and EMR-HRNet: high-resolution networks, plain and with attention in their blocks and above them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.backbones.hrnet import HRNet, MakeBlock
from slipmap.models.backbones.resnet import BasicBlock
from slipmap.models.base import SegmentationModel, check_choice
from slipmap.models.blocks.cbam import CBAM
from slipmap.models.blocks.ema import EMA
from slipmap.models.blocks.gam import GAM
from slipmap.models.blocks.mdta import MDTA
from slipmap.models.blocks.parnet import ParNetAttention
from slipmap.models.blocks.refconv import RefConv
from slipmap.models.blocks.resize import resize_like
from slipmap.models.registry import register


class RAD(nn.Sequential):
    """Refocusing convolution, normalisation, ReLU, twice; then transposed attention (EMR-HRNet, Fig. 5).

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    head_channels
        Channels of an attention head; 32, so that 32-64-128-256 channels have the 1-2-4-8 heads of Restormer.
    """

    def __init__(self, in_channels: int, out_channels: int, head_channels: int = 32) -> None:
        super().__init__(
            RefConv(in_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            RefConv(out_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            MDTA(out_channels, max(1, out_channels // head_channels)),
        )


class RMAPyramid(nn.Module):
    """Pyramid of RAD blocks over the four resolutions.

    Parameters
    ----------
    channels
        Channels of the four maps, finest first.
    flow
        - ``"chain"``: each level, through a RAD block to the width of the next coarser one and resized to
          it, is added to it; the head's upsampling and joining is the top-down half (1.520 M parameters at
          W32);
        - ``"top_down"``: each level, through a RAD block to the width of the next finer one and resized, is
          added to it (0.674 M);
        - ``"lateral"``: a RAD block of equal width on every level (1.931 M).
    """

    def __init__(self, channels: tuple[int, ...], flow: str) -> None:
        super().__init__()
        check_choice("pyramid", flow, ("none", "chain", "top_down", "lateral"))
        if flow == "chain":
            pairs = list(pairwise(channels))
        elif flow == "top_down":
            pairs = list(pairwise(channels[::-1]))
        elif flow == "lateral":
            pairs = list(zip(channels, channels, strict=True))
        else:
            pairs = []
        self.flow = flow
        self.blocks = nn.ModuleList(RAD(source, target) for source, target in pairs)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        if self.flow == "lateral":
            return [block(level) for block, level in zip(self.blocks, maps, strict=True)]
        maps = maps[::-1] if self.flow == "top_down" else maps
        out = maps[:1]
        for block, level in zip(self.blocks, maps[1:], strict=False):
            out.append(level + resize_like(block(out[-1]), level))
        if self.flow == "top_down":
            return out[::-1]
        return out + maps[len(out) :]


class _HighResolutionModel(SegmentationModel):
    """Trunk, pyramid if any, and the head of HRNetV2."""

    stride = 32

    def __init__(
        self,
        in_channels: int,
        classes: int,
        base: int,
        width: float,
        dropout: float,
        blocks: int,
        make_block: MakeBlock | None = None,
        pyramid: str = "none",
    ) -> None:
        super().__init__(in_channels, classes)
        check_choice("base", base, (18, 32, 48))
        self.trunk = HRNet(in_channels, base, width, make_block, blocks)
        self.pyramid = RMAPyramid(self.trunk.channels, pyramid)
        joined = sum(self.trunk.channels)
        self.head = nn.Sequential(
            nn.Conv2d(joined, joined, 1),
            nn.BatchNorm2d(joined),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
            nn.Conv2d(joined, classes, 1),
        )

    def _forward(self, x: Tensor) -> Tensor:
        finest, *coarser = self.pyramid(self.trunk(x))
        joined = torch.cat([finest, *(resize_like(level, finest) for level in coarser)], dim=1)
        return resize_like(self.head(joined), x)


@register("hrnetv2_w18", base=18)
@register("hrnetv2_w32", base=32)
@register("hrnetv2_w48", base=48)
class HRNetV2(_HighResolutionModel):
    """HRNetV2: the four resolutions joined at stride 4, a 1 × 1 convolution, the classes, upsampled four times.

    Wang et al., TPAMI 2020, arXiv:1908.07919, Fig. 4b.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    base
        Channels of the finest branch: 18, 32 or 48.
    width
        Multiplier of all channel numbers.
    dropout
        Probability of dropping a whole channel before the last convolution; 0 in the HRNet paper.
    blocks
        Residual blocks in a row in a branch of a module; 4 in the paper.
    """

    paper = "Wang et al., IEEE TPAMI 2020, doi:10.1109/TPAMI.2020.2983686, arXiv:1908.07919"
    published_parameters = MappingProxyType({"hrnetv2_w32": 29_550_000})
    readings = (
        "The 'HRNet' of EMR-HRNet's Table 7 (29.55 M, 80.18 G) is W32 with 21 classes; its FLOPs are 2 × "
        "MAC at 480 × 480, not at the 512 × 512 of the other rows."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        base: int = 32,
        width: float = 1.0,
        dropout: float = 0.0,
        blocks: int = 4,
    ) -> None:
        super().__init__(in_channels, classes, base, width, dropout, blocks)


@register("hrnet_cbam", attention="cbam", pyramid="none")
@register("hrnet_parneta", attention="parneta", pyramid="none")
@register("hrnet_gam", attention="gam", pyramid="none")
@register("hrnet_rma", attention="none")
@register("hrnet_dema", attention="dema", pyramid="none")
@register("emr_hrnet", attention="dema")
class EMRHRNet(_HighResolutionModel):
    """EMR-HRNet: HRNetV2 with dilated, attentive blocks (DEMA) and a pyramid of refocused attention (RMA).

    Jin et al., Sensors 2024, 24, 3677, doi:10.3390/s24113677, §2.3-2.5. ``hrnet_dema`` and ``hrnet_rma`` are
    its ablations (Table 4), ``hrnet_gam``, ``hrnet_parneta`` and ``hrnet_cbam`` the attentions it compares
    with DEMA (Table 5).

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    base
        Channels of the finest branch: 18, 32 (the paper's) or 48.
    width
        Multiplier of all channel numbers.
    dropout
        Probability of dropping a whole channel before the last convolution; the paper trains with 0.5.
    blocks
        Residual blocks in a row in a branch of a module; 4 in the paper.
    attention
        Of the residual blocks of stages 2 to 4: ``"none"``, ``"dema"`` (both convolutions dilated, then
        EMA), or ``"gam"``, ``"parneta"``, ``"cbam"`` (after the second normalisation, the convolutions not
        dilated).
    pyramid
        ``"none"``, or the flow of the :class:`RMAPyramid`.
    ema_factor
        Groups of EMA; at least two channels must be left in a group of the finest branch.
    dilation
        Of the convolutions of a DEMA block.
    """

    paper = "EMR-HRNet, Sensors 2024, 24, 3677, doi:10.3390/s24113677"
    published_parameters = MappingProxyType({"emr_hrnet": 31_210_000})
    readings = (
        "The paper gives neither dilation (2 here) nor EMA factor (8 here: the usual 32 leaves one "
        "channel per group in the 32-channel branch, over which EMA's softmax is constant) nor heads (32 "
        "channels each here). The RAD block is called 'downsampling' but drawn top-down; a chain of RAD "
        "blocks 32-64-128-256, each added to the next coarser level, has the parameters printed: 31.29 M "
        "with 21 classes, published 31.21 M (+0.3 %). The FLOPs published (82.15 G, 2 × MAC at 480 × 480) "
        "are not met (89.4 G): 4.8 G are the refocusing convolutions, which the authors' profiler cannot "
        "see, the rest depends on the unknown EMA factor."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        base: int = 32,
        width: float = 1.0,
        dropout: float = 0.0,
        blocks: int = 4,
        attention: Literal["none", "dema", "gam", "parneta", "cbam"] = "dema",
        pyramid: Literal["none", "chain", "top_down", "lateral"] = "chain",
        ema_factor: int = 8,
        dilation: int = 2,
    ) -> None:
        check_choice("attention", attention, ("none", "dema", "gam", "parneta", "cbam"))
        options = {
            "none": {},
            "dema": {"attention": partial(EMA, factor=ema_factor), "dilation": dilation},
            "gam": {"attention": GAM},
            "parneta": {"attention": ParNetAttention},
            "cbam": {"attention": CBAM},
        }[attention]
        super().__init__(
            in_channels,
            classes,
            base,
            width,
            dropout,
            blocks,
            lambda channels: BasicBlock(channels, channels, **options),
            pyramid,
        )
