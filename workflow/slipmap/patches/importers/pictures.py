"""Read images and masks from GeoTIFF or PNG."""

import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from slipmap.codes import IGNORE
from slipmap.io.grid import crs_name
from slipmap.patches.importers.source import SampleError

SUFFIXES = (".tif", ".tiff", ".png")


def list_pictures(folder: Path) -> list[Path]:
    """The GeoTIFF and PNG files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def read_bands(path: Path) -> np.ndarray:
    """All bands as float32 (bands, rows, cols), NaN for declared nodata and where a fourth PNG band is transparent."""
    with _opened(path) as src:
        array = np.ma.filled(src.read(masked=True).astype(np.float32), np.nan)
        alpha = [i for i, kind in enumerate(src.colorinterp) if kind.name == "alpha"]
    return np.delete(array, alpha, axis=0)


def read_labels(path: Path, landslide: int | tuple[int, ...], ignore: int | None) -> np.ndarray:
    """The first band as uint8 labels: 1 where it is `landslide`, 255 where it is `ignore` or nodata, else 0.

    Raises
    ------
    SampleError : a value that is neither of those, nor 0.
    """
    with _opened(path) as src:
        array = src.read(1, masked=True)
    values = np.asarray(array.data)
    landslides = np.isin(values, landslide)
    ignored = np.ma.getmaskarray(array) | ((values == ignore) if ignore is not None else False)
    other = ~(landslides | ignored | (values == 0))
    if other.any():
        raise SampleError(
            f"{path} has the label {values[other].min()}; labels are 0 (none), {landslide} (landslide)"
            + (f" and {ignore} (ignore)." if ignore is not None else ".")
        )
    return np.where(ignored & ~landslides, IGNORE, landslides).astype(np.uint8)


def georeference(path: Path) -> tuple[tuple[float, float, float, float] | None, str, tuple[str | None, ...]]:
    """(bounds or None, CRS, band descriptions) from the header."""
    with _opened(path) as src:
        bounds = tuple(src.bounds) if src.crs is not None else None
        return bounds, crs_name(src.crs), src.descriptions


class _opened:
    """`rasterio.open` whose failures are one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> rasterio.io.DatasetReader:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                self._src = rasterio.open(self._path)
        except RasterioError as error:
            raise SampleError(f"{self._path} is not a picture that can be opened; fetch it again.") from error
        return self._src

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        self._src.close()
        if isinstance(error, RasterioError):
            raise SampleError(f"{self._path} is truncated or corrupt; fetch it again.") from error
