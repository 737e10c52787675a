"""The vision transformer of Prithvi-EO-2.0, with the parameter names of its published weights.

Szwarcman et al. 2024, arXiv:2412.02732; names and shapes of the files ``Prithvi_EO_V2_*.pt`` (Apache-2.0). Written
from the paper and from what those files hold.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.backbones.mit import DropPath

IMAGE = 224  # side of the images of pretraining, pixels: what the map of positions spans
BANDS = ("B2", "B3", "B4", "B8A", "B11", "B12")  # blue, green, red, narrow near infrared, two of short-wave infrared
#: Mean and standard deviation by which pretraining scaled each band, reflectance times 10,000.
MEAN = (1087.0, 1342.0, 1433.0, 2734.0, 1958.0, 1363.0)
STD = (2248.0, 2179.0, 2178.0, 1850.0, 1242.0, 1049.0)


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, dim = tokens.shape
        joined = self.qkv(tokens).reshape(batch, count, 3, self.heads, dim // self.heads)
        query, key, value = joined.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value)
        y: Tensor = self.proj(attended.transpose(1, 2).reshape(batch, count, dim))
        return y


class FeedForward(nn.Module):
    """Linear to four times the width, GELU, linear."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        y: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return y


class Block(nn.Module):
    """Pre-normalised attention and feed-forward, each with a shortcut."""

    def __init__(self, dim: int, heads: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = FeedForward(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.drop_path(self.attn(self.norm1(tokens)))
        y: Tensor = tokens + self.drop_path(self.mlp(self.norm2(tokens)))
        return y


class PatchEmbed(nn.Module):
    """A token for each patch.

    Published as a convolution over dates too, with a kernel one date long; ours is of one date: without that axis.
    """

    def __init__(self, in_channels: int, dim: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, dim, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens as a map, (batch, dim, rows, columns)."""
        y: Tensor = self.proj(x)
        return y


class PrithviEncoder(nn.Module):
    """Prithvi-EO-2.0's encoder for one date, without its embeddings of time and place.

    Parameters
    ----------
    in_channels
        Bands.
    dim, depth, heads, patch
        Channels, blocks, attention heads, side of a patch.
    drop_path
        Probability of dropping a residual branch, growing linearly from 0 in the first block to this in the last.

    Notes
    -----
    Positions are fixed: six sixteenths of the channels hold sines and cosines of the column, six of the row, four of
    the date (0 here). Images of another size than 224 take them interpolated bicubically, corners aligned.
    """

    positions: Tensor

    def __init__(self, in_channels: int, dim: int, depth: int, heads: int, patch: int, drop_path: float) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(in_channels, dim, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        rates = [drop_path * number / max(1, depth - 1) for number in range(depth)]
        self.blocks = nn.ModuleList(Block(dim, heads, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("positions", position_map(dim, IMAGE // patch), persistent=False)
        # as many depths as the published decoders take, the last the deepest
        self.taken = sorted({depth * part // 4 - 1 for part in (1, 2, 3, 4)} - {-1})
        nn.init.normal_(self.cls_token, std=0.02)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        nn.init.xavier_uniform_(self.patch_embed.proj.weight.flatten(1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (batch, dim, rows, columns) after the blocks a quarter, half, three quarters and all the way down."""
        features = self.patch_embed(x)
        batch, dim, rows, columns = features.shape
        positions = F.interpolate(self.positions, size=(rows, columns), mode="bicubic", align_corners=True)
        tokens = (features + positions).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(batch, -1, -1), tokens], dim=1)  # the position of which is 0
        maps = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number in self.taken:
                last = number == len(self.blocks) - 1
                kept = self.norm(tokens) if last else tokens
                maps.append(kept[:, 1:].transpose(1, 2).reshape(batch, dim, rows, columns))
        return maps


def position_map(dim: int, side: int) -> Tensor:
    """Fixed positions of `side` × `side` tokens of the first date, (1, dim, side, side); `dim` a multiple of 16."""
    place = torch.arange(side, dtype=torch.float64)
    column, row = (_waves(dim // 16 * 6, place) for _ in range(2))
    date = _waves(dim // 16 * 4, torch.zeros(1, dtype=torch.float64))
    parts = (
        column.T[:, None].expand(-1, side, side),
        row.T[:, :, None].expand(-1, side, side),
        date.T[:, :, None].expand(-1, side, side),
    )
    return torch.cat(parts)[None].float()


def _waves(size: int, place: Tensor) -> Tensor:
    """(places, size): sines, then cosines, of wavelengths from 2 pi to 20,000 pi."""
    rate = 10000.0 ** -(torch.arange(size // 2, dtype=torch.float64) / (size / 2))
    angle = place[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)
