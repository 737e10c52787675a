"""Five networks drawn by lot, written from their papers by a second reader who had not seen the modules."""

import torch
import torch.nn.functional as F

from helpers.models_functional import built, same


def convolution(x, t, name, **how):
    kernel = t.of[f"{name}.weight"]
    return F.conv2d(x, kernel, t.of.get(f"{name}.bias"), padding=kernel.shape[-1] // 2, **how)


def normalised(x, t, name):
    keys = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(t.of[f"{name}.{key}"] for key in keys), eps=1e-5)


def relu(x):
    return x.clamp(min=0)


def test_sbconv_unet():
    """Land 2024, 13, 835, Figures 3 to 6: each convolution of a U-Net followed by SRU and BRU, equations 1 to 9."""

    def sru(x, t, name):
        gamma, beta = t.of[f"{name}.norm.weight"], t.of[f"{name}.norm.bias"]
        groups = x.reshape(len(x), 4, -1)
        mean, var = groups.mean(2, keepdim=True), groups.var(2, keepdim=True, correction=0)
        whitened = ((groups - mean) / torch.sqrt(var + 1e-5)).reshape(x.shape)
        gn = gamma[:, None, None] * whitened + beta[:, None, None]
        gate = torch.sigmoid((gamma / gamma.sum())[:, None, None] * gn)
        informative = torch.where(gate > 0.5, 1.0, gate)  # the weights above the threshold become 1
        rest = torch.where(gate > 0.5, 0.0, gate)
        (a, b), (c, d) = (informative * x).chunk(2, 1), (rest * x).chunk(2, 1)
        return torch.cat([a + d, c + b], 1)

    def bru(x, t, name):
        half = x.shape[1] // 2
        upper = F.conv2d(x[:, :half], t.of[f"{name}.squeeze_upper.weight"])
        lower = F.conv2d(x[:, half:], t.of[f"{name}.squeeze_lower.weight"])
        first = convolution(upper, t, f"{name}.group_wise", groups=2)
        first = first + F.conv2d(upper, t.of[f"{name}.point_wise_upper.weight"])
        second = torch.cat([F.conv2d(lower, t.of[f"{name}.point_wise_lower.weight"]), lower], 1)
        s = torch.stack([first.mean((2, 3)), second.mean((2, 3))])
        beta = s.exp() / s.exp().sum(0)
        return beta[0][..., None, None] * first + beta[1][..., None, None] * second

    def idcu(x, t, name):
        for number in (0, 3):
            x = convolution(x, t, f"{name}.{number}.0")
            x = bru(sru(x, t, f"{name}.{number}.1.0"), t, f"{name}.{number}.1.1")
            x = relu(normalised(x, t, f"{name}.{number + 1}"))
        return x

    def network(x, t):
        kept = []
        for level in range(5):
            x = idcu(x if level == 0 else F.max_pool2d(x, 2), t, f"encoder.{level}")
            kept.append(x)
        for step in range(4):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            x = idcu(torch.cat([kept[3 - step], x], 1), t, f"decoder.{step}")
        return convolution(x, t, "head")

    same(built("sbconv_unet", 3, width=1 / 8), network)


def test_drs_unet():
    """Ma & Mei 2022, with the residual shrinkage unit of Zhao et al. 2020: channel-wise soft thresholds."""

    def unit(x, t, name, stride):
        y = relu(normalised(convolution(x, t, f"{name}.residual.0", stride=stride), t, f"{name}.residual.1"))
        y = normalised(convolution(y, t, f"{name}.residual.3"), t, f"{name}.residual.4")
        average = y.abs().mean((2, 3), keepdim=True)
        scale = relu(normalised(convolution(average, t, f"{name}.residual.5.scale.0"), t, f"{name}.residual.5.scale.1"))
        threshold = average * torch.sigmoid(convolution(scale, t, f"{name}.residual.5.scale.3"))
        y = torch.where(y > threshold, y - threshold, torch.where(y < -threshold, y + threshold, 0.0))
        if f"{name}.shortcut.0.weight" in t.of:
            x = normalised(convolution(x, t, f"{name}.shortcut.0", stride=stride), t, f"{name}.shortcut.1")
        return relu(x + y)

    def network(image, t):
        x = relu(normalised(convolution(image, t, "stem.0", stride=2), t, "stem.1"))
        kept = []
        for level in range(4):
            x = unit(x, t, f"encoder.{level}", 2 if level else 1)
            kept.append(x)
        for step in range(3):
            x = F.conv_transpose2d(x, t.of[f"upsample.{step}.weight"], t.of[f"upsample.{step}.bias"], stride=2)
            x = torch.cat([kept[2 - step], x], 1)
            for number in (0, 3):
                x = convolution(x, t, f"decoder.{step}.{number}")
                x = relu(normalised(x, t, f"decoder.{step}.{number + 1}"))
        return F.interpolate(convolution(x, t, "head"), size=image.shape[2:], mode="bilinear", align_corners=True)

    same(built("drs_unet", 3, width=1 / 8), network)


