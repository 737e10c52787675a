"""HRNetV2 and EMR-HRNet against their figures written as plain functions."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from helpers.models_functional import built, enlarge, same
from models.test_wiring_networks import basic, bottleneck


def efficient_attention(x, t, name, groups):
    """EMR-HRNet, Figure 9: within each group, means along both axes beside a 3 × 3 convolution, then across."""
    batch, channels, height, width = x.shape
    g = x.reshape(batch * groups, channels // groups, height, width)
    joined = torch.cat([g.mean(3), g.mean(2)], dim=2)[..., None]  # both means as one column
    rows, columns = torch.split(t.conv(joined, f"{name}.conv1"), [height, width], dim=2)
    a = g * torch.sigmoid(rows) * torch.sigmoid(columns.transpose(2, 3))
    spread = torch.sqrt(a.var((2, 3), keepdim=True, correction=0) + 1e-5)
    a = (a - a.mean((2, 3), keepdim=True)) / spread
    a = a * t.of[f"{name}.norm.weight"][:, None, None] + t.of[f"{name}.norm.bias"][:, None, None]
    b = t.conv(g, f"{name}.conv3")
    shares = [y.mean((2, 3)).softmax(dim=1) for y in (a, b)]
    m = torch.einsum("nc,nchw->nhw", shares[0], b) + torch.einsum("nc,nchw->nhw", shares[1], a)
    return (g * torch.sigmoid(m)[:, None]).reshape(x.shape)


def refocused(x, t, name):
    """EMR-HRNet, Figure 6: the frozen kernel and what a convolution of it learns."""
    base = t.of[f"{name}.base"]
    maps = base.reshape(1, -1, 3, 3)
    learnt = F.conv2d(maps, t.of[f"{name}.refocus"], padding=1, groups=maps.shape[1]).view_as(base)
    return F.conv2d(x, base + learnt, padding=1)


def refined(x, t, name, heads):
    """EMR-HRNet, Figures 5 and 7: the RAD block."""
    for conv in (0, 3):
        x = torch.relu(t.norm(refocused(x, t, f"{name}.{conv}"), f"{name}.{conv + 1}"))
    name = f"{name}.6"
    mean, var = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    normed = (x - mean) / torch.sqrt(var + 1e-5)
    normed = normed * t.of[f"{name}.norm.norm.weight"][:, None, None] + t.of[f"{name}.norm.norm.bias"][:, None, None]
    channels = x.shape[1]
    qkv = t.conv(t.conv(normed, f"{name}.qkv.0"), f"{name}.qkv.1", groups=3 * channels)
    q, k, v = (part.reshape(len(x), heads, channels // heads, -1) for part in qkv.chunk(3, dim=1))
    q, k = (part / part.norm(dim=-1, keepdim=True) for part in (q, k))
    attention = (q @ k.transpose(2, 3) * t.of[f"{name}.temperature"]).softmax(dim=-1)
    return x + t.conv((attention @ v).reshape(x.shape), f"{name}.project")


def trunk(image, t, block):
    """Wang et al. 2020, Figure 2: a new, coarser branch a stage; every module ends with each branch seeing all."""
    x = t.conv_norm(t.conv_norm(image, "trunk.stem.0", stride=2), "trunk.stem.1", stride=2)
    for unit in range(4):
        x = bottleneck(x, t, f"trunk.stage1.{unit}")
    maps = [t.conv_norm(x, "trunk.first")]
    for stage, modules in enumerate((1, 4, 3)):
        maps.append(t.conv_norm(x if stage == 0 else maps[-1], f"trunk.new_branches.{stage}", stride=2))
        for module in range(modules):
            name = f"trunk.stages.{stage}.{module}"
            maps = [block(y, t, f"{name}.branches.{i}.0") for i, y in enumerate(maps)]
            maps = [exchange(maps, target, t, f"{name}.fuse_layers.{target}") for target in range(len(maps))]
    return maps


def exchange(maps, target, t, name):
    total = 0
    for source, y in enumerate(maps):
        path = f"{name}.{source}"
        if source > target:
            y = enlarge(t.conv_norm(y, path, relu=False), maps[target].shape[2:])
        for step in range(target - source):
            y = t.conv_norm(y, f"{path}.{step}", stride=2, relu=step < target - source - 1)
        total = total + y
    return torch.relu(total)


def head(maps, t, size):
    joined = torch.cat([maps[0], *(enlarge(y, maps[0].shape[2:]) for y in maps[1:])], dim=1)
    x = torch.relu(t.norm(t.conv(joined, "head.0"), "head.1"))
    return enlarge(t.conv(x, "head.4"), size)


def pyramid(maps, t, flow):
    """The RMA pyramid: RAD blocks from each resolution to the next, in the direction of the flow, or on each alone."""
    heads = 1  # of 32 channels each; narrow branches have one
    if flow == "lateral":
        return [refined(y, t, f"pyramid.blocks.{i}", heads) for i, y in enumerate(maps)]
    order = [0, 1, 2, 3] if flow == "chain" else [3, 2, 1, 0]
    out = list(maps)
    for block, (source, target) in enumerate(pairwise(order)):
        passed = refined(out[source], t, f"pyramid.blocks.{block}", heads)
        out[target] = maps[target] + enlarge(passed, maps[target].shape[2:])
    return out


def test_hrnetv2():
    same(
        built("hrnetv2_w32", 3, width=1 / 8, blocks=1),
        lambda image, t: head(trunk(image, t, basic), t, image.shape[2:]),
        (32, 64),
    )


def test_dema_block_in_every_branch():
    """4, 8, 16 and 32 channels in at most 8 groups of at least 2; dilation 2."""

    def block(x, t, name):
        groups = min(8, x.shape[1] // 2)
        return basic(x, t, name, dilation=2, attend=lambda y, t, name: efficient_attention(y, t, name, groups))

    same(
        built("hrnet_dema", 3, width=1 / 8, blocks=1),
        lambda image, t: head(trunk(image, t, block), t, image.shape[2:]),
        (32, 64),
    )


@pytest.mark.parametrize("flow", ["chain", "top_down", "lateral"])
def test_emr_hrnet(flow):
    def block(x, t, name):
        groups = min(8, x.shape[1] // 2)
        return basic(x, t, name, dilation=2, attend=lambda y, t, name: efficient_attention(y, t, name, groups))

    def network(image, t):
        return head(pyramid(trunk(image, t, block), t, flow), t, image.shape[2:])

    model = built("emr_hrnet", 3, width=1 / 8, blocks=1, pyramid=flow)
    for name, parameter in model.named_parameters():
        if name.endswith("refocus"):
            torch.nn.init.normal_(parameter, std=0.1)
    same(model, network, (32, 64))


def global_attention(x, t, name):
    """Liu et al. 2021: a perceptron over the channels of each pixel, then two 7 × 7 convolutions."""
    x = x * torch.sigmoid(t.perceptron(x, f"{name}.channel.0", f"{name}.channel.2"))
    y = torch.relu(t.norm(t.conv(x, f"{name}.spatial.0"), f"{name}.spatial.1"))
    return x * torch.sigmoid(t.norm(t.conv(y, f"{name}.spatial.3"), f"{name}.spatial.4"))


def parallel_attention(x, t, name):
    """Goyal et al. 2021, Figure 2: two branches and the gated input, summed, then SiLU."""
    gated = x * torch.sigmoid(t.conv(x.mean((2, 3), keepdim=True), f"{name}.excite"))
    y = gated + sum(t.conv_norm(x, f"{name}.{branch}", relu=False) for branch in ("pointwise", "spatial"))
    return y * torch.sigmoid(y)


ATTENTIONS = {
    "hrnet_gam": global_attention,
    "hrnet_parneta": parallel_attention,
    "hrnet_cbam": lambda x, t, name: t.cbam(x, name),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attentions_that_emr_hrnet_is_compared_with(name):
    """In the place of EMA, the convolutions not dilated."""

    def block(x, t, prefix):
        return basic(x, t, prefix, attend=ATTENTIONS[name])

    same(
        built(name, 3, width=1 / 8, blocks=1),
        lambda image, t: head(trunk(image, t, block), t, image.shape[2:]),
        (32, 64),
    )
