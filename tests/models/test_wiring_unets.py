"""U-Nets and what the papers put into them, each against its figure written as plain functions."""

import pytest
import torch

from helpers.models_functional import built, halve, same, twice

NARROW = {"width": 1 / 8}


def u_shape(image, unit, up=lambda x, step: twice(x), levels=4):
    """Figure 1 of Ronneberger et al. 2015: down, and up with what was there at each size; the last map."""
    kept = []
    x = unit(image, "encoder", 0)
    for level in range(1, levels + 1):
        kept.append(x)
        x = unit(halve(x), "encoder", level)
    for step in range(levels):
        x = unit(torch.cat([kept[levels - 1 - step], up(x, step)], dim=1), "decoder", step)
    return x


@pytest.mark.parametrize("options", [{}, {"decoder": "narrow"}])
def test_unet(options):
    def network(image, t):
        return t.conv(u_shape(image, lambda x, part, i: t.double(x, f"{part}.{i}")), "head")

    same(built("unet", 3, **NARROW, **options), network)


def test_unet_with_transposed_convolutions():
    def network(image, t):
        def up(x, step):
            return t.up(x, f"upsample.{step}", stride=2)

        return t.conv(u_shape(image, lambda x, part, i: t.double(x, f"{part}.{i}"), up), "head")

    same(built("unet", 3, **NARROW, upsampling="transposed"), network)


def test_a_unet_whose_skips_are_multiplied_by_zero_fails():
    model = built("unet", 3, **NARROW)

    def network(image, t):
        def unit(x, part, i):
            if part == "decoder":
                width = (64, 32, 16, 8)[i]
                x = torch.cat([0 * x[:, :width], x[:, width:]], dim=1)
            return t.double(x, f"{part}.{i}")

        return t.conv(u_shape(image, unit), "head")

    with pytest.raises(AssertionError):
        same(model, network)


def test_se_unet():
    def network(image, t):
        def unit(x, part, i):
            x = t.double(x, f"{part}.{i}.0")
            means = x.mean((2, 3), keepdim=True)
            return x * torch.sigmoid(t.perceptron(means, f"{part}.{i}.1.squeeze", f"{part}.{i}.1.excite"))

        return t.conv(u_shape(image, unit), "head")

    same(built("se_unet", 3, **NARROW), network)


def test_ldlaim():
    """Two residual blocks with PReLU after the first double convolution."""

    def residual(x, t, name):
        y = t.norm(t.conv(x, f"{name}.0"), f"{name}.1")
        y = torch.where(y > 0, y, t.of[f"{name}.2.weight"] * y)
        return x + t.norm(t.conv(y, f"{name}.3"), f"{name}.4")

    def network(image, t):
        def unit(x, part, i):
            if (part, i) != ("encoder", 0):
                return t.double(x, f"{part}.{i}")
            x = t.double(x, "encoder.0.0")
            for block in (1, 2):
                x = residual(x, t, f"encoder.0.{block}.residual")
            return x

        return t.conv(u_shape(image, unit), "head")

    same(built("ldlaim", 3, **NARROW), network)


def test_enhanced_unet():
    """Hybrid convolutions in the first three levels, attention after all five, plain units on the way up."""

    def hybrid(x, t, name):
        return 0.3 * t.conv(x, f"{name}.convs.0") + 0.7 * t.conv(x, f"{name}.convs.1", dilation=2)

    def attend(x, t, name):
        pooled = torch.stack([x.amax(1), x.mean(1)], dim=1)
        pixels = torch.sigmoid(t.perceptron(pooled, f"{name}.spatial.0", f"{name}.spatial.2"))
        return x * (t.channel_attention(x, f"{name}.channel") + pixels)

    def network(image, t):
        def unit(x, part, i):
            if part == "decoder":
                return t.double(x, f"decoder.{i}")
            if i > 2:
                return attend(t.double(x, f"encoder.{i}.0"), t, f"encoder.{i}.1")
            for first in (0, 3):
                x = hybrid(x, t, f"encoder.{i}.0.{first}")
                x = torch.relu(t.norm(x, f"encoder.{i}.0.{first + 1}"))
            return attend(x, t, f"encoder.{i}.1")

        return t.conv(u_shape(image, unit), "head")

    same(built("enhanced_unet", 7, **NARROW, weights=(0.3, 0.7)), network)


