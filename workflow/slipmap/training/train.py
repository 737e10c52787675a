"""Train one model on patch stores: the driver."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger

import slipmap
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside, write_text
from slipmap.models import create_model
from slipmap.models.base import SegmentationModel
from slipmap.patches import apart
from slipmap.patches.checks import check_stores
from slipmap.patches.dataset import StoredPatches
from slipmap.training import start
from slipmap.training.calibration import choose, coarse, summed
from slipmap.training.callbacks import STATE, EpochRecord, Progress
from slipmap.training.curves import draw_curves, write_history
from slipmap.training.data import PatchData
from slipmap.training.ground import write_ground
from slipmap.training.losses import landslide_logit
from slipmap.training.memory import fitting_batch, out_of_memory_sentence
from slipmap.training.metrics import BINS, ScoreHistogram, jsonable, temperature
from slipmap.training.module import SegmentationModule, as_histogram, histogram_counts
from slipmap.training.single import check_single_patch
from slipmap.training.source import choose_bands
from slipmap.training.weights import VERSION, WEIGHTS, read_tensors, save_record, save_weights

if TYPE_CHECKING:
    from slipmap.config.run import ExperimentSettings
    from slipmap.config.training import TrainingSettings

log = logging.getLogger(__name__)


def run(
    stores: list[Path], selection: Path | None, experiment: ExperimentSettings, seed: int, folder: Path
) -> dict[str, Any]:
    """Train an experiment with one seed; write weights, record, history and curves.

    Written to `folder`: ``weights.safetensors`` (of the epoch with the best validation score),
    ``last.safetensors``, ``model.json``, ``history.csv``, ``curves.png``, ``validation_scores.csv`` (how many
    validation pixels of each class got which logit) and ``training_ground.csv`` (`slipmap.training.ground`). While it
    runs, the folder ``{folder}.resume`` beside holds the checkpoint of the last finished epoch; a run that was killed
    goes on from there to the same bytes (on the CPU, with the same number of threads).

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
        A store, setting or weights file cannot be used, stores leak into one another, the loss became NaN, or the
        memory of the GPU ran out.
    """
    settings, folder = experiment.training, Path(folder)
    check_stores(stores)
    bands, statistics = choose_bands(stores, selection, experiment.factors, experiment.exclude)
    training = StoredPatches(stores, "training", bands, statistics, settings.augment)
    validation = StoredPatches(stores, "validation", bands, statistics)
    record = _record(stores, experiment, seed, training, len(validation))
    resume = folder.with_name(folder.name + ".resume")
    _claim(resume, record)

    if min(settings.batch_size, max(len(training), 2)) == settings.devices:  # one patch to each
        chosen = experiment.model
        check_single_patch(
            chosen.name, training.channels, chosen.classes, chosen.options, training.shape, "training.batch_size"
        )
    pl.seed_everything(seed, verbose=False)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = create_model(experiment.model.name, training.channels, experiment.model.classes, **experiment.model.options)
    if settings.prior_bias:
        start.set_prior(model, training.negative_share())
    pretrained = start.start_from(model, settings, training.channel_names, statistics)
    data = PatchData(training, validation, settings, seed)
    per_epoch = math.ceil(data.batches_per_epoch / settings.accumulate)
    epochs = settings.epochs if settings.max_steps is None else math.ceil(settings.max_steps / per_epoch)
    steps = settings.max_steps or epochs * per_epoch
    module = SegmentationModule(
        model, settings, steps, per_epoch, training.class_weights(settings.class_weights), pretrained
    )
    epoch_record = EpochRecord(resume, len(validation), seed, data.describe)
    bar = Progress(f"Training {experiment.model.name}, seed {seed}")
    trainer = _trainer(settings, device, epochs, [epoch_record, bar], folder)
    state = resume / STATE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning's advice about loaders and cores
            trainer.fit(module, datamodule=data, ckpt_path=str(state) if state.exists() else None, weights_only=True)
    except torch.OutOfMemoryError as error:
        shape = (training.channels, *training.shape)
        fits = fitting_batch(module, shape, settings.batch_size, device)
        raise InputError(out_of_memory_sentence(settings.batch_size, fits, shape)) from error
    write_ground(training, folder / "training_ground.csv")
    record = _finish(model, epoch_record, validation, record, folder, device)
    epoch_record.forget()
    return record


def _record(
    stores: list[Path], experiment: ExperimentSettings, seed: int, training: StoredPatches, validation: int
) -> dict[str, Any]:
    """What is known of a training before its first step; `validation` is a number of patches."""
    model, settings = experiment.model, experiment.training
    return {
        "version": VERSION,
        "model": {"name": model.name, "in_channels": training.channels, "classes": model.classes}
        | {"options": dict(model.options)},
        **training.record(),
        "seed": seed,
        "ground": apart.learnt_ground(stores),
        "ground_before": start.seen_before(settings),
        "provenance": {
            "slipmap": slipmap.__version__,
            "torch": torch.__version__,
            "training": settings.model_dump(mode="json", exclude={"seeds"}),
            "stores": training.provenance(),
            "patches": {"training": len(training), "validation": validation},
        },
    }


def _finish(
    model: SegmentationModel,
    epochs: EpochRecord,
    validation: StoredPatches,
    record: dict[str, Any],
    folder: Path,
    device: torch.device,
) -> dict[str, Any]:
    """Write the results of a finished run."""
    last = epochs.read_state()
    best = read_tensors(epochs.best_weights)
    model.load_state_dict(best)
    model.to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch's stubs lack it
    parts = score(model, validation, device)
    histogram = summed(parts)
    threshold, f1 = histogram.best_threshold()
    record = jsonable(
        {
            **record,
            "threshold": threshold,
            "temperature": temperature(histogram),
            "calibration": choose(parts),
            "best_epoch": epochs.best["epoch"],
            "epochs": len(epochs.history),
            "validation": {"f1_at_threshold": f1, **histogram.summary()},
        }
    )
    table = write_history(epochs.history, folder / "history.csv")
    title = f"{record['model']['name']}, seed {record['seed']}"
    draw_curves(table, epochs.best["epoch"], title, folder / "curves.png")
    write_scores(histogram, folder / "validation_scores.csv")
    save_weights(folder / "last.safetensors", last)
    save_weights(folder / WEIGHTS, best)
    save_record(folder, record)
    return record


@torch.inference_mode()
def score(
    model: SegmentationModel, patches: StoredPatches, device: torch.device, parts: int = 5, batch: int = 16
) -> list[ScoreHistogram]:
    """Count the pixels of all patches by logit and truth, in at most `parts` parts that share no image."""
    model.eval()
    keys = [patches.index[name] for name in ("store", "area", "block", "source") if name in patches.index]
    image = patches.index.groupby(keys, sort=True).ngroup().to_numpy()
    found = []
    for part in range(min(parts, int(image.max()) + 1)):
        numbers = np.flatnonzero(image % parts == part)
        counts = torch.zeros(2 * BINS, dtype=torch.int64, device=device)
        for first in range(0, len(numbers), batch):
            read, mask = patches.read(numbers[first : first + batch])
            logit = landslide_logit(model(torch.from_numpy(read).to(device)))
            counts += histogram_counts(logit, torch.from_numpy(mask).to(device))
        found.append(as_histogram(counts))
    return found


def write_scores(histogram: ScoreHistogram, path: Path) -> None:
    """Write a histogram of logits, coarsened, as CSV (for calibration)."""
    with write_aside(path) as aside:
        np.savetxt(
            aside,
            np.column_stack(coarse(histogram)),
            fmt=("%.6g", "%.6g", "%d", "%d"),
            delimiter=",",
            header="logit_from,logit_to,background,landslide",
            comments="",
        )


def _trainer(
    settings: TrainingSettings, device: torch.device, epochs: int, callbacks: list[pl.Callback], folder: Path
) -> pl.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    on_gpu, several = device.type == "cuda", settings.devices > 1
    if settings.batch_size % settings.devices:
        raise InputError(
            f"training.batch_size {settings.batch_size} cannot be shared by {settings.devices} devices; make it a "
            f"multiple of training.devices."
        )
    if on_gpu and torch.cuda.device_count() < settings.devices:
        raise InputError(
            f"training.devices is {settings.devices}, but there are {torch.cuda.device_count()} GPUs; lower it."
        )
    logs = TensorBoardLogger(folder.parent, name=None, version=f"{folder.name}.logs") if settings.tensorboard else False
    return pl.Trainer(
        accelerator="gpu" if on_gpu else "cpu",
        devices=settings.devices,
        strategy="ddp_spawn" if several else "auto",
        sync_batchnorm=several and on_gpu,
        use_distributed_sampler=False,
        max_epochs=epochs,
        precision=lightning_precision(settings.precision, device),
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.gradient_clip,
        check_val_every_n_epoch=min(settings.validate_every, epochs),
        callbacks=callbacks,
        logger=logs,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def lightning_precision(precision: str, device: torch.device) -> Literal["bf16-mixed", "16-mixed", "32-true"]:
    """Return Lightning's name of an arithmetic, and switch TensorFloat-32 on where it is asked for."""
    on_gpu = device.type == "cuda"
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    if precision == "auto":
        return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"
    if precision == "bfloat16":
        return "bf16-mixed"
    return "16-mixed" if precision == "float16" else "32-true"


def _claim(resume: Path, record: dict[str, Any]) -> None:
    """Keep the checkpoint in `resume` if it is of this very run, otherwise begin again."""
    key = hashlib.sha256(json.dumps(jsonable(record), sort_keys=True).encode()).hexdigest()
    mark = resume / "run.sha256"
    if resume.exists() and (not mark.exists() or mark.read_text() != key):
        shutil.rmtree(resume)
    write_text(mark, key)
