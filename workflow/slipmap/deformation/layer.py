"""One quantity in a supplied file: where its values are, its header, and a view of it as GDAL opens it."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from slipmap.arrays import Flags, Floats
from slipmap.deformation.phase import supplied_phase
from slipmap.inputs.contract import repeated_value

_TYPES = {
    "uint8": "Byte", "int8": "Int8", "int16": "Int16", "uint16": "UInt16", "int32": "Int32", "uint32": "UInt32",
    "float32": "Float32", "float64": "Float64", "complex64": "CFloat32", "complex128": "CFloat64",
}  # fmt: skip
_SAMPLE = 512  # pixels on a side of what is read at a time in search of data
_CORNER, _ENOUGH = 32, 4096  # pixels on a side of the corners that are looked at, and values of a part that count


class Unreadable(Exception):
    """A file that cannot be used; the message says why, without the file's name."""


@dataclass(frozen=True)
class Layer:
    """Where the values of a quantity are.

    Parameters
    ----------
    path : the file. dataset : path inside HDF5 or NetCDF. band : 1-based; None: `value_band`.
    factor, offset : value = stored · factor + offset, after the file's own scale and offset.
    nodata : that the file does not declare. mask : data set whose 0 means no data.
    """

    path: Path
    dataset: str = ""
    band: int | None = None
    factor: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    mask: str = ""

    @property
    def name(self) -> str:
        """What GDAL opens."""
        return self._inside(self.dataset) if self.dataset else str(self.path)

    @property
    def is_plain(self) -> bool:
        """Whether the file itself can stand for the layer."""
        return self == Layer(self.path)

    def _inside(self, dataset: str) -> str:
        return f'NETCDF:"{self.path}":{dataset}'


class Header(NamedTuple):
    """What is known of a layer without its pixels, and the largest of a few of them."""

    layer: Layer
    shape: tuple[int, int]
    transform: Affine
    crs: CRS | None
    dtype: str
    band: int
    scale: float
    offset: float
    nodata: float | None
    tags: dict[str, str]
    largest: float
    least: float
    unit: str
    repeated: float | None
    masked: bool


def value_band(source: DatasetReader) -> int:
    """Number of the band of a supplied raster that holds phase or coherence: of two the second, after the amplitude.

    So ISCE2 writes its ``.unw`` and ``.cor``.
    """
    return 2 if source.count == 2 else 1


def inspect(layer: Layer, *, phase: bool | None) -> Header:
    """Open `layer`, read its header and pixels until one has data (most often a single block).

    Parameters
    ----------
    phase : whether it is a phase, else a coherence; None: something else, of which no pixel is read.

    Raises
    ------
    Unreadable : GDAL cannot open it, it is truncated, or no pixel has data.
    """
    try:
        with rasterio.open(layer.name) as src:
            band = layer.band or value_band(src)
            if src.driver == "GTiff":
                _require_whole(src, layer.path)
            elif src.driver in ("VRT", "ISCE"):
                _require_raw(src, layer.path)
            sample = np.zeros(1) if phase is None else _first_values(src, band, layer, phase=phase)
            return Header(
                layer, src.shape, src.transform, src.crs, src.dtypes[band - 1], band, src.scales[band - 1],
                src.offsets[band - 1], src.nodata, src.tags(), float(np.abs(sample).max()), float(np.abs(sample).min()),
                _unit(src, band), _repeated(src, band, layer, sample) if phase else None,
                MaskFlags.per_dataset in src.mask_flag_enums[band - 1],
            )  # fmt: skip
    except (RasterioError, OSError) as error:
        raise Unreadable(f"not a raster that can be read ({_short(error)}); fetch it again") from error


def _unit(src: DatasetReader, band: int) -> str:
    """Unit of the band; not that of heights, which GDAL takes from a vertical CRS."""
    said = src.units[band - 1]
    if said and src.crs is not None and "VERT" in src.crs.to_wkt():
        said = ""
    return (said or src.tags(band).get("units") or "").strip()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:100]


