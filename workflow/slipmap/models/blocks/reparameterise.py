"""Structural re-parameterisation: the many branches of training become one convolution for inference."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def fused(model: nn.Module) -> nn.Module:
    """Return a copy of a model, in evaluation mode, with every module that can fuse replaced by its convolution.

    Parameters
    ----------
    model
        Any module; those of its parts that have a method ``fuse``
        (:class:`~slipmap.models.blocks.refconv.RefConv`,
        :class:`~slipmap.models.blocks.reparameterise.FiveBranchConv`) are replaced. It is left unchanged.

    Returns
    -------
    nn.Module
        A model that computes the same as ``model.eval()``, up to rounding.
    """
    model = copy.deepcopy(model).eval()
    if hasattr(model, "fuse"):
        return model.fuse().eval()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "fuse"):
                setattr(parent, name, child.fuse().eval())
    return model


class _Branch(nn.Sequential):
    """Bias-free convolutions in a row, then batch normalisation; a 1 × 1 convolution first where there are two."""

    def __init__(self, *convs: nn.Conv2d) -> None:
        super().__init__(*convs, nn.BatchNorm2d(convs[-1].out_channels))

    def kernel_and_bias(self) -> tuple[Tensor, Tensor]:
        """Return kernel (out, in, kh, kw) and bias (out,) of the one convolution that this branch is in evaluation."""
        *convs, norm = self
        kernel = convs[-1].weight
        if len(convs) == 2:  # k × k after 1 × 1: the product of the kernels over the channels between
            kernel = torch.einsum("omhw,mi->oihw", kernel, convs[0].weight[:, :, 0, 0])
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return kernel * scale.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


class FiveBranchConv(nn.Module):
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
        out = first(x)
        for branch in others:
            out = out + branch(x)
        return out

    @torch.no_grad()
    def fuse(self) -> nn.Conv2d:
        """Return the 3 × 3 convolution, with bias, that computes the same in evaluation mode."""
        first = self.branches[0][0]
        fused_conv = nn.Conv2d(
            first.in_channels,
            first.out_channels,
            3,
            padding=1,
            device=first.weight.device,
            dtype=first.weight.dtype,
        )
        fused_conv.weight.zero_()
        fused_conv.bias.zero_()
        for branch in self.branches:
            kernel, bias = branch.kernel_and_bias()
            high, wide = (3 - kernel.shape[2]) // 2, (3 - kernel.shape[3]) // 2
            fused_conv.weight += nn.functional.pad(kernel, (wide, wide, high, high))
            fused_conv.bias += bias
        return fused_conv
