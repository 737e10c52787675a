"""CPU time and peak memory of the kinematics of a large stack: 3000 × 3000 pixels and 60 dates unless told less."""

import os
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from slipmap.deformation import timeseries
from slipmap.io import raster
from slipmap.io.grid import Grid

RUN = """
import benchmarks, resource, sys
from slipmap.config.motion import KinematicsSettings
from slipmap.motion import kinematics
folder = sys.argv[1] + "/"
kinematics.run(folder + "t.nc", folder + "m.tif", KinematicsSettings(), folder + "k.tif", folder + "c.tif", {})
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def run(side: int = 3000, dates: int = 60) -> dict[str, object]:
    """Pixels per CPU second from file to file, and peak resident memory (MiB), one thread."""
    with tempfile.TemporaryDirectory() as folder:
        write_stack(Path(folder), side, dates)
        as_a_job = os.environ | {"GDAL_CACHEMAX": "256"}
        command = [sys.executable, "-c", RUN, folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=as_a_job)
    seconds, kibibytes = (float(word) for word in done.stdout.split()[-2:])
    return {
        "pixels": side**2,
        "dates": dates,
        "cpu_s": round(seconds, 1),
        "pixels_per_cpu_s": round(side**2 / seconds),
        "peak_mib": round(kibibytes / 1024),
    }


def write_stack(folder: Path, side: int, dates: int) -> None:
    """A series of noise and a velocity, all of it reliable."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 4800000, 500000 + 12.5 * side, 4800000 + 12.5 * side))
    days = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(dates)]
    rng = np.random.default_rng(0)
    tile = rng.normal(0, 3, (dates, 512, 512)).astype(np.float32)
    tile += np.arange(dates, dtype=np.float32)[:, None, None]
    maps = {"temporal_coherence": ("1", "coherence")}
    with timeseries.create(folder / "t.nc", grid, days, baselines=None, attributes={}, maps=maps) as file:
        for window in grid.blocks():
            file.write(tile[:, : int(window.height), : int(window.width)], window)
    about = {"bands": ["mask"], "units": "1", "long_name": "mask", "dtype": "uint8"}
    raster.write(folder / "m.tif", grid, np.ones(grid.shape, np.uint8), **about)