def spatial_refinement(x, t, name):
    """SBConv, equations 1 to 4, with the soft gate: what tells much is kept whole, the rest is crossed over."""
    gamma = t.of[f"{name}.norm.weight"]
    grouped = x.reshape(len(x), 4, -1)
    mean, var = grouped.mean(2, keepdim=True), grouped.var(2, keepdim=True, correction=0)
    normed = ((grouped - mean) / torch.sqrt(var + 1e-5)).reshape(x.shape)
    normed = normed * gamma[:, None, None] + t.of[f"{name}.norm.bias"][:, None, None]
    gate = torch.sigmoid(normed * (gamma / gamma.sum())[:, None, None])
    much, little = torch.where(gate > 0.5, 1.0, gate) * x, torch.where(gate > 0.5, 0.0, gate) * x
    half = x.shape[1] // 2
    return torch.cat([much[:, :half] + little[:, half:], much[:, half:] + little[:, :half]], dim=1)


def band_refinement(x, t, name):
    """SBConv, equations 5 to 9: a rich and a poor half, fused by a softmax of their means."""
    half = x.shape[1] // 2
    rich, poor = t.conv(x[:, :half], f"{name}.squeeze_upper"), t.conv(x[:, half:], f"{name}.squeeze_lower")
    y1 = t.conv(rich, f"{name}.group_wise", groups=2) + t.conv(rich, f"{name}.point_wise_upper")
    y2 = torch.cat([t.conv(poor, f"{name}.point_wise_lower"), poor], dim=1)
    share = torch.stack([y1.mean((2, 3)), y2.mean((2, 3))]).softmax(dim=0)[..., None, None]
    return share[0] * y1 + share[1] * y2


REFINE = {
    "sru": lambda x, t, name: spatial_refinement(x, t, name),
    "bru": lambda x, t, name: band_refinement(x, t, name),
    "sbconv": lambda x, t, name: band_refinement(spatial_refinement(x, t, f"{name}.0"), t, f"{name}.1"),
}


@pytest.mark.parametrize("kind", REFINE)
def test_sbconv_unet(kind):
    """Each 3 × 3 convolution is followed by the refinement, then normalised."""

    def network(image, t):
        def unit(x, part, i):
            for first in (0, 3):
                x = REFINE[kind](t.conv(x, f"{part}.{i}.{first}.0"), t, f"{part}.{i}.{first}.1")
                x = torch.relu(t.norm(x, f"{part}.{i}.{first + 1}"))
            return x

        return t.conv(u_shape(image, unit), "head")

    same(built(f"{kind}_unet", 5, **NARROW), network)


def test_sbconv_unet_in_a_residual_block():
    """The other reading: ConvBlock, x + refinement(x), ConvBlock."""

    def network(image, t):
        def unit(x, part, i):
            x = t.conv_norm(x, f"{part}.{i}.input")
            return t.conv_norm(x + REFINE["sbconv"](x, t, f"{part}.{i}.refine"), f"{part}.{i}.output")

        return t.conv(u_shape(image, unit), "head")

    same(built("sbconv_unet", 5, **NARROW, idcu="B"), network)


@pytest.mark.parametrize("name", ["resunet", "resunet_obia", "sru_resunet", "bru_resunet", "sbconv_resunet"])
def test_resunet(name):
    """Zhang et al. 2018, Figures 1 and 2: pre-activation units, strides for poolings; refinement after convolutions."""
    kind = name.partition("_")[0]
    step = 2 if kind in REFINE else 1

    def unit(x, t, name, stride=1, first=False):
        index = 0
        y = x
        if not first:
            y, index = torch.relu(t.norm(y, f"{name}.residual.0")), 2
        for last in (False, True):
            y = t.conv(y, f"{name}.residual.{index}", stride=1 if last else stride)
            if kind in REFINE:
                y = REFINE[kind](y, t, f"{name}.residual.{index + 1}")
            if not last:
                y = torch.relu(t.norm(y, f"{name}.residual.{index + step}"))
                index += step + 2
        return y + t.norm(t.conv(x, f"{name}.shortcut.0", stride=stride), f"{name}.shortcut.1")

    def network(image, t):
        kept = [unit(image, t, "encoder.0", first=True)]
        for level in (1, 2, 3):
            kept.append(unit(kept[-1], t, f"encoder.{level}", stride=2))
        x = kept.pop()
        for level in range(3):
            x = unit(torch.cat([kept.pop(), twice(x)], dim=1), t, f"decoder.{level}")
        return t.conv(x, "head")

    same(built(name, 5, **NARROW), network)
