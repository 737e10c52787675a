"""Pixels of a geocoded SLC by window, from a complex GeoTIFF or an OPERA CSLC-S1 HDF5 file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from slipmap.arrays import Complexes
from slipmap.errors import InputError
from slipmap.io.grid import Grid

if TYPE_CHECKING:  # its import takes its time, and GeoTIFFs do without
    import h5py

OPERA_SUFFIXES = (".h5", ".hdf5")
INDEPENDENT_LOOK = "metadata/processing_information/algorithms/independent_look_area"  # slipmap's own products say it
POLARISATIONS = ("VV", "HH", "VH", "HV")


class SlcFile:
    """An open SLC: its `grid`, `cell`, and `read(window)` → complex64 (rows, cols).

    `cell` is the ground that is one independent look, m²; None where the file does not say: every pixel is.
    """

    def __init__(
        self, path: str, grid: Grid, source: "DatasetReader | h5py.Dataset", cell: float | None = None
    ) -> None:
        self.path, self.grid, self.cell, self._source = path, grid, cell, source

    def read(self, window: Window) -> Complexes:
        """Pixels of `window`; a block that cannot be decoded is an `InputError` naming the file."""
        try:
            if isinstance(self._source, DatasetReader):
                pixels: Complexes = self._source.read(1, window=window)
            else:
                rows, cols = window.toslices()
                pixels = self._source[rows, cols]
        except (RasterioError, OSError) as error:
            raise InputError(
                f"{self.path}: the pixels cannot be read ({error}); the file is truncated or corrupt, fetch it again."
            ) from error
        return pixels


@contextmanager
def open_slc(path: str, chunk_cache: int | None = None) -> Iterator[SlcFile]:
    """Open a GeoTIFF, or an OPERA CSLC-S1 product (`Grid` from its coordinates).

    Parameters
    ----------
    chunk_cache : bytes of decoded chunks that HDF5 keeps for each file that is open; None: its own default, 8 MiB.
    """
    if Path(path).suffix not in OPERA_SUFFIXES:
        try:
            source = rasterio.open(path)
        except RasterioError as error:
            raise InputError(f"{path}: not a raster that GDAL can open; fetch the file again.") from error
        with source:
            yield SlcFile(path, Grid.from_raster(path), source)
        return
    import h5py

    try:
        file = h5py.File(path, **({} if chunk_cache is None else {"rdcc_nbytes": chunk_cache}))
    except OSError as error:
        raise InputError(f"{path}: not an HDF5 file that can be opened ({error}); fetch it again.") from error
    with file:
        cell = float(file[INDEPENDENT_LOOK][()]) if INDEPENDENT_LOOK in file else None
        yield SlcFile(path, opera_grid(file, path), opera_layer(file, path), cell)


def opera_layer(file: "h5py.File", path: str) -> "h5py.Dataset":
    """The complex layer of an OPERA CSLC-S1 file, co-polarised first."""
    for name in POLARISATIONS:
        if f"data/{name}" in file:
            return file[f"data/{name}"]
    raise InputError(f"{path}: there is no layer data/VV or data/HH in it; give OPERA CSLC-S1 products.")


def opera_grid(file: "h5py.File", path: str) -> Grid:
    """Grid of an OPERA CSLC-S1 file: pixel centres in data/x_coordinates and y_coordinates, EPSG in data/projection."""
    try:
        x, y = file["data/x_coordinates"], file["data/y_coordinates"]
        dx, dy = float(x[1] - x[0]), float(y[1] - y[0])
        corner = Affine(dx, 0, float(x[0]) - dx / 2, 0, dy, float(y[0]) - dy / 2)
        return Grid(f"EPSG:{int(file['data/projection'][()])}", corner, len(x), len(y))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: the grid of an OPERA CSLC-S1 product is not in it ({error}); fetch it again."
        ) from error
