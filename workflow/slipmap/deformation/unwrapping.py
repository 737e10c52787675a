"""Phase unwrapping of one interferogram, connected components kept."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import DatasetReader

from slipmap.config.deformation import UnwrappingSettings
from slipmap.deformation.interferogram import smooth
from slipmap.deformation.layer import value_band
from slipmap.deformation.phase import SUPPLIED_LOOKS, supplied_coherence, supplied_phase, wrap
from slipmap.deformation.stack import Pair
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid

BANDS = ("unwrapped_phase", "coherence", "connected_component", "phase_original")


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
        unwrapped, components = snaphu.unwrap(interferogram, correlation, looks, mask=valid)
    else:
        import whirlwind

        # the default components take as long as the unwrapping itself; these come from its costs
        unwrapped, components = whirlwind.unwrap(
            interferogram, correlation, min(looks, 300.0), mask=valid, conncomp_algorithm="linear"
        )
    unwrapped = np.where(valid, unwrapped, np.nan)
    # Whole turns only: what the solver hands back is tied to the phase that went in.
    turns = np.round((unwrapped - phase) / (2 * np.pi))
    return (phase + 2 * np.pi * turns).astype(np.float32), np.asarray(components, np.uint32)


def as_coherence(values: np.ndarray, source: DatasetReader) -> np.ndarray:
    """Coherence 0 … 1 of the float32 `values` read from a supplied raster: LiCSAR stores it as bytes."""
    return values / np.float32(255) if source.dtypes[0] == "uint8" else values


def run(
    interferogram: str | Path,
    coherence: str | Path | None,
    pair: Pair,
    settings: UnwrappingSettings,
    output: str | Path,
    looks: float | None = None,
    threads: int = 1,
) -> None:
    """Unwrap the interferogram at `interferogram` and write phase, coherence and components as a COG.

    The averaged and filtered phase is unwrapped, since it is smooth; what is written is the phase averaged over
    `settings.phase_window` only, with the whole turns of the filtered one, so that small moving areas are not smoothed
    away. The solver needs the whole interferogram in memory.

    Parameters
    ----------
    interferogram : what `interferogram.run` wrote, or a supplied wrapped phase (rad) or complex interferogram.
    coherence : supplied coherence; None where the interferogram holds it.
    looks : independent looks of supplied interferograms; None: `phase.SUPPLIED_LOOKS`. threads : of whirlwind.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    filtered, averaged, unfiltered, correlation = _read(interferogram, coherence, settings)
    if coherence is None:
        with rasterio.open(interferogram) as source:
            looks = float(source.tags()["COHERENCE_SAMPLES"])
    unwrapped, components = unwrap(filtered, correlation, looks or SUPPLIED_LOOKS, settings.unwrapper)
    unwrapped += wrap(averaged - filtered)
    if not np.isfinite(unwrapped).any():
        raise InputError(f"{interferogram}: no pixel has both phase and coherence; remove the pair.")
    write(output, Grid.from_raster(interferogram), pair, settings, [unwrapped, correlation, components, unfiltered])


def write(
    output: str | Path, grid: Grid, pair: Pair, settings: UnwrappingSettings, bands: Sequence[np.ndarray]
) -> None:
    """Write `bands` (those of `BANDS`, each (rows, cols)) of an unwrapped pair as a COG."""
    unwrapped, components = bands[0], bands[2]
    raster.write(
        output,
        grid,
        np.stack([np.asarray(band, np.float32) for band in bands]),
        bands=BANDS,
        units=("rad", "1", "1", "rad"),
        compress="zstd",  # read twice by the inversion, in half the time
        long_name=(
            "unwrapped interferometric phase",
            "coherence",
            "connected component, 0 for none",
            "wrapped interferometric phase before any filter",
        ),
        tags={
            "REFERENCE_DATE": pair.reference,
            "SECONDARY_DATE": pair.secondary,
            "PHASE_WINDOW": settings.phase_window,
            "UNWRAPPER": settings.unwrapper,
            "SIGN": "LOS displacement towards the satellite = -wavelength * phase / (4 pi)",
        },
    )
    share = np.mean(components[np.isfinite(unwrapped)] > 0)
    print(f"{pair.name}: {components.max()} connected component(s) hold {share:.1%} of the pixels")


def _read(path: str | Path, coherence: str | Path | None, settings: UnwrappingSettings) -> tuple[np.ndarray, ...]:
    """Phase filtered, averaged and as it is, and coherence, of our own or of a supplied interferogram."""
    if coherence is None:
        return tuple(raster.read(path))
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
    return tuple(np.where(there, values, np.nan).astype(np.float32) for values in phases)
