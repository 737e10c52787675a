"""Augmentation of whole batches of normalised channels on their device, without the GPU waiting for it.

What is drawn and what a turn does to directions is `slipmap.patches.augmentation`'s; here channels are put back to raw
values and normalised again around it, and pixels whose value is not known stay what a missing value becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slipmap.config.patches import AugmentSettings
from slipmap.patches.augmentation import directions, draw_turns, optical_bands, turn_directions
from slipmap.patches.normalisation import Statistics, linear_terms


@dataclass(frozen=True)
class BatchAugmentation:
    """Mirrors, turns by right angles and brightness of a batch.

    Parameters
    ----------
    settings
        What is done, and how often.
    channels
        Names of the channels.
    terms
        (offset, scale, unknown) of each channel, as `slipmap.patches.normalisation.linear_terms` has them.
    """

    settings: AugmentSettings
    channels: tuple[str, ...]
    terms: tuple[tuple[float, float, float], ...]

    @classmethod
    def fitted(cls, settings: AugmentSettings, channels: Sequence[str], statistics: Statistics) -> BatchAugmentation:
        """Return the augmentation for channels normalised with `statistics`."""
        known = {
            band.name: linear_terms(band, statistics.method) for band in statistics.bands if band.kind == "continuous"
        }
        return cls(settings, tuple(channels), tuple(known.get(name, (0.0, 1.0, float("nan"))) for name in channels))

    def __call__(self, image: Tensor, mask: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return the augmented batch; `image` (n, channels, height, width) and `mask` (n, height, width).

        Neither is changed.
        """
        square = image.shape[-1] == image.shape[-2]
        mirror, quarters = draw_turns(self.settings, self.channels, square, len(image), random)
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

    def turn_directions(self, image: Tensor, mirror: bool, quarters: int) -> None:
        """Turn the channels of a batch that are directions: the aspect's east and north component, or its azimuth.

        `image` (n, channels, height, width) is changed; its ground was mirrored left-right, if `mirror`, and turned by
        `quarters` × 90° counterclockwise then.
        """
        raw = {}
        for name in directions(self.channels):
            at = self.channels.index(name)
            offset, scale, unknown = self.terms[at]
            values = image[:, at]
            if scale:
                raw[name] = torch.where(values == unknown, torch.nan, values / scale + offset)
            else:  # one value on all training ground
                raw[name] = torch.full_like(values, offset)
        for name, values in turn_directions(raw, mirror, quarters, torch.where).items():
            at = self.channels.index(name)
            offset, scale, unknown = self.terms[at]
            image[:, at] = torch.where(torch.isnan(values), unknown, (values - offset) * scale)

    def _brighten(self, image: Tensor, random: np.random.Generator) -> Tensor:
        """Multiply the reflectances of each patch by one number around 1."""
        optical = optical_bands(self.channels)
        where = torch.tensor(optical, device=image.device)
        offset, scale, unknown = np.array([self.terms[at] for at in optical], np.float32).T
        factor = (1 + self.settings.brightness * random.uniform(-1, 1, (len(image), 1))).astype(np.float32)
        gain, shift, gap = (
            torch.from_numpy(np.ascontiguousarray(a))[..., None, None].to(image.device)
            for a in (factor, (factor - 1) * (offset * scale), unknown)
        )
        values = image.index_select(1, where)
        return image.index_copy(1, where, torch.where(values == gap, values, values * gain + shift))
