"""Phase unwrapping of one interferogram, connected components kept."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from rasterio.io import DatasetReader

from slipmap.deformation import components, pair_file
from slipmap.deformation.interferogram import Interferogram, formed, smooth
from slipmap.deformation.layer import value_band
from slipmap.deformation.phase import SUPPLIED_LOOKS, supplied_coherence, supplied_phase, wrap
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

if TYPE_CHECKING:  # a job does without the models (`jobs.job.checked`)
    from slipmap.config.deformation import UnwrappingSettings


def unwrap(
    phase: np.ndarray, coherence: np.ndarray, looks: float, method: str = "whirlwind"
) -> tuple[np.ndarray, np.ndarray]:
    """Unwrap a phase.

    Parameters
    ----------
    phase, coherence : (rows, cols) float32, rad and 0 … 1; NaN where there is no data.
    looks : independent looks behind the coherence.
    method : "whirlwind" (minimum-cost flow) or "snaphu" (Chen & Zebker 2001; the package must be installed).

    Returns
    -------
    unwrapped phase (float32, rad, NaN where there is no data; wraps back to `phase`) and connected components
    (uint32, 0 for none), both (rows, cols).
    """
    valid = np.isfinite(phase) & np.isfinite(coherence) & (coherence > 0)
    interferogram = np.where(valid, np.exp(1j * np.nan_to_num(phase)), 0).astype(np.complex64)
    correlation = np.where(valid, coherence, 0).astype(np.float32)
    if method == "snaphu":
        try:
            import snaphu
        except ImportError as error:
            raise InputError(
                "deformation.unwrapper is 'snaphu', but the package is not installed; 'pip install snaphu' "
                "(its licence "
                "prohibits commercial use of parts), or use whirlwind."
            ) from error
        unwrapped, found = snaphu.unwrap(interferogram, correlation, looks, mask=valid)
    else:
        looks = min(looks, 300.0)  # as far as whirlwind's costs go
        unwrapped = _whirlwind(interferogram, correlation, looks, valid)
        found = components.label(interferogram, correlation, valid, looks)
    unwrapped = np.where(valid, unwrapped, np.nan)
    # Whole turns only: what the solver hands back is tied to the phase that went in.
    turns = np.round((unwrapped - phase) / (2 * np.pi))
    return (phase + 2 * np.pi * turns).astype(np.float32), np.asarray(found, np.uint32)


def _whirlwind(interferogram: np.ndarray, correlation: np.ndarray, looks: float, valid: np.ndarray) -> np.ndarray:
    """Unwrapped phase, float32 (rows, cols), of whirlwind's command line, which alone can leave out its components.

    They cost a job more than the phase does (`components`). The command runs in this process.
    """
    from whirlwind._native import cli_main

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {key: str(folder / file) for key, file in _WHIRLWIND_FILES.items()}
        interferogram.tofile(files["--ifg"])
        correlation.tofile(files["--cor"])
        rows, cols = valid.shape
        about = {"driver": "GTiff", "height": rows, "width": cols, "count": 1, "dtype": "uint8"}
        with rasterio.open(files["--mask"], "w", **about, transform=Affine.scale(2)) as out:
            out.write(valid.astype(np.uint8), 1)
        options = files | {"--cols": str(cols), "--nlooks": repr(float(looks)), "--out-format": "float"}
        arguments = [word for option in options.items() for word in option]
        with _said(folder / "said") as said:
            failed = cli_main([*arguments, "--no-conncomp"])
        if failed:
            raise RuntimeError(f"whirlwind: {said.read_text(errors='replace').strip()}")
        return np.fromfile(files["--out"], np.float32).reshape(valid.shape)


_WHIRLWIND_FILES = {"--ifg": "pair.int", "--cor": "pair.cc", "--mask": "valid.tif", "--out": "unwrapped.f32"}


@contextmanager
def _said(path: Path) -> Iterator[Path]:
    """Send what compiled code writes to the console to a file."""
    sys.stderr.flush()
    console = os.dup(2)
    try:
        with open(path, "wb") as file:
            os.dup2(file.fileno(), 2)
            yield path
    finally:
        os.dup2(console, 2)
        os.close(console)


def as_coherence(values: np.ndarray, source: DatasetReader) -> np.ndarray:
    """Coherence 0 … 1 of the float32 `values` read from a supplied raster: LiCSAR stores it as bytes."""
    return values / np.float32(255) if source.dtypes[0] == "uint8" else values


def run(
    pair: Pair,
    settings: "UnwrappingSettings",
    output: str | Path,
    *,
    interferogram: str | Path | None = None,
    coherence: str | Path | None = None,
    looks: float | None = None,
    threads: int = 1,
) -> None:
    """Form the interferogram of `pair`, or read a supplied one, unwrap it and write it (`pair_file`).

    The averaged and filtered phase is unwrapped, since it is smooth; what is written is the phase averaged over
    `settings.phase_window` only, with the whole turns of the filtered one, so that small moving areas are not smoothed
    away. The solver needs the whole interferogram in memory, so that none is written on the way.

    Parameters
    ----------
    interferogram, coherence : a supplied wrapped phase (rad) or complex interferogram, and its coherence; None: formed
        from the pair's two SLCs.
    looks : independent looks of supplied interferograms; None: `phase.SUPPLIED_LOOKS`. threads : of whirlwind.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    if interferogram is None or coherence is None:
        given = formed(pair, settings)
    else:
        given = _supplied(interferogram, coherence, settings, looks or SUPPLIED_LOOKS)
    unwrapped, connected = unwrap(given.filtered, given.coherence, given.samples, settings.unwrapper)
    unwrapped += wrap(given.averaged - given.filtered)
    if not np.isfinite(unwrapped).any():
        raise InputError(f"{interferogram or pair.name}: no pixel has both phase and coherence; remove the pair.")
    bands = pair_file.encode(unwrapped, given.coherence, connected, given.unfiltered)
    write(output, given.grid, pair, settings, bands)


