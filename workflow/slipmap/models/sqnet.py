"""SQ: a SqueezeNet encoder, parallel dilated convolutions, a refining decoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slipmap.models.base import SegmentationModel, scale_channels
from slipmap.models.blocks.conv_norm import zero_bias

ARCHITECTURES = {
    "SQNet": {
        "paper": "Treml et al., Speeding up semantic segmentation for autonomous driving, NIPS 2016 workshop MLITS",
        "options": {"rates": {"default": (1, 2, 4, 8), "minimum": 1}},
        "names": {
            "sqnet": {"parameters": 14_034_049, "advice": "quoted rival; no normalisation, so batches may be small"},
        },
    },
}

# squeeze and (each) expand channels of the fire modules between poolings (SqueezeNet 1.1)
FIRES = (
    ((16, 64), (16, 64)),
    ((32, 128), (32, 128)),
    ((48, 192), (48, 192), (64, 256), (64, 256)),
)


class Fire(nn.Module):
    """1 × 1 squeeze; 1 × 1 and 3 × 3 expansions joined (Iandola et al. 2016, arXiv:1602.07360), with ELU."""

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.elu(self.squeeze(x))
        return F.elu(torch.cat([self.expand1(x), self.expand3(x)], dim=1))


class ParallelDilated(nn.Module):
    """Dilated 3 × 3 convolutions of the same map, summed, then ELU."""

    def __init__(self, channels: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate) for rate in rates)

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(torch.stack([branch(x) for branch in self.branches]).sum(dim=0))


class Refinement(nn.Module):
    """Double the size by a transposed convolution, join the encoder's map through a 3 × 3 convolution, and mix.

    The refinement module of SharpMask (Pinheiro et al. 2016, arXiv:1603.08695), which SQ cites, with ELU.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
        self.bypass = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.mix = nn.Conv2d(2 * out_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return F.elu(self.mix(torch.cat([F.elu(self.up(x)), F.elu(self.bypass(skip))], dim=1)))


class SQNet(SegmentationModel):
    """SQ: fire modules with ELU to stride 16, parallel dilated convolutions, transposed convolutions with bypasses.

    Treml et al., "Speeding up semantic segmentation for autonomous driving", NIPS 2016 workshop MLITS.

    Parameters
    ----------
    in_channels, classes
        Bands in, logits out.
    width
        Multiplier of all channel numbers.
    rates
        Dilations of the parallel convolutions.
    """

    readings = (
        "SqueezeNet 1.1 (3 × 3 stem), 512 channels in each dilated convolution, bypasses from strides 2, "
        "4 and 8. Neither normalisation nor dropout: ELU is the paper's reason to leave them out. 14 M "
        "parameters; about 16 M is quoted for the network, so its decoder must be somewhat wider than "
        "read here."
    )
    stride = 16

    def __init__(self, in_channels: int, classes: int, width: float, rates: tuple[int, ...]) -> None:
        super().__init__(in_channels, classes)
        source = scale_channels((64,), width)[0]
        self.stem = nn.Conv2d(in_channels, source, 3, stride=2, padding=1)
        skips = [source]
        self.stages = nn.ModuleList()
        for fires in FIRES:
            stage = nn.Sequential()
            for pair in fires:
                squeeze, expand = scale_channels(pair, width)
                stage.append(Fire(source, squeeze, expand))
                source = 2 * expand
            self.stages.append(stage)
            skips.append(source)
        self.bottom = ParallelDilated(source, tuple(rates))
        self.decoder = nn.ModuleList()
        for skip in skips[-2::-1]:
            self.decoder.append(Refinement(source, skip))
            source = skip
        self.head = nn.ConvTranspose2d(source, classes, 2, stride=2)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                zero_bias(layer)

    def _forward(self, x: Tensor) -> Tensor:
        x = F.elu(self.stem(x))
        skips = []
        for stage in self.stages:
            skips.append(x)
            x = stage(F.max_pool2d(x, 2))
        x = self.bottom(x)
        for refine in self.decoder:
            x = refine(x, skips.pop())
        logits: Tensor = self.head(x)
        return logits
