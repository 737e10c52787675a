"""What feeds the loop in each of its processes."""

from __future__ import annotations

import lightning.pytorch as pl

from slipmap.config.training import TrainingSettings
from slipmap.patches.dataset import StoredPatches
from slipmap.training.augment import BatchAugmentation
from slipmap.training.batches import GIB, OrderedBatches, TrainingBatches, epoch_order


class PatchData(pl.LightningDataModule):
    """Training and validation batches by one recipe.

    Parameters
    ----------
    training, validation
        Patches.
    settings
        The recipe.
    seed
        Seed of the run.
    """

    def __init__(
        self, training: StoredPatches, validation: StoredPatches, settings: TrainingSettings, seed: int
    ) -> None:
        super().__init__()
        self.training, self.validation, self.settings, self.seed = training, validation, settings, seed

    @property
    def batches_per_epoch(self) -> int:
        """Batches of a whole epoch."""
        return max(1, len(self.training) // self.settings.batch_size)

    def train_dataloader(self) -> TrainingBatches:
        """Return the training batches of this process."""
        from slipmap.training.callbacks import record_of

        chosen, trainer = self.settings, self._trainer()
        batches = TrainingBatches(
            self.training,
            chosen.batch_size,
            self.seed,
            chosen.positive_share,
            BatchAugmentation.fitted(chosen.augment, self.training.channel_names, self.training.statistics),
            trainer.strategy.root_device,
            int(chosen.cache * GIB),
            chosen.workers,
            trainer.global_rank,
            trainer.world_size,
            chosen.max_steps and chosen.max_steps * chosen.accumulate,
        )
        # Not trainer.current_epoch: after a restart Lightning asks for the first batch before it has counted on.
        record = record_of(trainer)
        batches.current_epoch = lambda: len(record.history)
        return batches

    def val_dataloader(self) -> OrderedBatches:
        """Return this process's share of the validation batches."""
        chosen, trainer = self.settings, self._trainer()
        return OrderedBatches(
            self.validation,
            chosen.batch_size,
            trainer.strategy.root_device,
            int(chosen.cache * GIB),
            chosen.workers,
            trainer.global_rank,
            trainer.world_size,
        )

    def _trainer(self) -> pl.Trainer:
        if self.trainer is None:
            raise RuntimeError("batches are made for a trainer; attach one")
        return self.trainer

    def describe(self, epoch: int, number: int) -> str:
        """Say which patches batch `number` of epoch `epoch` (both from 0) holds."""
        chosen = self.settings
        order = epoch_order(self.training.positive, chosen.batch_size, self.seed, epoch, chosen.positive_share)
        return self.training.describe(order[number])
