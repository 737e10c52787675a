"""The hidden layer of channel attentions: wide enough, and alive from the start."""

from __future__ import annotations

import torch
from torch import nn

#: Fewest hidden units. At published sizes the reductions leave as many or more; a narrow model would be left with one,
#: whose ReLU may be off for every input: nothing of the attention would ever be trained.
LEAST_HIDDEN = 4


def hidden_width(channels: int, reduction: int) -> int:
    """Return the hidden units of an attention's perceptron: channels / reduction, at least `LEAST_HIDDEN`."""
    return max(LEAST_HIDDEN, channels // reduction)


@torch.no_grad()
def squeeze_layer(channels: int, hidden: int) -> nn.Conv2d:
    """Return the 1 × 1 convolution to the hidden layer, its second half of units the mirror of its first.

    Each unit starts from the usual distribution. Of a unit and its mirror, w · x + b and -(w · x + b), one is positive
    whatever the input, so that no ReLU behind this layer starts with all its units off.
    """
    layer = nn.Conv2d(channels, hidden, 1)
    half = hidden // 2
    layer.weight[half : 2 * half] = -layer.weight[:half]
    if layer.bias is not None:
        layer.bias[half : 2 * half] = -layer.bias[:half]
    return layer
