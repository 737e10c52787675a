"""What happens at the end of each epoch: scores, the best weights, the checkpoint to resume from, the progress bar."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from tqdm import tqdm

from slipmap.errors import InputError
from slipmap.io.atomic import write_aside
from slipmap.training.metrics import ScoreHistogram
from slipmap.training.module import SegmentationModule
from slipmap.training.weights import save_weights

STATE = "state.ckpt"


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the seed of torch's random numbers in one epoch of a run."""
    return int(np.random.SeedSequence([seed, epoch, 2]).generate_state(1, np.uint64)[0] >> 1)


HIGHER_IS_BETTER = {"f1": True, "iou": True, "average_precision": True, "loss": False}


class EpochRecord(pl.Callback):
    """Keeps the history, chooses the best epoch, stops early, and saves what a killed run resumes from.

    Parameters
    ----------
    folder
        Where the checkpoint and the best weights so far lie until the run is over; not a declared output, so that
        Snakemake does not remove it after a kill.
    patches
        Number of validation patches.
    seed
        Seed of the run; what dropout draws in an epoch follows from it and the epoch.
    describe_batch
        Says which patches batch `number` of epoch `epoch` (both from 0) holds, for the message about a NaN loss.

    Attributes
    ----------
    history
        One row for each epoch.
    best
        ``epoch`` and ``score`` of the best epoch so far.
    """

    def __init__(self, folder: Path, patches: int, seed: int, describe_batch: Callable[[int, int], str]) -> None:
        self.folder, self.patches, self.seed, self.describe_batch = folder, patches, seed, describe_batch
        self.history: list[dict[str, float]] = []
        self.best: dict[str, float] = {}
        self.histogram: ScoreHistogram | None = None
        self.validated: dict[str, float] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.history, self.best = list(state["history"]), dict(state["best"])

    @property
    def best_weights(self) -> Path:
        """The best weights so far."""
        return self.folder / f"best_{self.best['epoch']}.safetensors"

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # Dropout follows from seed and epoch alone, whether the run was interrupted or not.
        torch.manual_seed(epoch_seed(self.seed, trainer.current_epoch) + trainer.global_rank)

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # A run may have been killed between the end of its last epoch and its results.
        if self.history:
            self._stop_when_patience_ends(trainer, _ours(module), self.history[-1]["epoch"])

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        histogram, loss = _ours(module).validation_scores(self.patches)
        self.histogram = histogram
        threshold, f1 = histogram.best_threshold()
        self.validated = {
            "validation_loss": loss,
            "validation_f1": f1,
            "validation_iou": f1 / (2 - f1),
            "validation_average_precision": histogram.average_precision(),
            "validation_auc_roc": histogram.auc(),
            "threshold": threshold,
        }

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        module = _ours(module)
        losses = trainer.strategy.reduce(torch.stack(module.losses).float(), reduce_op="mean").cpu()
        self._require_finite(losses, trainer.current_epoch)
        row = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            "training_loss": float(losses.mean()),
            **self.validated,
        }
        self.history.append(row)
        improved = False
        if self.validated:
            improved = self._better(module.settings.monitor)
            if improved and trainer.is_global_zero:
                save_weights(self.folder / f"best_{row['epoch']}.safetensors", module.model.state_dict())
            if improved:
                self.best = {"epoch": row["epoch"], "score": self.validated[f"validation_{module.settings.monitor}"]}
        self.validated = {}
        self._stop_when_patience_ends(trainer, module, row["epoch"])
        if trainer.logger:
            trainer.logger.log_metrics({k: v for k, v in row.items() if k != "epoch"}, step=row["epoch"])
        if trainer.is_global_zero:
            with write_aside(self.folder / STATE) as aside:
                trainer.save_checkpoint(aside, weights_only=False)
        else:
            trainer.save_checkpoint(self.folder / STATE, weights_only=False)  # takes part, writes nothing
        if improved and trainer.is_global_zero:
            for old in self.folder.glob("best_*.safetensors"):
                if old != self.best_weights:
                    old.unlink()

    def _stop_when_patience_ends(self, trainer: pl.Trainer, module: SegmentationModule, epoch: float) -> None:
        patience = module.settings.patience
        if patience and self.best and epoch - self.best["epoch"] >= patience:
            trainer.should_stop = True

    def _better(self, monitor: str) -> bool:
        score = self.validated[f"validation_{monitor}"]
        if math.isnan(score):
            return not self.best
        if not self.best or math.isnan(self.best["score"]):
            return True
        return score > self.best["score"] if HIGHER_IS_BETTER[monitor] else score < self.best["score"]

    def _require_finite(self, losses: torch.Tensor, epoch: int) -> None:
        bad = torch.nonzero(~torch.isfinite(losses)).flatten()
        if not len(bad):
            return
        number = int(bad[0])
        kept = f"the weights after epoch {epoch} are kept in {self.folder}" if epoch else "no epoch was finished before"
        raise InputError(
            f"The loss became {float(losses[number])} in epoch {epoch + 1}, batch {number + 1} "
            f"({self.describe_batch(epoch, number)}); {kept}: lower training.learning_rate, set training.gradient_clip "
            f"or use precision float32, and look at those patches."
        )

    def read_state(self) -> dict[str, torch.Tensor]:
        """Take over history and best epoch from the checkpoint (other processes may have trained); return the model."""
        state = torch.load(self.folder / STATE, map_location="cpu", weights_only=True)
        self.load_state_dict(state["callbacks"][self.state_key])
        return {
            name.removeprefix("model."): tensor
            for name, tensor in state["state_dict"].items()
            if name.startswith("model.")
        }

    def forget(self) -> None:
        """Remove the checkpoint: the run is over and its results are written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def record_of(trainer: pl.Trainer) -> EpochRecord:
    """The record among the callbacks of a trainer."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # Lightning sets it from elsewhere
    return next(callback for callback in callbacks if isinstance(callback, EpochRecord))


def _ours(module: pl.LightningModule) -> SegmentationModule:
    if not isinstance(module, SegmentationModule):
        raise TypeError(f"these callbacks go with a SegmentationModule, not with {type(module).__name__}")
    return module


class Progress(pl.Callback):
    """One progress bar over the steps of the run, with the last scores beside it.

    Parameters
    ----------
    title
        What is trained.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.bar = tqdm(
                total=_ours(module).steps,
                initial=trainer.global_step,
                desc=self.title,
                unit="step",
                mininterval=1,
                disable=None,  # no bar where no terminal shows it: a file would get every step of it
            )

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if self.bar is not None:
            self.bar.update(trainer.global_step - self.bar.n)  # several batches may make one step

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        record = record_of(trainer)
        if self.bar is not None and record.history:
            row = record.history[-1]
            shown = {"epoch": row["epoch"], "loss": f"{row['training_loss']:.3f}"}
            if "validation_f1" in row:
                shown["validation F1"] = f"{row['validation_f1']:.3f}"
            self.bar.set_postfix(shown)

    def on_train_end(self, *args: Any) -> None:
        if self.bar is not None:
            self.bar.close()
