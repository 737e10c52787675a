"""Copernicus DEM GLO-30: tiles of one degree from its public bucket, joined over the area and its margin."""

import logging
import math
import re
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from slipmap.config.acquire import AcquireDemSettings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.credentials import shown
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.fetch.verify import s3_checksum
from slipmap.fetch.web import TransferError, Web
from slipmap.io import raster
from slipmap.io.grid import Box, Grid

log = logging.getLogger(__name__)
PATTERN = r"Copernicus_DSM_COG_10_[NS]\d\d_00_[EW]\d{3}_00_DEM\.tif"


def tile_name(latitude: int, longitude: int) -> str:
    """Name of the tile whose south-west corner is there."""
    north = f"{'N' if latitude >= 0 else 'S'}{abs(latitude):02d}_00"
    east = f"{'E' if longitude >= 0 else 'W'}{abs(longitude):03d}_00"
    return f"Copernicus_DSM_COG_10_{north}_{east}_DEM"


def bounds(grid: Grid, margin: float) -> Box:
    """(west, south, east, north), degrees, of the ground of `grid` and `margin` metres round it."""
    left, bottom, right, top = grid.bounds
    wide = (left - margin, bottom - margin, right + margin, top + margin)
    degrees: Box = transform_bounds(CRS.from_user_input(grid.crs), CRS.from_epsg(4326), *wide)
    return degrees


def search(where: Target, settings: AcquireDemSettings, web: Web) -> Found:
    """The tiles of the area and its margin that there are: where all is sea there is none."""
    west, south, east, north = bounds(where.grid, settings.margin)
    names = [
        tile_name(latitude, longitude)
        for latitude in range(math.floor(south), math.ceil(north))
        for longitude in range(math.floor(west), math.ceil(east))
    ]
    key = f"areas.{where.area}.acquire.dem"
    if settings.archive:
        found = local.search("dem", settings.archive, PATTERN, where, dated=False, key=f"{key}.archive")
        have = {file.name: file for file in found.files}
        files = {name: have[f"{name}.tif"] for name in names if f"{name}.tif" in have}
    else:
        listed = set(re.findall(r"\S+", web.get(f"{settings.service}/tileList.txt").text))
        files = {
            name: _described(RemoteFile(f"{name}.tif", f"{settings.service}/{name}/{name}.tif"), web)
            for name in names
            if name in listed
        }
    if not files:
        raise InputError(
            f"{key}: there is no tile of {', '.join(names)}; the area is at sea, or the archive is not complete."
        )
    notes = [f"{name}: there is no such tile (sea)" for name in names if name not in files]
    products = tuple(Product(name, (file,)) for name, file in files.items())
    return Found("dem", settings.archive or settings.service, {}, products, tuple(notes))


def deliver(grid: Grid, margin: float, paths: dict[str, Path], output: str | Path) -> None:
    """Join the tiles over the area and its margin, in their own pixels; metres above EGM2008, sea NaN.

    Beyond 50 degrees the tiles' pixels grow wider with each zone; an area on such a line gets the finer ones, the
    others interpolated. One block is in memory.
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(path)) for _, path in sorted(paths.items())]
        fine = min(sources, key=lambda src: src.res[0])
        dx, dy = fine.res
        west, south, east, north = bounds(grid, margin)
        x0, y0 = fine.transform.c, fine.transform.f
        left, right = x0 + math.floor((west - x0) / dx) * dx, x0 + math.ceil((east - x0) / dx) * dx
        top, bottom = y0 + math.ceil((north - y0) / dy) * dy, y0 + math.floor((south - y0) / dy) * dy
        joined = Grid(
            "EPSG:4326", Affine(dx, 0, left, 0, -dy, top), round((right - left) / dx), round((top - bottom) / dy)
        )
        views = [
            stack.enter_context(
                WarpedVRT(
                    src, crs="EPSG:4326", transform=joined.transform, width=joined.width, height=joined.height,
                    resampling=Resampling.nearest if np.allclose(src.res, fine.res, rtol=1e-6) else Resampling.bilinear,
                    src_nodata=src.nodata, nodata=np.nan, dtype="float32",
                )
            )
            for src in sources
        ]  # fmt: skip
        with raster.create(
            output, joined, bands=["elevation"], units="m", long_name="elevation above EGM2008, Copernicus DEM GLO-30",
            tags={"source": ", ".join(sorted(paths))[:500]},
        ) as writer:  # fmt: skip
            for window in joined.blocks():
                writer.write(_block(views, window), window)


def _block(views: list[WarpedVRT], window: Window) -> np.ndarray:
    block = np.full((int(window.height), int(window.width)), np.nan, np.float32)
    for view in views:
        values = view.read(1, window=window)
        gap = np.isnan(block)
        block[gap] = values[gap]
    return block


def _described(file: RemoteFile, web: Web) -> RemoteFile:
    """`file` with its size, and its MD5 where the bucket's tag is one."""
    response = web.get(file.url, method="HEAD", headers={"Accept-Encoding": "identity"})
    if "html" in response.headers.get("Content-Type", ""):
        raise TransferError(f"{shown(file.url)} is a web page, not data; open it in a browser, or try again later.")
    size = response.headers.get("Content-Length", "")
    return RemoteFile(
        file.name, file.url, int(size) if size.isdigit() else None, s3_checksum(response.headers.get("ETag", ""))
    )
