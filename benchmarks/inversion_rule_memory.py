"""Memory of the rule `invert_network` on 3000 × 3000 pixels of 98 pairs, far more than it may hold at once.

The files of `inversion_rule`'s stack side by side. Writes 4 GB into the folder for temporary files (TMPDIR).
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import rasterio

from benchmarks._pairs import make
from benchmarks.inversion_rule import rate
from slipmap.deformation import pair_file
from slipmap.io.grid import Grid

LIMIT_MIB, PART = 2048, 500
NEEDED = 8e9  # bytes of disk


def run(size: int = 3000) -> dict[str, object]:
    """Peak memory and pixels a CPU second of one run in a process of its own, by the rule's defaults."""
    with tempfile.TemporaryDirectory() as name:
        if shutil.disk_usage(name).free < NEEDED:
            return {"skipped": f"{NEEDED / 1e9:.0f} GB of disk are needed in {name}; set TMPDIR to a folder with them"}
        folder = Path(name)
        make(folder, PART)
        for path in sorted((folder / "unwrapped").glob("*.tif")):
            with rasterio.open(path) as source:
                bands, grid = source.read(), Grid.from_raster(path)
            times = -(-size // PART)
            wide = Grid(grid.crs, grid.transform, size, size)
            pair_file.write(path, wide, np.tile(bands, (1, times, times))[:, :size, :size], {})
        found = rate(folder, {}, size**2, runs=0)
        return found | {"limit_MiB": LIMIT_MIB, "within_limit": found["peak MiB"] <= LIMIT_MIB}
