"""Batches of patches for the loop: order and sampling; in memory (on the GPU) or streamed.

What a run sees is a function of (seed, epoch, number of the batch) alone, so that a run that was killed and taken up
again at an epoch sees the same batches as one that was not, and so does each of several processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from slipmap.training.augment import BatchAugmentation

GIB = 1 << 30

Order = NDArray[np.int64] | Sequence[NDArray[np.int64]]  # numbers of patches, a row for each batch


class Patches(Protocol):
    """What the loop needs of patches: how many, which hold a landslide, and any of them by number.

    Attributes
    ----------
    channels
        Channels of an image.
    positive
        Which patches hold a landslide, shape (patches,).
    shape
        Height and width.
    redrawn
        Whether a patch is another at each reading with `draw` (CenterRep), so that it cannot be kept.
    """

    channels: int
    redrawn: bool
    positive: NDArray[np.bool_]
    shape: tuple[int, int]

    def __len__(self) -> int: ...

    def read(
        self, numbers: Sequence[int] | NDArray[np.int64], draw: Sequence[int] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return normalised images (n, channels, height, width) and masks (n, height, width) of 1, 0, 255.

        `draw` seeds what is drawn again for each batch (CenterRep); None: the patches as they are.
        """
        ...


def epoch_order(
    positive: NDArray[np.bool_], batch_size: int, seed: int, epoch: int, positive_share: float | None = None
) -> NDArray[np.int64]:
    """Return the numbers of the patches of one epoch, batch by batch.

    Parameters
    ----------
    positive
        Which patches hold a landslide.
    batch_size
        Patches in a batch; a last, smaller batch is left out unless it is the only one.
    seed, epoch
        What the order follows from.
    positive_share
        Share of patches with a landslide (class-balanced sampling): each kind is gone through in random order, as
        often as needed. None: every patch once.

    Returns
    -------
    ndarray
        Shape (batches, size of a batch), int64.
    """
    count = len(positive)
    random = np.random.default_rng([seed, epoch, 0])
    if positive_share is None or positive.all() or not positive.any():
        order = random.permutation(count)
    else:
        wanted = round(positive_share * count)
        order = np.concatenate(
            [
                _cycled(np.flatnonzero(positive), wanted, random),
                _cycled(np.flatnonzero(~positive), count - wanted, random),
            ]
        )
        order = random.permutation(order)
    if count < batch_size:
        # Batch normalisation needs two values at least.
        return np.tile(order, 2)[None, : max(count, 2)]
    batches = count // batch_size
    return order[: batches * batch_size].reshape(batches, batch_size)


