"""Phase linking: output pixels per CPU second, against dolphin's EMI on the same simulated SLCs, and its accuracy.

Stacks of speckle of known coherence. dolphin's window is 5 × 21 SLC pixels (half window 2 × 10), stride 1 × 4; ours 5
× 5 pixels of four SLC pixels, plain weights: 5 × 20. Both give the Cramér–Rao bound. dolphin (0.42.9, jax 0.6.2, its
GDAL import stood in for) runs in the environment of `_peers`, if it is installed there.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._peers import find_peer, measured
from benchmarks._speckle import Ground
from slipmap.deformation.phase_linking.link import Linked, link, window_weights
from slipmap.deformation.phase_linking.neighbours import homogeneous

GROUNDS = {30: Ground(30, 0.7, 40, 0.2, 4), 60: Ground(60, 0.7, 40, 0.2, 4)}
SIDE, WINDOW = 128, 5
PEER = """
import json, sys, time
from unittest.mock import MagicMock
for name in ("", ".gdal", ".gdal_array", ".gdalconst", ".osr", ".ogr"):
    sys.modules["osgeo" + name] = MagicMock()
sys.modules["osgeo_utils"] = MagicMock()
import numpy as np
from dolphin import HalfWindow, Strides
from dolphin.phase_link import run_phase_linking
slcs = np.load(sys.argv[1])
options = dict(half_window=HalfWindow(y=2, x=10), strides=Strides(y=1, x=4), use_evd=False)
run_phase_linking(slcs[:, :32, :128], **options)
found = run_phase_linking(slcs, **options)
start = time.process_time()
found = run_phase_linking(slcs, **options)
phase = np.asarray(found.cpx_phase)
seconds = time.process_time() - start
np.save(sys.argv[2], np.exp(1j * np.angle(phase)).astype(np.complex64))
print("RESULT " + json.dumps(phase[0].size / seconds))
"""


def run(regularisation: float = 0.5) -> dict[str, object]:
    """Output pixels per CPU second at 30 and 60 dates, their ratio to dolphin's, and scatter over the bound."""
    python = find_peer()
    found: dict[str, object] = {"window": f"{WINDOW} x {WINDOW} pixels of 1 x 4", "regularisation": regularisation}
    for dates, ground in GROUNDS.items():
        samples = speckle(ground, SIDE, SIDE)
        rows: dict[str, object] = {}
        for name, options in {
            "emi with bound": {"estimator": "emi", "bound": True},
            "emi": {"estimator": "emi", "bound": False},
            "evd": {"estimator": "evd", "bound": False},
        }.items():
            linked, speed = timed(samples, regularisation=regularisation, **options)
            rows[name] = {"pixels per CPU second": round(speed), "scatter over bound": scatter(linked, ground)}
        for test in ("glrt", "ks"):
            _, speed = timed(samples, test=test, regularisation=regularisation, bound=True)
            rows[f"emi with bound, {test}"] = {"pixels per CPU second": round(speed)}
        if python:
            rows["dolphin emi, its own regularisation"] = against(python, samples)
        found[f"{dates} dates"] = rows
    return found


def speckle(ground: Ground, rows: int, cols: int) -> np.ndarray:
    """Samples of ground whose true phases are zero, complex64 (dates, rows, cols, looks)."""
    rng = np.random.default_rng(0)
    factor = np.linalg.cholesky(ground.coherence()).astype(np.float32)
    white = rng.standard_normal((2, rows, cols, ground.looks, ground.dates), np.float32)
    values = (white[0] + 1j * white[1]) @ factor.T
    return np.ascontiguousarray(np.moveaxis(values, -1, 0), np.complex64)


def timed(samples: np.ndarray, test: str = "none", **options: object) -> tuple[Linked, float]:
    """What linking gives, and output pixels per CPU second, the best of three."""
    weights, seconds = window_weights(WINDOW, "plain"), []
    for _ in range(4):  # the first one compiles
        start = time.process_time()
        chosen = homogeneous(samples, WINDOW, test, 0.001, samples.shape[3])
        linked = link(samples, weights, looks=samples.shape[3], chosen=chosen, **options)
        seconds.append(time.process_time() - start)
    return linked, samples[0, ..., 0].size / min(seconds[1:])


def scatter(linked: Linked, ground: Ground) -> float:
    """Scatter of the phases, whose truth is zero, over the Cramér–Rao bound, both rms over dates and pixels."""
    coherence, looks = ground.coherence(), ground.looks * WINDOW**2
    information = 2 * looks * (np.linalg.inv(coherence) * coherence - np.eye(ground.dates))
    bound = np.trace(np.linalg.inv(information[1:, 1:])) / (ground.dates - 1)
    inside = np.angle(linked.phasors[1:, 2:-2, 2:-2])
    return round(float(np.sqrt(np.mean(inside**2) / bound)), 3)


def against(python: str, samples: np.ndarray) -> dict[str, float]:
    """dolphin's output pixels per CPU second, and the median difference of its phases from ours, rad.

    It takes |Γ| as it is unless that cannot be inverted; for the difference so do we.
    """
    slcs = samples.reshape(*samples.shape[:2], -1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "slcs.npy", slcs)
        speed = measured(python, PEER, "slcs.npy", "theirs.npy", folder=folder)
        theirs = np.load(folder / "theirs.npy")
    ours = link(samples, window_weights(WINDOW, "plain"), regularisation=1e-3, bound=False)
    inside = (slice(1, None), slice(8, -8), slice(8, -8))
    apart = np.abs(np.angle((theirs * theirs[:1].conj() * ours.phasors.conj())[inside]))
    return {"pixels per CPU second": round(speed), "median difference, rad": round(float(np.median(apart)), 4)}
