"""The same stack and weights through MintPy; needs an environment that has it (`slipmap bench` names it)."""

import subprocess

import h5py
import numpy as np
import pytest

from benchmarks._peers import find_peer
from benchmarks._stack import make_stack
from benchmarks.deformation import run_mintpy
from slipmap.deformation import mintpy_stack
from slipmap.deformation.inversion import invert_stack, pair_numbers, years
from slipmap.deformation.phase import mm_per_radian
from slipmap.deformation.stack import parse_date
from slipmap.deformation.velocity import time_model

# MintPy's own weights, and its own solver given them and the phase in float64 (its program hands it float32).
SOLVER = """
import sys
import h5py, numpy
from mintpy.ifgram_inversion import estimate_timeseries
from mintpy.objects import ifgramStack
from mintpy.simulation import decorrelation
stack = ifgramStack(sys.argv[1])
stack.open(print_msg=False)
with h5py.File(sys.argv[1]) as f:
    shape = (len(f["date"]), -1)
    weight = decorrelation.coherence2weight(f["coherence"][:].reshape(shape), "var", L=30, epsilon=5e-2)
    phase = f["unwrapPhase"][:].reshape(shape).astype(float)
numpy.save("weight.npy", weight.astype("float32"))
reference = phase[:, [int(sys.argv[2])]].copy()
phase[phase == 0] = numpy.nan
phase -= reference
A, B = (matrix.astype(float) for matrix in stack.get_design_matrix4timeseries(stack.get_date12_list())[:2])
days = [numpy.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in stack.get_date_list()]
years = numpy.diff(numpy.array(days).astype(float)) / 365.25
root = numpy.sqrt(weight.astype("float32").astype(float))
series = [
    estimate_timeseries(A, B, phase[:, [p]], years[:, None], weight_sqrt=root[:, [p]], print_msg=False)[0][:, 0]
    for p in range(phase.shape[1])
]
numpy.save("series.npy", numpy.stack(series, axis=1))
"""


@pytest.mark.parametrize("gaps", [0.0, 0.02])
def test_velocity_equals_mintpys_on_the_same_weights(tmp_path, gaps):
    """MintPy's program to 0.01 mm/yr in rms, since it solves in float32; its solver in float64 to 0.001 anywhere."""
    peer = find_peer()
    if peer is None:
        pytest.skip("no environment with MintPy (SLIPMAP_PEER_PYTHON or .venv-peer)")
    stack = tmp_path / "inputs" / "ifgramStack.h5"
    stack.parent.mkdir()
    make_stack(stack, 30, gaps=gaps)
    corner = 3 * 30 + 3
    _, program = run_mintpy(peer, stack, tmp_path, 1)
    subprocess.run([peer, "-c", SOLVER, str(stack), str(corner)], cwd=tmp_path, check=True, capture_output=True)
    with h5py.File(stack) as file:
        phase = file["unwrapPhase"][:].reshape(len(file["date"]), -1)
        pairs = [tuple(parse_date(d.decode(), "") for d in row) for row in file["date"][:]]
        scale = mm_per_radian(float(file.attrs["WAVELENGTH"]))
    reference = phase[:, corner].copy()
    phase[phase == 0] = np.nan
    dates = sorted({d for pair in pairs for d in pair})
    operator = time_model(dates).row("velocity")
    weight = np.load(tmp_path / "weight.npy")
    result = invert_stack(phase - reference[:, None], weight, pair_numbers(pairs, dates), years(dates))
    velocity = scale * (operator @ result.series)
    assert np.ptp(program) > 30
    assert np.sqrt(np.mean((velocity - program.ravel()) ** 2)) <= 0.01
    solver = scale * (operator @ np.load(tmp_path / "series.npy").astype(np.float64))
    assert np.abs(velocity - solver).max() <= 0.001
    print(f"program {np.abs(velocity - program.ravel()).max():.4f}, solver {np.abs(velocity - solver).max():.6f} mm/yr")


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
