"""The rule `invert_network` from the workflow's own files to all products: pixels for each second of CPU time.

A simulated stack in the form in which unwrapping leaves it (98 pairs of 27 dates), read, corrected, inverted, fitted
and written in a fresh process for each row; the second of two runs counts, so that nothing is compiled in it.
"""

import json
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks._peers import measured
from slipmap.deformation import pair_file
from slipmap.deformation.stack import Pair, Radar, Stack, save_network, save_stack
from slipmap.io.grid import Grid

ROWS = {
    "least squares, no correction": {"robust": False, "unwrapping_error_correction": False},
    "correction and robust (default)": {},
    "with the standard deviation of every date": {"date_std": True},
    "with 200 resamplings": {"bootstrap": 200},
}
CODE = """
import json, sys, time
from pathlib import Path
from benchmarks._peers import peak_memory
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation import invert_network
folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
files = sorted((folder / "unwrapped").glob("*.tif"))
for _ in range(2):
    start = time.process_time()
    invert_network.run(folder / "network.csv", folder / "stack.json", files, DeformationSettings(**options), folder)
    seconds = time.process_time() - start
print("RESULT", json.dumps({"seconds": seconds, "peak_MiB": peak_memory()}))
"""


def run(side: int = 768) -> dict[str, object]:
    """CPU seconds, pixels for each of them and peak memory of each row; bytes on disk for each pixel and pair."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = make(folder, side)
        size = sum(path.stat().st_size for path in (folder / "unwrapped").glob("*.tif"))
        found: dict[str, object] = {"pairs": pairs, "bytes a pixel and pair": round(size / side**2 / pairs, 2)}
        for row, options in ROWS.items():
            result = measured(sys.executable, CODE, folder, json.dumps(options), folder=Path.cwd())
            found[row] = {
                "CPU seconds": round(result["seconds"], 2),
                "pixels a CPU second": round(side**2 / result["seconds"]),
                "peak MiB": round(result["peak_MiB"]),
            }
    return found


def make(folder: Path, side: int, seed: int = 0) -> int:
    """Unwrapped pairs, network.csv and stack.json of ground that subsides, under noise and an atmosphere; the pairs."""
    rng = np.random.default_rng(seed)
    dates = [date(2021, 1, 9) + timedelta(days=12 * k) for k in range(27)]
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 500000 + 12.5 * side, 5000000 + 12.5 * side))
    y, x = np.mgrid[:side, :side] / side
    velocity = -30 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.02)
    delay = [rng.normal(0, 2) * np.sin(5 * x + rng.uniform(0, 6)) for _ in dates]
    base = 0.3 + 0.5 * (np.sin(9 * x) * np.sin(7 * y)) ** 2
    pairs = []
    for i, first in enumerate(dates):
        for second in dates[i + 1 : i + 5]:
            days = (second - first).days
            pair = Pair(first, second, float(rng.normal(0, 40)), {"reference": "", "secondary": ""})
            coherence = np.clip(base * np.exp(-days / 90) + rng.normal(0, 0.05, base.shape), 0.05, 0.95)
            noise = rng.normal(0, np.sqrt((1 - coherence**2) / (2 * 12 * coherence**2)))
            moved = velocity * days / 365.25 + delay[dates.index(second)] - delay[i]
            phase = moved / -4.414 + noise
            bands = pair_file.encode(phase, coherence, np.ones(phase.shape, int), phase)
            pair_file.write(folder / f"unwrapped/{pair.name}.tif", grid, bands, {})
            pairs.append(pair)
    save_network(folder / "network.csv", pairs)
    radar = Radar(0.0554658, incidence=39.0, slant_range=850e3)
    save_stack(
        folder / "stack.json",
        Stack("slc", "opera", radar, simulated=True),
        dates=[str(d) for d in dates],
        perpendicular_baselines=rng.normal(0, 40, len(dates)).tolist(),
    )
    return len(pairs)
