"""MintPy's own stack file, ifgramStack.h5, inverted where it lies on the disk."""

import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import local

import h5py
import numpy as np

from slipmap.arrays import Floats
from slipmap.deformation.inversion import Network, Outputs, pair_numbers, thread_count, years
from slipmap.deformation.phase import mm_per_radian, weight_table
from slipmap.deformation.stack import parse_date
from slipmap.deformation.velocity import time_model
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside

BLOCK_PIXELS = 2**14  # inverted at a time by a thread: the results stay in the cache until they are written
MAPPED_BYTES = 512 * 2**20  # of the input that may stay mapped into memory before it is let go
PRODUCTS = {"timeseries": "series", "velocity": "velocity", "temporalCoherence": "temporal_coherence"}


def invert(
    stack: str | Path,
    output: str | Path,
    *,
    weights: str = "variance",
    reference: tuple[int, int],
    threads: int | None = None,
) -> None:
    """Invert ifgramStack.h5 and write series, velocity and temporal coherence to one HDF5 file.

    Parameters
    ----------
    stack : MintPy's file: unwrapPhase and coherence (pairs, rows, cols) float32, date (pairs, 2), attributes.
    output : data sets timeseries (dates, rows, cols, m), velocity (m/year), temporalCoherence, date; MintPy's units.
    reference : (row, col) whose phase is taken from every interferogram.
    threads : that read, invert and write, each its own rows; None: `thread_count`.

    Notes
    -----
    Data sets that are stored whole (contiguous, uncompressed) are memory-mapped and read once; others are read block
    by block. Memory is `MAPPED_BYTES`, and for each thread `BLOCK_PIXELS` times (dates + 4) float32, and of data sets
    that cannot be mapped times (2 · pairs) as well. Phase zero is nodata, as MintPy has it.
    """
    with h5py.File(stack) as file:
        pairs = _pairs(file, stack)
        dates = sorted({d for pair in pairs for d in pair})
        phase, coherence = file["unwrapPhase"], file["coherence"]
        _, rows, cols = phase.shape
        network = Network(
            pair_numbers(pairs, dates),
            years(dates),
            weight_table(weights, round(float(file.attrs.get("NCORRLOOKS", 20)))),
            scale=mm_per_radian(float(file.attrs["WAVELENGTH"])) / 1000,
            operator=time_model(dates).row("velocity"),
            offsets=phase[:, reference[0], reference[1]],
            zero_is_gap=True,
        )
        source = _Source(phase, coherence, [_mapped(stack, d) for d in (phase, coherence)])
        step = max(1, BLOCK_PIXELS // cols)
        own = local()

        def work(row: int) -> None:
            count = min(step, rows - row)
            if getattr(own, "size", None) != count:
                own.size, own.out = count, Outputs.empty(len(dates), count * cols)
            arrays, pitch, origin = source.read(row, count)
            network.invert(arrays[0], arrays[0], arrays[1], own.out, pitch=pitch, origin=origin)
            for name, role in PRODUCTS.items():
                places[name].write(getattr(own.out, role), row * cols)
            source.release(count * cols)

        with write_aside(output) as aside:
            offsets = _create(aside, dates, rows, cols)
            with open(aside, "r+b", buffering=0) as target:
                places = {name: _Plane(target.fileno(), at, rows * cols) for name, at in offsets.items()}
                with ThreadPoolExecutor(threads or thread_count()) as pool:
                    list(pool.map(work, range(0, rows, step)))


def _pairs(file: h5py.File, stack: str | Path) -> list[tuple[date, date]]:
    kept = file["dropIfgram"][:]
    if not kept.all():
        raise InputError(
            f"{stack}: {np.sum(~kept)} of its interferograms are marked as dropped (dropIfgram); write the stack again "
            f"without them."
        )
    days = {d: parse_date(d.decode(), str(stack)) for d in np.unique(file["date"][:])}
    return [(days[first], days[second]) for first, second in file["date"][:]]


@dataclass
class _Source:
    """Where phase and coherence are read from: the file mapped into memory if it can be, else its data sets."""

    phase: h5py.Dataset
    coherence: h5py.Dataset
    maps: list[np.memmap | None]
    touched: int = 0

    def read(self, row: int, count: int) -> tuple[list[Floats], int, int]:
        """One-dimensional phase and coherence, and pitch and origin of `count` rows in them (`Network.invert`)."""
        _, rows, cols = self.phase.shape
        mapped: list[Floats] = [m for m in self.maps if m is not None]
        if len(mapped) == len(self.maps):
            return mapped, rows * cols, row * cols
        return [d[:, row : row + count].ravel() for d in (self.phase, self.coherence)], count * cols, 0

    def release(self, pixels: int) -> None:
        """Count what was read; let mapped pages go (they stay in the system's cache) when they have become many."""
        self.touched += 8 * self.phase.shape[0] * pixels
        if self.touched >= MAPPED_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self.touched = 0
            for m in self.maps:
                if m is not None:
                    m._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # NumPy has no other name for it


@dataclass(frozen=True)
class _Plane:
    """A contiguous data set in an open file: (…, pixels) float32 from byte `offset` on."""

    descriptor: int
    offset: int
    pixels: int

    def write(self, values: np.ndarray, first: int) -> None:
        """Write (…, count) pixels from pixel `first` on; several threads may, side by side."""
        for k, line in enumerate(values.reshape(-1, values.shape[-1])):
            os.pwrite(self.descriptor, line.data, self.offset + 4 * (k * self.pixels + first))


def _create(path: str | Path, dates: list[date], rows: int, cols: int) -> dict[str, int]:
    """Make the output, its data sets allocated but not filled; the byte at which each of `PRODUCTS` begins."""
    place = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    place.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    place.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    offsets = {}
    with h5py.File(path, "w") as out:
        out["date"] = np.array([f"{d:%Y%m%d}".encode() for d in dates])
        out.attrs.update(FILE_TYPE="timeseries", UNIT="m", LENGTH=rows, WIDTH=cols)
        for name in PRODUCTS:
            shape = (len(dates), rows, cols) if name == "timeseries" else (rows, cols)
            space = h5py.h5s.create_simple(shape)
            data = h5py.h5d.create(out.id, name.encode(), h5py.h5t.IEEE_F32LE, space, place)
            offsets[name] = data.get_offset()
    return offsets


def _mapped(path: str | Path, data: h5py.Dataset) -> np.memmap | None:
    offset = data.id.get_offset()
    if data.chunks or offset is None or data.dtype != np.dtype("<f4"):
        return None
    return np.memmap(path, np.float32, "r", offset=offset, shape=(data.size,))
