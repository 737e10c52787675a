"""Structural re-parameterisation: the many branches of training become one convolution for inference."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Fusible(nn.Module, ABC):
    """A module that is one convolution after training."""

    @abstractmethod
    def fuse(self) -> nn.Conv2d:
        """Return the plain convolution that computes the same in evaluation mode."""


def fused(model: nn.Module) -> nn.Module:
    """Return a copy of a model, in evaluation mode, with every module that can fuse replaced by its convolution.

    Parameters
    ----------
    model
        Any module; its parts that are :class:`Fusible` (:class:`~slipmap.models.blocks.refconv.RefConv`,
        :class:`FiveBranchConv`) are replaced. It is left unchanged.

    Returns
    -------
    nn.Module
        A model that computes the same as ``model.eval()``, up to rounding.
    """
    model = copy.deepcopy(model).eval()
    if isinstance(model, Fusible):
        return model.fuse().eval()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Fusible):
                setattr(parent, name, child.fuse().eval())
    return model


class _Branch(nn.Sequential):
    """Bias-free convolutions in a row, then batch normalisation; a 1 × 1 convolution first where there are two."""

    def __init__(self, *convs: nn.Conv2d) -> None:
        super().__init__(*convs, nn.BatchNorm2d(convs[-1].out_channels))

    def kernel_and_bias(self) -> tuple[Tensor, Tensor]:
        """Return kernel (out, in, kh, kw) and bias (out,) of the one convolution that this branch is in evaluation."""
        convs = [layer for layer in self if isinstance(layer, nn.Conv2d)]
        kernel: Tensor = convs[-1].weight
        if len(convs) == 2:  # k × k after 1 × 1: the product of the kernels over the channels between
            kernel = torch.einsum("omhw,mi->oihw", kernel, convs[0].weight[:, :, 0, 0])
        (norm,) = (layer for layer in self if isinstance(layer, nn.BatchNorm2d))
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return kernel * scale.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


class FiveBranchConv(Fusible):
    """Five parallel convolutions, each batch-normalised, summed: one 3 × 3 convolution after training.

    3 × 3; 1 × 1 then 3 × 3; 1 × 3; 3 × 1; 1 × 1. Convolution and normalisation are linear in evaluation, so
    kernels (smaller ones padded with zeros to 3 × 3) and biases add up: Ding et al., ACNet,
    arXiv:1908.03930; RepVGG, arXiv:2101.03697; Diverse Branch Block, arXiv:2103.13425, transforms I-III and
    VI.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()

        def conv(height: int, width: int, target: int = out_channels) -> nn.Conv2d:
            padding = (height // 2, width // 2)
            return nn.Conv2d(in_channels, target, (height, width), padding=padding, bias=False)

        self.branches = nn.ModuleList(
            [
                _Branch(conv(3, 3)),
                _Branch(conv(1, 1, in_channels), conv(3, 3)),
                _Branch(conv(1, 3)),
                _Branch(conv(3, 1)),
                _Branch(conv(1, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.branches
        y: Tensor = first(x)
        for branch in others:
            y = y + branch(x)
        return y

    @torch.no_grad()
    def fuse(self) -> nn.Conv2d:
        """Return the 3 × 3 convolution, with bias, that computes the same in evaluation mode."""
        kernels, biases = [], []
        for branch in self.branches:
            assert isinstance(branch, _Branch)
            kernel, bias = branch.kernel_and_bias()
            high, wide = (3 - kernel.shape[2]) // 2, (3 - kernel.shape[3]) // 2
            kernels.append(nn.functional.pad(kernel, (wide, wide, high, high)))
            biases.append(bias)
        weight, bias = torch.stack(kernels).sum(dim=0), torch.stack(biases).sum(dim=0)
        out_channels, in_channels = weight.shape[:2]
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, device=weight.device, dtype=weight.dtype)
        conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
        return conv
