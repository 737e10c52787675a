"""Convolution, batch normalisation, ReLU: the unit that most architectures are written in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ConvNormReLU(nn.Sequential):
    """Convolution, batch normalisation and, unless switched off, ReLU; the size is kept at stride 1.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    kernel_size, stride, dilation, groups
        Of the convolution; the padding is ``dilation * (kernel_size - 1) / 2``.
    bias
        Whether the convolution has a bias (redundant before the normalisation, yet in some published counts).
    relu
        Whether a ReLU follows.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        relu: bool = True,
    ) -> None:
        padding = dilation * (kernel_size - 1) // 2
        super().__init__(
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation=dilation,
                groups=groups,
                bias=bias,
            ),
            nn.BatchNorm2d(out_channels),
            *([nn.ReLU(inplace=True)] if relu else []),
        )


class SeparableConv(nn.Sequential):
    """Depthwise k × k convolution, then pointwise 1 × 1 convolution, normalisation and ReLU.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    kernel_size, stride, dilation
        Of the depthwise convolution.
    inner_norm
        Whether normalisation and ReLU also follow the depthwise convolution (MobileNet, arXiv:1704.04861)
        or not (atrous separable convolution of DeepLabV3+, arXiv:1802.02611).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        inner_norm: bool = False,
    ) -> None:
        depthwise = ConvNormReLU(in_channels, in_channels, kernel_size, stride, dilation, groups=in_channels)
        super().__init__(
            depthwise if inner_norm else depthwise[0],
            ConvNormReLU(in_channels, out_channels, 1),
        )


class PooledBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation for globally pooled maps, where a batch of one leaves a single value per channel.

    A variance of one value does not exist; such a batch is normalised with the running statistics
    instead of failing.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.shape[0] * x.shape[-2] * x.shape[-1] == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)


def kaiming_init(module: nn.Module) -> None:
    """Initialise the convolutions below a module for ReLU (He et al. 2015, arXiv:1502.01852), biases zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            zero_bias(layer)


def zero_bias(layer: nn.Conv2d) -> None:
    """Set the bias of a convolution to zero, if it has one."""
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
