"""Patches: the loader against NumPy reading the same arrays, and the memory of cutting a large area (simulated)."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from affine import Affine

from slipmap.config.patches import PatchSettings, SplitSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches import split, store, writer
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import Accumulator, BandStatistics
from slipmap.patches.store import load_statistics
from slipmap.training.batches import stream

BANDS, SIDE, BATCH = 14, 128, 32


def run(folder: str | Path | None = None, patches: int = 512, side: int = 10_000, bands: int = 10) -> dict[str, Any]:
    """Measure both, in a temporary folder beside `folder` (default: the system's); see `loader_rate`, `build_area`."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        return {**loader_rate(Path(scratch), patches), **build_area(Path(scratch), side, bands)}


def loader_rate(folder: Path, patches: int = 512, repeats: int = 5) -> dict[str, Any]:
    """Patches a second of 14 × 128 × 128 float32 from a warm cache, the best of `repeats` taken in turn.

    ``npy`` reads one ``.npy`` for each patch (`numpy.load`); ``npy_mapped`` copies batches from a single mapped
    ``.npy``, the fastest that NumPy can; ``loader`` reads, normalises and batches as training does where the patches do
    not fit into memory (`slipmap.training.batches.stream`). All three read in shuffled order.
    """
    rng = np.random.default_rng(0)
    gathered = Accumulator(BANDS)
    everything = np.lib.format.open_memmap(folder / "all.npy", "w+", np.float32, (patches, BANDS, SIDE, SIDE))
    with writer.create(folder / "bench.zarr", BANDS, (SIDE, SIDE)) as made:
        for i in range(patches):
            image = rng.standard_normal((BANDS, SIDE, SIDE), np.float32)
            mask = (rng.random((SIDE, SIDE)) < 0.02).astype(np.uint8)
            known = np.ones(mask.shape, bool)
            made.add(image, mask, known, area="simulated", split="training", sampled=True)
            gathered.add(image, known)
            np.save(folder / f"{i}.npy", image)
            everything[i] = image
        described = [BandStatistics(f"band{i}") for i in range(BANDS)]
        made.describe(gathered.statistics(described, "zscore"), PatchSettings(size=SIDE))
    everything.flush()
    mapped = np.load(folder / "all.npy", mmap_mode="r")
    order = rng.permutation(patches)
    batches = [np.sort(batch) for batch in np.array_split(order, max(1, patches // BATCH))]
    statistics = load_statistics(folder / "bench.zarr")
    stored = StoredPatches([folder / "bench.zarr"], "training", statistics.names, statistics)
    cpu = torch.device("cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rates = _rates(
        {
            "npy": lambda: [np.load(folder / f"{i}.npy").shape for i in order],
            "npy_mapped": lambda: [mapped[batch].shape for batch in batches],
            "loader": lambda: [image.shape for image, _ in stream(stored, batches, cpu, workers=0)],
        },
        patches,
        repeats,
    )
    torch.set_num_threads(threads)
    return {
        **{f"{name}_patches_per_s": round(rate) for name, rate in rates.items()},
        "loader_over_npy": round(rates["loader"] / rates["npy"], 2),
        "loader_over_npy_mapped": round(rates["loader"] / rates["npy_mapped"], 2),
    }


def _rates(tasks: dict[str, Callable[[], object]], count: int, repeats: int) -> dict[str, float]:
    best = dict.fromkeys(tasks, np.inf)
    for turn in range(repeats + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if turn:  # the first warms the cache
                best[name] = min(best[name], time.perf_counter() - start)
    return {name: count / seconds for name, seconds in best.items()}


def build_area(folder: Path, side: int = 10_000, bands: int = 10) -> dict[str, Any]:
    """Time and peak memory, as a process of its own, of cutting a simulated area of `side` × `side` into patches."""
    make_area(folder, side, bands)
    start = time.perf_counter()
    code = "import sys; from benchmarks.patches import build_once; build_once(sys.argv[1])"
    job = os.environ | {
        "GDAL_CACHEMAX": "256"
    }  # MB, as a job of the workflow has it; GDAL's own grows with the machine
    out = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, env=job)
    peak, count = out.stdout.split()[-2:]
    size = sum(path.stat().st_size for path in (folder / "area.zarr").rglob("*") if path.is_file())
    shutil.rmtree(folder / "area.zarr")
    return {
        "build_side_px": side,
        "build_bands": bands,
        "build_patches": int(count),
        "build_s": round(time.perf_counter() - start, 1),
        "build_peak_mb": round(int(peak) / 1024),
        "store_gb": round(size / 1e9, 2),
    }


def make_area(folder: Path, side: int, bands: int) -> None:
    """An inventory and `bands` factors of simulated values, written block by block (the factors share one file)."""
    grid = Grid("EPSG:32632", Affine(12.5, 0, 5e5, 0, -12.5, 5e6), side, side)
    rng = np.random.default_rng(0)
    with raster.create(folder / "factor0.tif", grid, bands=["factor"], units="1", long_name="simulated") as out:
        for window in grid.blocks():
            shape = int(window.height), int(window.width)
            out.write(np.round(rng.standard_normal(shape, np.float32), 1), window)
    for i in range(1, bands):
        (folder / f"factor{i}.tif").hardlink_to(folder / "factor0.tif")
    description = dict(bands=["landslide"], units="1", long_name="simulated inventory", dtype="uint8")
    with raster.create(folder / "inventory.tif", grid, **description) as out:
        for window in grid.blocks():
            block = np.zeros((int(window.height), int(window.width)), np.uint8)
            row, col = rng.integers(0, 400, 2)
            block[row : row + 20, col : col + 30] = 1
            out.write(block, window)


def build_once(folder: str) -> None:
    """Split and cut the area in `folder`; print this process's peak memory in KiB and the number of patches."""
    path = Path(folder)
    factors = sorted(path.glob("factor*.tif"), key=lambda p: int(p.stem[6:]))
    split.run(path / "inventory.tif", SplitSettings(block=512), path / "split.tif", path / "blocks.gpkg")
    settings = PatchSettings(size=SIDE, stride=SIDE)
    store.build(factors, path / "inventory.tif", path / "split.tif", settings, path / "area.zarr", threads=2)
    status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
    peak = int(status.partition("VmHWM:")[2].split()[0])
    print(peak, len(store.read_index(path / "area.zarr")))
