"""Phase linking: output pixels per CPU second, against dolphin's on the same simulated SLCs, accuracy and memory.

Stacks of speckle of known coherence. dolphin's window is 5 × 21 SLC pixels (half window 2 × 10), stride 1 × 4; ours 5
× 5 pixels of four SLC pixels, plain weights: 5 × 20. In the row like for like dolphin leaves out the last column (its
`neighbor_arrays` say which neighbours count), so that both see the same SLC pixels, and neither regularises. Both give
the Cramér–Rao bound. dolphin (0.42.9, jax 0.6.2, its
GDAL import stood in for) runs in an environment of its own: SLIPMAP_DOLPHIN_PYTHON, or .venv-dolphin (``make bench``).
"""

import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from benchmarks._peers import find_dolphin, measured
from benchmarks._speckle import FIRST_DAY, Ground
from slipmap.deformation.interferogram import window_weights
from slipmap.deformation.phase_linking.link import Linked, link
from slipmap.deformation.phase_linking.neighbours import homogeneous

GROUNDS = {30: Ground(30, 0.7, 40, 0.2, 4), 60: Ground(60, 0.7, 40, 0.2, 4)}
SIDE, WINDOW, SIGNIFICANCE = 128, 5, 0.001
GOOD = 0.5  # goodness of fit
USUAL, NONE = 0.5, 1e-3  # β; the second as good as none, which dolphin has unless told otherwise
PEER = """
import json, sys, time
from unittest.mock import MagicMock
for name in ("", ".gdal", ".gdal_array", ".gdalconst", ".osr", ".ogr"):
    sys.modules["osgeo" + name] = MagicMock()
sys.modules["osgeo_utils"] = MagicMock()
import numpy as np
from dolphin import HalfWindow, Strides
from dolphin.phase_link import run_phase_linking
from dolphin.shp import estimate_neighbors
slcs, beta, test = np.load(sys.argv[1]), float(sys.argv[3]), sys.argv[4]
options = dict(half_window=HalfWindow(y=2, x=10), strides=Strides(y=1, x=4), use_evd=False, beta=beta)
seconds = []
for _ in range(3):
    start = time.process_time()
    near = None
    if test == "same":  # as ours: five pixels of four
        shape = (slcs.shape[1], slcs.shape[2] // 4, 5, 21)
        near = np.ones(shape, bool)
        near[..., -1] = False
    elif test != "none":
        size = np.abs(slcs)
        near = estimate_neighbors(
            halfwin_rowcol=(2, 10), alpha=float(sys.argv[5]), strides=options["strides"], mean=size.mean(axis=0),
            var=size.var(axis=0), nslc=len(slcs), amp_stack=size, method=test,
        )
    found = run_phase_linking(slcs, neighbor_arrays=near, **options)
    phase = np.asarray(found.cpx_phase)
    seconds.append(time.process_time() - start)
np.savez(sys.argv[2], phasors=np.exp(1j * np.angle(phase)).astype(np.complex64), fit=np.asarray(found.temp_coh))
print("RESULT " + json.dumps(phase[0].size / min(seconds[1:])))
"""
MEMORY = """
import json, sys
from datetime import date
from pathlib import Path
from benchmarks._peers import peak_memory
from slipmap.config.deformation import LinkingSettings
from slipmap.deformation.phase_linking import driver
files = {date.fromisoformat(path.stem): str(path) for path in sorted(Path(sys.argv[1]).glob("*.tif"))}
found = {"program and libraries, MiB": peak_memory()}
sizes, read = [], driver.read_cells
def measured(*given):
    cells = read(*given)
    sizes.append(cells.nbytes)
    return cells
driver.read_cells = measured
driver.run(files, LinkingSettings(slc_looks=(1, 4)), sys.argv[2], threads=2)
print("RESULT " + json.dumps(found | {"peak, MiB": peak_memory(), "blocks read, MiB": max(sizes) / 2**20}))
"""


def run() -> dict[str, object]:
    """Speed at 30 and 60 dates, its ratio to dolphin's, accuracy, and the memory of the rule."""
    python = find_dolphin()
    found: dict[str, object] = {"window": f"{WINDOW} x {WINDOW} pixels of 1 x 4"}
    for dates, ground in GROUNDS.items():
        found[f"{dates} dates"] = rows_of(ground, speckle(ground, SIDE, SIDE), python)
    return found | {f"memory, {dates} dates": memory(ground, 384) for dates, ground in GROUNDS.items()}


def rows_of(ground: Ground, samples: np.ndarray, python: str | None) -> dict[str, object]:
    """Each estimator's speed and scatter, and rows against dolphin where `python` is one that has it."""
    rows: dict[str, object] = {}
    for name, options in {
        "emi with bound": {"bound": True},
        "emi": {"bound": False},
        "evd": {"estimator": "evd", "bound": False},
    }.items():
        linked, speed = timed(samples, **options)
        rows[name] = {"pixels per CPU second": round(speed), "scatter over bound": scatter(linked, ground)}
        rows[name] |= wall(samples, **options)
    for test in ("glrt", "ks"):
        rows[f"emi with bound, {test}"] = {"pixels per CPU second": round(timed(samples, test=test)[1])}
        rows[f"emi with bound, {test}"] |= wall(samples, test=test)
    if python:
        rows["dolphin, no regularisation"] = against(python, samples, USUAL)
        rows["dolphin, like for like"] = against(python, samples, NONE, "same")
        for test in ("glrt", "ks"):
            rows[f"dolphin, {test}"] = against(python, samples, USUAL, test)
    return rows


