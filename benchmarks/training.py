"""Speed of the training loop against the bare step, and against an eager float32 loop with a plain DataLoader.

``slipmap bench training`` prints ratios as JSON; ``make bench-training`` also times every model. The three loops train
the same model from the same weights on simulated patches of the same shape for the same number of steps:

bare
    forward, backward and step on tensors that already lie on the device, in the loop's own precision and memory order;
slipmap
    the project's loop: Lightning, sampling, augmentation, schedule, gradient clipping, progress bar, checkpoint;
plain
    eager float32, channels first, a DataLoader that reads and normalises one patch after another from the store, with
    TensorFloat-32 off.

Rounds alternate between the loops, and medians are compared, so that a machine that slows down slows them all.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from slipmap.codes import IGNORE
from slipmap.config.patches import PatchSettings
from slipmap.config.training import TrainingSettings
from slipmap.models import create_model, list_models
from slipmap.patches import writer
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.patches.store import load_statistics
from slipmap.training.callbacks import EpochRecord, Progress
from slipmap.training.cost import images_per_second, parameters, training_cost
from slipmap.training.data import PatchData
from slipmap.training.losses import SegmentationLoss
from slipmap.training.module import SegmentationModule
from slipmap.training.schedule import optimiser
from slipmap.training.train import lightning_precision

_CLOCK = "wall"
BANDS = tuple(f"band_{number}" for number in range(14))


def simulated_store(path: Path, patches: int, size: int) -> Path:
    """Write a store of simulated patches, one band of which shows the landslides; a validation patch beside."""
    random = np.random.default_rng(0)
    with writer.create(path, len(BANDS), (size, size)) as store:
        for number in range(patches + 1):
            image = random.standard_normal((len(BANDS), size, size), dtype=np.float32)
            mask = (image[0] > 2).astype(np.uint8)
            split = "training" if number < patches else "validation"
            place = {"row": 0, "col": number * size, "block": number}
            note = {"source": "simulated", "parent": -1, "augmentation": "", "sampled": True}
            store.add(image, mask, mask != IGNORE, area="simulated", split=split, **place, **note)
        bands = tuple(BandStatistics(name, count=1, mean=0.0, std=1.0) for name in BANDS)
        store.describe(Statistics("zscore", bands), PatchSettings(size=size, stride=size), areas=["simulated"])
    return path


class _Clock(pl.Callback):
    """Times the steps of the loop after the first `skip`."""

    def __init__(self, skip: int, device: torch.device) -> None:
        self.skip, self.device, self.begun, self.steps, self.seconds = skip, device, 0.0, 0, 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        self.steps += 1
        if self.steps == self.skip:
            self.begun = now(self.device)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seconds = now(self.device) - self.begun


def slipmap_loop(
    store: Path, settings: TrainingSettings, model: dict[str, Any], device: torch.device, skip: int
) -> float:
    """Return patches a second of the project's loop, over one epoch less its first `skip` steps."""
    statistics_ = Statistics("zscore", tuple(BandStatistics(name, count=1, std=1.0) for name in BANDS))
    training, validation = (StoredPatches([store], split, BANDS, statistics_) for split in ("training", "validation"))
    data = PatchData(training, validation, settings, 0)
    module = SegmentationModule(create_model(**model), settings, data.batches_per_epoch, data.batches_per_epoch)
    clock = _Clock(skip, device)
    with tempfile.TemporaryDirectory() as folder:
        record = EpochRecord(Path(folder), len(validation), 0, data.describe)
        trainer = pl.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            max_epochs=1,
            precision=lightning_precision(settings.precision, device),
            gradient_clip_val=settings.gradient_clip,
            callbacks=[clock, record, Progress("benchmark")],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
        )
        trainer.fit(module, datamodule=data)
    return (clock.steps - skip) * settings.batch_size / clock.seconds


