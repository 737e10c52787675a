"""DeepLab, PSPNet, transformers and other networks that the papers compare with, each written as plain functions."""

import pytest
import torch
import torch.nn.functional as F

from helpers.models_functional import built, enlarge, halve, same
from models.test_wiring_networks import basic


def bottleneck(x, t, name, stride=1, dilation=1):
    """Figure 5 right of He et al. 2016, the stride in the 3 × 3 convolution."""
    y = torch.relu(t.norm(t.conv(x, f"{name}.residual.0"), f"{name}.residual.1"))
    y = t.conv(y, f"{name}.residual.3", stride=stride, dilation=dilation)
    y = torch.relu(t.norm(y, f"{name}.residual.4"))
    y = t.norm(t.conv(y, f"{name}.residual.6"), f"{name}.residual.7")
    if f"{name}.shortcut.0.weight" in t.of:
        x = t.norm(t.conv(x, f"{name}.shortcut.0", stride=stride), f"{name}.shortcut.1")
    return torch.relu(y + x)


def resnet(image, t, output_stride, depths=(3, 4, 6, 3)):
    """Maps after the stem and each stage; beyond the output stride, dilation in place of strides."""
    x = torch.relu(t.norm(t.conv(image, "trunk.stem.0", stride=2), "trunk.stem.1"))
    maps, x, reached, dilation = [x], F.max_pool2d(x, 3, stride=2, padding=1), 4, 1
    for stage, units in enumerate(depths):
        stride, first = (2 if stage else 1), dilation
        if stage and reached == output_stride:
            stride, dilation = 1, 2 * dilation
        reached *= stride
        for unit in range(units):
            name = f"trunk.stages.{stage}.{unit}"
            x = bottleneck(x, t, name, 1 if unit else stride, dilation if unit else first)
        maps.append(x)
    return maps


def separable(x, t, name, dilation=1):
    """Depthwise 3 × 3, then 1 × 1, normalised."""
    return t.conv_norm(t.conv(x, f"{name}.0", dilation=dilation, groups=x.shape[1]), f"{name}.1")


def pyramid_of_rates(x, t, wide):
    """DeepLabV3, Figure 5: 1 × 1, three rates and the image's mean, joined and projected."""
    maps = [t.conv_norm(x, "aspp.branches.0")]
    maps += [wide(x, t, f"aspp.branches.{i}", rate) for i, rate in ((1, 6), (2, 12), (3, 18))]
    mean = torch.relu(t.norm(t.conv(x.mean((2, 3), keepdim=True), "aspp.image.0"), "aspp.image.1"))
    return t.conv_norm(torch.cat([*maps, mean.expand_as(maps[0])], dim=1), "aspp.project")


def plain(x, t, name, dilation=1):
    return t.conv_norm(x, name, dilation=dilation)


def test_deeplabv2():
    """Chen et al. 2018, Figure 7: four rates at stride 8, each straight to the classes, summed."""

    def network(image, t):
        x = resnet(image, t, 8, (3, 4, 23, 3))[-1]
        total = sum(t.conv(x, f"aspp.branches.{i}", dilation=rate) for i, rate in enumerate((6, 12, 18, 24)))
        return enlarge(total, image.shape[2:])

    same(built("deeplabv2_resnet101", 3, width=1 / 8), network)


def test_deeplabv3():
    def network(image, t):
        x = pyramid_of_rates(resnet(image, t, 16)[-1], t, plain)
        return enlarge(t.conv(x, "classify"), image.shape[2:])

    same(built("deeplabv3_resnet50", 3, width=1 / 8), network)


@pytest.mark.parametrize("depthwise", [False, True])
def test_deeplabv3plus(depthwise):
    """Chen et al. 2018, Figure 2: joined with the map of stride 4."""
    wide = separable if depthwise else plain

    def network(image, t):
        maps = resnet(image, t, 16)
        x, low = pyramid_of_rates(maps[-1], t, wide), t.conv_norm(maps[1], "low_level")
        x = torch.cat([enlarge(x, low.shape[2:]), low], dim=1)
        x = wide(wide(x, t, "decoder.0"), t, "decoder.2")
        return enlarge(t.conv(x, "classify"), image.shape[2:])

    same(built("deeplabv3plus_resnet50", 3, width=1 / 8, separable=depthwise), network)


