"""CPU time and peak memory of the event map of a large area from two SLCs: 10,000 × 10,000 pixels unless told less."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from slipmap.io.grid import BLOCK, Grid

SIDE = 10_000
NESTED = (4, 1)
RUN = """
import resource, sys
from pathlib import Path
from slipmap.config.event import EventSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.event import landslides, track
from slipmap.io.grid import Grid
folder = Path(sys.argv[1])
settings = EventSettings(date="2021-02-01")
stack = Sentinel1Settings(level="slc", path=str(folder / "slc"))
if sys.argv[2] == "track":
    track.run(stack, settings, (1, 4), folder / "track.tif", folder / "images.json")
else:
    outputs = {name: folder / f"{name}.out" for name in ("significance", "landslides", "style", "record")}
    outputs["landslides"] = folder / "landslides.gpkg"
    grid = Grid.from_raster(folder / "track.tif")
    landslides.run({"own": folder / "track.tif"}, {"own": folder / "images.json"}, grid, settings, outputs)
"""


def run(side: int = SIDE) -> dict[str, object]:
    """CPU seconds and peak resident memory (MiB) of both steps, one thread."""
    with tempfile.TemporaryDirectory() as folder:
        write_pair(Path(folder) / "slc", side)
        return {"pixels": side**2} | {step: measure(folder, step) for step in ("track", "map")}


def write_pair(folder: Path, side: int) -> None:
    """Two SLCs of correlated speckle that lose their coherence in a few hundred squares."""
    folder.mkdir(parents=True)
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 4800000, 500000 + 12.5 * side, 4800000 + 12.5 * side))
    nested = grid.nested(*NESTED)
    rng = np.random.default_rng(0)
    tiles = [(rng.standard_normal((BLOCK, BLOCK, 2), np.float32) @ [1, 1j]).astype(np.complex64) for _ in range(7)]
    for day, own in (("2021-01-20", False), ("2021-02-13", True)):
        profile = {"driver": "GTiff", "width": nested.width, "height": nested.height, "count": 1, "dtype": "complex64"}
        profile |= {"crs": nested.crs, "transform": nested.transform, "tiled": True, "BIGTIFF": "YES"}
        profile |= {"blockxsize": BLOCK, "blockysize": BLOCK}
        with rasterio.open(folder / f"{day.replace('-', '')}.tif", "w", **profile) as out:
            out.update_tags(ACQUISITION_DATE=day, WAVELENGTH=0.0555, TRACK=117)
            for number, window in enumerate(nested.blocks(BLOCK)):
                tile = tiles[number % 5]
                if own:
                    fallen = number % 997 == 5
                    tile = tiles[5] if fallen else 0.8 * tile + 0.6 * tiles[5 + number % 2]
                out.write(tile[: int(window.height), : int(window.width)], 1, window=Window(*window.flatten()))


def measure(folder: str, step: str) -> dict[str, float]:
    """CPU seconds and peak memory of one step, run in a process of its own."""
    code = (
        RUN + "\nused = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    as_a_job = os.environ | {"GDAL_CACHEMAX": "256"}
    command = [sys.executable, "-c", code, folder, step]
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=as_a_job)
    seconds, kibibytes = found.stdout.split()[-2:]
    return {"cpu_s": round(float(seconds), 1), "peak_mib": round(int(kibibytes) / 1024)}
