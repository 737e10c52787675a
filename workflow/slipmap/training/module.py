"""The Lightning module: loss, optimiser, schedule, and the scores of a validation pass."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from slipmap.codes import IGNORE, LANDSLIDE
from slipmap.config.training import TrainingSettings
from slipmap.models.base import SegmentationModel
from slipmap.training.losses import SegmentationLoss, landslide_logit
from slipmap.training.metrics import BINS, LOGIT_LIMIT, ScoreHistogram
from slipmap.training.schedule import optimiser, rate_factor

if TYPE_CHECKING:
    from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig


class SegmentationModule(pl.LightningModule):
    """Trains one model by one recipe.

    Parameters
    ----------
    model
        The model.
    settings
        The recipe.
    steps, steps_per_epoch
        Optimiser steps of the whole run and of an epoch, for the schedule.
    class_weights
        Weights of a background and of a landslide pixel in the pixel losses.
    pretrained
        Names of parameters that a file gave; frozen for the first ``freeze_epochs``.

    Attributes
    ----------
    losses
        Loss of each step of this epoch, float32 on the device: read once an epoch, so that the loop never waits for
        the GPU.
    """

    def __init__(
        self,
        model: SegmentationModel,
        settings: TrainingSettings,
        steps: int,
        steps_per_epoch: int,
        class_weights: tuple[float, float] = (1.0, 1.0),
        pretrained: Set[str] = frozenset(),
    ) -> None:
        super().__init__()
        self.model, self.settings = model, settings
        self.steps, self.steps_per_epoch = steps, steps_per_epoch
        self.loss = SegmentationLoss(settings, class_weights)
        self.frozen = thawed_last(model, pretrained) if settings.freeze_epochs else set()
        self.losses: list[Tensor] = []
        self.histogram = torch.zeros(2 * BINS, dtype=torch.int64)
        self.validation_loss: list[Tensor] = []
        # in a list, so that a compiled copy is no second set of weights
        self._network: list[Callable[[Tensor], Tensor]] = []

    def setup(self, stage: str) -> None:
        """Choose the memory order and compile, once the device is known."""
        on_gpu = self.trainer.strategy.root_device.type == "cuda"
        self.channels_last = on_gpu if self.settings.channels_last is None else self.settings.channels_last
        if self.channels_last:
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self._network = [torch.compile(self.model) if self.settings.compile else self.model]

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return optimiser and schedule (one step of the schedule for each optimiser step)."""
        chosen = optimiser(self.model.parameters(), self.settings)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            chosen, lambda step: rate_factor(self.settings, step, self.steps, self.steps_per_epoch)
        )
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def forward(self, image: Tensor) -> Tensor:
        """Return logits."""
        if self.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        return self._network[0](image)

    def on_train_epoch_start(self) -> None:
        self.losses = []
        if self.frozen:
            train = self.trainer.current_epoch >= self.settings.freeze_epochs
            for name, parameter in self.model.named_parameters():
                if name in self.frozen:
                    parameter.requires_grad_(train)

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        """Return the loss of a batch."""
        image, mask = batch
        loss = self.model.objective(self, image, mask, self.loss)
        self.losses.append(loss.detach())
        return loss

    def on_validation_epoch_start(self) -> None:
        self.histogram = torch.zeros(2 * BINS, dtype=torch.int64, device=self.device)
        self.validation_loss = []

    def validation_step(self, batch: tuple[Tensor, Tensor], number: int) -> None:
        """Count the pixels of a batch by logit and truth."""
        image, mask = batch
        logits = self(image)
        self.validation_loss.append(self.loss(logits, mask).float() * len(image))
        self.histogram += histogram_counts(landslide_logit(logits), mask)

    def validation_scores(self, patches: int) -> tuple[ScoreHistogram, float]:
        """Return the histogram and mean loss of the last validation, summed over all processes."""
        loss = torch.stack(self.validation_loss).sum() if self.validation_loss else torch.zeros((), device=self.device)
        counts = self.trainer.strategy.reduce(self.histogram, reduce_op="sum")
        loss = self.trainer.strategy.reduce(loss, reduce_op="sum")
        return as_histogram(counts), float(loss) / max(patches, 1)


def histogram_counts(logit: Tensor, mask: Tensor) -> Tensor:
    """Count pixels by bin of their logit, on the device: int64 of shape (2 · BINS,), background first.

    The bins are those of :class:`~slipmap.training.metrics.ScoreHistogram`.
    """
    scaled = (logit.clamp(-LOGIT_LIMIT, LOGIT_LIMIT) + LOGIT_LIMIT) * (BINS / (2 * LOGIT_LIMIT))
    where = scaled.nan_to_num(0.0).long().clamp(max=BINS - 1) + (mask == LANDSLIDE) * BINS
    where = torch.where(mask == IGNORE, 2 * BINS, where)
    return torch.bincount(where.flatten(), minlength=2 * BINS + 1)[: 2 * BINS]


def as_histogram(counts: Tensor) -> ScoreHistogram:
    """Return the histogram that :func:`histogram_counts` counted."""
    background, landslide = counts.cpu().numpy().reshape(2, BINS)
    return ScoreHistogram(landslide, background)


def thawed_last(model: SegmentationModel, pretrained: Set[str]) -> set[str]:
    """Return which pretrained parameters may be frozen: all, unless that leaves none; then not the last convolution."""
    names = {name for name, _ in model.named_parameters()}
    frozen = names & set(pretrained)
    if frozen == names:
        last = [
            name
            for name, part in model.named_modules()
            if isinstance(part, nn.Conv2d) and part.out_channels == model.classes
        ][-1]
        frozen = {name for name in frozen if not name.startswith(f"{last}.")}
    return frozen
