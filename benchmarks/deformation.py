"""Network inversion against MintPy: same simulated stack, same machine, files in and out counted.

Interpreter start-up and imports are left out on both sides. Ours is timed in fresh processes: the first call there, in
which numba loads the kernel that an earlier run compiled and stored beside the source, and the calls that follow. What
compiling costs, once for an installation, is measured with an empty store and given apart; so are the modules of its
own that numba imports only when the first compiled function is called.
"""

import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np

from benchmarks._peers import find_peer, measured
from benchmarks._stack import make_stack, write_cogs

MINTPY = """
import json, sys, time
from mintpy.cli import ifgram_inversion, timeseries2velocity
t = time.perf_counter()
ifgram_inversion.main([sys.argv[1], "-w", "var"])
solved = time.perf_counter() - t
timeseries2velocity.main(["timeseries.h5"])
print("RESULT", json.dumps([solved, time.perf_counter() - t]))
"""
OURS = """
import json, pathlib, sys, time
import scipy.special
from benchmarks._peers import peak_memory
from numba.core.registry import cpu_target
from slipmap.deformation import kernel, mintpy_stack
stack, output, corner, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
t = time.perf_counter()
cpu_target.target_context.refresh()
cpu_target.typing_context.refresh()
late, seconds = time.perf_counter() - t, []
for _ in range(runs):
    pathlib.Path(output).unlink(missing_ok=True)
    t = time.perf_counter()
    mintpy_stack.invert(stack, output, reference=(corner, corner))
    seconds.append(time.perf_counter() - t)
peak = peak_memory()
print("RESULT", json.dumps({"late_imports_s": late, "seconds": seconds, "peak_MiB": peak}))
"""
COGS = """
import json, sys, time
from pathlib import Path
from benchmarks._peers import peak_memory
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import closure, invert_network, kernel, network
folder, out = sys.argv[1], Path(sys.argv[2])
settings = DeformationSettings(unwrapping_error_correction=sys.argv[3] == "True")
files = [out / name for name in ("network.csv", "network.png", "stack.json")]
network.run(Sentinel1Settings(level="unwrapped", path=folder), settings, *files)
seconds = []
for _ in range(int(sys.argv[4])):
    t = time.perf_counter()
    invert_network.run(files[0], files[2], [], settings, out)
    seconds.append(time.perf_counter() - t)
peak = peak_memory()
print("RESULT", json.dumps({"seconds": seconds, "peak_MiB": peak}))
"""


