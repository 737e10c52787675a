"""Rasters in and out, block by block: cloud-optimised GeoTIFF, NaN (or 255) for nodata, units in the tags.

Nothing here holds more than one block of a raster in memory, whatever its size.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Unpack
from urllib.parse import unquote

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

import slipmap
from slipmap.codes import IGNORE
from slipmap.errors import InputError
from slipmap.io import overlap
from slipmap.io.atomic import write_aside
from slipmap.io.description import Description
from slipmap.io.grid import BLOCK, Grid, crs_name
from slipmap.io.overviews import with_overviews
from slipmap.io.resampling import choose_resampling

CLASS_NODATA = IGNORE
_NODATA = {"float32": np.nan, "uint8": CLASS_NODATA}


class RasterWriter:
    """Writes blocks to one raster; see `create`."""

    def __init__(self, dataset: rasterio.io.DatasetWriter, grid: Grid) -> None:
        self._dataset = dataset
        self.grid = grid

    def write(self, array: np.ndarray, window: Window | None = None, band: int | None = None) -> None:
        """Write `array`: (bands, rows, cols), or (rows, cols) for `band` (1-based; default the first).

        Without `window` the array covers the whole grid. Masked or non-finite float values become nodata.
        """
        array = np.ma.filled(array, _NODATA[self._dataset.dtypes[0]]).astype(self._dataset.dtypes[0], copy=False)
        if array.ndim == 2:
            self._dataset.write(array, band or 1, window=window)
        else:
            self._dataset.write(array, window=window)

    def tag(self, **tags: object) -> None:
        """Set tags that are known only once the blocks are."""
        self._dataset.update_tags(**{key: str(value) for key, value in tags.items()})


@contextmanager
def create(
    path: str | Path,
    grid: Grid,
    *,
    bands: Sequence[str],
    units: str | Sequence[str],
    long_name: str | Sequence[str],
    dtype: str = "float32",
    tags: Mapping[str, object] | None = None,
    categories: Mapping[int, str] | None = None,
    compress: Literal["deflate", "zstd"] = "deflate",
    statistics: bool = False,
) -> Iterator[RasterWriter]:
    """Yield a `RasterWriter`; on success the file at `path` is a whole cloud-optimised GeoTIFF.

    Parameters
    ----------
    path : the raster to make.
    grid : where it lies.
    bands : a name for each band (the band descriptions).
    units, long_name : for all bands, or one for each ("mm/yr", "degrees", "1" where there is none).
    dtype : "float32" (nodata NaN) or "uint8" (classes; nodata 255).
    tags : provenance and whatever else a reader should know; values become strings. Never a time of writing:
        the same run must give the same bytes.
    categories : names of the classes of a "uint8" raster, written to the tag ``CLASSES`` as ``1=name;2=name``.
    compress : "deflate", which every program reads, for results; "zstd", which takes half the time to write and is read
        by GDAL and so by QGIS, for what the workflow itself reads again and again (the factors).
    statistics : also write minimum, maximum, mean and standard deviation of each band into its tags (STATISTICS_…),
        where programs look for them to stretch colours; read in one more pass.

    Notes
    -----
    Blocks go to a tiled temporary file beside `path` (not compressed: floats would shrink by a sixth only), whose
    overviews are made next; GDAL then copies both into COG layout, in as many threads as the environment's
    ``GDAL_NUM_THREADS`` says. Memory stays at a few blocks and GDAL's cache. A single band that is no
    larger than a block has no overviews and goes through memory (of several, GDAL takes bytes in a file for colours).
    """
    if dtype not in _NODATA:
        raise ValueError(f"dtype {dtype!r}: rasters are float32 (NaN) or uint8 classes (255)")
    about = bands, _each(units, bands), _each(long_name, bands), categories or {}, tags or {}
    with write_aside(path) as aside:
        if max(grid.shape) <= BLOCK and len(bands) == 1:
            with rasterio.open("", "w+", **_profile(grid, len(bands), dtype, driver="MEM")) as dataset:
                dataset.write(np.full((1, *grid.shape), _NODATA[dtype], dtype))  # memory begins with zeros
                _describe(dataset, *about)
                yield RasterWriter(dataset, grid)
                _copy_to_cog(dataset, aside, compress, statistics)
            return
        tiled = aside.with_suffix(".tiles.tif")
        try:
            with rasterio.open(tiled, "w", **_profile(grid, len(bands), dtype)) as dataset:
                _describe(dataset, *about)
                yield RasterWriter(dataset, grid)
            with with_overviews(tiled) as source:
                _copy_to_cog(source, aside, compress, statistics)
        finally:
            tiled.unlink(missing_ok=True)


def _each(text: str | Sequence[str], bands: Sequence[str]) -> list[str]:
    return [text] * len(bands) if isinstance(text, str) else list(text)


def _profile(grid: Grid, count: int, dtype: str, driver: str = "GTiff") -> dict[str, Any]:
    """How that is laid out into which blocks are written: a tiled file, or memory (driver "MEM")."""
    tiled = {
        "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "interleave": "band", "sparse_ok": True,
        "bigtiff": "if_safer",
    }  # fmt: skip
    return {
        "driver": driver, "width": grid.width, "height": grid.height, "count": count, "dtype": dtype,
        "crs": CRS.from_user_input(grid.crs), "transform": grid.transform, "nodata": _NODATA[dtype],
    } | (tiled if driver == "GTiff" else {})  # fmt: skip


def _describe(
    dataset: rasterio.io.DatasetWriter,
    bands: Sequence[str],
    units: Sequence[str],
    long_names: Sequence[str],
    categories: Mapping[int, str],
    tags: Mapping[str, object],
) -> None:
    """Write what the bands are, in the tags of each and, of a single one, in those of the file."""
    dataset.descriptions = tuple(bands)
    dataset.units = tuple(units)
    for number, (unit, name) in enumerate(zip(units, long_names, strict=True), start=1):
        dataset.update_tags(number, units=unit, long_name=name)
    general = {"units": units[0], "long_name": long_names[0]} if len(bands) == 1 else {}
    if categories:
        general["CLASSES"] = ";".join(f"{value}={_escaped(name)}" for value, name in sorted(categories.items()))
    given = {key: str(value) for key, value in tags.items()}
    dataset.update_tags(**(general | {"software": f"slipmap {slipmap.__version__}"} | given))


def _copy_to_cog(source: Path | rasterio.io.DatasetWriter, path: Path, compress: str, statistics: bool) -> None:
    """Copy a finished raster, a file with overviews or one in memory, into the layout of a cloud-optimised file."""
    rasterio.shutil.copy(
        source,
        path,
        driver="COG",
        blocksize=BLOCK,
        compress=compress,
        predictor="yes",
        level=1,  # 1.7 times as fast as the default, 2 % larger
        bigtiff="if_safer",
        statistics="YES" if statistics else "NO",
    )


def write(path: str | Path, grid: Grid, array: np.ndarray, **description: Unpack[Description]) -> None:
    """Write one array, (rows, cols) or (bands, rows, cols), that fits in memory; see `create`."""
    with create(path, grid, **description) as raster:
        for window in grid.blocks():
            rows, cols = window.toslices()
            raster.write(array[..., rows, cols], window)


def read(path: str | Path, window: Window | None = None, bands: int | Sequence[int] | None = None) -> np.ndarray:
    """Read as float32 with NaN for nodata: (rows, cols) for one band number, else (bands, rows, cols)."""
    with rasterio.open(path) as src:
        return read_open(src, window, bands)


def read_open(
    src: rasterio.io.DatasetReader | WarpedVRT,
    window: Window | None = None,
    bands: int | Sequence[int] | None = None,
) -> np.ndarray:
    """As `read`, from an open data set; a block that cannot be decoded is an `InputError` naming the file."""
    try:
        array = src.read(bands, window=window, masked=True)
    except RasterioError as error:
        raise unreadable(src, error) from error
    return np.ma.filled(array.astype(np.float32), np.nan)


def unreadable(src: rasterio.io.DatasetReader | WarpedVRT, error: Exception) -> InputError:
    """What to say of a file with a block that cannot be decoded."""
    return InputError(
        f"{file_name(src)}: the pixels cannot be read ({error}); the file is truncated or corrupt, fetch it again."
    )


def file_name(src: rasterio.io.DatasetReader | WarpedVRT | str | Path) -> str:
    """The file that a data set shows: its name, or that of the source of a view (see `slipmap.inputs.rasters`)."""
    name = src if isinstance(src, str | Path) else src.name
    found = re.search(r"<SourceFilename[^>]*>([^<]*)</SourceFilename>", str(name))
    return html.unescape(found[1]) if found else str(name)


def is_on_earth(crs: CRS | None) -> bool:
    """Whether a coordinate reference system tells where on the Earth a place is: not one of a site, nor an unknown."""
    return crs is not None and bool(crs.is_geographic or crs.is_projected)


def alpha_band(src: rasterio.io.DatasetReader) -> int:
    """Number of the band that says where the others have data; 0 where there is none."""
    bands = [number for number, shown in enumerate(src.colorinterp, 1) if shown == ColorInterp.alpha]
    return bands[0] if bands else 0


def outer_bounds(src: rasterio.io.DatasetReader) -> tuple[float, float, float, float]:
    """(left, bottom, right, top) of a raster, left < right and bottom < top even where it is stored south-up."""
    left, bottom, right, top = src.bounds
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


@contextmanager
def warped(
    path: str | Path, grid: Grid, resampling: str | None = None, nodata: float | None = None, kind: str = "field"
) -> Iterator[WarpedVRT]:
    """Yield a view of the raster at `path` on `grid`, to be read by window (`read_open`); see `view`."""
    with rasterio.open(path) as source, view(source, grid, resampling, nodata, kind) as found:
        yield found


def view(
    source: rasterio.io.DatasetReader,
    grid: Grid,
    resampling: str | None = None,
    nodata: float | None = None,
    kind: str = "field",
) -> WarpedVRT:
    """A view of an open raster on `grid`, to be closed: many of one raster, which GDAL then need not decode for each.

    Parameters
    ----------
    resampling : GDAL's name; None leaves it to `choose_resampling`, by the `kind` ("field", "classes", "surface").
    nodata : the value that means nodata where the file does not declare one.
    """
    return WarpedVRT(
        source,
        crs=CRS.from_user_input(grid.crs),
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=Resampling[resampling or choose_resampling(source, grid, kind)],
        src_nodata=source.nodata if nodata is None else nodata,
        nodata=np.nan,  # outside the source is nodata, whatever its type
        dtype="float32",
    )


def band_index(path: str | Path, name: str) -> int:
    """1-based number of the band described as `name` in the raster at `path`."""
    with rasterio.open(path) as src:
        names = list(src.descriptions)
    if name not in names:
        listed = ", ".join(str(n) for n in names)
        raise InputError(
            f"{path}: there is no band '{name}' (it has {listed}); name the bands in the file's descriptions."
        )
    return names.index(name) + 1


def read_classes(path: str | Path) -> dict[int, str]:
    """The class names that `create` wrote for a "uint8" raster: {value: name}.

    Raises
    ------
    InputError : the tag of a raster from elsewhere is not ``1=name;2=name``.
    """
    with rasterio.open(path) as src:
        text = src.tags().get("CLASSES", "")
    parts = (part.partition("=") for part in text.split(";") if part)
    try:
        return {int(value): unquote(name) for value, _, name in parts}
    except ValueError:
        raise InputError(
            f"{path}: its tag CLASSES is '{text[:60]}', not 1=name;2=name; correct it, or take it out."
        ) from None


def _escaped(name: str) -> str:
    """A class's name without what parts the names in the tag."""
    return name.replace("%", "%25").replace(";", "%3B").replace("\n", "%0A")


