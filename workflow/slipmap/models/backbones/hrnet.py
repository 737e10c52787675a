"""High-resolution network (Sun et al. 2019) as a trunk: four resolutions kept side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from slipmap.models.backbones.resnet import BasicBlock, Bottleneck
from slipmap.models.base import scale_channels
from slipmap.models.blocks.conv_norm import ConvNormReLU, kaiming_init
from slipmap.models.blocks.resize import resize_like

MakeBlock = Callable[[int], nn.Module]
MODULES = (1, 4, 3)  # modules of stages 2, 3 and 4
BOTTLENECKS = 4  # of stage 1


class HighResolutionModule(nn.Module):
    """Residual blocks in every branch, then every branch receives the sum of all.

    A coarser branch comes in through a 1 × 1 convolution and bilinear upsampling, a finer one through 3 × 3
    convolutions of stride 2, one per halving.

    Parameters
    ----------
    widths
        Channels of the branches, finest first.
    make_block
        Makes a residual block from its number of channels.
    blocks
        Residual blocks in a row.
    """

    def __init__(self, widths: Sequence[int], make_block: MakeBlock, blocks: int = 4) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(make_block(width) for _ in range(blocks))) for width in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._path(source, target, widths) for source in range(len(widths)))
            for target in range(len(widths))
        )
        self.relu = nn.ReLU(inplace=True)

    @staticmethod
    def _path(source: int, target: int, widths: Sequence[int]) -> nn.Module:
        if source == target:
            return nn.Identity()
        if source > target:
            return ConvNormReLU(widths[source], widths[target], 1, relu=False)
        halvings = target - source
        return nn.Sequential(
            *(ConvNormReLU(widths[source], widths[source], 3, 2) for _ in range(halvings - 1)),
            ConvNormReLU(widths[source], widths[target], 3, 2, relu=False),
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        out = []
        for target, paths in enumerate(self.fuse_layers):
            total = maps[target]
            for source, path in enumerate(paths.children()):
                if source != target:
                    x = path(maps[source])
                    total = total + (resize_like(x, total) if source > target else x)
            out.append(self.relu(total))
        return out


class HRNet(nn.Module):
    """High-resolution trunk: stem to stride 4, a stage of bottlenecks, then stages of 2, 3 and 4 branches.

    Sun, Xiao, Liu & Wang, CVPR 2019, arXiv:1902.09212; Wang et al., TPAMI 2020, arXiv:1908.07919, Table 1.

    Parameters
    ----------
    in_channels
        Input bands.
    base
        Channels of the finest branch: 18, 32 or 48; each coarser branch has twice as many.
    width
        Multiplier of all channel numbers, those of the stem (64) included.
    make_block
        Makes the residual block of stages 2 to 4 from its number of channels.
    blocks
        Residual blocks in a row in a branch of a module; 4 in the paper.

    Attributes
    ----------
    channels : tuple of int
        Channels of the four maps, at strides 4, 8, 16 and 32, that ``forward`` returns.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base: int = 32,
        width: float = 1.0,
        make_block: MakeBlock | None = None,
        blocks: int = 4,
    ) -> None:
        super().__init__()
        make_block = make_block or (lambda channels: BasicBlock(channels, channels))
        stem = scale_channels((64,), width)[0]
        finest = scale_channels((base,), width, divisor=2)[0]
        self.channels = tuple(finest * 2**level for level in range(4))
        self.stem = nn.Sequential(ConvNormReLU(in_channels, stem, 3, 2), ConvNormReLU(stem, stem, 3, 2))
        wide = stem * Bottleneck.expansion
        self.stage1 = nn.Sequential(Bottleneck(stem, stem), *(Bottleneck(wide, stem) for _ in range(BOTTLENECKS - 1)))
        self.first = ConvNormReLU(wide, self.channels[0])
        self.new_branches = nn.ModuleList(
            ConvNormReLU(source, target, 3, 2)
            for source, target in zip((wide, *self.channels[1:3]), self.channels[1:], strict=True)
        )
        self.stages = nn.ModuleList(
            nn.ModuleList(HighResolutionModule(self.channels[: branches + 2], make_block, blocks) for _ in range(count))
            for branches, count in enumerate(MODULES)
        )
        kaiming_init(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps at strides 4, 8, 16 and 32."""
        x = self.stage1(self.stem(x))
        maps, coarsest = [self.first(x)], x
        for new_branch, modules in zip(self.new_branches, self.stages, strict=True):
            maps.append(new_branch(coarsest))
            for module in modules.children():
                maps = module(maps)
            coarsest = maps[-1]
        return maps