def bare_loop(
    settings: TrainingSettings, model: dict[str, Any], size: int, device: torch.device, steps: int, skip: int
) -> float:
    """Return patches a second of forward, backward and step on tensors that lie on the device."""
    on_gpu = device.type == "cuda"
    net = create_model(**model).to(device).train()
    if on_gpu:
        net.to(memory_format=torch.channels_last)
    step_of, loss_of = optimiser(net.parameters(), settings), SegmentationLoss(settings)
    image = torch.randn((settings.batch_size, len(BANDS), size, size), device=device)
    if on_gpu:
        image = image.contiguous(memory_format=torch.channels_last)
    mask = (image[:, 0] > 2).to(torch.uint8)
    half = lightning_precision(settings.precision, device) == "bf16-mixed"
    for step in range(steps):
        if step == skip:
            begun = now(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = loss_of(net(image), mask)
        step_of.zero_grad(set_to_none=True)
        loss.backward()
        step_of.step()
    return (steps - skip) * settings.batch_size / (now(device) - begun)


class OneByOne(Dataset):
    """Training patches one at a time, as the usual loop has them."""

    def __init__(self, store: Path) -> None:
        statistics = load_statistics(store)
        self.patches = StoredPatches([store], "training", statistics.names, statistics)

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, mask = self.patches.read([number])
        return torch.from_numpy(image[0]), torch.from_numpy(mask[0].astype(np.int64))


def plain_loop(
    store: Path, settings: TrainingSettings, model: dict[str, Any], device: torch.device, skip: int
) -> float:
    """Return patches a second of an eager float32 channels-first loop with a plain DataLoader."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    net = create_model(**model).to(device).train()
    step_of, loss_of = optimiser(net.parameters(), settings), SegmentationLoss(settings)
    loader = DataLoader(OneByOne(store), settings.batch_size, shuffle=True, drop_last=True)
    steps = 0
    for batch in loader:
        if steps == skip:
            begun = now(device)
        image, mask = (part.to(device) for part in batch)
        step_of.zero_grad()
        loss = loss_of(net(image), mask)
        loss.backward()
        step_of.step()
        loss.item()  # such loops print their loss
        steps += 1
    rate = (steps - skip) * settings.batch_size / (now(device) - begun)
    torch.backends.cudnn.allow_tf32 = True
    return rate


def compare(
    width: float, size: int, batch: int, steps: int, rounds: int, device: torch.device, skip: int = 3
) -> dict[str, Any]:
    """Return patches a second of the three loops (medians over rounds) and their ratios."""
    model = {"name": "unet", "in_channels": len(BANDS), "classes": 1, "width": width}
    settings = TrainingSettings(batch_size=batch, epochs=1)
    rates: dict[str, list[float]] = {"bare": [], "slipmap": [], "plain": []}
    with tempfile.TemporaryDirectory() as folder:
        store = simulated_store(Path(folder) / "simulated.zarr", steps * batch, size)
        loops: dict[str, Callable[[], float]] = {
            "bare": lambda: bare_loop(settings, model, size, device, steps, skip),
            "slipmap": lambda: slipmap_loop(store, settings, model, device, skip),
            "plain": lambda: plain_loop(store, settings, model, device, skip),
        }
        for _ in range(rounds):
            for name, loop in loops.items():
                torch.manual_seed(0)
                rates[name].append(loop())
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads",
        "model": f"unet, width {width:g}, {create_model(**model).parameter_count()} parameters",
        "patches": f"{batch} x {len(BANDS)} x {size} x {size}",
        "clock": _CLOCK,
        "precision": lightning_precision(settings.precision, device),
        "tf32_in_plain_loop": False,
        "patches_per_second": medians,
        "slipmap_to_bare": statistics.median(s / b for s, b in zip(rates["slipmap"], rates["bare"], strict=True)),
        "slipmap_to_plain": statistics.median(s / p for s, p in zip(rates["slipmap"], rates["plain"], strict=True)),
        "rounds": rates,
    }


def every_model(size: int, batch: int, steps: int, device: torch.device) -> dict[str, dict[str, float | None]]:
    """Return for every model at its published size: parameters (M), images a second, and cost of training.

    ``images_per_second`` is one image at a time, forward only; ``patches_per_second`` and ``peak_memory_gib`` are of
    training (`slipmap.training.cost.training_cost`). On the CPU each model has a process of its own, whose memory no
    other model has filled.
    """
    on_gpu = device.type == "cuda"
    found = {}
    for name in tqdm(list_models(), desc="models", disable=None):
        asked = (name, size, batch, steps, device.type, torch.get_num_threads())
        if on_gpu:
            found[name] = one_model(*asked)
            continue
        context = multiprocessing.get_context("forkserver")  # a fork after OpenMP has worked here would hang
        context.set_forkserver_preload(["slipmap.training.cost"])
        with ProcessPoolExecutor(1, context) as pool:
            found[name] = pool.submit(one_model, *asked).result()
    return found


def one_model(name: str, size: int, batch: int, steps: int, device: str, threads: int) -> dict[str, float | None]:
    """Return one row of `every_model`."""
    torch.set_num_threads(threads)
    shape = (len(BANDS), size, size)
    try:
        row = training_cost(name, shape, 1, {}, batch, steps, device)
    except torch.OutOfMemoryError:
        row = {"patches_per_second": None, "peak_memory_gib": None}
    row["images_per_second"] = images_per_second(name, shape, 1, {}, device=device)
    row["parameters_m"] = parameters(name, len(BANDS), 1, {}) / 1e6
    return {key: value if value is None else round(value, 3) for key, value in row.items()}


def now(device: torch.device) -> float:
    """Return the time once the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.process_time() if _CLOCK == "cpu" else time.perf_counter()


def run() -> dict[str, Any]:
    """Return the comparison at sizes that suit the machine: the 17 M U-Net on a GPU, a quarter wide on a CPU."""
    _be_quiet()
    if torch.cuda.is_available():
        return compare(1.0, 128, 32, 120, 5, torch.device("cuda"))
    return compare(0.25, 64, 8, 20, 3, torch.device("cpu"))


def main() -> None:
    """Measure at sizes given on the command line and print JSON."""
    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=1.0 if on_gpu else 0.25, help="1: the 17 M U-Net")
    parser.add_argument("--size", type=int, default=128 if on_gpu else 64)
    parser.add_argument("--batch", type=int, default=32 if on_gpu else 8)
    parser.add_argument("--steps", type=int, default=120 if on_gpu else 20)
    parser.add_argument("--rounds", type=int, default=5 if on_gpu else 3)
    parser.add_argument("--models", metavar="CSV", help="also time every registered model, and write this table")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: processor time, for a machine with other work"
    )
    chosen = parser.parse_args()
    global _CLOCK
    _CLOCK = chosen.clock
    _be_quiet()
    device = torch.device("cuda" if on_gpu else "cpu")
    result = compare(chosen.width, chosen.size, chosen.batch, chosen.steps, chosen.rounds, device)
    if chosen.models:
        rows = every_model(128, 32 if on_gpu else 2, 10 if on_gpu else 2, device)
        table = pd.DataFrame(rows).T.rename_axis("model")
        table.assign(device=result["device"], batch=32 if on_gpu else 2).to_csv(chosen.models)
        result["every_model"] = rows
    print(json.dumps(result, indent=1))


def _be_quiet() -> None:
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


if __name__ == "__main__":
    main()