def test_pspnet():
    """Zhao et al. 2017, Figure 3: means over 1, 2, 3 and 6 cells a side, joined with the map."""

    def network(image, t):
        x = resnet(image, t, 8)[-1]
        maps = [x]
        for branch, bins in enumerate((1, 2, 3, 6)):
            cells = t.conv_norm(F.adaptive_avg_pool2d(x, bins), f"pyramid.branches.{branch}")
            maps.append(enlarge(cells, x.shape[2:]))
        return enlarge(t.conv(t.conv_norm(torch.cat(maps, dim=1), "head.0"), "head.2"), image.shape[2:])

    same(built("pspnet_resnet50", 3, width=1 / 8), network, (64, 48))


def inverted(x, t, name, stride, activation, expand):
    """Sandler et al. 2018, Figure 4d: wide in the middle, no activation at the end."""
    y, part = x, 0
    if expand:
        y, part = activation(t.conv_norm(y, f"{name}.layers.0", relu=False)), 2
    y = t.conv_norm(y, f"{name}.layers.{part}", relu=False, stride=stride, groups=y.shape[1])
    y = t.conv_norm(activation(y), f"{name}.layers.{part + 2}", relu=False)
    return x + y if stride == 1 and x.shape == y.shape else y


def test_unet_mobilenetv2():
    """Table 2 of Sandler et al.; joined at strides 16 to 2, then once more enlarged."""
    levels = (((1, 1),), ((2, 2),), ((3, 2),), ((4, 2), (3, 1)), ((3, 2), (1, 1)))

    def network(image, t):
        x = F.relu6(t.conv_norm(image, "trunk.levels.0.0", relu=False, stride=2))
        maps = []
        for level, groups in enumerate(levels):
            index = 0 if level else 2
            for repeats, stride in groups:
                for repeat in range(repeats):
                    name = f"trunk.levels.{level}.{index}"
                    x = inverted(x, t, name, 1 if repeat else stride, F.relu6, expand=level > 0)
                    index += 1
            maps.append(x)
        x = F.relu6(t.conv_norm(maps.pop(), "trunk.levels.4.4", relu=False))
        for step in range(5):
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            x = torch.cat([x, maps.pop()], dim=1) if maps else x
            x = t.conv_norm(t.conv_norm(x, f"decoder.{step}.0"), f"decoder.{step}.1")
        return t.conv(x, "head")

    same(built("unet_mobilenetv2", 3, width=1 / 4), network, (64, 96))