def test_se_unet():
    """A U-Net whose every double convolution ends in squeeze and excitation (Hu et al. 2018, equations 2 to 4)."""

    def unit(x, t, name):
        for number in (0, 3):
            x = relu(normalised(convolution(x, t, f"{name}.0.{number}"), t, f"{name}.0.{number + 1}"))
        z = x.mean((2, 3), keepdim=True)
        s = torch.sigmoid(convolution(relu(convolution(z, t, f"{name}.1.squeeze")), t, f"{name}.1.excite"))
        return s * x

    def network(x, t):
        kept = []
        for level in range(5):
            x = unit(x if level == 0 else F.max_pool2d(x, 2), t, f"encoder.{level}")
            kept.append(x)
        for step in range(4):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            x = unit(torch.cat([kept[3 - step], x], 1), t, f"decoder.{step}")
        return convolution(x, t, "head")

    same(built("se_unet", 3, width=1 / 8), network)


def test_segnet():
    """Badrinarayanan et al. 2017, Figure 2: thirteen convolutions down, thirteen up, maxima put back in place."""

    def network(x, t):
        places = []
        names = iter((0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40))
        for count in (2, 2, 3, 3, 3):
            for _ in range(count):
                number = next(names)
                x = convolution(x, t, f"encoder.features.{number}")
                x = relu(normalised(x, t, f"encoder.features.{number + 1}"))
            size = x.shape[2:]
            x, where = F.max_pool2d(x, 2, return_indices=True)
            places.append((where, size))
        for step, count in enumerate((3, 3, 3, 2, 1)):
            where, size = places.pop()
            x = F.max_unpool2d(x, where, 2, output_size=size)
            for number in range(count):
                name = f"decoder.{step}.{number}"
                x = relu(normalised(convolution(x, t, f"{name}.0"), t, f"{name}.1"))
        return convolution(x, t, "head")

    same(built("segnet", 3, width=1 / 8), network, (32, 64))


def test_linknet():
    """Chaurasia & Culurciello 2017, Figures 1 and 2: ResNet-18, four decoders, skips added."""

    def basic(x, t, name, stride):
        y = relu(normalised(convolution(x, t, f"{name}.residual.0", stride=stride), t, f"{name}.residual.1"))
        y = normalised(convolution(y, t, f"{name}.residual.3"), t, f"{name}.residual.4")
        if f"{name}.shortcut.0.weight" in t.of:
            x = normalised(convolution(x, t, f"{name}.shortcut.0", stride=stride), t, f"{name}.shortcut.1")
        return relu(x + y)

    def enlarged(x, t, name):
        x = F.conv_transpose2d(x, t.of[f"{name}.0.weight"], stride=2, padding=1, output_padding=1)
        return relu(normalised(x, t, f"{name}.1"))

    def decoder(x, t, name, stride):
        x = relu(normalised(convolution(x, t, f"{name}.0.0"), t, f"{name}.0.1"))
        if stride == 2:
            x = enlarged(x, t, f"{name}.1")
        else:
            x = F.conv_transpose2d(x, t.of[f"{name}.1.0.weight"], padding=1)
            x = relu(normalised(x, t, f"{name}.1.1"))
        return relu(normalised(convolution(x, t, f"{name}.2.0"), t, f"{name}.2.1"))

    def network(image, t):
        x = relu(normalised(convolution(image, t, "trunk.stem.0", stride=2), t, "trunk.stem.1"))
        x, maps = F.max_pool2d(x, 3, stride=2, padding=1), []
        for stage in range(4):
            for number in range(2):
                x = basic(x, t, f"trunk.stages.{stage}.{number}", 2 if stage and not number else 1)
            maps.append(x)
        for level in (3, 2, 1):
            x = decoder(x, t, f"decoder.{level}", 2) + maps[level - 1]
        x = decoder(x, t, "decoder.0", 1)
        x = enlarged(x, t, "head.0")
        x = relu(normalised(convolution(x, t, "head.1.0"), t, "head.1.1"))
        return F.conv_transpose2d(x, t.of["head.2.weight"], t.of["head.2.bias"], stride=2)

    same(built("linknet_resnet18", 3, width=1 / 8), network, (64, 96))