def _cycled(numbers: NDArray[np.int64], wanted: int, random: np.random.Generator) -> NDArray[np.int64]:
    rounds = -(-wanted // len(numbers))
    return np.concatenate([random.permutation(numbers) for _ in range(rounds)] or [numbers[:0]])[:wanted]


class TrainingBatches:
    """Batches of one epoch after another, augmented; each iteration yields those of :attr:`current_epoch`.

    It has no length on purpose: Lightning then takes an epoch to last as long as there are batches.

    Parameters
    ----------
    patches
        The training patches.
    batch_size, seed, positive_share
        See :func:`epoch_order`.
    augmentation
        Applied to each batch, on the device.
    device
        Where batches are wanted.
    cache
        Bytes that patches may take in the memory of `device`; when all fit they are read once and stay there,
        otherwise each batch is read when it is needed, `workers` processes reading ahead.
    workers
        Reading processes (0: in this process).
    rank, world
        Number of this process among `world` that share each batch.
    max_batches
        Batches of the whole run at most: the last epoch may be cut short.

    Attributes
    ----------
    current_epoch
        Called for the number of the epoch, from 0, when an iteration begins.
    """

    def __init__(
        self,
        patches: Patches,
        batch_size: int,
        seed: int,
        positive_share: float | None,
        augmentation: BatchAugmentation,
        device: torch.device,
        cache: int,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
        max_batches: int | None = None,
    ) -> None:
        self.patches, self.batch_size, self.seed = patches, batch_size, seed
        self.positive_share, self.augmentation, self.device = positive_share, augmentation, device
        self.workers, self.rank, self.world = workers, rank, world
        self.max_batches = max_batches
        self.current_epoch: Callable[[], int] = lambda: 0
        keep = nbytes(patches) <= cache and not patches.redrawn
        self.resident = resident(patches, device) if keep else None

    @property
    def batches_per_epoch(self) -> int:
        """Batches of a whole epoch."""
        return max(1, len(self.patches) // self.batch_size)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the patch numbers of an epoch for all processes together, one row for each batch."""
        order = epoch_order(self.patches.positive, self.batch_size, self.seed, epoch, self.positive_share)
        left = None if self.max_batches is None else max(0, self.max_batches - epoch * self.batches_per_epoch)
        return order[:left]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        epoch = self.current_epoch()
        mine = self.order(epoch)[:, self.rank :: self.world]
        for number, (image, mask) in enumerate(self._batches(mine, epoch)):
            random = np.random.default_rng([self.seed, epoch, 1 + number, self.rank])
            yield self.augmentation(image, mask, random)

    def _batches(self, order: NDArray[np.int64], epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        if self.resident is not None:
            images, masks = self.resident
            on_device = torch.from_numpy(order).to(self.device)
            for row in on_device:
                yield images.index_select(0, row), masks.index_select(0, row)
        else:
            draw = (self.seed, epoch, self.rank)
            yield from stream(self.patches, order, self.device, self.workers, draw)


class OrderedBatches:
    """Every patch once, in order, not augmented: for validation and test.

    Parameters are those of :class:`TrainingBatches`. With several processes each gets every `world`-th patch.
    """

    def __init__(
        self,
        patches: Patches,
        batch_size: int,
        device: torch.device,
        cache: int = 0,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.patches, self.device, self.workers = patches, device, workers
        numbers = np.arange(rank, len(patches), world)
        self.order = [numbers[start : start + batch_size] for start in range(0, len(numbers), batch_size)]
        self.resident = resident(patches, device) if nbytes(patches) <= cache else None

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self.resident is None:
            yield from stream(self.patches, self.order, self.device, self.workers)
            return
        images, masks = self.resident
        for row in self.order:
            chosen = torch.from_numpy(row).to(self.device)
            yield images.index_select(0, chosen), masks.index_select(0, chosen)


class _ReadBatch(Dataset[tuple[Tensor, Tensor]]):
    """One item is one batch, so that a store is read with one call for each."""

    def __init__(self, patches: Patches, order: Order, draw: tuple[int, ...] | None) -> None:
        self.patches, self.order, self.draw = patches, order, draw

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        draw = None if self.draw is None else (*self.draw, number)
        image, mask = self.patches.read(self.order[number], draw)
        return torch.from_numpy(image), torch.from_numpy(mask)


def stream(
    patches: Patches,
    order: Order,
    device: torch.device,
    workers: int,
    draw: tuple[int, ...] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of `order` on the device, read when needed (ahead of need with `workers` > 0)."""
    loader = DataLoader(
        _ReadBatch(patches, order, draw),
        batch_size=None,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator().manual_seed(0),  # its own, so that beginning an iteration moves no other numbers
    )
    for image, mask in loader:
        yield image.to(device, non_blocking=True), mask.to(device, non_blocking=True)


def resident(patches: Patches, device: torch.device, step: int = 64) -> tuple[Tensor, Tensor]:
    """Return all images and masks as two tensors on the device, filled `step` patches at a time."""
    height, width = patches.shape
    images = torch.empty((len(patches), patches.channels, height, width), device=device)
    masks = torch.empty((len(patches), height, width), dtype=torch.uint8, device=device)
    for start in range(0, len(patches), step):
        numbers = np.arange(start, min(start + step, len(patches)))
        image, mask = patches.read(numbers)
        images[start : start + len(numbers)] = torch.from_numpy(image).to(device)
        masks[start : start + len(numbers)] = torch.from_numpy(mask).to(device)
    return images, masks


def nbytes(patches: Patches) -> int:
    """Return the bytes that all patches take as float32 images and uint8 masks."""
    height, width = patches.shape
    return len(patches) * height * width * (4 * patches.channels + 1)
