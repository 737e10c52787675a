"""Phase unwrapping against SNAPHU: the same simulated interferogram, arrays in memory on both sides.

SNAPHU runs in the peers' environment (its licence prohibits commercial use of parts of it). The share of pixels that
are wrong by whole turns is given with the rates.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks._peers import find_peer, measured

LOOKS = 30
SNAPHU = """
import json, sys, time
import numpy as np, snaphu
given = np.load(sys.argv[1])
seconds = []
for _ in range(int(sys.argv[4])):
    t = time.perf_counter()
    phase, _ = snaphu.unwrap(given["interferogram"], given["coherence"], float(sys.argv[3]))
    seconds.append(time.perf_counter() - t)
np.save(sys.argv[2], phase)
print("RESULT", json.dumps(seconds))
"""


def run(runs: int = 3) -> dict[str, object]:
    """Rates, errors and the ratio at 1024 × 1024 pixels, on coherent and on hardly coherent ground."""
    peer = find_peer()
    found: dict[str, object] = {}
    if peer is None:
        found["peer"] = "no SNAPHU: 'make bench' installs it in .venv-peer; SLIPMAP_PEER_PYTHON names another"
    for size, base in ((1024, 0.6), (1024, 0.35)):
        truth, interferogram, coherence = simulate(size, base)
        mean = round(float(coherence.mean()), 2)
        found[f"{size} x {size}, mean coherence {mean}"] = compare(truth, interferogram, coherence, peer, runs)
    return found


def compare(
    truth: np.ndarray, interferogram: np.ndarray, coherence: np.ndarray, peer: str | None, runs: int
) -> dict[str, object]:
    """Both on one interferogram: seconds, pixels/s, share of wrong turns."""
    import whirlwind  # noqa: F401  imports are left out on both sides

    from slipmap.deformation.unwrapping import unwrap

    phase, seconds = np.angle(interferogram).astype(np.float32), []
    for _ in range(runs):
        start = time.perf_counter()
        ours, _ = unwrap(phase, coherence, LOOKS)
        seconds.append(time.perf_counter() - start)
    report = {"slipmap (whirlwind)": _report(seconds, ours, truth)}
    if peer:
        with tempfile.TemporaryDirectory() as name:
            given, answer = Path(name) / "given.npz", Path(name) / "answer.npy"
            np.savez(given, interferogram=interferogram, coherence=coherence)
            theirs = measured(peer, SNAPHU, given, answer, LOOKS, runs, folder=Path(name))
            report["SNAPHU"] = _report(theirs, np.load(answer), truth)
        report["ratio"] = round(statistics.median(theirs) / statistics.median(seconds), 1)
    return report


def _report(seconds: list[float], phase: np.ndarray, truth: np.ndarray) -> dict[str, object]:
    difference = phase - truth
    turns = np.round((difference - np.nanmedian(difference)) / (2 * np.pi))
    middle = statistics.median(seconds)
    return {
        "all_s": [round(s, 2) for s in seconds],
        "median_s": round(middle, 2),
        "pixels_per_s": round(truth.size / middle),
        "wrong_turns": round(float(np.mean(turns != 0)), 5),
    }


def simulate(size: int, base: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True phase (rad), multilooked interferogram (complex64) and its estimated coherence, from simulated speckle.

    Parameters
    ----------
    base : the coherence about which the true coherence varies.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    truth = 60 * np.exp(-(((x - 0.5) / 0.18) ** 2 + ((y - 0.5) / 0.18) ** 2)) + 6 * x
    truth += 40 * gaussian_filter(rng.normal(size=(size, size)), 20)
    gamma = np.clip(base + 6 * gaussian_filter(rng.normal(size=(size, size)), 10), 0.1, 0.97)
    cross = np.zeros((size, size), np.complex64)
    powers = np.zeros((2, size, size), np.float32)
    for _ in range(LOOKS):
        a, b = (_speckle(rng, size) for _ in range(2))
        b = (gamma * a + np.sqrt(1 - gamma**2) * b) * np.exp(1j * truth)
        cross += b * a.conj()
        powers += np.abs(a) ** 2, np.abs(b) ** 2
    interferogram = (cross / np.sqrt(powers[0] * powers[1])).astype(np.complex64)
    return truth, interferogram, np.abs(interferogram)


def _speckle(rng: np.random.Generator, size: int) -> np.ndarray:
    shape = (2, size, size)
    real, imaginary = rng.standard_normal(shape, np.float32) / np.float32(np.sqrt(2))
    return real + 1j * imaginary
