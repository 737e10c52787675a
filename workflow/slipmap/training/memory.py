"""When the GPU's memory runs out: which batch would fit."""

from __future__ import annotations

import torch
from torch import nn

from slipmap.training.module import SegmentationModule


def fitting_batch(module: SegmentationModule, shape: tuple[int, int, int], tried: int, device: torch.device) -> int:
    """Return the largest batch, by halving, whose forward and backward pass fits into the device's memory.

    Parameters
    ----------
    module
        The module whose training ran out of memory; its gradients are cleared.
    shape
        Channels, height and width of a patch.
    tried
        The batch size that did not fit.
    device
        The device.

    Returns
    -------
    int
        The size; 0 when not even one patch fits.
    """
    size = tried // 2
    module.to(device).train()
    while size:
        module.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            _one_step(module.model, torch.zeros((size, *shape), device=device))
            return size
        except torch.OutOfMemoryError:
            size //= 2
    return 0


def _one_step(model: nn.Module, image: torch.Tensor) -> None:
    model(image).float().square().mean().backward()


def out_of_memory_sentence(tried: int, fits: int, shape: tuple[int, int, int]) -> str:
    """Return what a user is told."""
    patch = "x".join(map(str, shape))
    if fits:
        return (
            f"The GPU's memory ran out at training.batch_size {tried} (patches of {patch}); {fits} fits: set it, and "
            f"training.accumulate {-(-tried // fits)} to keep the size of a step."
        )
    return (
        f"The GPU's memory ran out at training.batch_size {tried}, and not even one patch of {patch} fits; use a "
        f"smaller datasets.size, a model of smaller width, or a larger GPU."
    )
