"""Train one model on patch stores: the driver."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import numpy as np
import torch

import slipmap
from slipmap.atomic import write_aside, write_text
from slipmap.errors import InputError
from slipmap.models import create_model
from slipmap.models.base import SegmentationModel
from slipmap.training.augment import BatchAugmentation
from slipmap.training.batches import GIB, OrderedBatches, TrainingBatches
from slipmap.training.callbacks import STATE, EpochRecord, Progress
from slipmap.training.curves import draw_curves, write_history
from slipmap.training.losses import landslide_logit
from slipmap.training.metrics import BINS, LOGIT_LIMIT, ScoreHistogram, jsonable, temperature
from slipmap.training.module import SegmentationModule, histogram_counts
from slipmap.training.source import StoredPatches, choose_bands
from slipmap.training.start import start_from
from slipmap.training.weights import WEIGHTS, save_record, save_weights

if TYPE_CHECKING:
    from slipmap.config.run import ExperimentSettings

log = logging.getLogger(__name__)


def run(
    stores: list[Path], selection: Path | None, experiment: ExperimentSettings, seed: int, folder: Path
) -> dict[str, Any]:
    """Train an experiment with one seed; write weights, record, history and curves.

    Written to `folder`: ``weights.safetensors`` (of the epoch with the best validation score),
    ``last.safetensors``, ``model.json``, ``history.csv``, ``curves.png`` and ``validation_scores.csv`` (how many
    validation pixels of each class got which logit). While it runs, the folder ``{folder}.resume`` beside holds the
    checkpoint of the last finished epoch; a run that was killed goes on from there to the same bytes (on the CPU,
    with the same number of threads).

    In memory: the model, and patches up to ``training.cache``; beyond that patches are read when needed.

    Parameters
    ----------
    stores
        Patch stores of the areas to learn from. Statistics are pooled over their training pixels.
    selection
        ``screening/selection.json``, the factors that screening lets through; None uses all bands.
    experiment
        Model, recipe, factors.
    seed
        What initial weights, order, augmentation and dropout follow from.
    folder
        Where the results go.

    Returns
    -------
    dict
        The record that ``model.json`` holds.

    Raises
    ------
    InputError
        A store, setting or weights file cannot be used, the loss became NaN, or the memory of the GPU ran out.
    """
    settings, folder = experiment.training, Path(folder)
    bands, statistics = choose_bands(stores, selection, experiment.factors, experiment.exclude)
    training = StoredPatches(stores, "training", bands, statistics, settings.augment)
    validation = StoredPatches(stores, "validation", bands, statistics)
    record = {
        "model": {"name": experiment.model.name, "in_channels": training.channels, "classes": experiment.model.classes}
        | {"options": dict(experiment.model.options)},
        **training.record(),
        "seed": seed,
        "provenance": {
            "slipmap": slipmap.__version__,
            "torch": torch.__version__,
            "training": settings.model_dump(mode="json"),
            "stores": training.provenance(),
            "patches": {"training": len(training), "validation": len(validation)},
        },
    }
    resume = folder.with_name(folder.name + ".resume")
    _claim(resume, record)

    pl.seed_everything(seed, verbose=False)
    model = create_model(
        record["model"]["name"], training.channels, experiment.model.classes, **experiment.model.options
    )
    start_from(model, settings, training.channel_names)
    device = _device()
    batches = TrainingBatches(
        training,
        settings.batch_size,
        seed,
        settings.positive_share,
        BatchAugmentation.fitted(settings.augment, training.channel_names, statistics),
        device,
        int(settings.cache * GIB),
        settings.workers,
        max_batches=settings.max_steps and settings.max_steps * settings.accumulate,
    )
    per_epoch = math.ceil(batches.batches_per_epoch / settings.accumulate)
    epochs = settings.epochs if settings.max_steps is None else math.ceil(settings.max_steps / per_epoch)
    steps = settings.max_steps or epochs * per_epoch
    weight = training.negative_share() if settings.positive_weight == "balanced" else settings.positive_weight or 1.0
    module = SegmentationModule(model, settings, steps, per_epoch, weight)
    checks = OrderedBatches(validation, settings.batch_size, device, int(settings.cache * GIB), settings.workers)
    epoch_record = EpochRecord(
        resume, len(validation), seed, lambda epoch, number: training.describe(batches.order(epoch)[number])
    )
    trainer = _trainer(
        settings, device, epochs, [epoch_record, Progress(f"Training {experiment.model.name}, seed {seed}")]
    )
    # Not trainer.current_epoch: after a restart Lightning asks for the first batch before it has counted on.
    batches.current_epoch = lambda: len(epoch_record.history)
    state = resume / STATE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(module, batches, checks, ckpt_path=str(state) if state.exists() else None, weights_only=True)
    except torch.OutOfMemoryError as error:
        raise InputError(_out_of_memory(settings.batch_size, resume)) from error
    record = _finish(module, epoch_record, checks, record, folder)
    epoch_record.forget()
    return record


def _finish(
    module: SegmentationModule, epochs: EpochRecord, checks: OrderedBatches, record: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Write the results of a finished run."""
    save_weights(folder / "last.safetensors", module.model.state_dict())
    best = epochs.best_state()
    module.model.load_state_dict(best)
    histogram = score(module.model, checks)
    threshold, _ = histogram.best_threshold()
    record = {
        **record,
        "threshold": threshold,
        "temperature": temperature(histogram),
        "best_epoch": epochs.best["epoch"],
        "epochs": len(epochs.history),
        "validation": {"f1_at_threshold": histogram.best_threshold()[1], **histogram.summary()},
    }
    record = jsonable(record)
    table = write_history(epochs.history, folder / "history.csv")
    draw_curves(table, epochs.best["epoch"], f"{record['model']['name']}, seed {record['seed']}", folder / "curves.png")
    write_scores(histogram, folder / "validation_scores.csv")
    save_weights(folder / WEIGHTS, best)
    save_record(folder, record)
    return record


