"""Blocks against their equations, written out in NumPy with loops and without torch's layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from slipmap.errors import InputError
from slipmap.models.base import pad_to_multiple, scale_channels
from slipmap.models.blocks import pyramid_pooling
from slipmap.models.blocks.cbam import CBAM
from slipmap.models.blocks.hybrid_conv import CONVOLUTIONS, HybridConv
from slipmap.models.blocks.mcsa import MCSA
from slipmap.models.blocks.rsbu import RSBU, SoftThreshold
from slipmap.models.blocks.sbconv import BRU, SRU, SBConv
from slipmap.models.blocks.se import SqueezeExcitation
from slipmap.models.segnet import max_unpool

BATCH, CHANNELS, HEIGHT, WIDTH = 2, 16, 5, 7


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def conv(x, weight, bias=None, groups=1, dilation=1):
    """Cross-correlation of odd kernels with zero padding that keeps the size; x (batch, channels, height, width)."""
    out_channels, per_group, k, _ = weight.shape
    pad = dilation * (k - 1) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = x.shape[2:]
    y = np.zeros((x.shape[0], out_channels, height, width))
    for out in range(out_channels):
        first = out // (out_channels // groups) * per_group
        for source in range(per_group):
            for row in range(k):
                for column in range(k):
                    top, left = row * dilation, column * dilation
                    window = padded[:, first + source, top : top + height, left : left + width]
                    y[:, out] += weight[out, source, row, column] * window
        if bias is not None:
            y[:, out] += bias[out]
    return y


def group_norm(x, groups, gamma, beta, eps=1e-5):
    y = np.empty_like(x)
    size = x.shape[1] // groups
    for sample in range(x.shape[0]):
        for group in range(groups):
            part = x[sample, group * size : (group + 1) * size]
            y[sample, group * size : (group + 1) * size] = (part - part.mean()) / np.sqrt(part.var() + eps)
    return y * gamma[None, :, None, None] + beta[None, :, None, None]


def batch_norm(x, module):
    """In evaluation, along axis 1."""
    mean, var, gamma, beta = (
        array(tensor)[(None, slice(None), *[None] * (x.ndim - 2))]
        for tensor in (module.running_mean, module.running_var, module.weight, module.bias)
    )
    return (x - mean) / np.sqrt(var + module.eps) * gamma + beta


def array(tensor):
    return tensor.detach().numpy()


def perceptron(x, module, first, last):
    """Two layers on vectors (batch, channels), whose weights are those of 1 × 1 convolutions."""
    hidden = relu(x @ array(module[first].weight)[:, :, 0, 0].T + array(module[first].bias))
    return hidden @ array(module[last].weight)[:, :, 0, 0].T + array(module[last].bias)


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH, dtype=torch.float64)


def prepared(module):
    """Give a block random parameters and statistics, in float64 and evaluation."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return module.double().eval()


def sru(x, module, gate):
    gamma, beta = array(module.norm.weight), array(module.norm.bias)
    weight = np.abs(gamma) / np.abs(gamma).sum()
    r = sigmoid(group_norm(x, module.norm.num_groups, gamma, beta) * weight[None, :, None, None])
    if gate == "hard":
        w1, w2 = np.where(r > 0.5, 1.0, 0.0), np.where(r > 0.5, 0.0, 1.0)
    else:
        w1, w2 = np.where(r > 0.5, 1.0, r), np.where(r > 0.5, 0.0, r)
    x1, x2 = w1 * x, w2 * x
    half = x.shape[1] // 2
    return np.concatenate([x1[:, :half] + x2[:, half:], x1[:, half:] + x2[:, :half]], axis=1)


def bru(x, module, fuse):
    half = x.shape[1] // 2
    up = conv(x[:, :half], array(module.squeeze_upper.weight))
    low = conv(x[:, half:], array(module.squeeze_lower.weight))
    y1 = conv(up, array(module.group_wise.weight), array(module.group_wise.bias), groups=2)
    y1 += conv(up, array(module.point_wise_upper.weight))
    y2 = np.concatenate([conv(low, array(module.point_wise_lower.weight)), low], axis=1)
    e1, e2 = np.exp(y1.mean((2, 3), keepdims=True)), np.exp(y2.mean((2, 3), keepdims=True))
    total = e1 + e2 if fuse == "pairwise" else e1.sum(1, keepdims=True) + e2.sum(1, keepdims=True)
    return e1 / total * y1 + e2 / total * y2