def check(path: str | Path, key: str, *, overlaps: Grid | None = None) -> None:
    """Raise `InputError` unless `path` is a whole, georeferenced raster (that overlaps `overlaps`).

    Parameters
    ----------
    key : the config key under which the user gave `path`, for the message.
    overlaps : the grid of the area.

    Notes
    -----
    A truncated GeoTIFF opens without complaint: its header comes first. So each block's place is compared with the
    length of the file; no pixel is decoded.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{key}: {path} does not exist; correct the path or put the file there.")
    try:
        src = rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{key}: {path} is not a raster that GDAL can open; fetch or export it again.") from error
    with src:
        if not is_on_earth(src.crs):
            raise InputError(
                f"{key}: {path} has no coordinate reference system; assign the right one (gdal_edit.py -a_srs EPSG:n)."
            )
        if src.transform.b or src.transform.d:
            raise InputError(
                f"{key}: {path} is rotated against its coordinate reference system; warp it north-up first (gdalwarp)."
            )
        if src.driver == "GTiff":
            check_whole(src, path, key)
        elif src.driver == "VRT":
            _require_sources(path, key)
        alpha = alpha_band(src)
        if alpha and not any(MaskFlags.alpha in flags for flags in src.mask_flag_enums):
            raise InputError(
                f"{key}: {path} has an alpha band of {src.dtypes[alpha - 1]}, which GDAL does not take for a mask; "
                f"write it as one (gdal_translate -mask {alpha})."
            )
        if overlaps is not None and not _overlap(src, overlaps):
            raise InputError(
                f"{key}: {path} does not overlap the area (its bounds are "
                f"{[round(v, 4) for v in outer_bounds(src)]} in {crs_name(src.crs)[:40]}, the area's "
                f"{[round(v, 1) for v in overlaps.bounds]} in {overlaps.crs[:40]}); check grid.bounds and the file."
            )


def _require_sources(path: Path, key: str) -> None:
    """Raise `InputError` where a file that a virtual raster refers to is not there."""
    for relative, name in re.findall(
        r'<SourceFilename(?:[^>]*relativeToVRT="([01])")?[^>]*>([^<]+)<', path.read_text(errors="replace")
    ):
        name = html.unescape(name).strip()
        source = path.parent / name if relative == "1" else Path(name)
        if not name.startswith(("/vsi", "<")) and ":" not in name and not source.exists():
            raise InputError(f"{key}: {path} refers to {source}, which does not exist; put it there or correct {path}.")


def check_whole(src: rasterio.io.DatasetReader, path: Path, key: str, size: int | None = None) -> None:
    """Raise `InputError` where a block of the open GeoTIFF `src` would lie behind the end of the file at `path`.

    `size` is its length in bytes, where it is no file of its own (the member of a zip).
    """
    size = path.stat().st_size if size is None else size
    rows, cols = src.block_shapes[0]
    last = 0
    for y in range(-(-src.height // rows)):
        for x in range(-(-src.width // cols)):
            for band in src.indexes:
                offset = src.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band)
                length = src.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=band)
                if offset and length:
                    last = max(last, int(offset) + int(length))
    if last > size:
        raise InputError(
            f"{key}: {path} is truncated ({size} bytes, its blocks need {last}); fetch or copy the file again."
        )


def _overlap(src: rasterio.io.DatasetReader, grid: Grid) -> bool:
    return overlap.overlaps(src.crs, outer_bounds(src), grid)
