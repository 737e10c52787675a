"""SegFormer, ShapeFormer, TransUNet and Prithvi, each written as plain functions of tokens and maps."""

import math

import torch
import torch.nn.functional as F

from helpers.models_functional import built, enlarge, same


def layer_norm(x, t, name, eps):
    mean, var = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
    return (x - mean) / torch.sqrt(var + eps) * t.of[f"{name}.weight"] + t.of[f"{name}.bias"]


def linear(x, t, name):
    return x @ t.of[f"{name}.weight"].T + t.of[f"{name}.bias"]


def attend(q, k, v, heads):
    """Softmax of the scaled products, head by head; (batch, tokens, channels) each."""
    size = q.shape[-1] // heads
    out = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        share = (q[..., part] @ k[..., part].transpose(1, 2) / math.sqrt(size)).softmax(dim=-1)
        out.append(share @ v[..., part])
    return torch.cat(out, dim=-1)


def to_map(tokens, size):
    return tokens.transpose(1, 2).reshape(len(tokens), -1, *size)


def to_tokens(x):
    return x.flatten(2).transpose(1, 2)


def unit(tokens, t, name, size, heads, reduction):
    """Xie et al. 2021, equations 1 to 3: attention to a reduced map, then a feed-forward with a depthwise filter."""
    normed = layer_norm(tokens, t, f"{name}.norm1", 1e-6)
    source = normed
    if reduction > 1:
        reduced = t.conv(to_map(normed, size), f"{name}.attention.reduce", stride=reduction, padding=0)
        source = layer_norm(to_tokens(reduced), t, f"{name}.attention.norm", 1e-5)
    k, v = linear(source, t, f"{name}.attention.key_value").chunk(2, dim=-1)
    q = linear(normed, t, f"{name}.attention.query")
    tokens = tokens + linear(attend(q, k, v, heads), t, f"{name}.attention.project")
    wide = to_map(linear(layer_norm(tokens, t, f"{name}.norm2", 1e-6), t, f"{name}.feed_forward.expand"), size)
    wide = F.gelu(t.conv(wide, f"{name}.feed_forward.depthwise", groups=wide.shape[1]))
    return tokens + linear(to_tokens(wide), t, f"{name}.feed_forward.contract")


def trunk(x, t):
    """Maps at strides 4, 8, 16 and 32, two units each."""
    maps = []
    for level, (heads, reduction) in enumerate(((1, 8), (2, 4), (5, 2), (8, 1))):
        x = t.conv(x, f"trunk.patches.{level}", stride=2 if level else 4)
        size = x.shape[2:]
        tokens = layer_norm(to_tokens(x), t, f"trunk.norms_in.{level}", 1e-5)
        for number in range(2):
            tokens = unit(tokens, t, f"trunk.stages.{level}.{number}", size, heads, reduction)
        x = to_map(layer_norm(tokens, t, f"trunk.norms_out.{level}", 1e-6), size)
        maps.append(x)
    return maps


def test_segformer():
    """Equation 4: all maps to one width and size, joined, mixed, classified."""

    def network(image, t):
        maps = [t.conv(x, f"project.{level}") for level, x in enumerate(trunk(image, t))]
        x = torch.cat([enlarge(y, maps[0].shape[2:]) for y in maps], dim=1)
        return enlarge(t.conv(t.conv_norm(x, "fuse"), "classify"), image.shape[2:])

    same(built("segformer_b0", 3, width=1 / 4), network, (64, 96))