def _first_values(src: DatasetReader, band: int, layer: Layer, *, phase: bool) -> Floats:
    """Values (1-D; magnitudes of complex ones) in the first part of the raster, from the middle outwards, with data."""
    rate = src.scales[band - 1] * layer.factor
    for window in _from_the_middle(src):
        values = src.read(band, window=window)
        wrapped = np.iscomplexobj(values)
        values = np.abs(values) if wrapped else values.astype(np.float32, copy=False)
        found: Floats = values[_there(values, src, band, layer, window)]
        if phase and not wrapped:
            found = supplied_phase(found if rate == 1 else found * rate)
            found = found[np.isfinite(found)]
        elif not phase:
            found = found[(found > 0) & (found < 1e3)]  # the rest is nodata, declared or not
        if found.size:
            return found
    raise Unreadable(f"empty, {'no pixel has data' if phase else 'its coherences are zero or nodata'}; fetch it again")


def _there(values: np.ndarray, src: DatasetReader, band: int, layer: Layer, window: Window) -> np.ndarray:
    """Where stored values are neither 0 nor nodata."""
    there: np.ndarray = np.isfinite(values) & (values != 0)
    for nothing in (src.nodatavals[band - 1], layer.nodata):
        if nothing is not None:
            there &= values != np.float32(nothing)
    if MaskFlags.per_dataset in src.mask_flag_enums[band - 1]:
        there &= src.read_masks(band, window=window) > 0
    if layer.mask:
        there &= _kept(layer, window)
    return there


