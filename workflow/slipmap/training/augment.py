"""Augmentation of whole batches of normalised channels on their device: what `slipmap.patches.augmentation` does to one
raw patch, without the GPU waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slipmap.config.patches import AugmentSettings
from slipmap.patches.augmentation import AZIMUTH, EAST, NORTH, optical_bands, turns
from slipmap.patches.normalisation import Statistics


@dataclass(frozen=True)
class BatchAugmentation:
    """Mirrors, turns by right angles and brightness of a batch.

    Parameters
    ----------
    settings
        What is done, and how often.
    channels
        Names of the channels.
    offset, scale
        Of each channel: normalised = (value - offset) / scale.
    """

    settings: AugmentSettings
    channels: tuple[str, ...]
    offset: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fitted(cls, settings: AugmentSettings, channels: Sequence[str], statistics: Statistics) -> BatchAugmentation:
        """Return the augmentation for channels normalised with `statistics`."""
        offset, scale = [0.0] * len(channels), [1.0] * len(channels)
        zscore = statistics.method == "zscore"
        for band in statistics.bands:
            if band.name in channels and band.kind == "continuous":
                at = list(channels).index(band.name)
                offset[at] = band.mean if zscore else band.minimum
                scale[at] = (band.std if zscore else band.maximum - band.minimum) or 1.0
        return cls(settings, tuple(channels), tuple(offset), tuple(scale))

    def __call__(self, image: Tensor, mask: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return the augmented batch; `image` (n, channels, height, width) and `mask` (n, height, width).

        Neither is changed.
        """
        mirror, quarters = self._draw(len(image), random, image.shape[-1] == image.shape[-2])
        kinds = np.where(mirror, 4, 0) + quarters
        if kinds.any():
            image, mask = image.clone(), mask.clone()
        for kind in np.unique(kinds[kinds > 0]):
            where = torch.from_numpy(np.flatnonzero(kinds == kind)).to(image.device, non_blocking=True)
            for whole in (image, mask):
                part = whole.index_select(0, where)
                part = part.flip(-1) if kind >= 4 else part
                part = torch.rot90(part, int(kind) % 4, (-2, -1)).contiguous()
                if whole is image:
                    self.turn_directions(part, bool(kind >= 4), int(kind) % 4)
                whole.index_copy_(0, where, part)
        if self.settings.brightness and optical_bands(self.channels):
            image = self._brighten(image, random)
        return image, mask

    def _draw(
        self, count: int, random: np.random.Generator, square: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Draw for each patch whether it is mirrored left-right, and by how many quarters it is turned then."""
        mirror, quarters = np.zeros(count, bool), np.zeros(count, int)
        if self.settings.flips:
            mirror, upside_down = random.random((2, count)) < 0.5
            mirror, quarters = mirror ^ upside_down, quarters + 2 * upside_down
        if self.settings.rotations:
            quarters = quarters + random.choice(turns(self.channels) if square else (0, 2), count)
        return mirror, quarters % 4

    def turn_directions(self, image: Tensor, mirror: bool, quarters: int) -> None:
        """Turn the channels of a batch that are directions: the aspect's east and north component, or its azimuth.

        `image` (n, channels, height, width) is changed; its ground was mirrored left-right, if `mirror`, and turned by
        `quarters` × 90° counterclockwise then.
        """
        if AZIMUTH in self.channels:
            azimuth = self._raw(image, AZIMUTH)
            turned = torch.remainder((-azimuth if mirror else azimuth) - 90 * quarters, 360)
            self._put(image, AZIMUTH, torch.where(azimuth < 0, azimuth, turned))  # flat ground is -1
        if mirror and EAST in self.channels:
            self._put(image, EAST, -self._raw(image, EAST))
        if quarters == 2:
            for name in {EAST, NORTH} & set(self.channels):
                self._put(image, name, -self._raw(image, name))
        elif quarters and EAST in self.channels:
            sign = 1 if quarters == 1 else -1
            east, north = self._raw(image, EAST), self._raw(image, NORTH)
            self._put(image, EAST, -sign * north)
            self._put(image, NORTH, sign * east)

    def _raw(self, image: Tensor, name: str) -> Tensor:
        at = self.channels.index(name)
        return image[:, at] * self.scale[at] + self.offset[at]

    def _put(self, image: Tensor, name: str, raw: Tensor) -> None:
        at = self.channels.index(name)
        image[:, at] = (raw - self.offset[at]) / self.scale[at]

    def _brighten(self, image: Tensor, random: np.random.Generator) -> Tensor:
        optical = optical_bands(self.channels)
        factor = (1 + self.settings.brightness * random.uniform(-1, 1, (len(image), 1))).astype(np.float32)
        ratio = np.array([self.offset[at] / self.scale[at] for at in optical], dtype=np.float32)
        gain, shift = (torch.from_numpy(a)[:, :, None, None].to(image.device) for a in (factor, (factor - 1) * ratio))
        where = torch.tensor(optical, device=image.device)
        return image.index_copy(1, where, image.index_select(1, where) * gain + shift)
