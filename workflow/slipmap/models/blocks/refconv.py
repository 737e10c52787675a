"""Re-parameterised refocusing convolution (Cai et al. 2023)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.errors import InputError
from slipmap.models.blocks.reparameterise import Fusible


class RefConv(Fusible):
    """Convolution whose kernel is a frozen base kernel plus a learned transformation of it.

    Cai et al. 2023, arXiv:2310.10563; EMR-HRNet, Sensors 2024, 24, 3677, eq. 1 and Fig. 6. The base kernel
    W_b, of (C_out, C_in / g, K, K), is seen as a K × K map of C_out · C_in / g channels; a grouped
    convolution with the trained weights W_r, in G = C_out · C_in / g² groups of g channels, refocuses it,
    and the effective kernel is W = W_b + W_b * W_r. (The elementwise product of eq. 1 is loose notation for
    this.) Without bias.

    W_b is a buffer: not trained, saved with the weights. It is Kaiming-initialised, for a zero base kernel
    would stay zero for ever; load a trained convolution's kernel with :meth:`load_base`. W_r starts at zero,
    so that training starts from the base kernel.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    kernel_size, stride, padding, dilation
        Of the convolution; the padding keeps the size unless given.
    groups
        g, of the convolution; ``in_channels * out_channels`` must be a multiple of its square.
    map_size
        k, the odd size of the refocusing kernel.
    """

    base: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        groups: int = 1,
        map_size: int = 3,
    ) -> None:
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise InputError(
                f"RefConv cannot split {in_channels} and {out_channels} channels into {groups} groups; "
                "give a divisor of both."
            )
        self.stride, self.dilation, self.groups = stride, dilation, groups
        self.padding = dilation * (kernel_size - 1) // 2 if padding is None else padding
        self.map_groups = in_channels * out_channels // groups**2
        base = torch.empty(out_channels, in_channels // groups, kernel_size, kernel_size)
        nn.init.kaiming_normal_(base, mode="fan_out", nonlinearity="relu")
        self.register_buffer("base", base)
        self.refocus = nn.Parameter(torch.zeros(self.map_groups * groups, groups, map_size, map_size))

    def load_base(self, kernel: Tensor) -> None:
        """Set the base kernel to that of a trained convolution of the same shape."""
        self.base.copy_(kernel)

    def kernel(self) -> Tensor:
        """Return the effective kernel, of shape (out_channels, in_channels / groups, K, K)."""
        as_map = self.base.reshape(1, -1, *self.base.shape[-2:])
        change = F.conv2d(as_map, self.refocus, padding=self.refocus.shape[-1] // 2, groups=self.map_groups)
        return self.base + change.reshape(self.base.shape)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel(), None, self.stride, self.padding, self.dilation, self.groups)

    @torch.no_grad()
    def fuse(self) -> nn.Conv2d:
        """Return the plain convolution that computes the same, for inference."""
        out_channels, in_per_group, kernel_size, _ = self.base.shape
        conv = nn.Conv2d(
            in_per_group * self.groups,
            out_channels,
            kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            bias=False,
            device=self.base.device,
            dtype=self.base.dtype,
        )
        conv.weight.copy_(self.kernel())
        return conv
