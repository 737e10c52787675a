"""Whole turns of a stack: whirlwind alone, with the check of turns in time (closure), and SNAPHU on the same pairs.

Simulated speckle of known coherence on ground with landslides and an atmosphere for each date. The pairs of dates next
to each other are formed once by SBAS, each with its noise, and once as differences of linked phases; both go to the
unwrappers as in the product. Of linked phases a spanning set is tried too: consecutive dates alone are unwrapped, and
the other pairs are their sums. Wrong are pixels that are off by a whole turn or more; seconds are of the processor.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks._peers import find_peer, measured
from slipmap.config.deformation import DeformationSettings
from slipmap.deformation import closure
from slipmap.deformation.interferogram import form, smooth
from slipmap.deformation.phase import weight_table, wrap
from slipmap.deformation.phase_linking.block import link_block
from slipmap.deformation.phase_linking.dates import as_coherence

DATES, SIDE, CELLS = 12, 160, 2  # SLC pixels of a pixel, side by side
YEARS = 12.0 * np.arange(DATES) / 365.25
LONG_TERM = (0.5, 0.2, 0.08)  # about which the coherence of dates far apart varies
AHEAD, DECAY = 3, 20.0  # later dates of each pair; days
TURN = 2 * np.pi
SNAPHU = """
import json, os, resource, sys
import numpy as np, snaphu
given = np.load(sys.argv[1])
found, seconds = [], []
def used():
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in both)
for phase, coherence in zip(given["phase"], given["coherence"]):
    start = used()
    found.append(snaphu.unwrap(np.exp(1j * phase).astype("complex64"), coherence, float(sys.argv[3]))[0])
    seconds.append(used() - start)
np.save(sys.argv[2], np.stack(found))
print("RESULT", json.dumps(seconds))
"""


class Pairs(NamedTuple):
    """What is unwrapped, its coherence, what is added afterwards, float32 (pairs, rows, cols); independent looks."""

    phase: np.ndarray
    coherence: np.ndarray
    added: np.ndarray
    looks: float


def run(side: int = SIDE, dates: int = DATES, every: int = 2) -> dict[str, object]:
    """Shares of wrong turns and CPU seconds a pair; of every second pair by SNAPHU."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    peer = find_peer()
    found: dict[str, object] = {}
    numbers = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(i + 1 + AHEAD, dates))])
    for long_term in LONG_TERM:
        samples, truth = simulate(side, dates, long_term)
        for name, make in (("sbas", by_sbas), ("linked", by_linking)):
            pairs = make(samples, numbers)
            key = f"{name}, mean coherence {pairs.coherence.mean():.2f}"
            found[key] = compare(pairs, numbers, truth, peer, every, spanning=name == "linked")
    return found


def compare(
    pairs: Pairs, numbers: np.ndarray, truth: np.ndarray, peer: str | None, every: int, *, spanning: bool
) -> dict[str, object]:
    """Every way with the same pairs."""
    from slipmap.deformation.unwrapping import unwrap

    unwrap(pairs.phase[0, :32, :32], pairs.coherence[0, :32, :32], pairs.looks)  # loads what it needs
    start = time.process_time()
    own = np.stack([unwrap(p, c, pairs.looks)[0] for p, c in zip(pairs.phase, pairs.coherence, strict=True)])
    cost = (time.process_time() - start) / len(numbers)
    phase, alone = own + pairs.added, wrong(own + pairs.added, truth, numbers)
    corrected, seconds = by_closure(phase, pairs, numbers)
    checked = wrong(corrected, truth, numbers)
    report = {
        "pairs": len(numbers),
        "whirlwind": _row(alone, cost),
        "whirlwind, turns by closure": _row(checked, cost + seconds),
    }
    if spanning:
        dates = np.concatenate([np.zeros_like(phase[:1]), np.cumsum(phase[numbers[:, 1] == numbers[:, 0] + 1], axis=0)])
        sums = dates[numbers[:, 1]] - dates[numbers[:, 0]]
        unwrapped = len(dates) - 1
        report[f"whirlwind, {unwrapped} consecutive pairs and their sums"] = _row(
            wrong(sums, truth, numbers), cost * unwrapped / len(numbers)
        )
    if peer:
        some = slice(None, None, every)
        with tempfile.TemporaryDirectory() as name:
            given, answer = Path(name) / "given.npz", Path(name) / "answer.npy"
            np.savez(given, phase=pairs.phase[some], coherence=pairs.coherence[some])
            theirs = float(np.mean(measured(peer, SNAPHU, given, answer, pairs.looks, folder=Path(name))))
            off = wrong(np.load(answer) + pairs.added[some], truth, numbers[some])
        report[f"SNAPHU, {len(off)} pairs"] = _row(off, theirs)
        report["whirlwind on these"] = _row(alone[some], cost)
        report["turns by closure on these"] = _row(checked[some], cost + seconds)
        for row in list(report.values()):
            if isinstance(row, dict):
                row["times as fast as SNAPHU"] = round(theirs / row["cpu_s_a_pair"], 1)
    return report


