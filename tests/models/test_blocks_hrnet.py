"""Blocks of the HRNet family against their equations written out in NumPy, in double precision."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from slipmap.errors import InputError
from slipmap.models import create_model
from slipmap.models.blocks.aspp import ASPP, SummedASPP
from slipmap.models.blocks.conv_norm import PooledBatchNorm2d
from slipmap.models.blocks.ema import EMA
from slipmap.models.blocks.gam import GAM
from slipmap.models.blocks.mdta import MDTA
from slipmap.models.blocks.parnet import ParNetAttention
from slipmap.models.blocks.refconv import RefConv
from slipmap.models.blocks.reparameterise import FiveBranchConv, fused


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def evaluated(module):
    """Return the module in double precision and evaluation mode, all parameters and statistics random."""
    module = module.double().eval()
    for parameter in module.parameters():
        parameter.data.normal_(0, 0.5)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return module


def output(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


def array(tensor):
    return tensor.detach().numpy()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def conv(x, weight, bias=None, dilation=1, groups=1):
    """Return the same-size convolution (cross-correlation) of one image (C, H, W), one channel pair at a time."""
    weight = array(weight) if isinstance(weight, torch.Tensor) else weight
    out_channels, per_group, kh, kw = weight.shape
    spread = np.zeros((out_channels, per_group, (kh - 1) * dilation + 1, (kw - 1) * dilation + 1))
    spread[:, :, ::dilation, ::dilation] = weight
    out = np.zeros((out_channels, *x.shape[1:]))
    for o in range(out_channels):
        first = o // (out_channels // groups) * per_group
        for i in range(per_group):
            out[o] += correlate2d(x[first + i], spread[o, i], mode="same")
    return out if bias is None else out + array(bias)[:, None, None]


def batch_norm(x, norm):
    mean, var, gamma, beta = (
        array(t)[:, None, None] for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return gamma * (x - mean) / np.sqrt(var + norm.eps) + beta


def image(channels, height=9, width=12):
    return np.random.default_rng(1).normal(size=(2, channels, height, width))


@pytest.mark.parametrize(("channels", "factor"), [(8, 2), (12, 4), (16, 8)])
def test_ema_follows_its_equations(channels, factor):
    module = evaluated(EMA(channels, factor))
    x = image(channels)
    c = channels // factor
    w1 = array(module.conv1.weight)[:, :, 0, 0]
    b1 = array(module.conv1.bias)
    gamma, beta = (array(t)[:, None, None] for t in (module.norm.weight, module.norm.bias))
    expected = np.empty_like(x)
    for n in range(2):
        for group in range(factor):
            g = x[n, group * c : (group + 1) * c]
            height = g.shape[1]
            joined = np.concatenate([g.mean(axis=2), g.mean(axis=1)], axis=1)  # one vector of H + W places
            joined = w1 @ joined + b1[:, None]
            h, w = joined[:, :height, None], joined[:, None, height:]
            a = g * sigmoid(h) * sigmoid(w)
            a = (a - a.mean(axis=(1, 2), keepdims=True)) / np.sqrt(a.var(axis=(1, 2), keepdims=True) + module.norm.eps)
            a = gamma * a + beta
            b = conv(g, module.conv3.weight, module.conv3.bias)
            m = np.tensordot(softmax(a.mean(axis=(1, 2)), 0), b, 1) + np.tensordot(
                softmax(b.mean(axis=(1, 2)), 0), a, 1
            )
            expected[n, group * c : (group + 1) * c] = g * sigmoid(m)
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


def test_ema_refuses_groups_of_one_channel():
    with pytest.raises(InputError, match="factor 32 does not split 32 channels into equal groups of at least 2"):
        EMA(32, 32)
    with pytest.raises(InputError, match="factor 5"):
        EMA(32, 5)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_mdta_follows_its_equation(heads):
    channels = 8
    module = evaluated(MDTA(channels, heads))
    x = image(channels, 5, 7)
    gamma, beta = (array(t)[:, None, None] for t in (module.norm.norm.weight, module.norm.norm.bias))
    expected = np.empty_like(x)
    for n in range(2):
        f = x[n]
        normed = gamma * (f - f.mean(axis=0)) / np.sqrt(f.var(axis=0) + module.norm.norm.eps) + beta
        qkv = conv(conv(normed, module.qkv[0].weight), module.qkv[1].weight, groups=3 * channels)
        query, key, value = qkv.reshape(3, heads, channels // heads, -1)
        attended = []
        for head in range(heads):
            q = query[head] / np.linalg.norm(query[head], axis=1, keepdims=True)
            k = key[head] / np.linalg.norm(key[head], axis=1, keepdims=True)
            alpha = array(module.temperature)[head, 0, 0]
            attended.append(softmax(alpha * q @ k.T, axis=1) @ value[head])
        attended = np.concatenate(attended).reshape(f.shape)
        expected[n] = f + conv(attended, module.project.weight)
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("channels", "heads"), [(32, 1), (64, 2), (256, 8)])
def test_mdta_has_the_parameters_of_the_paper(channels, heads):
    count = sum(parameter.numel() for parameter in MDTA(channels, heads).parameters())
    assert count == 4 * channels**2 + 27 * channels + heads + 2 * channels


@pytest.mark.parametrize(("groups", "dilation"), [(1, 1), (2, 1), (1, 2), (4, 1)])
def test_refconv_follows_its_equation(groups, dilation):
    module = evaluated(RefConv(8, 4, groups=groups, dilation=dilation))
    base, refocus = array(module.base), array(module.refocus)
    as_map = base.reshape(-1, 3, 3)  # (C_out · C_in / g, K, K)
    kernel = (as_map + conv(as_map, refocus, groups=as_map.shape[0] // groups)).reshape(base.shape)
    x = image(8)
    expected = np.stack([conv(one, kernel, dilation=dilation, groups=groups) for one in x])
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"groups": 2}, {"stride": 2}, {"dilation": 2}, {"kernel_size": 5}])
def test_fused_refconv_equals_unfused(options):
    module = evaluated(RefConv(8, 6, **options))
    plain = module.fuse()
    assert type(plain) is torch.nn.Conv2d
    x = image(8)
    np.testing.assert_allclose(output(plain, x), output(module, x), rtol=1e-12, atol=1e-13)


def test_refconv_starts_from_its_frozen_base_kernel_and_can_learn():
    module = RefConv(4, 4)
    assert module.base.abs().min() > 0  # a base of zeros would give zeros for ever
    assert torch.equal(module.kernel(), module.base)
    assert [name for name, _ in module.named_parameters()] == ["refocus"]
    assert "base" in module.state_dict()
    module(torch.randn(1, 4, 6, 6)).square().sum().backward()
    assert module.refocus.grad.abs().min() > 0
    kernel = torch.randn(4, 4, 3, 3)
    module.load_base(kernel)
    assert torch.equal(module.kernel(), kernel)


def test_gam_follows_its_equations():
    module = evaluated(GAM(8, 4))
    x = image(8)
    first, _, second = module.channel
    conv_in, norm_in, _, conv_out, norm_out = module.spatial
    expected = np.empty_like(x)
    for n, f in enumerate(x):
        pixels = f.reshape(8, -1).T  # a perceptron for every pixel
        hidden = np.maximum(pixels @ array(first.weight)[:, :, 0, 0].T + array(first.bias), 0)
        weights = sigmoid(hidden @ array(second.weight)[:, :, 0, 0].T + array(second.bias))
        f = f * weights.T.reshape(f.shape)
        hidden = np.maximum(batch_norm(conv(f, conv_in.weight, conv_in.bias), norm_in), 0)
        expected[n] = f * sigmoid(batch_norm(conv(hidden, conv_out.weight, conv_out.bias), norm_out))
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


def test_parnet_attention_follows_its_equation():
    module = evaluated(ParNetAttention(6))
    x = image(6)
    expected = np.empty_like(x)
    for n, f in enumerate(x):
        gate = sigmoid(array(module.excite.weight)[:, :, 0, 0] @ f.mean(axis=(1, 2)) + array(module.excite.bias))
        total = f * gate[:, None, None]
        for convolution, norm in (module.pointwise, module.spatial):
            total = total + batch_norm(conv(f, convolution.weight, convolution.bias), norm)
        expected[n] = total * sigmoid(total)
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


def test_aspp_joins_its_branches():
    module = evaluated(ASPP(4, 3, rates=(2, 3)))
    x = image(4)
    expected = []
    for f in x:
        maps = []
        for branch, dilation in zip(module.branches, (1, 2, 3), strict=True):
            maps.append(np.maximum(batch_norm(conv(f, branch[0].weight, dilation=dilation), branch[1]), 0))
        mean = np.broadcast_to(f.mean(axis=(1, 2), keepdims=True), f.shape)
        maps.append(np.maximum(batch_norm(conv(mean, module.image[0].weight), module.image[1]), 0))
        joined = conv(np.concatenate(maps), module.project[0].weight)
        expected.append(np.maximum(batch_norm(joined, module.project[1]), 0))
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


def test_summed_aspp_is_the_sum_of_dilated_classifiers():
    module = evaluated(SummedASPP(4, 2, rates=(1, 2, 4)))
    x = image(4)
    expected = [sum(conv(f, b.weight, b.bias, d) for b, d in zip(module.branches, (1, 2, 4), strict=True)) for f in x]
    np.testing.assert_allclose(output(module, x), expected, rtol=1e-10, atol=1e-12)


def test_fused_five_branches_equal_their_sum():
    module = evaluated(FiveBranchConv(5, 7))
    x = image(5)
    plain = module.fuse()
    assert type(plain) is torch.nn.Conv2d
    np.testing.assert_allclose(output(plain, x), output(module, x), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "options"), [("renet", {"width": 1 / 8}), ("hrnet_rma", {"width": 1 / 4, "blocks": 1})]
)
def test_fused_model_equals_the_trained_one_and_is_smaller(name, options):
    model = create_model(name, 5, 2, **options)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    with torch.no_grad():
        model(torch.randn(2, 5, 64, 64))
    model = model.double().eval()
    plain = fused(model)
    parts = [type(module).__name__ for module in plain.modules()]
    assert not {"RefConv", "FiveBranchConv"} & set(parts)
    x = image(5, 40, 33)
    expected = output(model, x)
    np.testing.assert_allclose(output(plain, x), expected, atol=1e-9 * np.abs(expected).max())


def test_pooled_normalisation_trains_with_a_single_value_per_channel():
    norm = PooledBatchNorm2d(3).train()
    norm.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    norm.running_var.fill_(4.0)
    x = torch.tensor([5.0, 6.0, 7.0]).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(array(norm(x)).ravel(), 2.0, rtol=1e-5)
    two = torch.randn(2, 3, 1, 1)
    assert torch.equal(norm(two), torch.nn.BatchNorm2d(3).train()(two))
