"""The rule `invert_network` from the workflow's own files to all products: pixels for each second of CPU time.

A simulated stack in the form in which unwrapping leaves it, read, corrected, inverted, fitted and written in a fresh
process for each row: the median of three runs after a first one, in which the compiled code is loaded. CPU seconds of
all threads, since the machine may have other work. MintPy 1.6.4 has the same phases, coherences and baselines in its
own uncompressed layout; its imports are not counted, nor are ours.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks._pairs import make, of_mintpy, to_mintpy
from benchmarks._peers import find_peer, measured
from benchmarks._stack import make_stack
from slipmap.io import raster

PLAIN = {"robust": False, "unwrapping_error_correction": False}
ROWS = {
    "least squares": PLAIN,
    "with correction of jumps": PLAIN | {"unwrapping_error_correction": True},
    "with both correction and robust reweighting (default)": {},
    "default, with the standard deviation of every date": {"date_std": True},
    "default, with 200 resamplings": {"bootstrap": 200},
}
SIDE, CROP, RUNS = 768, 256, 3
CODE = """
import json, sys, time
from pathlib import Path
from benchmarks._peers import peak_memory
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation import invert_network
folder, options, runs = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
files, seconds = sorted((folder / "unwrapped").glob("*.tif")), []
for _ in range(runs + 1):
    start = time.process_time()
    invert_network.run(folder / "network.csv", folder / "stack.json", files, DeformationSettings(**options), folder)
    seconds.append(time.process_time() - start)
print("RESULT", json.dumps({"seconds": seconds[1:] or seconds, "peak_MiB": peak_memory()}))
"""
MINTPY = """
import json, sys, time
from mintpy.cli import dem_error, ifgram_inversion, remove_ramp, timeseries2velocity, unwrap_error_phase_closure
stack, geometry = "inputs/ifgramStack.h5", "inputs/geometryRadar.h5"
steps = {
    "closure": lambda: unwrap_error_phase_closure.main([stack, "--action", "calculate"]),
    "inversion": lambda: ifgram_inversion.main([stack, "-w", "var"]),
    "deramp": lambda: remove_ramp.main(["timeseries.h5", "-s", "linear", "-o", "timeseries_ramp.h5"]),
    "DEM error": lambda: dem_error.main(["timeseries_ramp.h5", "-g", geometry, "-o", "timeseries_ramp_demErr.h5"]),
    "velocity": lambda: timeseries2velocity.main([sys.argv[2]]),
}
seconds = {}
for name in sys.argv[1].split(","):
    start = time.process_time()
    steps[name]()
    seconds[name] = time.process_time() - start
print("RESULT", json.dumps(seconds))
"""


def run(side: int = SIDE) -> dict[str, object]:
    """CPU seconds, pixels for each of them, memory and ratios of each row; the storage and what it costs."""
    peer, found = find_peer(), {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = make(folder, side)
        size = sum(path.stat().st_size for path in (folder / "unwrapped").glob("*.tif"))
        found["pairs"], found["bytes a pixel and pair"] = pairs, round(size / side**2 / pairs, 2)
        for row, options in ROWS.items():
            found[row] = rate(folder, options, side**2)
        found["largest difference from float32 files, mm/yr"] = against_float(folder, min(side, CROP))
        if peer:
            crop = folder / "mintpy"
            to_mintpy(folder, crop, min(side, CROP))
            steps = mintpy(peer, crop, "closure,inversion,deramp,DEM error,velocity", "timeseries_ramp_demErr.h5")
            theirs = min(side, CROP) ** 2 / sum(steps.values())
            found["MintPy, the same chain"] = {"CPU seconds": steps, "pixels a CPU second": round(theirs)}
            for row in ROWS:
                found[row]["ratio to MintPy"] = round(found[row]["pixels a CPU second"] / theirs, 1)
        found["300 x 300, 174 pairs"] = dense(folder, peer)
    if not peer:
        found["peer"] = "no MintPy: 'make bench' installs it in .venv-peer; SLIPMAP_PEER_PYTHON names another"
    return found


def rate(folder: Path, options: dict, pixels: int, runs: int = RUNS) -> dict[str, float]:
    """CPU seconds of the rule on the stack in `folder`, the median of some runs in a process of their own.

    `runs` : after a first one, in which compiled code is loaded; 0: that one.
    """
    result = measured(sys.executable, CODE, folder, json.dumps(options), runs, folder=Path.cwd())
    seconds = median(result["seconds"])
    return {
        "CPU seconds": round(seconds, 2),
        "pixels a CPU second": round(pixels / seconds),
        "peak MiB": round(result["peak_MiB"]),
    }


def against_float(folder: Path, side: int) -> float:
    """Largest difference (mm/yr) of the velocity of `side` × `side` pixels from that of the same pairs in float32."""
    velocities = []
    for name, exact in (("stored", False), ("float", True)):
        make(folder / name, side, exact=exact)
        rate(folder / name, {}, side**2, runs=1)
        velocities.append(raster.read(folder / name / "velocity.tif", bands=1))
    apart = np.abs(velocities[0] - velocities[1])
    return float(f"{np.nanmax(apart):.2g}")


def dense(folder: Path, peer: str | None, side: int = 300) -> dict[str, object]:
    """A small area with a dense network: the rule, and MintPy's inversion and velocity alone."""
    stack = folder / "dense" / "inputs" / "ifgramStack.h5"
    stack.parent.mkdir(parents=True)
    make_stack(stack, side)
    of_mintpy(stack, folder / "dense")
    found: dict[str, object] = {row: rate(folder / "dense", ROWS[row], side**2) for row in list(ROWS)[:3]}
    if peer:
        steps = mintpy(peer, folder / "dense", "inversion,velocity", "timeseries.h5")
        theirs = side**2 / sum(steps.values())
        found["MintPy, inversion and velocity"] = {"CPU seconds": steps, "pixels a CPU second": round(theirs)}
        for row in list(ROWS)[:3]:
            found[row]["ratio to MintPy"] = round(found[row]["pixels a CPU second"] / theirs, 1)
    return found


def mintpy(peer: str, folder: Path, steps: str, series: str) -> dict[str, float]:
    """CPU seconds of each of MintPy's steps in `folder`, where its inputs lie; its velocity is of `series`."""
    return {name: round(seconds, 2) for name, seconds in measured(peer, MINTPY, steps, series, folder=folder).items()}
