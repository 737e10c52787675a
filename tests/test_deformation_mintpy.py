"""The same stack and weights through MintPy; needs an environment that has it (`slipmap bench` names it)."""

import subprocess

import h5py
import numpy as np
import pytest

from slipmap.bench._peers import find_peer
from slipmap.bench._stack import make_stack
from slipmap.bench.deformation import run_mintpy
from slipmap.deformation import mintpy_stack
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.phase import mm_per_radian
from slipmap.deformation.stack import parse_date
from slipmap.deformation.velocity import time_model

WEIGHTS = """
import h5py, numpy, sys
from mintpy.simulation import decorrelation
with h5py.File(sys.argv[1]) as f:
    w = decorrelation.coherence2weight(f["coherence"][:].reshape(len(f["date"]), -1), "var", L=30, epsilon=5e-2)
numpy.save(sys.argv[2], w.astype("float32"))
"""


@pytest.mark.parametrize("gaps", [0.0, 0.02])
def test_velocity_equals_mintpys_on_the_same_weights(tmp_path, gaps):
    peer = find_peer()
    if peer is None:
        pytest.skip("no environment with MintPy (SLIPMAP_PEER_PYTHON or .venv-peer)")
    stack = tmp_path / "inputs" / "ifgramStack.h5"
    stack.parent.mkdir()
    make_stack(stack, 30, gaps=gaps)
    _, expected = run_mintpy(peer, stack, tmp_path, 1)
    subprocess.run([peer, "-c", WEIGHTS, str(stack), str(tmp_path / "w.npy")], check=True, capture_output=True)
    with h5py.File(stack) as file:
        phase = file["unwrapPhase"][:].reshape(len(file["date"]), -1)
        pairs = [tuple(parse_date(d.decode(), "") for d in row) for row in file["date"][:]]
        scale = mm_per_radian(float(file.attrs["WAVELENGTH"]))
    reference = phase[:, 3 * 30 + 3].copy()
    phase[phase == 0] = np.nan
    dates = sorted({d for pair in pairs for d in pair})
    result = invert_stack(
        phase - reference[:, None], np.load(tmp_path / "w.npy"), pair_numbers(pairs, dates), years(dates)
    )
    velocity = scale * (time_model(dates).row("velocity") @ result.series).reshape(30, 30)
    difference = velocity - expected
    assert np.sqrt(np.mean(difference**2)) <= 0.01
    assert np.ptp(expected) > 30
    # Where the two differ most it is MintPy's float32: a dense float64 solution is ours.
    worst = int(np.abs(difference).argmax())
    numbers = pair_numbers(pairs, dates)
    design = np.zeros((len(pairs), len(dates)))
    design[np.arange(len(pairs)), numbers[:, 1]] = 1
    design[np.arange(len(pairs)), numbers[:, 0]] = -1
    values = (phase - reference[:, None])[:, worst].astype(np.float64)
    root = np.sqrt(np.load(tmp_path / "w.npy")[:, worst].astype(np.float64))
    there = np.isfinite(values)
    solved = np.linalg.lstsq(design[there, 1:] * root[there, None], root[there] * values[there], rcond=None)[0]
    dense = scale * (time_model(dates).row("velocity")[1:] @ solved)
    assert velocity.ravel()[worst] == pytest.approx(dense, abs=1e-4)
    print(f"rms {np.sqrt(np.mean(difference**2)):.4f}, largest {np.abs(difference).max():.4f} mm/yr")


def test_stack_file_gives_what_the_arrays_give(tmp_path):
    """Memory-mapped and chunked, compressed files give the velocity of the simulated stack, block by block."""
    stack, packed = tmp_path / "ifgramStack.h5", tmp_path / "packed.h5"
    truth = make_stack(stack, 40, dates=20, gaps=0.02)
    with h5py.File(stack) as old, h5py.File(packed, "w") as new:
        for name, data in old.items():
            big = dict(chunks=(1, 16, 16), compression="gzip") if data.ndim == 3 else {}
            new.create_dataset(name, data=data[:], **big)
        new.attrs.update(old.attrs)
    results = []
    for source in (stack, packed):
        mintpy_stack.invert(source, tmp_path / "out.h5", reference=(4, 4))
        with h5py.File(tmp_path / "out.h5") as file:
            results.append(file["velocity"][:] * 1000)
            assert not np.nanmax(np.abs(file["timeseries"][:, 4, 4]))
    np.testing.assert_array_equal(*results)
    error = results[0] - (truth - truth[4, 4])
    assert np.sqrt(np.nanmean(error**2)) < 0.1 * np.ptp(truth)
