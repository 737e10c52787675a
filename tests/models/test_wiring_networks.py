"""FCADenseNet, MsASNet, EMR-HRNet and rivals, each against its figure written as plain functions."""

import pytest
import torch
import torch.nn.functional as F

from helpers.models_functional import built, enlarge, halve, same, twice

LAYERS = {56: [4] * 6, 67: [5] * 6, 103: [4, 5, 7, 10, 12, 15]}


def dense_layer(x, t, name, bottleneck):
    x = torch.relu(t.norm(x, f"{name}.0"))
    if not bottleneck:
        return t.conv(x, f"{name}.2")
    return t.conv(torch.relu(t.norm(t.conv(x, f"{name}.2"), f"{name}.3")), f"{name}.5")


def dense_block(x, t, name, layers, bottleneck):
    """Each layer sees the input and all maps made before it; the new maps."""
    seen = [x]
    for layer in range(layers):
        seen.append(dense_layer(torch.cat(seen, dim=1), t, f"{name}.layers.{layer}", bottleneck))
    return torch.cat(seen[1:], dim=1)


@pytest.mark.parametrize(
    ("name", "depth", "bottleneck", "convolution", "attention"),
    [
        ("fcdensenet56", 56, False, False, False),
        ("fcdensenet103", 103, True, True, False),
        ("fcadensenet", 56, True, True, True),
        ("fcadensenet", 67, False, False, True),
    ],
)
def test_fc_densenet_and_fcadensenet(name, depth, bottleneck, convolution, attention):
    """Jégou et al. 2017, Figure 1; FCADenseNet, Figures 4 to 7: attention on what the skips carry."""
    counts = LAYERS[depth]

    def network(image, t):
        x, kept = t.conv(image, "stem"), []
        for level in range(5):
            x = torch.cat([x, dense_block(x, t, f"dense_down.{level}", counts[level], bottleneck)], dim=1)
            kept.append(t.cbam(x, f"attention.{level}") if attention else x)
            x = halve(t.conv(torch.relu(t.norm(x, f"down.{level}.0")), f"down.{level}.2"))
        new = dense_block(x, t, "bottom", counts[5], bottleneck)
        for step in range(5):
            skip = kept.pop()
            if convolution:
                new = t.conv(new.repeat_interleave(2, 2).repeat_interleave(2, 3), f"up.{step}.conv")
            else:
                new = t.up(new, f"up.{step}.conv", stride=2)[..., :-1, :-1]
            x = torch.cat([skip, new], dim=1)
            new = dense_block(x, t, f"dense_up.{step}", counts[4 - step], bottleneck)
        return t.conv(torch.cat([x, new], dim=1), "head")

    options = {} if name.startswith("fcdensenet") else {"depth": depth}
    own = {"bottleneck": bottleneck, "upsampling": "convolution" if convolution else "transposed"}
    same(built(name, 4, width=1 / 6, **options, **own), network, (32, 64))


MSASNET = {
    "msasnet": (True, "cbam"),
    "msasnet_pyramid": (True, None),
    "msasnet_cbam": (False, "cbam"),
    "msasnet_channel": (False, "channel"),
    "msasnet_unet": (False, None),
}


@pytest.mark.parametrize("variant", ["table", "natural"])
@pytest.mark.parametrize("name", MSASNET)
def test_msasnet(name, variant):
    """MsASNet, Figures 3 and 4: five double convolutions down, one more, the pyramid, attention before each step up."""
    pyramid, attention = MSASNET[name]

    def network(image, t):
        kept, x = [], t.double(image, "encoder.0")
        for level in range(1, 5):
            kept.append(x)
            x = t.double(halve(x), f"encoder.{level}")
        x = t.double(x, "bottom.0")
        if pyramid:
            maps = [x]
            for branch, bins in enumerate((1, 2, 3, 6)):
                cells = t.conv_norm(F.adaptive_avg_pool2d(x, bins), f"bottom.1.branches.{branch}")
                maps.append(enlarge(cells, x.shape[2:]))
            x = torch.cat(maps, dim=1)
            if variant == "table":
                x = t.conv_norm(x, "bottom.2")
        for step in range(4):
            if attention == "cbam":
                x = t.cbam(x, f"attention.{step}")
            elif attention == "channel":
                x = x * t.channel_attention(x, f"attention.{step}")
            x = torch.cat([kept.pop(), t.up(x, f"upsample.{step}", stride=2)], dim=1)
            x = t.double(x, f"decoder.{step}")
        return t.conv(x, "head")

    same(built(name, 3, width=1 / 8, variant=variant), network, (96, 112))


def test_segnet():
    """Figure 2 of Badrinarayanan et al.: VGG16 and its mirror, each maximum put back where it was."""

    def network(image, t):
        x, layer, places = image, 0, []
        for count in (2, 2, 3, 3, 3):
            for _ in range(count):
                x = torch.relu(t.norm(t.conv(x, f"encoder.features.{layer}"), f"encoder.features.{layer + 1}"))
                layer += 3
            layer += 1
            x, indices = F.max_pool2d(x, 2, return_indices=True)
            places.append(indices)
        for step, count in enumerate((3, 3, 3, 2, 1)):
            x = F.max_unpool2d(x, places.pop(), 2)
            for conv in range(count):
                x = t.conv_norm(x, f"decoder.{step}.{conv}")
        return t.conv(x, "head")

    same(built("segnet", 3, width=1 / 8), network, (64, 32))