def write(output: str | Path, grid: Grid, pair: Pair, settings: "UnwrappingSettings", bands: np.ndarray) -> None:
    """Write the bands of an unwrapped pair, of linked phases or not (`pair_file`)."""
    tags = {
        "REFERENCE_DATE": pair.reference,
        "SECONDARY_DATE": pair.secondary,
        "PHASE_WINDOW": settings.phase_window,
        "UNWRAPPER": settings.unwrapper,
        "SIGN": "LOS displacement towards the satellite = -wavelength * phase / (4 pi)",
    }
    pair_file.write(output, grid, bands, tags)
    connected = bands[3 if len(bands) == len(pair_file.BANDS) else 1]
    share = np.mean(connected[bands[0] > 0] > 0)
    print(f"{pair.name}: {connected.max()} connected component(s) hold {share:.1%} of the pixels")


def _supplied(path: str | Path, coherence: str | Path, settings: "UnwrappingSettings", looks: float) -> Interferogram:
    """A supplied interferogram, averaged and filtered as one of our own."""
    with rasterio.open(path) as src:
        if "complex" in src.dtypes[0]:
            cross = src.read(1)
        else:
            phase = supplied_phase(raster.read_open(src, None, value_band(src)))
            cross = np.exp(1j * phase).astype(np.complex64)
    with rasterio.open(coherence) as src:
        correlation = supplied_coherence(as_coherence(raster.read_open(src, None, value_band(src)), src))
    if correlation.shape != cross.shape:
        raise InputError(f"{coherence}: its size is not that of {path}; supply rasters on one grid.")
    size = np.abs(cross)
    there = np.isfinite(size) & (size > 0) & np.isfinite(correlation)
    if not there.any() or not np.any(correlation[there] > 0):
        raise InputError(f"{coherence}: the coherence is zero everywhere; fetch the file again or remove the pair.")
    cross = np.where(there, cross, 0).astype(np.complex64)
    averaged, filtered = smooth(cross, settings)
    phases = (np.angle(filtered), np.angle(averaged), np.angle(cross), correlation)
    bands = (np.where(there, values, np.nan).astype(np.float32) for values in phases)
    return Interferogram(Grid.from_raster(path), looks, *bands)