def by_closure(phase: np.ndarray, pairs: Pairs, numbers: np.ndarray) -> tuple[np.ndarray, float]:
    """Phase with its jumps corrected as before an inversion, relative to coherent ground; CPU seconds a pair."""
    ground = gaussian_filter(pairs.coherence.mean(axis=0), 4)
    row, col = (int(at) for at in np.unravel_index(ground.argmax(), ground.shape))
    near = phase[:, max(0, row - 4) : row + 5, max(0, col - 4) : col + 5]
    flat = (phase - np.median(near, axis=(1, 2), keepdims=True)).reshape(len(phase), -1)
    coherence, table = pairs.coherence.reshape(flat.shape), weight_table("variance", int(pairs.looks))
    start = time.process_time()
    closure.correct(flat, coherence, numbers, YEARS[: numbers.max() + 1], closure.triplets(numbers), table, 1.0)
    return flat.reshape(phase.shape), (time.process_time() - start) / len(phase)


def wrong(phase: np.ndarray, truth: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Share of the pixels of each pair that are off by a whole turn or more, (pairs,)."""
    apart = phase - (truth[numbers[:, 0]] - truth[numbers[:, 1]])
    apart -= np.median(apart, axis=(1, 2), keepdims=True)
    return np.asarray(np.mean(np.rint(apart / TURN) != 0, axis=(1, 2)))


def _row(share: np.ndarray, seconds: float) -> dict[str, float]:
    return {"wrong_turns_percent": round(100 * float(share.mean()), 3), "cpu_s_a_pair": round(seconds, 3)}


def by_sbas(samples: np.ndarray, numbers: np.ndarray) -> Pairs:
    """Interferograms of two SLCs, averaged and filtered by the defaults."""
    settings = DeformationSettings(slc_looks=(1, CELLS))
    slcs = samples.reshape(*samples.shape[:2], -1)
    phase, coherence, added = (np.empty((len(numbers), *samples.shape[1:3]), np.float32) for _ in range(3))
    for k, (i, j) in enumerate(numbers):
        cross, coherence[k] = form(slcs[i], slcs[j], settings.slc_looks, settings.coherence_window)
        averaged, filtered = smooth(cross, settings)
        phase[k], added[k] = np.angle(filtered), wrap(np.angle(averaged) - np.angle(filtered))
    return Pairs(phase, coherence, added, float(CELLS * settings.coherence_window**2))


def by_linking(samples: np.ndarray, numbers: np.ndarray) -> Pairs:
    """Differences of linked phases by the defaults, the motion taken out before unwrapping."""
    options = DeformationSettings(slc_looks=(1, CELLS)).phase_linking
    years = YEARS[: len(samples)]
    block = link_block(samples, options, float(CELLS), years)
    dates = np.angle(block.linked.phasors)
    moved = np.stack([block.rate * (years[i] - years[j]) for i, j in numbers]).astype(np.float32)
    phase = np.stack([wrap(dates[i] - dates[j]) for i, j in numbers]) - moved
    coherence = np.broadcast_to(as_coherence(block.linked.fit), phase.shape).copy()
    return Pairs(wrap(phase).astype(np.float32), coherence, moved, float(np.median(block.linked.looks)))


def simulate(side: int, dates: int, long_term: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """SLC pixels, complex64 (dates, side, side, `CELLS`), and the true phase of each date, (dates, side, side), rad.

    Parameters
    ----------
    long_term : the coherence of dates far apart about which the true one varies.
    """
    rng = np.random.default_rng(seed)
    floor = np.clip(long_term + 4 * gaussian_filter(rng.normal(size=(side, side)), 10), 0.03, 0.9)[..., None]
    short = 0.6 * (0.95 - floor)  # of what decorrelates, the part that takes days
    rate = landslides(side, rng)
    samples, truth = np.empty((dates, side, side, CELLS), np.complex64), np.empty((dates, side, side), np.float32)
    lasting, fading = (_speckle(rng, side) for _ in range(2))
    keep = np.exp(-12 / DECAY)
    for k in range(dates):
        truth[k] = rate * YEARS[k] + 150 * gaussian_filter(rng.normal(size=(side, side)), 20)
        own = np.sqrt(floor) * lasting + np.sqrt(short) * fading + np.sqrt(1 - floor - short) * _speckle(rng, side)
        samples[k] = own * np.exp(1j * truth[k])[..., None]
        fading = keep * fading + np.sqrt(1 - keep**2) * _speckle(rng, side)
    return samples, truth


def landslides(side: int, rng: np.random.Generator) -> np.ndarray:
    """Rate of landslides that are slower towards their outlines, (side, side), rad/yr; one for each 40 × 40 pixels."""
    rate = np.zeros((side, side))
    rows, cols = np.mgrid[:side, :side]
    for _ in range((side // 40) ** 2):
        row, col, turn = rng.uniform(0, (side, side, np.pi))
        along = (rows - row) * np.cos(turn) + (cols - col) * np.sin(turn)
        across = (cols - col) * np.cos(turn) - (rows - row) * np.sin(turn)
        depth = np.clip((1 - np.hypot(along / rng.uniform(6, 14), across / rng.uniform(3, 7))) / 0.65, 0, 1)
        rate += rng.uniform(-14, 14) * depth**2 * (3 - 2 * depth)
    return rate


def _speckle(rng: np.random.Generator, side: int) -> np.ndarray:
    re, im = rng.standard_normal((2, side, side, CELLS), np.float32) / np.float32(np.sqrt(2))
    return np.asarray(re + 1j * im, np.complex64)
