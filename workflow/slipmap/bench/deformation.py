"""Network inversion against MintPy: same simulated stack, same machine, files in and out counted.

MintPy is looked for in an environment of its own (see `find_peer`). Interpreter start-up and imports are left out on
both sides; just-in-time compilation, or loading what it cached, is in the first run of ours, which is given apart.
"""

import json
import os
import subprocess
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np

LOOKS = 30
WAVELENGTH = 0.0554658
PEER = """
import json, sys, time
from mintpy.cli import ifgram_inversion, timeseries2velocity
t = time.perf_counter()
ifgram_inversion.main([sys.argv[1], "-w", "var"])
solved = time.perf_counter() - t
timeseries2velocity.main(["timeseries.h5"])
print("RESULT", json.dumps([solved, time.perf_counter() - t]))
"""


def make_stack(path: Path, size: int, dates: int = 60, ahead: int = 3, gaps: float = 0.0, seed: int = 0) -> np.ndarray:
    """Write a simulated ifgramStack.h5 in MintPy's layout, uncompressed; returns the velocity (mm/yr)."""
    rng = np.random.default_rng(seed)
    days = [date(2018, 1, 1) + timedelta(days=12 * k) for k in range(dates)]
    pairs = [(i, j) for i in range(dates) for j in range(i + 1, min(i + 1 + ahead, dates))]
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    velocity = -60 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.03)
    base = 0.4 + 0.5 * np.exp(-((x - 0.4) ** 2 + (y - 0.6) ** 2) * 3)
    delay = [rng.normal(0, 0.5) * np.sin(6 * x + rng.uniform(0, 6)) for _ in days]
    with h5py.File(path, "w") as out:
        out["date"] = np.array([[f"{days[i]:%Y%m%d}", f"{days[j]:%Y%m%d}"] for i, j in pairs], "S8")
        out["bperp"] = rng.normal(0, 60, len(pairs)).astype(np.float32)
        out["dropIfgram"] = np.ones(len(pairs), bool)
        shape = (len(pairs), size, size)
        phase, coherence = (out.create_dataset(n, shape, "f4") for n in ("unwrapPhase", "coherence"))
        for k, (i, j) in enumerate(pairs):
            years = 12 * (j - i) / 365.25
            gamma = np.clip(base * np.exp(-years) + rng.normal(0, 0.03, base.shape), 0.05, 0.98).astype(np.float32)
            noise = rng.standard_normal(base.shape) * np.sqrt((1 - gamma**2) / (2 * LOOKS * gamma**2))
            values = -4 * np.pi / WAVELENGTH * velocity / 1000 * years + delay[j] - delay[i] + noise
            if gaps:
                missing = rng.random(base.shape) < gaps
                missing[size // 10, size // 10] = False
                values[missing] = 0
            phase[k], coherence[k] = values, gamma
        attributes = {
            "FILE_TYPE": "ifgramStack",
            "LENGTH": size,
            "WIDTH": size,
            "WAVELENGTH": WAVELENGTH,
            "PROCESSOR": "isce",
            "PLATFORM": "Sen",
            "ALOOKS": 2,
            "RLOOKS": 10,
            "NCORRLOOKS": LOOKS,
            "REF_Y": size // 10,
            "REF_X": size // 10,
            "UNIT": "radian",
            "ORBIT_DIRECTION": "ASCENDING",
            "ANTENNA_SIDE": -1,
            "HEADING": -12.0,
            "EARTH_RADIUS": 6371000.0,
            "HEIGHT": 693000.0,
            "AZIMUTH_PIXEL_SIZE": 28.0,
            "RANGE_PIXEL_SIZE": 23.0,
            "CENTER_LINE_UTC": 3600.0,
            "STARTING_RANGE": 800000.0,
            "START_DATE": f"{days[0]:%Y%m%d}",
            "END_DATE": f"{days[-1]:%Y%m%d}",
        }
        out.attrs.update({k: str(v) for k, v in attributes.items()})
    return velocity


def run_ours(stack: Path, output: Path, size: int, runs: int) -> list[float]:
    """Seconds of each run, from opening the stack to the written file."""
    from slipmap.deformation.mintpy_stack import invert

    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        invert(stack, output, reference=(size // 10, size // 10))
        seconds.append(time.perf_counter() - start)
    return seconds


def run_mintpy(peer: str, stack: Path, folder: Path, runs: int) -> tuple[list[float], np.ndarray]:
    """Seconds of each run (inversion and velocity, imports left out) and MintPy's velocity, mm/yr."""
    seconds = []
    for _ in range(runs):
        for old in folder.glob("*.h5"):
            old.unlink()
        done = subprocess.run([peer, "-c", PEER, str(stack)], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"MintPy failed in {folder}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT"))
        seconds.append(json.loads(line[7:])[1])
    with h5py.File(folder / "velocity.h5") as file:
        return seconds, file["velocity"][:] * 1000


def measure(size: int, *, runs: int = 5, peer: str | None = None, gaps: float = 0.0) -> dict[str, object]:
    """Invert one simulated stack with ours, and with MintPy where `peer` is the interpreter that has it."""
    pixels = size**2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = folder / "inputs" / "ifgramStack.h5"
        stack.parent.mkdir()
        truth = make_stack(stack, size, gaps=gaps)
        ours = run_ours(stack, folder / "ours.hdf5", size, runs + 1)
        with h5py.File(folder / "ours.hdf5") as file:
            velocity = file["velocity"][:] * 1000
        corner = (size // 10,) * 2
        error = velocity - velocity[corner] - (truth - truth[corner])
        best = float(np.median(ours[1:]))
        report: dict[str, object] = {
            "size": size,
            "gaps": gaps,
            "first_s": round(ours[0], 3),
            "median_s": round(best, 4),
            "all_s": [round(s, 4) for s in ours[1:]],
            "pixels_per_s": round(pixels / best),
            "pixels_per_s_first": round(pixels / ours[0]),
            "rms_mm_yr": round(float(np.sqrt(np.nanmean(error**2))), 3),
        }
        if peer:
            theirs, expected = run_mintpy(peer, stack, folder, 1)
            difference = velocity - expected
            report |= {
                "mintpy_s": round(theirs[0], 2),
                "mintpy_pixels_per_s": round(pixels / theirs[0]),
                "ratio": round(theirs[0] / best),
                "ratio_first": round(theirs[0] / ours[0]),
                "rms_difference_mm_yr": round(float(np.sqrt(np.nanmean(difference**2))), 4),
            }
        return report


def find_peer() -> str | None:
    """Interpreter with MintPy: SLIPMAP_PEER_PYTHON, else .venv-peer/bin/python in the working directory, else None."""
    given = os.environ.get("SLIPMAP_PEER_PYTHON")
    made = Path(".venv-peer/bin/python")
    return given or (str(made) if made.exists() else None)


def run() -> dict[str, object]:
    """The benchmarks of `slipmap bench deformation`: 300 × 300 against MintPy, with gaps, and 1000 × 1000."""
    from slipmap.deformation import kernel  # noqa: F401  imports are left out on both sides

    peer = find_peer()
    found = {"small": measure(300, peer=peer), "gaps": measure(300, gaps=0.02), "large": measure(1000, runs=3)}
    found["slower_with_gaps"] = round(found["gaps"]["median_s"] / found["small"]["median_s"], 3)
    if peer:
        found["ratio_large"] = round(found["large"]["pixels_per_s"] / found["small"]["mintpy_pixels_per_s"])
    else:
        found["peer"] = "no MintPy: pip install mintpy==1.6.4 into .venv-peer, or set SLIPMAP_PEER_PYTHON"
    return found
