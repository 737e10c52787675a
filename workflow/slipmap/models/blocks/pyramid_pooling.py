"""Pyramid pooling (PSPNet; Zhao, Shi, Qi, Wang & Jia, CVPR 2017, arXiv:1612.01105)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.base import exporting
from slipmap.models.blocks.conv_norm import PooledBatchNorm2d
from slipmap.models.blocks.resize import resize_like


def adaptive_average_pool(x: Tensor, bins: int) -> Tensor:
    """Return the means of ``bins`` × ``bins`` cells, those of ``F.adaptive_avg_pool2d``.

    When the model is exported, they are products with averaging matrices that are made from the image's
    size, because ONNX has no adaptive pooling for a free size.
    """
    if not exporting():
        return F.adaptive_avg_pool2d(x, bins)
    rows, columns = (_averaging_matrix(x, axis, bins) for axis in (2, 3))
    return rows @ x @ columns.transpose(0, 1)


def _averaging_matrix(x: Tensor, axis: int, bins: int) -> Tensor:
    pixel = torch.arange(x.shape[axis], device=x.device)
    size = torch.zeros(bins, dtype=torch.long, device=x.device) + x.shape[axis]
    cell = torch.arange(bins, device=x.device)
    start = torch.div(cell * size, bins, rounding_mode="floor")
    stop = torch.div((cell + 1) * size + bins - 1, bins, rounding_mode="floor")
    inside = (pixel[None] >= start[:, None]) & (pixel[None] < stop[:, None])
    return inside.to(x.dtype) / (stop - start)[:, None].to(x.dtype)


class PyramidPooling(nn.Module):
    """Append to a feature map its means over grids of several sizes, each through a 1 × 1 convolution.

    Parameters
    ----------
    in_channels
        Channels in.
    branch_channels
        Channels of each grid's branch; the output has ``in_channels + len(bins) * branch_channels``.
    bins
        Cells of each grid, along either axis.
    align_corners
        How the branches are resized to the feature map.
    bias
        Whether the 1 × 1 convolutions have a bias (redundant before the normalisation, yet in some counts).
    """

    def __init__(
        self,
        in_channels: int,
        branch_channels: int,
        bins: Sequence[int] = (1, 2, 3, 6),
        align_corners: bool = False,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.bins = tuple(bins)
        self.align_corners = align_corners
        self.out_channels = in_channels + len(self.bins) * branch_channels
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(in_channels, branch_channels, 1, bias=bias),
                PooledBatchNorm2d(branch_channels),
                nn.ReLU(inplace=True),
            )
            for _ in self.bins
        )

    def forward(self, x: Tensor) -> Tensor:
        pooled = [
            resize_like(branch(adaptive_average_pool(x, bins)), x, self.align_corners)
            for bins, branch in zip(self.bins, self.branches, strict=True)
        ]
        return torch.cat([x, *pooled], dim=1)
