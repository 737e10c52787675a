"""ShapeFormer: a pyramid vision transformer with a stream for the outline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipmap.models.backbones.mit import PyramidTransformer
from slipmap.models.base import Loss, Network, SegmentationModel, pad_to_multiple, scale_channels
from slipmap.models.blocks.boundary import boundary_loss
from slipmap.models.blocks.conv_norm import ConvNormReLU
from slipmap.models.blocks.resize import resize_like

ARCHITECTURES = {
    "ShapeFormer": {
        "paper": "Lv, Ma, Li & Du (ShapeFormer), IEEE JSTARS 2023, 16, 2681-2689",
        "options": {
            "drop_path": {"default": 0.1, "minimum": 0, "maximum": 0.99},
            "boundary_weight": {"default": 1.0, "minimum": 0},
        },
        "names": {
            "shapeformer_pvtv2b0": {
                "fixed": {"backbone": "pvt_v2_b0"},
                "parameters": 3_997_026,
                "advice": "clear outlines: a transformer whose boundary is trained too; the small one",
            },
            "shapeformer_pvtv2b2": {
                "fixed": {"backbone": "pvt_v2_b2"},
                "parameters": 25_469_890,
                "advice": "as shapeformer_pvtv2b0, large: many patches, a GPU, pretrained weights",
            },
        },
    },
}


class AdjacentFusion(nn.Module):
    """Fuse a map with the next coarser one: 3 × 3 convolution of the finer, the product and the upsampled coarser."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = ConvNormReLU(3 * channels, channels)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = resize_like(coarse, fine)
        y: Tensor = self.mix(torch.cat([fine, fine * coarse, coarse], dim=1))
        return y


class ShapeFormer(SegmentationModel):
    """ShapeFormer: transformer features fused level by level, and an outline that gates them.

    Lv, Ma, Li & Du, JSTARS 2023, 16, 2681-2689.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    backbone
        ``pvt_v2_b0``, ``pvt_v2_b1`` or ``pvt_v2_b2``.
    width
        Multiplier of the channels of an attention head and of the decoder (64).
    drop_path
        Probability of dropping a residual branch of the trunk's last unit, growing linearly from 0 in the
        first.
    boundary_weight
        Weight of the outline's loss beside the recipe's.
    """

    readings = (
        "The paper's details were not at hand: this is a reading of its outline (pyramid vision "
        "transformer, fusion of adjacent features, a shape stream supervised by the boundary), not its "
        "network. Encoder PVTv2; adjacent levels are fused from coarse to fine; from the two finest "
        "fusions the shape stream makes a boundary logit, whose probability gates the features (x · (1 + "
        "p)) before they are joined with the stream's own. The boundary is trained by balanced cross-entropy "
        "beside the recipe's loss. No parameter count is printed."
    )
    stride = 32

    def __init__(
        self,
        in_channels: int,
        classes: int,
        backbone: str,
        width: float,
        drop_path: float,
        boundary_weight: float,
    ) -> None:
        super().__init__(in_channels, classes)
        self.boundary_weight = boundary_weight
        self.trunk = PyramidTransformer(backbone, in_channels, width, drop_path)
        features = scale_channels((64,), width)[0]
        self.project = nn.ModuleList(ConvNormReLU(channels, features, 1) for channels in self.trunk.channels)
        self.fusions = nn.ModuleList(AdjacentFusion(features) for _ in range(3))
        self.shape = nn.Sequential(ConvNormReLU(2 * features, features), ConvNormReLU(features, features))
        self.boundary = nn.Conv2d(features, 1, 1)
        self.mix = nn.Sequential(ConvNormReLU(2 * features, features), ConvNormReLU(features, features))
        self.classify = nn.Conv2d(features, classes, 1)

    def forward_with_boundary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (batch, classes, height, width) and boundary logits (batch, 1, height, width)."""
        height, width = x.shape[-2:]
        logits, boundary = self._both(pad_to_multiple(x, self.stride))
        return logits[..., :height, :width], boundary[..., :height, :width]

    def objective(self, network: Network, x: Tensor, target: Tensor, loss: Loss) -> Tensor:
        """Return the loss of the logits and, weighted, that of the boundary."""
        logits, boundary = self.forward_with_boundary(x)
        return loss(logits, target) + self.boundary_weight * boundary_loss(boundary[:, 0], target)

    def _both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = [project(level) for project, level in zip(self.project, self.trunk(x), strict=True)]
        fused = [maps[3]]
        for level, fusion in zip((2, 1, 0), self.fusions, strict=True):
            fused.append(fusion(maps[level], fused[-1]))
        finest = fused[3]
        shape = self.shape(torch.cat([finest, resize_like(fused[2], finest)], dim=1))
        boundary = self.boundary(shape)
        gated = finest * (1 + torch.sigmoid(boundary))
        logits = self.classify(self.mix(torch.cat([gated, shape], dim=1)))
        return resize_like(logits, x), resize_like(boundary, x)

    def _forward(self, x: Tensor) -> Tensor:
        return self._both(x)[0]
