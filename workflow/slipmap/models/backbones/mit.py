"""Hierarchical vision transformers: the mix transformer of SegFormer and the second pyramid vision transformer.

The two have the same parts (overlapping patches, attention to a reduced map, a depthwise convolution in the
feed-forward); they differ in the width of the feed-forward.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.base import check_choice, scale_channels
from slipmap.models.blocks.conv_norm import zero_bias

# dims, depths, heads, feed-forward ratios; attention maps are reduced 8-4-2-1 times in all
VARIANTS = {
    "mit_b0": ((32, 64, 160, 256), (2, 2, 2, 2), (1, 2, 5, 8), (4, 4, 4, 4)),
    "mit_b1": ((64, 128, 320, 512), (2, 2, 2, 2), (1, 2, 5, 8), (4, 4, 4, 4)),
    "mit_b2": ((64, 128, 320, 512), (3, 4, 6, 3), (1, 2, 5, 8), (4, 4, 4, 4)),
    "pvt_v2_b0": ((32, 64, 160, 256), (2, 2, 2, 2), (1, 2, 5, 8), (8, 8, 4, 4)),
    "pvt_v2_b1": ((64, 128, 320, 512), (2, 2, 2, 2), (1, 2, 5, 8), (8, 8, 4, 4)),
    "pvt_v2_b2": ((64, 128, 320, 512), (3, 4, 6, 3), (1, 2, 5, 8), (8, 8, 4, 4)),
}
REDUCTIONS = (8, 4, 2, 1)


class DropPath(nn.Module):
    """Drop a whole residual branch of a sample with a probability, in training (arXiv:1603.09382)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        mask = x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(keep)
        return x * mask / keep


class ReducedAttention(nn.Module):
    """Multi-head self-attention of every pixel to a map reduced by a strided convolution.

    Xie et al. 2021 (SegFormer), arXiv:2105.15203, eqs. 1-2; Wang et al. 2021 (PVT), arXiv:2102.12122.

    Parameters
    ----------
    dim, heads
        Channels and heads.
    reduction
        R: the keys and values come from a map R times smaller along each axis.
    """

    def __init__(self, dim: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.project = nn.Linear(dim, dim)
        self.reduce = nn.Conv2d(dim, dim, reduction, stride=reduction) if reduction > 1 else None
        self.norm = nn.LayerNorm(dim) if reduction > 1 else nn.Identity()

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        batch, count, dim = tokens.shape
        query = self.query(tokens).reshape(batch, count, self.heads, dim // self.heads).transpose(1, 2)
        source = tokens
        if self.reduce is not None:
            as_map = tokens.transpose(1, 2).reshape(batch, dim, height, width)
            source = self.norm(self.reduce(as_map).flatten(2).transpose(1, 2))
        key_value = self.key_value(source).reshape(batch, -1, 2, self.heads, dim // self.heads)
        key, value = key_value.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value)
        y: Tensor = self.project(attended.transpose(1, 2).reshape(batch, count, dim))
        return y


class MixFeedForward(nn.Module):
    """Linear, depthwise 3 × 3 convolution (which tells positions apart), GELU, linear (SegFormer eq. 3)."""

    def __init__(self, dim: int, ratio: int) -> None:
        super().__init__()
        hidden = dim * ratio
        self.expand = nn.Linear(dim, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.contract = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        hidden = self.expand(tokens)
        as_map = hidden.transpose(1, 2).reshape(hidden.shape[0], hidden.shape[2], height, width)
        y: Tensor = self.contract(F.gelu(self.depthwise(as_map).flatten(2).transpose(1, 2)))
        return y


class TransformerUnit(nn.Module):
    """Pre-normalised attention and feed-forward, each with a shortcut."""

    def __init__(self, dim: int, heads: int, reduction: int, ratio: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attention = ReducedAttention(dim, heads, reduction)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.feed_forward = MixFeedForward(dim, ratio)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        tokens = tokens + self.drop_path(self.attention(self.norm1(tokens), height, width))
        y: Tensor = tokens + self.drop_path(self.feed_forward(self.norm2(tokens), height, width))
        return y


class PyramidTransformer(nn.Module):
    """Four stages of transformer units at strides 4, 8, 16 and 32.

    Mix transformer: Xie et al., NeurIPS 2021, arXiv:2105.15203, Table 6 (3,319,392 parameters for B0, three
    bands). PVTv2: Wang et al. 2022, arXiv:2106.13797, Table 1 (3.67 M for B0, 25.36 M for B2, with a
    1000-class head).

    Parameters
    ----------
    variant
        ``mit_b0``, ``mit_b1``, ``mit_b2``, ``pvt_v2_b0``, ``pvt_v2_b1`` or ``pvt_v2_b2``.
    in_channels
        Input bands.
    width
        Multiplier of the channels of a head; the numbers of heads stay.
    drop_path
        Probability of dropping a residual branch, growing linearly from 0 in the first unit to this in the
        last.

    Attributes
    ----------
    channels : tuple of int
        Channels of the four maps that ``forward`` returns.
    """

    def __init__(self, variant: str, in_channels: int = 3, width: float = 1.0, drop_path: float = 0.1) -> None:
        super().__init__()
        check_choice("backbone", variant, tuple(VARIANTS))
        dims, depths, heads, ratios = VARIANTS[variant]
        per_head = scale_channels([dim // head for dim, head in zip(dims, heads, strict=True)], width)
        self.channels = tuple(head * size for head, size in zip(heads, per_head, strict=True))
        rates = [drop_path * unit / max(1, sum(depths) - 1) for unit in range(sum(depths))]
        self.patches, self.norms_in = nn.ModuleList(), nn.ModuleList()
        self.stages, self.norms_out = nn.ModuleList(), nn.ModuleList()
        source = in_channels
        for level, dim in enumerate(self.channels):
            kernel, stride = (7, 4) if level == 0 else (3, 2)
            self.patches.append(nn.Conv2d(source, dim, kernel, stride, padding=kernel // 2))
            self.norms_in.append(nn.LayerNorm(dim))
            self.stages.append(
                nn.ModuleList(
                    TransformerUnit(dim, heads[level], REDUCTIONS[level], ratios[level], rates.pop(0))
                    for _ in range(depths[level])
                )
            )
            self.norms_out.append(nn.LayerNorm(dim, eps=1e-6))
            source = dim
        self.apply(_init)

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        """Return the maps at strides 4, 8, 16 and 32."""
        maps = []
        for patch, norm_in, units, norm_out in zip(
            self.patches, self.norms_in, self.stages, self.norms_out, strict=True
        ):
            x = patch(x)
            batch, dim, height, width = x.shape
            tokens = norm_in(x.flatten(2).transpose(1, 2))
            for unit in units.children():
                tokens = unit(tokens, height, width)
            x = norm_out(tokens).transpose(1, 2).reshape(batch, dim, height, width)
            maps.append(x)
        return maps


def _init(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="linear")
        zero_bias(layer)
