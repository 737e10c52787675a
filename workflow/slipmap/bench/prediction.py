"""Region-wide prediction against the bare model on tensors in memory; memory on a wide area.

``python -m slipmap.bench.prediction`` prints JSON. Both sides predict the same tiles with the same model and the same
mirrored views; the bare model gets random tensors and throws its answers away, slipmap reads factors from compressed
files, normalises, blends, and writes four rasters. Rates count each pixel of the area once, whatever the overlap.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slipmap import raster
from slipmap.config.prediction import MapSettings
from slipmap.grid import Grid
from slipmap.models import create_model
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction import mosaic
from slipmap.prediction.calibration import Calibration
from slipmap.prediction.ensemble import Ensemble
from slipmap.prediction.tiles import Tiling
from slipmap.training.weights import save_record, save_weights

PIXEL = 12.5


def run(side: int = 1024, bands: int = 14, width: float = 0.25, repeats: int = 3, wide: int = 20_000) -> dict[str, Any]:
    """Measure speed on a `side` × `side` area and memory on a `wide` × 1024 one; see `speed` and `memory`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        return {"speed": speed(folder, side, bands, width, repeats), "memory": memory(folder, wide, bands)}


def speed(folder: Path, side: int, bands: int, width: float, repeats: int) -> dict[str, Any]:
    """Pixels per second of both, and slipmap's share of the bare model's rate (median of `repeats` alternating pairs).

    Also the rate at which the factors can be read and normalised alone: on a fast GPU that is the limit.
    """
    settings = MapSettings(flips=False)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    grid, factors, weights = simulated(folder / "speed", side, side, bands, width)
    model, record = mosaic.load_weights(weights, device)
    tiling = Tiling(side, side, settings.tile, int(settings.overlap * settings.tile))
    predictor = Ensemble([(model, Calibration())], flips=settings.flips)
    outputs = _outputs(folder)
    bare, full = [], []
    _bare(predictor, tiling, bands, device)  # warm-up
    for _ in range(repeats):
        bare.append(_bare(predictor, tiling, bands, device))
        start = time.perf_counter()
        mosaic.run(factors, [weights], grid, settings, outputs, progress=False)
        full.append(time.perf_counter() - start)
    start = time.perf_counter()
    with mosaic.FactorReader(factors, record["bands"], record["statistics"], grid) as reader:
        for row in range(tiling.tile_rows):
            reader.rows(tiling.start(row), tiling.tile)
    reading = time.perf_counter() - start
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else f"cpu, {torch.get_num_threads()} threads",
        "model": f"unet, width {width}, {bands} bands",
        "pixels": side**2,
        "bare_pixels_per_s": round(side**2 / statistics.median(bare)),
        "slipmap_pixels_per_s": round(side**2 / statistics.median(full)),
        "reading_pixels_per_s": round(side**2 / reading),
        "share_of_bare": round(statistics.median(b / f for b, f in zip(bare, full, strict=True)), 3),
    }


def memory(folder: Path, wide: int, bands: int) -> dict[str, Any]:
    """Peak memory (MiB) of mapping `wide` × 1024 pixels above that of loading the model alone, in own processes.

    Memory grows with the width of an area, not with its height, so a wide strip stands for `wide` × `wide`.
    """
    simulated(folder / "memory", 1024, wide, bands, 0.03125)
    peaks = []
    for what in ("model", "map"):
        command = [sys.executable, "-m", "slipmap.bench.prediction", "--part", what, "--folder", str(folder / "memory")]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"GDAL_CACHEMAX": "256"}
        )
        peaks.append(float(done.stdout.split()[-1]))
    return {"width": wide, "bands": bands, "model_mib": round(peaks[0]), "above_model_mib": round(peaks[1] - peaks[0])}


def simulated(folder: Path, height: int, width: int, bands: int, scale: float) -> tuple[Grid, dict[str, Path], Path]:
    """A simulated area of random factors, and an untrained U-Net for it saved as training saves one."""
    grid = Grid.from_bounds("EPSG:32632", PIXEL, (500000, 4000000, 500000 + PIXEL * width, 4000000 + PIXEL * height))
    rng = np.random.default_rng(0)
    names = [f"factor_{i}" for i in range(bands)]
    factors = {name: folder / f"{name}.tif" for name in names}
    grid.save(folder / "grid.json")
    for path in factors.values():
        with raster.create(path, grid, bands=[path.stem], units="1", long_name=path.stem) as writer:
            for window in grid.blocks():
                writer.write(rng.standard_normal((window.height, window.width)).astype(np.float32), window)
    torch.manual_seed(0)
    model = create_model("unet", bands, 1, width=scale)
    weights = folder / "seed_0"
    weights.mkdir(exist_ok=True)
    save_weights(weights / "weights.safetensors", model.state_dict())
    statistics_ = Statistics("zscore", tuple(BandStatistics(n, units="1", count=9, mean=0, std=1) for n in names))
    made = {"name": "unet", "in_channels": bands, "classes": 1, "options": {"width": scale}}
    save_record(
        weights,
        {"model": made, "bands": names, "statistics": statistics_.as_dict(), "threshold": 0.5, "temperature": 1.0},
    )
    return grid, factors, weights


def _bare(predictor: Ensemble, tiling: Tiling, bands: int, device: str) -> float:
    """Seconds that the model needs for all tiles, from tensors in memory."""
    batch = torch.randn(mosaic.BATCH, bands, tiling.tile, tiling.tile, device=device)
    batches = tiling.tile_rows * -(-tiling.tile_columns // mosaic.BATCH)
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(batches):
        predictor(batch)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _outputs(folder: Path) -> mosaic.Outputs:
    names = ("probability", "uncertainty", "classes", "probability_class")
    return mosaic.Outputs(**{name: folder / f"{name}.tif" for name in names})


def _part(what: str, folder: Path) -> None:
    """Print the peak memory (MiB) of this process after loading the model, or after mapping the area in `folder`."""
    factors = {path.stem: path for path in sorted(folder.glob("factor_*.tif"))}
    grid = Grid.load(folder / "grid.json")
    settings = MapSettings(flips=False)
    if what == "model":
        model, _ = mosaic.load_weights(folder / "seed_0", "cpu")
        Ensemble([(model, Calibration())], flips=False)(
            torch.zeros(mosaic.BATCH, len(factors), settings.tile, settings.tile)
        )
    else:
        mosaic.run(factors, [folder / "seed_0"], grid, settings, _outputs(folder), progress=False)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", choices=["model", "map"])
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.part:
        _part(chosen.part, chosen.folder)
    else:
        print(json.dumps(run(), indent=2))
