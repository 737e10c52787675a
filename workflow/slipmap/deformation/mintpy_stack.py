"""MintPy's own stack file, ifgramStack.h5, inverted where it lies on the disk."""

from datetime import date
from pathlib import Path

import h5py
import numpy as np

from slipmap.atomic import write_aside
from slipmap.deformation.inversion import Outputs, invert_flat, pair_numbers, years
from slipmap.deformation.phase import mm_per_radian, weight_table
from slipmap.deformation.stack import parse_date
from slipmap.deformation.velocity import time_model
from slipmap.errors import InputError

BLOCK_PIXELS = 2**17  # inverted at a time


def invert(stack: str | Path, output: str | Path, *, weights: str = "variance", reference: tuple[int, int]) -> None:
    """Invert ifgramStack.h5 and write series, velocity and temporal coherence to one HDF5 file.

    Parameters
    ----------
    stack : MintPy's file: unwrapPhase and coherence (pairs, rows, cols) float32, date (pairs, 2), attributes.
    output : data sets timeseries (dates, rows, cols, m), velocity (m/year), temporalCoherence, date; MintPy's units.
    reference : (row, col) whose phase is taken from every interferogram.

    Notes
    -----
    Data sets that are stored whole (contiguous, uncompressed) are memory-mapped and read once; others are read block
    by block. Memory is about `BLOCK_PIXELS` times (dates + 4) float32, and of others times (2 · pairs) as well.
    Phase zero is nodata, as MintPy has it.
    """
    with h5py.File(stack) as file:
        pairs = [
            tuple(parse_date(d.decode(), str(stack)) for d in row)
            for row, kept in zip(file["date"][:], file["dropIfgram"][:], strict=True)
            if kept
        ]
        if len(pairs) != len(file["date"]):
            raise InputError(
                f"{stack}: {len(file['date']) - len(pairs)} interferograms are dropped; write it without them."
            )
        dates = sorted({d for pair in pairs for d in pair})
        numbers, times = pair_numbers(pairs, dates), years(dates)
        looks = float(file.attrs.get("NCORRLOOKS", 20))
        table = weight_table(weights, round(looks))
        scale = mm_per_radian(float(file.attrs["WAVELENGTH"])) / 1000
        operator = time_model(dates).row("velocity")
        phase, coherence = file["unwrapPhase"], file["coherence"]
        _, rows, cols = phase.shape
        offsets = phase[:, reference[0], reference[1]]
        mapped = [_mapped(stack, d) for d in (phase, coherence)]
        with write_aside(output) as aside, h5py.File(aside, "w") as out:
            places = _create(out, dates, rows, cols)
            step = max(1, BLOCK_PIXELS // cols)
            for row in range(0, rows, step):
                count = min(step, rows - row)
                result = Outputs.empty(len(dates), count * cols)
                pitch, origin = rows * cols, row * cols
                if any(m is None for m in mapped):
                    pitch, origin = count * cols, 0
                    blocks = [d[:, row : row + count].ravel() for d in (phase, coherence)]
                else:
                    blocks = mapped
                invert_flat(
                    blocks[0],
                    blocks[0],
                    blocks[1],
                    pitch,
                    origin,
                    numbers,
                    times,
                    table,
                    result,
                    scale=scale,
                    operator=operator,
                    offsets=offsets,
                    zero_is_gap=True,
                )
                part = slice(row, row + count)
                places["timeseries"][:, part] = result.series.reshape(-1, count, cols)
                places["velocity"][part] = result.velocity.reshape(count, cols)
                places["temporalCoherence"][part] = result.temporal_coherence.reshape(count, cols)


def _create(out: h5py.File, dates: list[date], rows: int, cols: int) -> dict[str, h5py.Dataset]:
    out["date"] = np.array([f"{d:%Y%m%d}".encode() for d in dates])
    out.attrs.update(FILE_TYPE="timeseries", UNIT="m", LENGTH=rows, WIDTH=cols)
    return {
        "timeseries": out.create_dataset("timeseries", (len(dates), rows, cols), "f4"),
        "velocity": out.create_dataset("velocity", (rows, cols), "f4"),
        "temporalCoherence": out.create_dataset("temporalCoherence", (rows, cols), "f4"),
    }


def _mapped(path: str | Path, data: h5py.Dataset) -> np.ndarray | None:
    offset = data.id.get_offset()
    if data.chunks or offset is None or data.dtype != np.float32:
        return None
    return np.memmap(path, np.float32, "r", offset=offset, shape=(data.size,))