def run() -> dict[str, object]:
    """Inversion with files in and out and alone, with gaps, from COGs; each as pixels/s and as a ratio to MintPy."""
    from slipmap.deformation.inversion import thread_count

    peer = find_peer()
    found: dict[str, object] = {"threads": thread_count(), "bandwidth": memory_bandwidth()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, truth = _stack(folder, 300)
        mintpy = None
        if peer:
            mintpy = found["mintpy"] = mintpy_rate(peer, small)
        else:
            found["peer"] = "no MintPy: 'make bench' installs it in .venv-peer; SLIPMAP_PEER_PYTHON names another"
        found["300 x 300"] = _ratios(file_to_file(small, truth), mintpy)
        found["300 x 300, solve alone"] = _ratios(solve_alone(small), mintpy)
        found["300 x 300, solve alone, with the full covariance"] = _ratios(solve_alone(small, covariance=True), mintpy)
        found["slower with the covariance"] = _slower(
            found, "300 x 300, solve alone, with the full covariance", "300 x 300, solve alone"
        )
        gaps, truth_gaps = _stack(folder, 300, gaps=0.02)
        found["300 x 300, 2 % gaps"] = _ratios(file_to_file(gaps, truth_gaps), mintpy)
        found["slower with gaps"] = _slower(found, "300 x 300, 2 % gaps", "300 x 300")
        found["300 x 300, 2 % gaps, solve alone"] = _ratios(solve_alone(gaps), mintpy)
        found["slower with gaps, solve alone"] = _slower(
            found, "300 x 300, 2 % gaps, solve alone", "300 x 300, solve alone"
        )
        found["300 x 300, compiling counted"] = _ratios(compiling(small), mintpy)
        large, truth_large = _stack(folder, 1000)
        found["1000 x 1000"] = _ratios(file_to_file(large, truth_large, processes=3), mintpy)
        found["1000 x 1000, solve alone"] = _ratios(solve_alone(large, runs=3), mintpy)
        found["1000 x 1000, from the disk"] = _ratios(from_disk(large), mintpy)
        large.unlink()
        for correct in (False, True):
            found[f"COGs 300 x 300, whole chain, unwrapping errors {'corrected' if correct else 'left'}"] = _ratios(
                from_cogs(small, correct), mintpy
            )
    moved = _bytes_a_pixel() * found["1000 x 1000, solve alone"]["pixels_per_s"] / 1e9
    found["share of the memory's bandwidth, solve alone"] = round(moved / found["bandwidth"]["copy_GB_per_s"], 3)
    return found


def _slower(found: dict, one: str, other: str) -> float:
    return round(found[one]["median_s"] / found[other]["median_s"], 3)


def _bytes_a_pixel(dates: int = 60, pairs: int = 174) -> int:
    """Read and written once: phase and coherence in; series, velocity and temporal coherence out."""
    return 4 * (2 * pairs + dates + 2)


def _stack(folder: Path, size: int, gaps: float = 0.0) -> tuple[Path, np.ndarray]:
    path = folder / f"{size}_{gaps}" / "inputs" / "ifgramStack.h5"
    path.parent.mkdir(parents=True)
    return path, make_stack(path, size, gaps=gaps)


def _size(stack: Path) -> int:
    with h5py.File(stack) as file:
        return file["unwrapPhase"].shape[1]


def _ratios(report: dict, mintpy: dict | None) -> dict:
    if mintpy:
        for key in [key for key in report if key.startswith("pixels_per_s")]:
            report[key.replace("pixels_per_s", "ratio")] = round(report[key] / mintpy["pixels_per_s"])
    return report


def _rate(seconds: list[float], pixels: int) -> dict[str, object]:
    middle = statistics.median(seconds)
    return {
        "all_s": [round(s, 4) for s in seconds],
        "median_s": round(middle, 4),
        "pixels_per_s": round(pixels / middle),
    }


def file_to_file(stack: Path, truth: np.ndarray, processes: int = 5, runs: int = 4) -> dict[str, object]:
    """From the stored stack to the stored result: the first call and the later ones of several fresh processes."""
    size, output = _size(stack), stack.parent / "ours.h5"
    corner = size // 10
    results = [
        measured(sys.executable, OURS, stack, output, corner, runs, folder=stack.parent) for _ in range(processes + 1)
    ][1:]  # the process before them may have had to compile
    with h5py.File(output) as file:
        velocity = file["velocity"][:] * 1000
    error = velocity - velocity[corner, corner] - (truth - truth[corner, corner])
    first = [r["seconds"][0] for r in results]
    late = statistics.median(r["late_imports_s"] for r in results)
    report = _rate([s for r in results for s in r["seconds"][1:]], size**2)
    return report | {
        "first_call_s": [round(s, 4) for s in first],
        "pixels_per_s_first_call": round(size**2 / statistics.median(first)),
        "late_imports_s": round(late, 4),
        "pixels_per_s_first_call_and_late_imports": round(size**2 / (statistics.median(first) + late)),
        "peak_MiB": round(max(r["peak_MiB"] for r in results)),
        "rms_error_mm_yr": round(float(np.sqrt(np.nanmean(error**2))), 3),
    }


def compiling(stack: Path) -> dict[str, object]:
    """The first call of an installation: numba's store is empty, the kernel is compiled."""
    size = _size(stack)
    with tempfile.TemporaryDirectory() as store:
        result = measured(
            sys.executable,
            OURS,
            stack,
            stack.parent / "ours.h5",
            size // 10,
            1,
            folder=stack.parent,
            NUMBA_CACHE_DIR=store,
        )
    return _rate(result["seconds"], size**2)


def solve_alone(stack: Path, runs: int = 7, *, covariance: bool = False) -> dict[str, object]:
    """Weights, solve, temporal coherence and velocity of arrays in memory, compiled beforehand.

    `covariance` : also the velocity's variance from the full covariance of the phases.
    """
    from slipmap.deformation.inversion import Network, Outputs, pair_numbers, thread_count, years
    from slipmap.deformation.phase import deviation_table, mm_per_radian, weight_table
    from slipmap.deformation.stack import parse_date
    from slipmap.deformation.velocity import time_model

    with h5py.File(stack) as file:
        pairs = [tuple(parse_date(d.decode(), "") for d in row) for row in file["date"][:]]
        phase, coherence = (file[name][:].ravel() for name in ("unwrapPhase", "coherence"))
        size = file["unwrapPhase"].shape[1]
        scale = mm_per_radian(float(file.attrs["WAVELENGTH"]))
        looks = round(float(file.attrs["NCORRLOOKS"]))
    dates = sorted({d for pair in pairs for d in pair})
    network = Network(
        pair_numbers(pairs, dates),
        years(dates),
        weight_table("variance", looks),
        scale=scale,
        operator=time_model(dates).row("velocity"),
        zero_is_gap=True,
        deviation=deviation_table(looks) if covariance else None,
        samples=looks,
    )
    out = Outputs.empty(len(dates), size**2, variances=network.variances if covariance else 0)
    seconds, spent = [], []
    for _ in range(runs + 1):
        start, cpu = time.perf_counter(), time.process_time()
        network.invert(phase, phase, coherence, out, threads=thread_count())
        seconds.append(time.perf_counter() - start)
        spent.append(time.process_time() - cpu)
    return _rate(seconds[1:], size**2) | {"pixels a CPU second": round(size**2 / statistics.median(spent[1:]))}


def from_disk(stack: Path, runs: int = 3) -> dict[str, object]:
    """From file to file with the stack dropped from the system's cache, and how fast the disk gives it in one go."""
    size, seconds, reading = _size(stack), [], []
    for _ in range(runs):
        forget(stack)
        result = measured(sys.executable, OURS, stack, stack.parent / "ours.h5", size // 10, 1, folder=stack.parent)
        seconds += result["seconds"]
        forget(stack)
        start = time.perf_counter()
        with open(stack, "rb", buffering=0) as file:
            while file.read(2**24):
                pass
        reading.append(time.perf_counter() - start)
    report = _rate(seconds, size**2)
    return report | {
        "disk_GB_per_s": round(stack.stat().st_size / statistics.median(reading) / 1e9, 2),
        "share_of_the_disks_bandwidth": round(statistics.median(reading) / report["median_s"], 3),
    }


def forget(path: Path) -> None:
    """Drop a file from the system's cache, so far as it heeds the advice."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def from_cogs(stack: Path, correct: bool, runs: int = 3) -> dict[str, object]:
    """The workflow's own rule on compressed GeoTIFFs: coherence, reference, closure, inversion, fit, all products."""
    folder, size = stack.parent / "cogs", _size(stack)
    if not folder.exists():
        write_cogs(stack, folder)
    out = stack.parent / "products"
    out.mkdir(exist_ok=True)
    result = measured(sys.executable, COGS, folder, out, correct, runs, folder=stack.parent)
    return _rate(result["seconds"], size**2) | {"peak_MiB": round(result["peak_MiB"])}


def mintpy_rate(peer: str, stack: Path, runs: int = 2) -> dict[str, object]:
    """MintPy's default on the same stack: inversion weighted by variance, then velocity."""
    seconds, _ = run_mintpy(peer, stack, stack.parents[1], runs)
    return _rate(seconds, _size(stack) ** 2)


def run_mintpy(peer: str, stack: Path, folder: Path, runs: int) -> tuple[list[float], np.ndarray]:
    """Seconds of each run (inversion and velocity, imports left out) and MintPy's velocity, mm/yr."""
    seconds = []
    for _ in range(runs):
        for old in folder.glob("*.h5"):
            old.unlink()
        seconds.append(measured(peer, MINTPY, stack, folder=folder)[1])
    with h5py.File(folder / "velocity.h5") as file:
        return seconds, file["velocity"][:] * 1000


def memory_bandwidth(megabytes: int = 256, runs: int = 5) -> dict[str, float]:
    """Bytes read and written per second by copies of large arrays, one for each thread at once."""
    from slipmap.deformation.inversion import thread_count

    threads = thread_count()
    arrays = [(np.ones(megabytes * 2**20, np.uint8), np.ones(megabytes * 2**20, np.uint8)) for _ in range(threads)]
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(runs):
            start = time.perf_counter()
            list(pool.map(lambda pair: np.copyto(*pair), arrays))
            seconds.append(time.perf_counter() - start)
    return {"copy_GB_per_s": round(2 * threads * megabytes * 2**20 / min(seconds) / 1e9, 1)}
