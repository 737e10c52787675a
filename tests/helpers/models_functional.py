"""Networks written as plain functions of their tensors, for tests that hold a module's wiring against its paper."""

import torch
import torch.nn.functional as F
from torch import nn

from slipmap.models import create_model


def built(name, bands, classes=2, seed=0, **options):
    """A model in double precision and evaluation mode, all its parameters and statistics random."""
    torch.manual_seed(seed)
    model = create_model(name, bands, classes, **options).double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if getattr(module, "bias", None) is not None:
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return model


class Tensors:
    """Layers as functions: each takes the input and the name of its tensors in the state dict."""

    def __init__(self, model):
        self.of = model.state_dict()

    def conv(self, x, name, padding=None, **how):
        weight = self.of[f"{name}.weight"]
        same = how.get("dilation", 1) * (weight.shape[-1] - 1) // 2
        return F.conv2d(x, weight, self.of.get(f"{name}.bias"), padding=same if padding is None else padding, **how)

    def up(self, x, name, **how):
        return F.conv_transpose2d(x, self.of[f"{name}.weight"], self.of.get(f"{name}.bias"), **how)

    def norm(self, x, name):
        mean, var, gamma, beta = (
            self.of[f"{name}.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * gamma + beta

    def conv_norm(self, x, name, relu=True, **how):
        """Convolution ``{name}.0``, normalisation ``{name}.1``, ReLU."""
        x = self.norm(self.conv(x, f"{name}.0", **how), f"{name}.1")
        return torch.relu(x) if relu else x

    def double(self, x, name):
        """Twice convolution, normalisation, ReLU: ``{name}.0``, ``.1``, ``.3``, ``.4``."""
        for first in (0, 3):
            x = torch.relu(self.norm(self.conv(x, f"{name}.{first}"), f"{name}.{first + 1}"))
        return x

    def perceptron(self, vector, first, last):
        return self.conv(torch.relu(self.conv(vector, first)), last)

    def channel_attention(self, x, name):
        """CBAM, equation 2: the weights."""
        means, maxima = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        return torch.sigmoid(sum(self.perceptron(v, f"{name}.mlp.0", f"{name}.mlp.2") for v in (means, maxima)))

    def cbam(self, x, name):
        """CBAM: channels, then pixels."""
        x = x * self.channel_attention(x, f"{name}.0")
        pooled = torch.stack([x.amax(1), x.mean(1)], dim=1)
        return x * torch.sigmoid(self.norm(self.conv(pooled, f"{name}.1.conv"), f"{name}.1.norm"))


def halve(x):
    """2 × 2 maxima."""
    return F.max_pool2d(x, 2)


def enlarge(x, size, corners=False):
    """Bilinear to a size (height, width)."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=corners)


def twice(x):
    """Twice as large, bilinear, corners aligned."""
    return enlarge(x, (2 * x.shape[-2], 2 * x.shape[-1]), corners=True)


def same(model, function, size=(32, 48)):
    """Assert that a model and a function of an image and `Tensors` give the same logits, and not constant ones."""
    torch.manual_seed(1)
    image = torch.randn(2, model.in_channels, *size, dtype=torch.float64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        given, expected = model(image), function(image, Tensors(model))
    torch.set_num_threads(threads)
    assert given.std() > 1e-6
    torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())
