"""One pair of SLCs to an unwrapped interferogram: CPU seconds of the whole job, its start and imports counted.

Two simulated SLCs of 768 × 3072 pixels (0.59 million after four looks), as the workflow's job works on them: a process
of its own, held to one core. Snakemake's own start, which is not ours, is left out.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import rasterio
from affine import Affine
from scipy.ndimage import gaussian_filter

from slipmap.config.deformation import UnwrappingSettings

SIDE, LOOKS = 768, 4
CODE = """
import benchmarks, json, sys
from datetime import date
from pathlib import Path
from slipmap.jobs.job import checked, job
from slipmap.deformation import unwrapping
from slipmap.deformation.stack import Pair
folder = Path(sys.argv[1])
files = {"reference": str(folder / "reference.tif"), "secondary": str(folder / "secondary.tif")}
pair = Pair(date(2021, 1, 9), date(2021, 2, 2), 0.0, files)
if len(sys.argv) > 2:
    unwrapping.run(pair, checked(json.loads(sys.argv[2])), folder / "pair.tif")
"""


def run(runs: int = 3) -> dict[str, object]:
    """CPU seconds (median of three) of the job and of its start alone, at three coherences; bytes a pixel."""
    found: dict[str, object] = {}
    settings = json.dumps(UnwrappingSettings().model_dump(mode="json"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for coherence in (0.7, 0.5, 0.35):
            make(folder, coherence)
            job = median(cpu_seconds(folder, settings) for _ in range(runs))
            size = (folder / "pair.tif").stat().st_size / SIDE**2
            found[f"coherence {coherence}"] = {"CPU seconds": round(job, 2), "bytes a pixel": round(size, 2)}
        found["start alone"] = {"CPU seconds": round(median(cpu_seconds(folder) for _ in range(runs)), 2)}
    return found


def cpu_seconds(*arguments: object) -> float:
    """User and system time of the job's process."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "GDAL_NUM_THREADS"), "1")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | threads)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def make(folder: Path, coherence: float, seed: int = 0) -> None:
    """Write two SLCs over ground that moves and a smooth atmosphere, of one coherence."""
    rng = np.random.default_rng(seed)
    shape = (SIDE, SIDE * LOOKS)
    y, x = np.mgrid[: shape[0], : shape[1]] / SIDE
    phase = 20 * np.exp(-(((x / LOOKS - 0.5) / 0.1) ** 2 + ((y - 0.5) / 0.1) ** 2))
    phase += np.kron(30 * gaussian_filter(rng.normal(size=(SIDE, SIDE)), 30), np.ones((1, LOOKS)))
    speckle = (rng.standard_normal((2, 2, *shape), np.float32) / np.sqrt(2)).astype(np.float32)
    first, other = speckle[:, 0] + 1j * speckle[:, 1]
    second = (coherence * first + np.sqrt(1 - coherence**2) * other) * np.exp(-1j * phase)
    about = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1, "dtype": "complex64"}
    about |= {"crs": "EPSG:32632", "transform": Affine(3.125, 0, 5e5, 0, -12.5, 5e6), "tiled": True}
    for role, slc in (("reference", first), ("secondary", second)):
        with rasterio.open(folder / f"{role}.tif", "w", **about) as out:
            out.write(slc.astype(np.complex64), 1)