@pytest.mark.parametrize("gate", ["hard", "soft"])
def test_sru_is_equations_1_to_4(x, gate):
    module = prepared(SRU(CHANNELS, groups=4, gate=gate))
    np.testing.assert_allclose(array(module(x)), sru(x.numpy(), module, gate), atol=1e-12)


def test_sru_hard_gate_keeps_the_sum_of_the_crossed_halves(x):
    """W₁ + W₂ = 1, so the two halves of the output add up to the two halves of the input."""
    y = prepared(SRU(CHANNELS, gate="hard"))(x)
    half = CHANNELS // 2
    torch.testing.assert_close(y[:, :half] + y[:, half:], x[:, :half] + x[:, half:])


def test_sru_survives_scales_that_cancel(x):
    module = SRU(CHANNELS).double()
    with torch.no_grad():
        module.norm.weight.copy_(torch.tensor([1.0, -1.0]).repeat(CHANNELS // 2))
    assert torch.isfinite(module(x)).all()


@pytest.mark.parametrize("fuse", ["pairwise", "joint"])
def test_bru_is_equations_5_to_9(x, fuse):
    module = prepared(BRU(CHANNELS, fuse=fuse))
    np.testing.assert_allclose(array(module(x)), bru(x.numpy(), module, fuse), atol=1e-12)


def test_sbconv_is_sru_then_bru(x):
    module = prepared(SBConv(CHANNELS))
    expected = bru(sru(x.numpy(), module[0], "soft"), module[1], "pairwise")
    np.testing.assert_allclose(array(module(x)), expected, atol=1e-12)


def channel_map(x, mlp):
    return sigmoid(perceptron(x.mean((2, 3)), mlp, 0, 2) + perceptron(x.max((2, 3)), mlp, 0, 2))[:, :, None, None]


def test_cbam_is_channel_then_spatial_attention(x):
    module = prepared(CBAM(CHANNELS, reduction=4))
    channel, spatial = module
    y = x.numpy() * channel_map(x.numpy(), channel.mlp)
    pooled = np.stack([y.max(1), y.mean(1)], axis=1)
    expected = y * sigmoid(batch_norm(conv(pooled, array(spatial.conv.weight)), spatial.norm))
    np.testing.assert_allclose(array(module(x)), expected, atol=1e-12)


def test_squeeze_excitation_is_its_equation(x):
    module = prepared(SqueezeExcitation(CHANNELS, reduction=4))
    s = sigmoid(perceptron(x.numpy().mean((2, 3)), [module.squeeze, None, module.excite], 0, 2))
    np.testing.assert_allclose(array(module(x)), x.numpy() * s[:, :, None, None], atol=1e-12)


@pytest.mark.parametrize("combine", ["multiply", "add"])
@pytest.mark.parametrize("attention", ["none", "channel", "spatial", "both"])
def test_mcsa_is_equations_10_to_15(x, attention, combine):
    module = prepared(MCSA(CHANNELS, attention, combine, reduction=4, hidden_channels=3))
    image = x.numpy()
    total = 0
    if attention in ("channel", "both"):
        total = total + channel_map(image, module.channel.mlp)
    if attention in ("spatial", "both"):
        pooled = np.stack([image.max(1), image.mean(1)], axis=1)
        first, last = module.spatial[0], module.spatial[2]
        hidden = relu(conv(pooled, array(first.weight), array(first.bias)))
        total = total + sigmoid(conv(hidden, array(last.weight), array(last.bias)))
    if attention == "none":
        expected = image
    else:
        expected = image * total if combine == "multiply" else image + total
    np.testing.assert_allclose(array(module(x)), expected, atol=1e-12)


def soft_threshold(x, module):
    a = np.abs(x).mean((2, 3))
    first, norm, last = module.scale[0], module.scale[1], module.scale[3]
    hidden = relu(batch_norm(a @ array(first.weight)[:, :, 0, 0].T + array(first.bias), norm))
    tau = (a * sigmoid(hidden @ array(last.weight)[:, :, 0, 0].T + array(last.bias)))[:, :, None, None]
    return np.where(x > tau, x - tau, np.where(x < -tau, x + tau, 0.0))


def test_soft_threshold_shrinks_each_channel_by_its_own_threshold(x):
    module = prepared(SoftThreshold(CHANNELS, reduction=2))
    np.testing.assert_allclose(array(module(x)), soft_threshold(x.numpy(), module), atol=1e-12)


@pytest.mark.parametrize("out", [CHANNELS, 8])
def test_rsbu_is_convolutions_threshold_and_shortcut(x, out):
    module = prepared(RSBU(CHANNELS, out))
    first, norm1, _, last, norm2, shrink = module.residual
    y = relu(batch_norm(conv(x.numpy(), array(first.weight)), norm1))
    y = soft_threshold(batch_norm(conv(y, array(last.weight)), norm2), shrink)
    shortcut = x.numpy()
    if out != CHANNELS:
        shortcut = batch_norm(conv(shortcut, array(module.shortcut[0].weight)), module.shortcut[1])
    np.testing.assert_allclose(array(module(x)), relu(y + shortcut), atol=1e-12)


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_hybrid_convolution_is_the_weighted_sum(x, kind):
    module = prepared(HybridConv(CHANNELS, 8, kind, weights=(0.3, 0.7), dilation=2, groups=4))
    settings = {"standard": {}, "dilated": {"dilation": 2}, "grouped": {"groups": 4}}
    names = kind.split("+")
    weights = (0.3, 0.7) if len(names) == 2 else (1.0,)
    expected = sum(
        weight * conv(x.numpy(), array(layer.weight), array(layer.bias), **settings[name])
        for weight, layer, name in zip(weights, module.convs, names, strict=True)
    )
    np.testing.assert_allclose(array(module(x)), expected, atol=1e-12)


def test_hybrid_convolution_groups_fit_any_number_of_bands():
    assert HybridConv(7, 64, "grouped", groups=4)(torch.zeros(1, 7, 4, 4)).shape == (1, 64, 4, 4)


@pytest.mark.parametrize("weights", [(0.5,), (0.5, -0.5), (1, 0)])
def test_hybrid_convolution_refuses_other_weights(weights):
    with pytest.raises(InputError, match="give two numbers greater than 0"):
        HybridConv(8, 8, weights=weights)


@pytest.mark.parametrize("size", [(6, 6), (5, 13), (2, 1), (16, 9)])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_pooling_for_export_equals_adaptive_pooling(monkeypatch, size, bins):
    image = torch.randn(2, 3, *size, dtype=torch.float64)
    monkeypatch.setattr(pyramid_pooling, "exporting", lambda: True)
    pooled = pyramid_pooling.adaptive_average_pool(image, bins)
    torch.testing.assert_close(pooled, F.adaptive_avg_pool2d(image, bins))


def test_max_unpool_equals_torch(x):
    pooled, indices = F.max_pool2d(x[..., :4, :6], 2, return_indices=True)
    torch.testing.assert_close(max_unpool(pooled, indices, (4, 6)), F.max_unpool2d(pooled, indices, 2))


@pytest.mark.parametrize("size", [(9, 15), (16, 16), (17, 31)])
def test_padding_mirrors_at_the_far_edges(size):
    image = torch.randn(1, 2, *size)
    expected = F.pad(image, (0, -size[1] % 16, 0, -size[0] % 16), mode="reflect")
    assert torch.equal(pad_to_multiple(image, 16), expected)


def test_padding_wider_than_the_image_reflects_again():
    image = torch.tensor([[[[0.0, 1.0, 2.0]]]])
    padded = pad_to_multiple(image, 8)
    assert padded.shape == (1, 1, 8, 8)
    assert padded[0, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2, 1]
    assert torch.equal(padded[0, 0, 0], padded[0, 0, 7])


def test_width_scales_channels_to_multiples_of_eight():
    assert scale_channels((64, 128, 512), 1) == [64, 128, 512]
    assert scale_channels((64, 128, 512), 0.3) == [16, 40, 152]
    assert scale_channels((64, 128), 1e-6) == [8, 8]
    for width in (0, -1, "2", float("nan"), True):
        with pytest.raises(InputError, match="greater than 0"):
            scale_channels((64,), width)
