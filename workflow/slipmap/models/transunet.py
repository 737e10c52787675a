"""TransUNet: a transformer on the features of a residual network, and a U-Net decoder."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.resnet import ResNet
from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "TransUNet": {
        "paper": "Chen et al. (TransUNet) 2021, arXiv:2102.04306",
        "options": {
            "depth": {"default": 12, "minimum": 0},
            "heads": {"default": 12, "minimum": 1},
            "grid": {"default": 14, "minimum": 1},
            "dropout": {"default": 0.1, "minimum": 0, "maximum": 1},
        },
        "names": {
            "transunet_r50_vitb16": {
                "parameters": 105_275_921,
                "advice": "largest: only with very many patches, a GPU and pretrained weights",
            },
        },
    },
}


class StandardisedConv2d(nn.Conv2d):
    """Convolution with its kernels standardised to mean 0 and variance 1 (Qiao et al. 2019, arXiv:1903.10520)."""

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, correction=0)
        kernel = (self.weight - mean) / torch.sqrt(variance + 1e-5)
        y: Tensor = self._conv_forward(x, kernel, self.bias)
        return y


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a group normalisation with 32 groups, or as many as divide a smaller number of channels."""
    return nn.GroupNorm(math.gcd(32, channels // 2), channels)


class EncoderUnit(nn.Module):
    """Pre-normalised self-attention and feed-forward of a vision transformer.

    Dosovitskiy et al. 2021, eqs. 2-3.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * dim, dim), nn.Dropout(dropout)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, dim = tokens.shape
        joined = self.query_key_value(self.norm1(tokens))
        joined = joined.reshape(batch, count, 3, self.heads, dim // self.heads)
        query, key, value = joined.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.project(attended.transpose(1, 2).reshape(batch, count, dim))
        y: Tensor = tokens + self.feed_forward(self.norm2(tokens))
        return y


class TransUNet(SegmentationModel):
    """TransUNet: residual features at stride 16 as tokens of a vision transformer; a decoder with three skips.

    Chen et al. 2021, arXiv:2102.04306, Fig. 1.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers: of the residual network, of an attention head (64) and of the
        decoder.
    depth
        Transformer units; 12 in the paper.
    heads
        Attention heads; 12 in the paper (768 channels).
    grid
        Side of the learned position map, in tokens; 14 in the paper (224 × 224 images). Other image sizes
        interpolate it.
    dropout
        Probability of dropping a value of the tokens and in the feed-forward.
    """

    readings = (
        "The R50-ViT hybrid: a ResNet-50 of 3, 4 and 9 bottlenecks with group normalisation and "
        "standardised kernels, no fourth stage. The position map is interpolated bilinearly. EMR-HRNet's "
        "Table 6 quotes the scores and no count; with 9 classes this has 105.28 M, about 105 M is quoted "
        "elsewhere."
    )
    stride = 16

    def __init__(
        self,
        in_channels: int,
        classes: int,
        width: float,
        depth: int,
        heads: int,
        grid: int,
        dropout: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.trunk = ResNet(50, in_channels, width, blocks=(3, 4, 9), conv=StandardisedConv2d, norm=group_norm)
        dim = heads * scale_channels((64,), width)[0]
        self.embed = nn.Conv2d(self.trunk.channels[-1], dim, 1)
        self.position = nn.Parameter(torch.empty(1, dim, grid, grid))
        self.dropout = nn.Dropout(dropout)
        self.units = nn.Sequential(*(EncoderUnit(dim, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        bottom, *channels = scale_channels((512, 256, 128, 64, 16), width)
        self.bottom = ConvNormReLU(dim, bottom)
        self.decoder = nn.ModuleList()
        for skip, out in zip((*self.trunk.channels[2::-1], 0), channels, strict=True):
            self.decoder.append(nn.Sequential(ConvNormReLU(bottom + skip, out), ConvNormReLU(out, out)))
            bottom = out
        self.head = nn.Conv2d(bottom, classes, 3, padding=1)
        nn.init.trunc_normal_(self.position, std=0.02)

    def _forward(self, x: Tensor) -> Tensor:
        *skips, features = self.trunk(x)
        features = self.embed(features)
        batch, dim, height, width = features.shape
        features = features + resize_like(self.position, features)
        tokens = self.norm(self.units(self.dropout(features.flatten(2).transpose(1, 2))))
        x = self.bottom(tokens.transpose(1, 2).reshape(batch, dim, height, width))
        for unit in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = unit(torch.cat([x, skips.pop()], dim=1) if skips else x)
        logits: Tensor = self.head(x)
        return logits
