"""Bilinear resizing, spelled once."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def resize_like(x: Tensor, reference: Tensor, align_corners: bool = False) -> Tensor:
    """Resize ``x`` bilinearly to the height and width of ``reference``."""
    return F.interpolate(x, size=reference.shape[-2:], mode="bilinear", align_corners=align_corners)


class BilinearUpsample(nn.Upsample):
    """Double the height and width bilinearly, corners aligned."""

    def __init__(self) -> None:
        super().__init__(scale_factor=2, mode="bilinear", align_corners=True)
