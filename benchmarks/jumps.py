"""Jumps of 2π in a part of the phases: plain least squares, our correction and inversion, and peers beside them.

60 dates every 12 days, each paired with its three next, noise of 0.35 rad, ±2π in 0, 2, 5 and 10 % of the phases at
random: rms of the velocity, mm/yr.
"""

import json
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks._pairs import write_mintpy
from benchmarks._peers import find_peer, measured
from slipmap.deformation import closure
from slipmap.deformation.inversion import invert_stack, years
from slipmap.deformation.phase import mm_per_radian, weight_table
from slipmap.deformation.velocity import time_model

DATES = [date(2018, 1, 1) + timedelta(days=12 * k) for k in range(60)]
NUMBERS = np.array([(i, j) for i in range(60) for j in range(i + 1, min(i + 4, 60))])
SCALE = mm_per_radian(0.0554658)
SHARES = (0.0, 0.02, 0.05, 0.10)
COHERENCE, LOOKS = 0.6, 25
INSAR_RS = """
import json, sys
import insar_rs, numpy
first, second, days = json.loads(sys.argv[2])
phase = numpy.load(sys.argv[1])
found = []
for values in (phase, insar_rs.correct_unwrap_errors(phase, first, second)[0]):
    series = insar_rs.invert_sbas(values, first, second, days, wavelength_m=0.0554658)
    found.append((insar_rs.estimate_velocity(series, days) * 1000).ravel().tolist())
print("RESULT", json.dumps(found))
"""

MINTPY = """
import json, sys
import h5py
from mintpy.cli import ifgram_inversion, timeseries2velocity, unwrap_error_phase_closure
stack, corrected = "inputs/ifgramStack.h5", sys.argv[1] == "True"
options = []
if corrected:
    with h5py.File(stack) as given, h5py.File("maskConnComp.h5", "w") as mask:
        mask["mask"] = given["connectComponent"][0] > 0
        mask.attrs.update(given.attrs)
        mask.attrs["FILE_TYPE"] = "mask"
    unwrap_error_phase_closure.main([stack])
    options = ["-i", "unwrapPhase_phaseClosure"]
ifgram_inversion.main([stack, "-w", "var", *options])
timeseries2velocity.main(["timeseries.h5"])
with h5py.File("velocity.h5") as file:
    print("RESULT", json.dumps((file["velocity"][:] * 1000).ravel().tolist()))
"""


def make(share: float, side: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Phase (pairs, side²) float32 and the true velocity (side²,), mm/yr."""
    rng = np.random.default_rng(seed)
    velocity = rng.uniform(-60, 60, side**2)
    time = years(DATES)
    phase = (time[NUMBERS[:, 1]] - time[NUMBERS[:, 0]])[:, None] * velocity / SCALE
    phase += rng.normal(0, 0.35, phase.shape)
    jumped = (rng.random(phase.shape) < share) * rng.choice([-1, 1], phase.shape)
    return (phase + 2 * np.pi * jumped).astype(np.float32), velocity


def estimate(phase: np.ndarray, *, corrected: bool, robust: bool) -> np.ndarray:
    """Velocity, mm/yr, with the correction by closure or without, robustly inverted or by least squares."""
    phase, coherence = phase.copy(), np.full_like(phase, COHERENCE)
    table = weight_table("variance", LOOKS)
    if corrected:
        closure.correct(phase, coherence, NUMBERS, years(DATES), closure.triplets(NUMBERS), table, 1.0)
    series = invert_stack(phase, coherence, NUMBERS, years(DATES), table, robust=robust, noise=1.0).series
    return time_model(DATES).row("velocity") @ series * SCALE


def rms(found: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square of the difference."""
    return float(np.sqrt(np.nanmean((found - truth) ** 2)))


def run(side: int = 60) -> dict[str, object]:
    """Rms of the velocity (mm/yr) by share of phases that jumped."""
    table: dict[str, object] = {}
    peer = find_peer()
    for share in SHARES:
        phase, truth = make(share, side)
        row = {
            "least squares": rms(estimate(phase, corrected=False, robust=False), truth),
            "closure, then least squares": rms(estimate(phase, corrected=True, robust=False), truth),
            "robust": rms(estimate(phase, corrected=False, robust=True), truth),
            "closure, then robust (default)": rms(estimate(phase, corrected=True, robust=True), truth),
        }
        if peer:
            row |= _insar_rs(peer, phase, truth, side) | _mintpy(peer, phase, truth, side)
        table[f"{share:.0%}"] = {name: round(value, 2) for name, value in row.items()}
    if not peer:
        table["peer"] = "none: install insar-rs in .venv-peer, or name another environment by SLIPMAP_PEER_PYTHON"
    return table


def _insar_rs(peer: str, phase: np.ndarray, truth: np.ndarray, side: int) -> dict[str, float]:
    """Its inversion of the phase as it is, and after its own correction by closure; nothing where it is missing."""
    if subprocess.run([peer, "-c", "import insar_rs"], capture_output=True, check=False).returncode:
        return {}
    days = [(day - DATES[0]).days for day in DATES]
    network = json.dumps([NUMBERS[:, 0].tolist(), NUMBERS[:, 1].tolist(), days])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phase.npy"
        np.save(path, phase.reshape(-1, side, side))
        plain, corrected = (np.array(v) for v in measured(peer, INSAR_RS, path, network, folder=Path(folder)))
    return {"insar-rs": rms(plain, truth), "insar-rs, after its closure": rms(corrected, truth)}


def _mintpy(peer: str, phase: np.ndarray, truth: np.ndarray, side: int) -> dict[str, float]:
    """Its inversion of the phase as it is, and after its own correction by closure, which takes whole components."""
    days = [(DATES[i], DATES[j]) for i, j in NUMBERS]
    stack = phase.reshape(-1, side, side)
    found = {}
    for name, corrected in (("MintPy", False), ("MintPy, after its closure", True)):
        with tempfile.TemporaryDirectory() as folder:
            write_mintpy(Path(folder), days, [0.0] * len(days), stack, np.full_like(stack, COHERENCE))
            velocity = measured(peer, MINTPY, corrected, folder=Path(folder))
        apart = np.array(velocity) - truth
        found[name] = rms(apart - np.median(apart), np.zeros(truth.shape))  # it takes its reference pixel off
    return found