def _repeated(src: DatasetReader, band: int, layer: Layer, middle: np.ndarray) -> float | None:
    """The phase that the middle and the corners of a raster repeat as only a fill value is repeated, as stored."""
    if np.dtype(src.dtypes[band - 1]).kind == "c":
        return None
    rate, parts = src.scales[band - 1] * layer.factor, [middle / (src.scales[band - 1] * layer.factor)]
    rows, cols = src.block_shapes[0]
    if src.height > rows or src.width > cols:  # else the middle was all
        high, wide = min(_CORNER, src.height), min(_CORNER, src.width)
        for row in {0, src.height - high}:
            for col in {0, src.width - wide}:
                window = Window(col, row, wide, high)
                try:
                    stored = src.read(band, window=window).astype(np.float32)
                    parts.append(stored[_there(stored, src, band, layer, window)])
                except RasterioError:
                    continue  # a damaged block is nodata, and named where it is read
    values = np.concatenate([part.ravel()[:: max(part.size // _ENOUGH, 1)] for part in parts])
    return repeated_value(values[np.isfinite(supplied_phase(values * rate))])


def _kept(layer: Layer, window: Window) -> Flags:
    """Whether the mask of a layer lets a window of it stand, (rows, cols)."""
    with rasterio.open(layer._inside(layer.mask)) as mask:
        kept: Flags = mask.read(1, window=window) > 0
    return kept


def _from_the_middle(src: DatasetReader) -> Iterator[Window]:
    """First the block that holds the middle, which most often is enough; then all of the raster."""
    rows, cols = (min(size, _SAMPLE) for size in src.block_shapes[0])
    row, col = src.height // 2 // rows * rows, src.width // 2 // cols * cols
    yield Window(col, row, min(cols, src.width - col), min(rows, src.height - row))
    for row in range(0, src.height, _SAMPLE):
        for col in range(0, src.width, _SAMPLE):
            yield Window(col, row, min(_SAMPLE, src.width - col), min(_SAMPLE, src.height - row))


def _require_whole(src: DatasetReader, path: Path) -> None:
    """Raise `Unreadable` where the last block that was written lies behind the end of the file.

    Blocks are written in order, so that the last one tells; a raster of single rows has thousands.
    """
    rows, cols = src.block_shapes[0]
    size, down, across = path.stat().st_size, -(-src.height // rows), -(-src.width // cols)
    for y in range(down - 1, -1, -1):
        for x in range(across - 1, -1, -1):
            places = [
                (src.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band),
                 src.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=band))
                for band in src.indexes
            ]  # fmt: skip
            ends = [int(offset) + int(length) for offset, length in places if offset and length]
            if ends:
                if max(ends) > size:
                    raise Unreadable(f"truncated ({size} bytes, its blocks need {max(ends)}); fetch it again")
                return


def _require_raw(src: DatasetReader, path: Path) -> None:
    """Raise `Unreadable` where the raw file that an ISCE2 header describes is shorter than its bands."""
    raw = path.with_suffix("") if path.suffix == ".vrt" else path
    needed = src.width * src.height * sum(np.dtype(kind).itemsize for kind in src.dtypes)
    if raw.is_file() and raw.suffix != ".tif" and raw.stat().st_size < needed:
        raise Unreadable(f"{raw.name} is truncated ({raw.stat().st_size} bytes of {needed}); fetch it again")


def view(header: Header, crop: tuple[int, int, int, int] | None = None) -> str:
    """A GDAL virtual raster (XML) of one band: cropped, scaled, with nodata and mask as `Layer` says.

    Parameters
    ----------
    crop : first column, first row, columns, rows; None: all.
    """
    layer, (rows, cols) = header.layer, header.shape
    col, row, width, height = crop or (0, 0, cols, rows)
    place = header.transform @ Affine.translation(col, row)
    factor, offset = header.scale * layer.factor, header.offset * layer.factor + layer.offset
    plain = (factor, offset) == (1.0, 0.0) and layer.nodata is None
    nodata = layer.nodata if layer.nodata is not None else header.nodata
    if plain and header.masked and not header.dtype.startswith("complex"):
        kind, dtype, more = "ComplexSource", "Float32", "<UseMaskBand>true</UseMaskBand>"
        own = "<NoDataValue>nan</NoDataValue>"
    elif plain:
        kind, dtype, more = "SimpleSource", _TYPES[header.dtype], ""
        own = "" if nodata is None else f"<NoDataValue>{nodata!r}</NoDataValue>"
    else:
        kind, dtype, own = "ComplexSource", "Float32", "<NoDataValue>nan</NoDataValue>"
        more = f"<ScaleOffset>{offset!r}</ScaleOffset><ScaleRatio>{factor!r}</ScaleRatio>"
        more += "<UseMaskBand>true</UseMaskBand>" if header.masked else ""
        more += "" if nodata is None or header.masked else f"<NODATA>{nodata!r}</NODATA>"
    rectangles = (
        f'<SrcRect xOff="{col}" yOff="{row}" xSize="{width}" ySize="{height}"/>'
        f'<DstRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
    )
    values = _source(kind, layer.name, header.band, rectangles, more)
    mask = ""
    if layer.mask:
        inner = _source("ComplexSource", layer._inside(layer.mask), 1, rectangles, "<ScaleRatio>255</ScaleRatio>")
        mask = f'<MaskBand><VRTRasterBand dataType="Byte">{inner}</VRTRasterBand></MaskBand>'
    srs = "" if header.crs is None else f"<SRS>{escape(header.crs.to_wkt())}</SRS>"
    origin = ", ".join(repr(v) for v in place.to_gdal())
    return (
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">{srs}<GeoTransform>{origin}</GeoTransform>'
        f'<VRTRasterBand dataType="{dtype}" band="1">{own}{values}</VRTRasterBand>{mask}</VRTDataset>\n'
    )


def _source(kind: str, name: str, band: int, rectangles: str, more: str) -> str:
    return (
        f'<{kind}><SourceFilename relativeToVRT="0">{escape(name)}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>{rectangles}{more}</{kind}>"
    )


def is_view(place: str) -> bool:
    """Whether a place of values is the text of a view, and not the name of a file."""
    return place.startswith("<VRTDataset")
