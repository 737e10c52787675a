"""Region-wide prediction against the bare model on tensors in memory: ``slipmap bench prediction``.

 Both sides predict the same tiles with the same model and the same
mirrored views; the bare model gets random tensors and throws its answers away, slipmap reads factors from compressed
files, normalises, blends, and writes four rasters. Rates count each pixel of the area once, whatever the overlap.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slipmap.config.prediction import MapSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.models import create_model
from slipmap.patches.normalisation import BandStatistics, Statistics
from slipmap.prediction import map_files, mosaic
from slipmap.prediction.ensemble import Ensemble
from slipmap.prediction.tiles import Tiling
from slipmap.training.calibration import Calibration
from slipmap.training.weights import save_record, save_weights

PIXEL = 12.5


def run(side: int = 1024, bands: int = 14, width: float = 0.25, repeats: int = 3) -> dict[str, Any]:
    """Pixels per second of both, and slipmap's share of the bare model's rate (median of `repeats` alternating pairs).

    Also the rate at which the factors can be read and normalised alone: on a fast GPU that is the limit.

    Parameters
    ----------
    side : of the square area, pixels. bands : of the model. width : of the U-Net, as a share of its full width.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return _speed(Path(scratch), side, bands, width, repeats)


def _speed(folder: Path, side: int, bands: int, width: float, repeats: int) -> dict[str, Any]:
    settings = MapSettings(flips=False, calibration="none")  # no training has chosen one
    device = "cuda" if torch.cuda.is_available() else "cpu"
    grid, factors, weights = simulated(folder / "speed", side, side, bands, width)
    model, record = mosaic.load_weights(weights, device)
    tiling = Tiling(side, side, settings.tile, int(settings.overlap * settings.tile))
    predictor = Ensemble([(model, Calibration())], flips=settings.flips)
    made = outputs(folder)
    bare, full = [], []
    _bare(predictor, tiling, bands, device)  # warm-up
    for _ in range(repeats):
        bare.append(_bare(predictor, tiling, bands, device))
        start = time.perf_counter()
        mosaic.run(factors, [weights], grid, settings, made, progress=False)
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


def simulated(folder: Path, height: int, width: int, bands: int, scale: float) -> tuple[Grid, dict[str, Path], Path]:
    """A simulated area of random factors, and an untrained U-Net for it saved as training saves one."""
    grid = Grid.from_bounds("EPSG:32632", PIXEL, (500000, 4000000, 500000 + PIXEL * width, 4000000 + PIXEL * height))
    rng = np.random.default_rng(0)
    factors = {f"factor_{i}": folder / f"factor_{i}.tif" for i in range(bands)}
    for path in factors.values():
        with raster.create(path, grid, bands=[path.stem], units="1", long_name=path.stem) as writer:
            for window in grid.blocks():
                writer.write(rng.standard_normal((window.height, window.width)).astype(np.float32), window)
    return grid, factors, untrained(folder / "seed_0", list(factors), "unet", scale)


def untrained(folder: Path, names: list[str], model: str, width: float) -> Path:
    """The folder of a network with random weights, of `width` times its full width, saved as training saves one."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    network = create_model(model, len(names), 1, width=width)
    save_weights(folder / "weights.safetensors", network.state_dict())
    bands = tuple(BandStatistics(name, units="1", count=9, mean=0, std=1) for name in names)
    made = {"name": model, "in_channels": len(names), "classes": 1, "options": {"width": width}}
    statistics_ = Statistics("zscore", bands).as_dict()
    record = {"model": made, "bands": names, "statistics": statistics_, "threshold": 0.5, "temperature": 1.0}
    save_record(folder, record)
    return folder


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


def outputs(folder: Path) -> map_files.Outputs:
    """Where the four rasters of a map go."""
    names = ("probability", "uncertainty", "classes", "probability_class")
    return map_files.Outputs(**{name: folder / f"{name}.tif" for name in names})