def test_drs_unet():
    """Stem of stride 2, four shrinkage units, transposed convolutions with skips."""

    def unit(x, t, name, stride):
        y = torch.relu(t.norm(t.conv(x, f"{name}.residual.0", stride=stride), f"{name}.residual.1"))
        y = t.norm(t.conv(y, f"{name}.residual.3"), f"{name}.residual.4")
        mean, scale = y.abs().mean((2, 3), keepdim=True), f"{name}.residual.5.scale"
        hidden = torch.relu(t.norm(t.conv(mean, f"{scale}.0"), f"{scale}.1"))
        threshold = mean * torch.sigmoid(t.conv(hidden, f"{scale}.3"))
        y = F.relu(y - threshold) - F.relu(-y - threshold)
        if f"{name}.shortcut.0.weight" in t.of:
            x = t.norm(t.conv(x, f"{name}.shortcut.0", stride=stride), f"{name}.shortcut.1")
        return torch.relu(y + x)

    def network(image, t):
        x, kept = t.conv_norm(image, "stem", stride=2), []
        for level in range(4):
            x = unit(x, t, f"encoder.{level}", 2 if level else 1)
            kept.append(x)
        x = kept.pop()
        for step in range(3):
            x = torch.cat([kept.pop(), t.up(x, f"upsample.{step}", stride=2)], dim=1)
            x = t.double(x, f"decoder.{step}")
        return twice(t.conv(x, "head"))

    same(built("drs_unet", 3, width=1 / 8), network)


def basic(x, t, name, stride=1, dilation=1, attend=None):
    """Figure 5 left of He et al. 2016: two 3 × 3 convolutions beside a shortcut."""
    y = t.conv(x, f"{name}.residual.0", stride=stride, padding=dilation, dilation=dilation)
    y = torch.relu(t.norm(y, f"{name}.residual.1"))
    y = t.norm(t.conv(y, f"{name}.residual.3", dilation=dilation), f"{name}.residual.4")
    y = attend(y, t, f"{name}.residual.5") if attend else y
    if f"{name}.shortcut.0.weight" in t.of:
        x = t.norm(t.conv(x, f"{name}.shortcut.0", stride=stride), f"{name}.shortcut.1")
    return torch.relu(y + x)


def bottleneck(x, t, name):
    """Figure 5 right: 1 × 1, 3 × 3, 1 × 1."""
    y = x
    for conv in (0, 3, 6):
        y = t.norm(t.conv(y, f"{name}.residual.{conv}"), f"{name}.residual.{conv + 1}")
        y = torch.relu(y) if conv < 6 else y
    if f"{name}.shortcut.0.weight" in t.of:
        x = t.norm(t.conv(x, f"{name}.shortcut.0"), f"{name}.shortcut.1")
    return torch.relu(y + x)


def resnet18(image, t):
    """Maps at strides 2, 4, 8, 16 and 32."""
    x = torch.relu(t.norm(t.conv(image, "trunk.stem.0", stride=2), "trunk.stem.1"))
    maps, x = [x], F.max_pool2d(x, 3, stride=2, padding=1)
    for stage in range(4):
        for unit in range(2):
            x = basic(x, t, f"trunk.stages.{stage}.{unit}", stride=2 if stage and not unit else 1)
        maps.append(x)
    return maps


def test_fcn8s():
    """Long et al. 2015, Figure 3: scores of strides 32, 16 and 8 summed on the way up."""

    def network(image, t):
        fine, middle, coarse = (t.conv(x, f"scores.{i}") for i, x in enumerate(resnet18(image, t)[2:]))
        middle = middle + enlarge(coarse, middle.shape[2:])
        return enlarge(fine + enlarge(middle, fine.shape[2:]), image.shape[2:])

    same(built("fcn8s_resnet18", 3, width=1 / 8), network, (64, 96))


def test_linknet():
    """Chaurasia & Culurciello 2017, Figures 1 to 3: what each stage took in is added to what its decoder gives."""

    def network(image, t):
        _, *maps = resnet18(image, t)
        x = maps.pop()
        for stage in (3, 2, 1, 0):
            name, stride = f"decoder.{stage}", 2 if stage else 1
            x = t.conv_norm(x, f"{name}.0")
            x = t.up(x, f"{name}.1.0", stride=stride, padding=1, output_padding=stride - 1)
            x = t.conv_norm(torch.relu(t.norm(x, f"{name}.1.1")), f"{name}.2")
            x = x + maps.pop() if stage else x
        x = torch.relu(t.norm(t.up(x, "head.0.0", stride=2, padding=1, output_padding=1), "head.0.1"))
        return t.up(t.conv_norm(x, "head.1"), "head.2", stride=2)

    same(built("linknet_resnet18", 3, width=1 / 8), network, (64, 96))


def test_unet_vgg16():
    """Five stages of VGG16, then joined with what was there at each size; two convolutions with ReLU a step."""

    def network(image, t):
        x, layer, kept = image, 0, []
        for stage, count in enumerate((2, 2, 3, 3, 3)):
            x = halve(x) if stage else x
            for _ in range(count):
                x = torch.relu(t.conv(x, f"encoder.features.{layer}"))
                layer += 2
            layer += 1
            kept.append(x)
        x = kept.pop()
        for step in range(4):
            x = torch.cat([kept.pop(), twice(x)], dim=1)
            x = torch.relu(t.conv(torch.relu(t.conv(x, f"decoder.{step}.0")), f"decoder.{step}.2"))
        return t.conv(x, "head")

    same(built("unet_vgg16", 3, width=1 / 8), network)
