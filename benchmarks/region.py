"""Memory of mapping a region of 20,000 × 20,000 pixels: ``slipmap bench region`` (ten minutes on two cores).

An untrained ContextNet, narrow so that the time goes into what slipmap does, maps 14 factors. All 14 are read from one
compressed raster on disk, each through a reader of its own: as much is decoded and held as with 14 files.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._peers import peak_memory
from benchmarks.prediction import PIXEL, outputs, untrained
from slipmap.config.prediction import MapSettings
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.prediction import mosaic
from slipmap.prediction.ensemble import Ensemble
from slipmap.training.calibration import Calibration

SETTINGS = MapSettings(flips=False, overlap=0.25, calibration="none")  # no training has chosen one
CACHE = "256"  # MB that GDAL may keep, as in a job of the workflow


def run(side: int = 20_000, bands: int = 14, width: float = 0.125) -> dict[str, Any]:
    """Peak memory (MiB) of mapping the region above that of the model alone, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        grid = Grid.from_bounds("EPSG:32632", PIXEL, (0, 0, PIXEL * side, PIXEL * side))
        grid.save(folder / "grid.json")
        rng = np.random.default_rng(0)
        with raster.create(folder / "factor.tif", grid, bands=["factor"], units="1", long_name="factor") as writer:
            for window in grid.blocks():  # coarse values: so many random pixels would not compress, as real ones do
                values = rng.integers(-8, 9, (window.height, window.width)) / 4
                writer.write(values.astype(np.float32), window)
        untrained(folder / "seed_0", [f"factor_{i}" for i in range(bands)], "contextnet", width)
        alone, region = (_measured(what, folder, bands) for what in ("model", "region"))
        return {
            "pixels": side**2,
            "bands": bands,
            "tile": SETTINGS.tile,
            "overlap": SETTINGS.overlap,
            "model_mib": round(alone["peak_mib"]),
            "above_model_mib": round(region["peak_mib"] - alone["peak_mib"]),
            "seconds": round(region["seconds"]),
            "pixels_per_s": round(side**2 / region["seconds"]),
        }


def _measured(what: str, folder: Path, bands: int) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name, what, str(folder), str(bands)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"GDAL_CACHEMAX": CACHE})
    return json.loads(done.stdout)


def _measure(what: str, folder: Path, bands: int) -> dict[str, float]:
    """In a process of its own: run the model on one batch, or map the region; the process's peak memory and time."""
    start = time.perf_counter()
    if what == "model":
        model, _ = mosaic.load_weights(folder / "seed_0", "cpu")
        batch = torch.zeros(mosaic.BATCH, bands, SETTINGS.tile, SETTINGS.tile)
        Ensemble([(model, Calibration())], flips=SETTINGS.flips)(batch)
    else:
        factors = {f"factor_{i}": folder / "factor.tif" for i in range(bands)}
        grid = Grid.load(folder / "grid.json")
        mosaic.run(factors, [folder / "seed_0"], grid, SETTINGS, outputs(folder), progress=True)
    peak = peak_memory()
    return {"peak_mib": peak, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