def wall(samples: np.ndarray, **options: Any) -> dict[str, float]:
    """Output pixels per second that passes, on two threads: on a quiet machine what two cores do."""
    return {"pixels per second, two threads": round(timed(samples, clock=time.perf_counter, threads=2, **options)[1])}


def speckle(ground: Ground, rows: int, cols: int) -> np.ndarray:
    """Samples of ground whose true phases are zero, complex64 (dates, rows, cols, looks)."""
    rng = np.random.default_rng(0)
    factor = np.linalg.cholesky(ground.coherence()).astype(np.float32)
    white = rng.standard_normal((2, rows, cols, ground.looks, ground.dates), np.float32)
    values = (white[0] + 1j * white[1]) @ factor.T
    return np.ascontiguousarray(np.moveaxis(values, -1, 0), np.complex64)


def timed(
    samples: np.ndarray,
    test: str = "none",
    clock: Callable[[], float] = time.process_time,
    **options: Any,
) -> tuple[Linked, float]:
    """What linking gives (β = `USUAL` unless told), and output pixels per second of `clock`, the best of three."""
    weights, seconds = window_weights(WINDOW, "plain"), []
    for _ in range(4):  # the first one compiles
        start = clock()
        chosen = homogeneous(samples, WINDOW, test, SIGNIFICANCE, samples.shape[3])
        linked = link(samples, weights, looks=samples.shape[3], chosen=chosen, **{"regularisation": USUAL} | options)
        seconds.append(clock() - start)
    return linked, samples[0, ..., 0].size / min(seconds[1:])


def scatter(linked: Linked, ground: Ground) -> float:
    """Scatter of the phases, whose truth is zero, over the Cramér–Rao bound, both rms over dates and pixels."""
    coherence, looks = ground.coherence(), ground.looks * WINDOW**2
    information = 2 * looks * (np.linalg.inv(coherence) * coherence - np.eye(ground.dates))
    bound = np.trace(np.linalg.inv(information[1:, 1:])) / (ground.dates - 1)
    inside = np.angle(linked.phasors[1:, 2:-2, 2:-2])
    return round(float(np.sqrt(np.mean(inside**2) / bound)), 3)


def against(python: str, samples: np.ndarray, beta: float, test: str = "none") -> dict[str, float]:
    """dolphin's output pixels per CPU second, how many times as fast we are beside it, and how phases differ.

    It takes |Γ| as it is unless that cannot be inverted (its own β turns to other eigenvectors). Ours run after it
    with β = `beta`, so that both have the same machine. The median difference (rad) is of phases of the same window,
    without β, where both call the fit good.

    Parameters
    ----------
    test : of the neighbours on both sides; "same": none, and dolphin's window is ours.
    """
    slcs = samples.reshape(*samples.shape[:2], -1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "slcs.npy", slcs)
        speed = measured(python, PEER, "slcs.npy", "theirs.npz", 0.0, test, SIGNIFICANCE, folder=folder)
        theirs = np.load(folder / "theirs.npz")
        phasors, fit = theirs["phasors"], theirs["fit"]
    own = "none" if test == "same" else test
    row = {
        "pixels per CPU second": round(speed),
        "times as fast": round(timed(samples, test=own, regularisation=beta)[1] / speed, 1),
    }
    return row | differences(samples, phasors, fit) if test == "same" else row


def differences(samples: np.ndarray, phasors: np.ndarray, fit: np.ndarray) -> dict[str, float]:
    """Our phases without β against another program's `phasors` (dates, rows, cols), where both call the fit good."""
    ours = link(samples, window_weights(WINDOW, "plain"), regularisation=NONE, bound=False)
    inside = (slice(8, -8), slice(8, -8))
    good = ((ours.fit >= GOOD) & (fit >= GOOD))[inside]
    apart = np.abs(np.angle((phasors * phasors[:1].conj() * ours.phasors.conj())[1:, *inside]))[:, good]
    return {
        "median difference, rad": round(float(np.median(apart)), 5),
        "95 of 100 below, rad": round(float(np.percentile(apart, 95)), 5),
        "share where both fit": round(float(good.mean()), 3),
    }


def memory(ground: Ground, side: int) -> dict[str, float]:
    """Peak memory of the rule with its default options, by itself in a process as a job is, MiB.

    A run before compiles. The blocks are the SLC pixels that are held at once.
    """
    import sys

    with tempfile.TemporaryDirectory() as name:
        slcs = Path(name) / "slc"
        slcs.mkdir()
        samples = speckle(ground, side, side)
        transform = Affine(5, 0, 5e5, 0, -20, 5e6)
        options = dict(driver="GTiff", dtype="complex64", count=1, crs="EPSG:32632", transform=transform)
        for k, date in enumerate(samples):
            day = FIRST_DAY + timedelta(days=12 * k)
            with rasterio.open(slcs / f"{day}.tif", "w", width=4 * side, height=side, **options) as out:
                out.write(date.reshape(side, -1), 1)
                out.update_tags(ACQUISITION_DATE=f"{day:%Y%m%d}", WAVELENGTH=0.0554658)
        given = (sys.executable, MEMORY, slcs, Path(name) / "linked")
        _, found = (measured(*given, folder=Path(name), GDAL_CACHEMAX="256") for _ in range(2))
    above = found["peak, MiB"] - found["blocks read, MiB"]
    found |= {"memory above the blocks, MiB": above}
    found |= {"above the blocks and libraries, MiB": above - found["program and libraries, MiB"]}
    return {key: round(value) for key, value in found.items()}