def test_shapeformer():
    """Adjacent maps fused from coarse to fine; the outline gates the finest."""

    def network(image, t):
        maps = [t.conv_norm(x, f"project.{level}") for level, x in enumerate(trunk(image, t))]
        fused = [maps[3]]
        for step, level in enumerate((2, 1, 0)):
            coarse = enlarge(fused[-1], maps[level].shape[2:])
            joined = torch.cat([maps[level], maps[level] * coarse, coarse], dim=1)
            fused.append(t.conv_norm(joined, f"fusions.{step}.mix"))
        finest = fused[3]
        shape = torch.cat([finest, enlarge(fused[2], finest.shape[2:])], dim=1)
        shape = t.conv_norm(t.conv_norm(shape, "shape.0"), "shape.1")
        gated = finest + finest * torch.sigmoid(t.conv(shape, "boundary"))
        x = t.conv_norm(t.conv_norm(torch.cat([gated, shape], dim=1), "mix.0"), "mix.1")
        return enlarge(t.conv(x, "classify"), image.shape[2:])

    same(built("shapeformer_pvtv2b0", 3, width=1 / 4), network, (64, 96))


def test_transunet():
    """Chen et al. 2021, Figure 1: residual maps to stride 16, transformer units on them, three skips on the way up."""

    def conv(x, t, name, stride=1):
        weight = t.of[f"{name}.weight"]
        flat = weight.flatten(1)
        spread = torch.sqrt(flat.var(1, correction=0) + 1e-5)
        weight = ((flat - flat.mean(1, keepdim=True)) / spread[:, None]).view_as(weight)
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(x, t, name):
        groups = math.gcd(32, x.shape[1] // 2)
        return F.group_norm(x, groups, t.of[f"{name}.weight"], t.of[f"{name}.bias"])

    def residual(x, t, name, stride):
        y = torch.relu(norm(conv(x, t, f"{name}.residual.0"), t, f"{name}.residual.1"))
        y = torch.relu(norm(conv(y, t, f"{name}.residual.3", stride), t, f"{name}.residual.4"))
        y = norm(conv(y, t, f"{name}.residual.6"), t, f"{name}.residual.7")
        if f"{name}.shortcut.0.weight" in t.of:
            x = norm(conv(x, t, f"{name}.shortcut.0", stride), t, f"{name}.shortcut.1")
        return torch.relu(y + x)

    def network(image, t):
        x = torch.relu(norm(conv(image, t, "trunk.stem.0", 2), t, "trunk.stem.1"))
        maps, x = [x], F.max_pool2d(x, 3, stride=2, padding=1)
        for stage, units in enumerate((3, 4, 9)):
            for number in range(units):
                x = residual(x, t, f"trunk.stages.{stage}.{number}", 2 if stage and not number else 1)
            maps.append(x)
        x = t.conv(maps.pop(), "embed")
        size = x.shape[2:]
        tokens = to_tokens(x + enlarge(t.of["position"], size))
        for number in range(2):
            name = f"units.{number}"
            normed = layer_norm(tokens, t, f"{name}.norm1", 1e-6)
            q, k, v = linear(normed, t, f"{name}.query_key_value").chunk(3, dim=-1)
            tokens = tokens + linear(attend(q, k, v, 3), t, f"{name}.project")
            wide = F.gelu(linear(layer_norm(tokens, t, f"{name}.norm2", 1e-6), t, f"{name}.feed_forward.0"))
            tokens = tokens + linear(wide, t, f"{name}.feed_forward.3")
        x = t.conv_norm(to_map(layer_norm(tokens, t, "norm", 1e-6), size), "bottom")
        for step in range(4):
            x = enlarge(x, (2 * x.shape[2], 2 * x.shape[3]))
            x = torch.cat([x, maps.pop()], dim=1) if maps else x
            x = t.conv_norm(t.conv_norm(x, f"decoder.{step}.0"), f"decoder.{step}.1")
        return t.conv(x, "head")

    same(built("transunet_r50_vitb16", 3, width=1 / 8, depth=2, heads=3), network, (48, 64))


def prithvi_maps(image, t, heads, patch, taken):
    """Szwarcman et al. 2024: a token for each patch and one more, fixed positions, plain transformer blocks."""
    x = t.conv(image, "encoder.patch_embed.proj", stride=patch, padding=0)
    size, dim, side = x.shape[2:], x.shape[1], 224 // patch
    place = torch.zeros(dim, side, side, dtype=x.dtype)
    for first, share, along in ((0, 6, "column"), (6, 6, "row"), (12, 4, "date")):
        channels = share * dim // 16
        for row in range(side):
            for column in range(side):
                at = {"column": column, "row": row, "date": 0}[along]
                for wave in range(channels // 2):
                    angle = at / 10000 ** (2 * wave / channels)
                    place[first * dim // 16 + wave, row, column] = math.sin(angle)
                    place[first * dim // 16 + channels // 2 + wave, row, column] = math.cos(angle)
    x = x + F.interpolate(place.float().double()[None], size=size, mode="bicubic", align_corners=True)
    tokens = torch.cat([t.of["encoder.cls_token"].expand(len(x), 1, dim), to_tokens(x)], dim=1)
    maps = []
    for number in range(taken[-1] + 1):
        name = f"encoder.blocks.{number}"
        q, k, v = linear(layer_norm(tokens, t, f"{name}.norm1", 1e-5), t, f"{name}.attn.qkv").chunk(3, dim=-1)
        tokens = tokens + linear(attend(q, k, v, heads), t, f"{name}.attn.proj")
        wide = F.gelu(linear(layer_norm(tokens, t, f"{name}.norm2", 1e-5), t, f"{name}.mlp.fc1"))
        tokens = tokens + linear(wide, t, f"{name}.mlp.fc2")
        if number == taken[-1]:
            tokens = layer_norm(tokens, t, "encoder.norm", 1e-5)
        if number in taken:
            maps.append(to_map(tokens[:, 1:], size))
    finest = F.gelu(t.norm(t.up(maps[0], "pyramid.finest.0", stride=2), "pyramid.finest.1"))
    return [
        t.up(finest, "pyramid.finest.3", stride=2),
        t.up(maps[1], "pyramid.finer", stride=2),
        maps[2],
        F.max_pool2d(maps[3], 2, ceil_mode=True),
    ]


def prithvi_head(x, image, t):
    return enlarge(t.conv(t.conv_norm(x, "head.0"), "head.2"), image.shape[2:])


def test_prithvi_with_upernet():
    """Xiao et al. 2018, Figure 4, on four depths of the encoder: 1, 3, 4 and 6 of six blocks."""

    def network(image, t):
        *finer, coarsest = prithvi_maps(image, t, 3, 16, (0, 2, 3, 5))
        pooled = [coarsest]
        for branch, bins in enumerate((1, 2, 3, 6)):
            x = t.norm(
                t.conv(F.adaptive_avg_pool2d(coarsest, bins), f"decoder.pooling.branches.{branch}.0"),
                f"decoder.pooling.branches.{branch}.1",
            )
            pooled.append(enlarge(torch.relu(x), coarsest.shape[2:]))
        summed = {3: t.conv_norm(torch.cat(pooled, dim=1), "decoder.bottom")}
        for level in (2, 1, 0):
            own = t.conv_norm(finer[level], f"decoder.lateral.{level}")
            summed[level] = own + enlarge(summed[level + 1], own.shape[2:])
        done = [t.conv_norm(summed[level], f"decoder.smooth.{level}") for level in (0, 1, 2)] + [summed[3]]
        x = torch.cat([enlarge(y, done[0].shape[2:]) for y in done], dim=1)
        return prithvi_head(t.conv_norm(x, "decoder.fuse"), image, t)

    same(built("prithvi_eo_v2_tiny", 3, width=1 / 8, depth=6, features=64), network, (64, 96))


def test_prithvi_with_the_decoder_of_a_unet():
    def network(image, t):
        first, second, third, x = prithvi_maps(image, t, 16, 14, (0, 1, 2, 3))
        for step, level in enumerate((third, second, first)):
            x = t.double(torch.cat([level, enlarge(x, level.shape[2:])], dim=1), f"decoder.steps.{step}")
        return prithvi_head(x, image, t)

    same(built("prithvi_eo_v2_600", 3, width=1 / 16, depth=4, decoder="unet", features=128), network, (56, 84))
