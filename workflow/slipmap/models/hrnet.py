"""HRNetV2 and EMR-HRNet: high-resolution networks, plain and with attention in their blocks and above them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from slipmap.models.backbones.hrnet import HRNet, MakeBlock
from slipmap.models.backbones.resnet import BasicBlock
from slipmap.models.base import SegmentationModel
from slipmap.models.blocks.cbam import CBAM
from slipmap.models.blocks.ema import EMA, fitting_factor
from slipmap.models.blocks.gam import GAM
from slipmap.models.blocks.mdta import MDTA
from slipmap.models.blocks.parnet import ParNetAttention
from slipmap.models.blocks.refconv import RefConv
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "HRNetV2": {
        "paper": "Wang et al., IEEE TPAMI 2020, doi:10.1109/TPAMI.2020.2983686, arXiv:1908.07919",
        "options": {
            "dropout": {"default": 0.0, "minimum": 0, "maximum": 1},
            "blocks": {"default": 4, "minimum": 1},
        },
        "names": {
            "hrnetv2_w18": {
                "fixed": {"base": 18},
                "parameters": 9_636_241,
                "advice": "keeps fine detail; the smallest HRNet",
            },
            "hrnetv2_w32": {
                "fixed": {"base": 32},
                "parameters": 29_537_857,
                "advice": "keeps fine detail; baseline of EMR-HRNet; needs a GPU",
            },
            "hrnetv2_w48": {
                "fixed": {"base": 48},
                "parameters": 65_846_401,
                "advice": "as hrnetv2_w32, for large data sets",
            },
        },
    },
    "EMRHRNet": {
        "title": "EMR-HRNet",
        "paper": "EMR-HRNet, Sensors 2024, 24, 3677, doi:10.3390/s24113677",
        "options": {
            "base": {"default": 32, "choices": (18, 32, 48)},
            "dropout": {"default": 0.5, "minimum": 0, "maximum": 1},
            "blocks": {"default": 4, "minimum": 1},
            "pyramid": {"default": "chain", "choices": ("none", "chain", "top_down", "lateral")},
            "ema_factor": {"default": 8, "minimum": 1},
            "dilation": {"default": 2, "minimum": 1},
        },
        "names": {
            "emr_hrnet": {
                "fixed": {"attention": "dema"},
                "parameters": 31_282_959,
                "advice": "high-resolution images, many patches, a GPU: wide view and fine detail",
            },
            "hrnet_dema": {
                "fixed": {"attention": "dema", "pyramid": "none"},
                "parameters": 29_762_881,
                "advice": "ablation: dilated attention in the blocks, no pyramid",
            },
            "hrnet_rma": {
                "fixed": {"attention": "none"},
                "parameters": 31_057_935,
                "advice": "ablation: the pyramid above a plain HRNet",
            },
            "hrnet_gam": {
                "fixed": {"attention": "gam", "pyramid": "none"},
                "parameters": 64_812_097,
                "advice": "ablation: global attention in the blocks; heavy",
            },
            "hrnet_parneta": {
                "fixed": {"attention": "parneta", "pyramid": "none"},
                "parameters": 45_105_217,
                "advice": "ablation: ParNet attention in the blocks",
            },
            "hrnet_cbam": {
                "fixed": {"attention": "cbam", "pyramid": "none"},
                "parameters": 29_738_881,
                "advice": "ablation: CBAM in the blocks",
            },
        },
    },
}

Attention = Literal["none", "dema", "gam", "parneta", "cbam"]
Flow = Literal["none", "chain", "top_down", "lateral"]


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
        - ``"chain"``, down the resolutions, as the block's name says ("RefConv Attention Downsampling"): each
          level, through a RAD block to the width of the next coarser one and resized to it, is added to it;
          the head's upsampling and joining is the top-down half (1.520 M parameters at W32);
        - ``"top_down"``, as §2.4 says of the pyramid: each level, through a RAD block to the width of the next
          finer one and resized, is added to it (0.674 M);
        - ``"lateral"``: a RAD block of equal width on every level (1.931 M).
    """

    def __init__(self, channels: tuple[int, ...], flow: Flow) -> None:
        super().__init__()
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
        pyramid: Flow = "none",
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = HRNet(in_channels, base, width, make_block, blocks)
        self.pyramid = RMAPyramid(self.trunk.channels, pyramid)
        joined = sum(self.trunk.channels)
        self.head = nn.Sequential(
            nn.Conv2d(joined, joined, 1),
            nn.BatchNorm2d(joined),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Conv2d(joined, classes, 1),
        )

    def _forward(self, x: Tensor) -> Tensor:
        finest, *coarser = self.pyramid(self.trunk(x))
        joined = torch.cat([finest, *(resize_like(level, finest) for level in coarser)], dim=1)
        return resize_like(self.head(joined), x)


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
        Probability of dropping a value before the last convolution; 0 in the HRNet paper.
    blocks
        Residual blocks in a row in a branch of a module; 4 in the paper.
    """

    readings = (
        "The 'HRNet' of EMR-HRNet's Table 7 (29.55 M, 80.18 G) is W32 with 21 classes; its FLOPs are 2 × "
        "MAC at 480 × 480, not at the 512 × 512 of the other rows."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        base: int,
        width: float,
        dropout: float,
        blocks: int,
    ) -> None:
        super().__init__(in_channels, classes, base, width, dropout, blocks)


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
        Probability of dropping a value before the last convolution; 0.5 in the paper (§3.1).
    blocks
        Residual blocks in a row in a branch of a module; 4 in the paper.
    attention
        Of the residual blocks of stages 2 to 4: ``"none"``, ``"dema"`` (both convolutions dilated, then
        EMA), or ``"gam"``, ``"parneta"``, ``"cbam"`` (after the second normalisation, the convolutions not
        dilated).
    pyramid
        ``"none"``, or the flow of the :class:`RMAPyramid`: ``"chain"``, ``"top_down"`` or ``"lateral"``. The
        paper's text and its count of parameters disagree; ``"chain"`` has the count.
    ema_factor
        Groups of EMA at most: in a branch that is too narrow for them, as many as leave two channels in each.
    dilation
        Of the convolutions of a DEMA block.
    """

    readings = (
        "The paper gives neither dilation (2 here) nor EMA factor (8 here: the usual 32 leaves one "
        "channel per group in the 32-channel branch, over which EMA's softmax is constant) nor heads (32 "
        "channels each here). Direction of flow: §2.4 calls the pyramid top-down and its RAD block "
        "'downsampling'. A chain of RAD blocks 32-64-128-256, each added to the next coarser level, has the "
        "parameters printed: 31.29 M with 21 classes, published 31.21 M (+0.3 %); top-down has 30.45 M "
        "(-2.4 %, pyramid='top_down'). Dropout of 0.5 stands 'after several layers', which are not named; "
        "here before the classifier, the one place with no batch normalisation behind it, whose statistics it "
        "would falsify. The FLOPs published (82.15 G, 2 × MAC at 480 × 480) "
        "are not met (89.4 G): 4.8 G are the refocusing convolutions, which the authors' profiler cannot "
        "see, the rest depends on the unknown EMA factor."
    )

    def __init__(
        self,
        in_channels: int,
        classes: int,
        base: int,
        width: float,
        dropout: float,
        blocks: int,
        attention: Attention,
        pyramid: Flow,
        ema_factor: int,
        dilation: int,
    ) -> None:
        makers: dict[Attention, Callable[[int], nn.Module] | None] = {
            "none": None,
            "dema": lambda channels: EMA(channels, fitting_factor(channels, ema_factor)),
            "gam": GAM,
            "parneta": ParNetAttention,
            "cbam": CBAM,
        }
        spread = dilation if attention == "dema" else 1
        super().__init__(
            in_channels,
            classes,
            base,
            width,
            dropout,
            blocks,
            lambda channels: BasicBlock(channels, channels, dilation=spread, attention=makers[attention]),
            pyramid,
        )
