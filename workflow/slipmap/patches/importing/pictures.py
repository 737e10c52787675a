"""Read images and masks from GeoTIFF or PNG."""

import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from slipmap.codes import IGNORE
from slipmap.io.grid import crs_name
from slipmap.patches.importing.importer import SampleError

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


def read_mask(path: Path) -> np.ma.MaskedArray:
    """The values of a mask (rows, cols), masked where nodata is declared; a grey picture may be saved in colours.

    Raises
    ------
    SampleError : colours that differ, which no single value tells.
    """
    with _opened(path) as src:
        bands = [i for i, kind in zip(src.indexes, src.colorinterp, strict=True) if kind.name != "alpha"]
        array = src.read(bands, masked=True)
    if (array.data != array.data[:1]).any():
        raise SampleError(
            f"{path} is a mask in {len(bands)} colours that differ; save it with one band, and set "
            f"source.landslide_value to what means landslide in it."
        )
    values: np.ma.MaskedArray = array[0]
    return values


def read_labels(path: Path, landslide: int | tuple[int, ...], ignore: int | None, background: int = 0) -> np.ndarray:
    """A mask as uint8 labels: 1 where it is `landslide`, 255 where it is `ignore` or nodata, 0 at `background`.

    Raises
    ------
    SampleError : a value that is none of those; see `read_mask`.
    """
    array = read_mask(path)
    values = np.asarray(array.data)
    landslides = np.isin(values, landslide)
    # A mask of landslides often declares its background as nodata, so that a map shows only its ones.
    ignored = np.ma.getmaskarray(array) & (values != background)
    if ignore is not None:
        ignored |= values == ignore
    other = ~(landslides | ignored | (values == background))
    if other.any():
        raise SampleError(
            f"{path} has the label {values[other].min()}; labels are {background} (none), {landslide} (landslide)"
            + (f" and {ignore} (ignore)" if ignore is not None else "")
            + "; set source.landslide_value, background_value and ignore_value to what they mean."
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
