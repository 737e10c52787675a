"""Random fields, random streams and files that every part of the simulator uses."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import rasterio
import scipy.fft
import xarray as xr
from numpy.typing import NDArray
from rasterio.crs import CRS

from slipmap.arrays import Floats
from slipmap.io.atomic import write_aside
from slipmap.io.grid import BLOCK, Grid

SIMULATED = {"SIMULATED": "yes"}
Precision = TypeVar("Precision", np.float32, np.float64)


def stream(seed: int, *names: object) -> np.random.Generator:
    """Random numbers that depend on `seed` and `names` alone, so that parts can change without moving others."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


def power_law(rng: np.random.Generator, shape: tuple[int, int], exponent: float, outer: float | None = None) -> Floats:
    """Gaussian random field whose two-dimensional power spectrum falls as ``k ** -exponent``.

    Parameters
    ----------
    shape : (rows, cols).
    exponent : 11/3 for turbulence (Hanssen 2001, chapter 4), about 4 for terrain.
    outer : wavelength in pixels beyond which the spectrum is flat; None: none.

    Returns
    -------
    (rows, cols) float32 with mean 0 and standard deviation 1. Not periodic: cut from a field a quarter larger.
    """
    padded = tuple(scipy.fft.next_fast_len(n + max(n // 4, 8), real=True) for n in shape)
    ky = scipy.fft.fftfreq(padded[0])[:, None]
    kx = scipy.fft.rfftfreq(padded[1])[None, :]
    k2 = ky**2 + kx**2 + (0.0 if outer is None else 1.0 / outer**2)
    k2[0, 0] = np.inf
    white = rng.standard_normal(padded, dtype=np.float32)
    spectrum = scipy.fft.rfft2(white) * (k2 ** (-exponent / 4)).astype(np.float32)
    field: Floats = scipy.fft.irfft2(spectrum, s=padded)[: shape[0], : shape[1]]
    field -= field.mean()
    return (field / max(float(field.std()), 1e-12)).astype(np.float32)


def smoothstep(x: NDArray[Precision]) -> NDArray[Precision]:
    """0 below 0, 1 above 1, and a smooth rise (zero slope at both ends) between."""
    share: NDArray[Precision] = np.clip(x, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def write_geotiff(
    path: Path,
    grid: Grid,
    bands: np.ndarray,
    *,
    names: Sequence[str],
    units: str,
    tags: Mapping[str, object],
    nodata: float | None = None,
    compress: str | None = None,
) -> None:
    """Write (bands, rows, cols) of any type as the raw data come: a plain tiled GeoTIFF, whole or not at all."""
    options = {"compress": compress, "predictor": 2, "zlevel": 4} if compress else {}
    with (
        write_aside(path) as aside,
        rasterio.open(
            aside,
            "w",
            driver="GTiff",
            width=grid.width,
            height=grid.height,
            count=len(bands),
            dtype=bands.dtype,
            crs=CRS.from_user_input(grid.crs),
            transform=grid.transform,
            nodata=nodata,
            tiled=True,
            blockxsize=BLOCK,
            blockysize=BLOCK,
            interleave="band",
            **options,
        ) as dataset,
    ):
        dataset.descriptions = tuple(names)
        dataset.units = (units,) * len(bands)
        dataset.update_tags(**({key: str(value) for key, value in tags.items()} | SIMULATED))
        dataset.write(bands)


def write_netcdf(path: Path, dataset: xr.Dataset) -> None:
    """Write a CF NetCDF-4 file, whole or not at all."""
    with write_aside(path) as aside:
        dataset.to_netcdf(aside, engine="h5netcdf")
