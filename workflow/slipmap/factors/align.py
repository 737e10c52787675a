"""Bring any raster onto the area's grid, once, with the resampling that suits it, block by block and in parallel."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling, pixel_offset

log = logging.getLogger(__name__)
WIDE_BLOCK = 1024  # pixels on a side where the work on a block is light: two tiles of the files each way

BlockReader = Callable[[Window], np.ndarray]


def expanded(grid: Grid, pixels: int) -> Grid:
    """`grid` with `pixels` more on every side."""
    transform = grid.transform @ Affine.translation(-pixels, -pixels)
    return Grid(grid.crs, transform, grid.width + 2 * pixels, grid.height + 2 * pixels)


def with_margin(grid: Grid, margin: float, path: str | Path) -> tuple[Grid, int, int]:
    """Grid that reaches `margin` metres beyond `grid` where the raster at `path` does.

    Returns
    -------
    (the wider grid, rows, columns) : the offset of `grid` in it, in pixels.
    """
    with rasterio.open(path) as src:
        left, bottom, right, top = transform_bounds(src.crs, CRS.from_user_input(grid.crs), *raster.outer_bounds(src))
    pad = int(np.ceil(margin / min(grid.resolution)))
    rx, ry = grid.resolution
    a = grid.bounds

    def beyond(distance: float, size: float) -> int:
        return int(np.clip(np.floor(distance / size + 1e-6), 0, pad))

    west, east = beyond(a[0] - left, rx), beyond(right - a[2], rx)
    south, north = beyond(a[1] - bottom, ry), beyond(top - a[3], ry)
    transform = grid.transform @ Affine.translation(-west, -north)
    return (
        Grid(grid.crs, transform, grid.width + west + east, grid.height + north + south),
        north,
        west,
    )


@contextmanager
def reader(
    path: str | Path,
    grid: Grid,
    *,
    bands: int | list[int] = 1,
    resampling: str | None = None,
    kind: str = "field",
    nodata: float | None = None,
) -> Iterator[BlockReader]:
    """Yield a function that reads any window of `grid`, even one that reaches beyond it, from the raster at `path`.

    Parameters
    ----------
    bands : one band number (blocks are (rows, cols)) or several ((bands, rows, cols)).
    resampling : GDAL's name; None leaves it to `choose_resampling`.
    nodata : the value that means nodata where the file does not declare one.

    Notes
    -----
    Blocks are float32; what lies outside the raster is NaN. Where the raster's pixels coincide with the grid's they are
    read as they are; else GDAL warps each block, and only the bands asked for (a `WarpedVRT` would warp them all). The
    function must be called from one thread at a time.
    """
    resampling = resampling or choose_resampling(path, grid, kind)
    with rasterio.open(path) as src:
        offset = pixel_offset(src, grid)
        if offset is not None:
            yield lambda window: _read_padded(src, window, bands, *offset, nodata)
        else:
            yield lambda window: _warp(src, grid.window_grid(window), bands, resampling, nodata)


def grown(window: Window, pixels: int) -> Window:
    """`window` with a halo of `pixels` on every side."""
    return Window(
        window.col_off - pixels, window.row_off - pixels, window.width + 2 * pixels, window.height + 2 * pixels
    )


def align(
    source: str | Path,
    grid: Grid,
    out: str | Path,
    *,
    name: str,
    units: str,
    long_name: str,
    band: int = 1,
    resampling: str | None = None,
    kind: str = "field",
    nodata: float | None = None,
    tags: dict[str, object] | None = None,
) -> None:
    """Warp one band of the raster `source` to `grid` and write it to `out` as a float32 factor.

    Raises
    ------
    InputError : `source` has no pixel inside the area.
    """
    resampling = resampling or choose_resampling(source, grid, kind)
    seen = False
    tags = {"source": Path(raster.file_name(source)).name, "resampling": resampling} | (tags or {})
    with (
        reader(source, grid, bands=band, resampling=resampling, kind=kind, nodata=nodata) as read,
        raster.create(out, grid, bands=[name], units=units, long_name=long_name, tags=tags, compress="zstd") as target,
    ):
        for window in grid.blocks(WIDE_BLOCK):
            block = read(window)
            seen |= bool(np.isfinite(block).any())
            target.write(block, window)
        if not seen:
            raise InputError(
                f"{raster.file_name(source)}: it has no valid pixel inside the area; check grid.bounds and the file."
            )


def _warp(
    src: rasterio.io.DatasetReader, part: Grid, bands: int | list[int], resampling: str, nodata: float | None
) -> np.ndarray:
    """Warp some bands of `src` to the grid `part`."""
    shape = part.shape if isinstance(bands, int) else (len(bands), *part.shape)
    out = np.full(shape, np.nan, np.float32)
    try:
        reproject(
            rasterio.band(src, bands),
            out,
            src_nodata=src.nodata if nodata is None else nodata,
            dst_transform=part.transform,
            dst_crs=CRS.from_user_input(part.crs),
            dst_nodata=np.nan,
            resampling=Resampling[resampling],
            src_alpha=raster.alpha_band(src),
            tolerance=0.05,  # pixels by which GDAL may be off in placing one
            UNIFIED_SRC_NODATA="NO",  # a pixel may be missing in one band alone
        )
    except RasterioError as error:
        raise InputError(
            f"{raster.file_name(src)}: the pixels cannot be read ({error}); the file is truncated or corrupt, fetch it "
            f"again."
        ) from error
    return out


def _read_padded(
    src: rasterio.io.DatasetReader,
    window: Window,
    bands: int | list[int],
    row: int,
    col: int,
    nodata: float | None,
) -> np.ndarray:
    """Read `window`, shifted by (`row`, `col`), from `src`, with NaN outside of it and for `nodata`."""
    top, left = int(window.row_off) + row, int(window.col_off) + col
    height, width = int(window.height), int(window.width)
    y0, y1 = max(top, 0), min(top + height, src.height)
    x0, x1 = max(left, 0), min(left + width, src.width)
    shape = (height, width) if isinstance(bands, int) else (len(bands), height, width)
    if y1 <= y0 or x1 <= x0:
        return np.full(shape, np.nan, np.float32)
    inner = raster.read_open(src, Window(x0, y0, x1 - x0, y1 - y0), bands)
    if nodata is not None and nodata != src.nodata:
        inner[inner == nodata] = np.nan
    if inner.shape == shape:
        return inner
    out = np.full(shape, np.nan, np.float32)
    out[..., y0 - top : y1 - top, x0 - left : x1 - left] = inner
    return out
