"""The outline of landslides as a target of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from slipmap.codes import IGNORE, LANDSLIDE


def boundary_of(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return which pixels lie on an outline, and which of them are known to or not to.

    A pixel is on the outline if its 3 × 3 neighbourhood holds landslide and background. It is unknown where the
    neighbourhood holds an ignored pixel. The edge of the patch is no outline.

    Parameters
    ----------
    mask
        Shape (batch, height, width), uint8: 1 landslide, 0 background, 255 ignored.

    Returns
    -------
    tuple of Tensor
        Two float32 tensors of that shape, of zeros and ones: on the outline, and known.
    """
    landslide, ignored = (mask == LANDSLIDE).float(), (mask == IGNORE).float()
    grown = F.max_pool2d(landslide, 3, stride=1, padding=1)
    shrunk = 1 - F.max_pool2d(1 - landslide, 3, stride=1, padding=1)
    return grown - shrunk, 1 - F.max_pool2d(ignored, 3, stride=1, padding=1)


def boundary_loss(logit: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy of an outline, outline and rest weighing the same in all (Xie & Tu, ICCV 2015, eq. 2).

    Parameters
    ----------
    logit
        Shape (batch, height, width).
    mask
        As for :func:`boundary_of`.

    Returns
    -------
    Tensor
        The loss, averaged over known pixels; 0 if no outline is among them.
    """
    outline, known = boundary_of(mask)
    count = known.sum().clamp(min=1)
    share = (outline * known).sum() / count
    weight = torch.where(outline > 0, 1 - share, share)
    loss = F.binary_cross_entropy_with_logits(logit.float(), outline, reduction="none")
    return (weight * loss * known).sum() / count