def test_contextnet():
    """Poudel et al. 2018, Figure 1 and Tables 1 and 2."""
    groups = ((1, 1, False), (1, 1, True), (3, 2, True), (3, 2, True), (2, 1, True), (2, 1, True))

    def step(x, t, name, stride=1):
        x = t.conv_norm(x, f"{name}.0", stride=stride, groups=x.shape[1])
        return t.conv_norm(x, f"{name}.1")

    def network(image, t):
        detail = t.conv_norm(image, "detail.0", stride=2)
        for part, stride in ((1, 2), (2, 2), (3, 1)):
            detail = step(detail, t, f"detail.{part}", stride)
        small = enlarge(image, (image.shape[2] // 4, image.shape[3] // 4))
        x, index = t.conv_norm(small, "context.0", stride=2), 1
        for repeats, stride, expand in groups:
            for repeat in range(repeats):
                x = inverted(x, t, f"context.{index}", 1 if repeat else stride, torch.relu, expand)
                index += 1
        x = enlarge(step(x, t, f"context.{index}"), detail.shape[2:])
        x = t.conv_norm(x, "fuse_context.0", dilation=4, groups=x.shape[1])
        x = t.conv_norm(x, "fuse_context.1", relu=False) + t.conv_norm(detail, "fuse_detail", relu=False)
        return enlarge(t.conv(torch.relu(x), "classify.1"), image.shape[2:])

    same(built("contextnet", 3, width=1 / 4), network, (64, 96))


@pytest.mark.parametrize(
    ("name", "down", "up"),
    [
        ("frrn_a", ((3, 2), (4, 4), (2, 8), (2, 16)), ((2, 8), (2, 4), (2, 2))),
        ("frrn_b", ((3, 2), (4, 4), (2, 8), (2, 16), (2, 32)), ((2, 16), (2, 8), (2, 4), (2, 2))),
    ],
)
def test_frrn(name, down, up):
    """Pohlen et al. 2017, Figures 2 and 3: every unit reads the full-resolution stream and adds to it."""

    def repeat(x, times):
        return x.repeat_interleave(times, 2).repeat_interleave(times, 3)

    def network(image, t):
        y = t.conv_norm(image, "first.0")
        for unit in (1, 2, 3):
            y = basic(y, t, f"first.{unit}")
        z = t.conv(y, "split")
        for part, stages in (("down", down), ("up", up)):
            for stage, (units, scale) in enumerate(stages):
                y = halve(y) if part == "down" else repeat(y, 2)
                for unit in range(units):
                    name = f"{part}.{stage}.{unit}"
                    y = torch.cat([y, F.max_pool2d(z, scale)], dim=1)
                    y = t.conv_norm(t.conv_norm(y, f"{name}.convs.0"), f"{name}.convs.1")
                    z = z + repeat(t.conv(y, f"{name}.residual"), scale)
        y = torch.cat([repeat(y, 2), z], dim=1)
        for unit in range(3):
            y = basic(y, t, f"last.{unit}")
        return t.conv(y, "classify")

    same(built(name, 3, width=1 / 8), network, (32, 64))


def test_sqnet():
    """Treml et al. 2016: fire modules, parallel dilated convolutions, refinements with bypasses; ELU throughout."""

    def network(image, t):
        x, kept = F.elu(t.conv(image, "stem", stride=2)), []
        for stage, fires in enumerate((2, 2, 4)):
            kept.append(x)
            x = halve(x)
            for fire in range(fires):
                name = f"stages.{stage}.{fire}"
                x = F.elu(t.conv(x, f"{name}.squeeze"))
                x = F.elu(torch.cat([t.conv(x, f"{name}.expand1"), t.conv(x, f"{name}.expand3")], dim=1))
        x = F.elu(sum(t.conv(x, f"bottom.branches.{i}", dilation=rate) for i, rate in enumerate((1, 2, 4, 8))))
        for step in range(3):
            above = F.elu(t.up(x, f"decoder.{step}.up", stride=2, padding=1, output_padding=1))
            beside = F.elu(t.conv(kept.pop(), f"decoder.{step}.bypass"))
            x = F.elu(t.conv(torch.cat([above, beside], dim=1), f"decoder.{step}.mix"))
        return t.up(x, "head", stride=2)

    same(built("sqnet", 3, width=1 / 4), network)


def test_renet():
    """Five branches in each convolution of the encoder, plain ones in the decoder, transposed convolutions between."""
    shapes = ((1, 1), None, (0, 1), (1, 0), (0, 0))

    def five(x, t, name):
        total = t.norm(t.conv(t.conv(x, f"{name}.branches.1.0"), f"{name}.branches.1.1"), f"{name}.branches.1.2")
        for branch in (0, 2, 3, 4):
            y = t.conv(x, f"{name}.branches.{branch}.0", padding=shapes[branch])
            total = total + t.norm(y, f"{name}.branches.{branch}.1")
        return torch.relu(total)

    def network(image, t):
        x, kept = image, []
        for level in range(5):
            x = halve(x) if level else x
            x = five(five(x, t, f"encoder.{level}.0"), t, f"encoder.{level}.2")
            kept.append(x)
        x = kept.pop()
        for step in range(4):
            x = torch.cat([kept.pop(), t.up(x, f"upsample.{step}", stride=2)], dim=1)
            x = t.double(x, f"decoder.{step}")
        return t.conv(x, "head")

    same(built("renet", 3, width=1 / 8), network)