@torch.inference_mode()
def score(model: SegmentationModel, batches: OrderedBatches) -> ScoreHistogram:
    """Count the pixels of all patches by logit and truth."""
    model = model.to(batches.device).eval()
    counts = torch.zeros(2 * BINS, dtype=torch.int64, device=batches.device)
    for image, mask in batches:
        counts += histogram_counts(landslide_logit(model(image)), mask)
    table = counts.cpu().numpy().reshape(2, BINS)
    return ScoreHistogram(table[1], table[0])


def write_scores(histogram: ScoreHistogram, path: Path, rows: int = 512) -> None:
    """Write a histogram of logits, coarsened to `rows` equal steps, as CSV (for calibration)."""
    step = BINS // rows
    edges = np.linspace(-LOGIT_LIMIT, LOGIT_LIMIT, rows + 1)
    columns = (
        edges[:-1],
        edges[1:],
        histogram.negative.reshape(rows, step).sum(1),
        histogram.positive.reshape(rows, step).sum(1),
    )
    with write_aside(path) as aside:
        np.savetxt(
            aside,
            np.column_stack(columns),
            fmt=("%.6g", "%.6g", "%d", "%d"),
            delimiter=",",
            header="logit_from,logit_to,background,landslide",
            comments="",
        )


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _trainer(settings: Any, device: torch.device, epochs: int, callbacks: list[pl.Callback]) -> pl.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=epochs,
        precision=lightning_precision(settings.precision, device),
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.gradient_clip,
        check_val_every_n_epoch=min(settings.validate_every, epochs),
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def lightning_precision(precision: str, device: torch.device) -> str:
    """Return Lightning's name of an arithmetic, and switch TensorFloat-32 on where it is asked for."""
    on_gpu = device.type == "cuda"
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    if precision == "auto":
        return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"
    return {"bfloat16": "bf16-mixed", "float16": "16-mixed"}.get(precision, "32-true")


def _claim(resume: Path, record: dict[str, Any]) -> None:
    """Keep the checkpoint in `resume` if it is of this very run, otherwise begin anew."""
    key = hashlib.sha256(json.dumps(jsonable(record), sort_keys=True).encode()).hexdigest()
    mark = resume / "run.sha256"
    if resume.exists() and (not mark.exists() or mark.read_text() != key):
        shutil.rmtree(resume)
    write_text(mark, key)


def _out_of_memory(batch_size: int, resume: Path) -> str:
    return f"The GPU's memory ran out at training.batch_size {batch_size}; use half of it."
