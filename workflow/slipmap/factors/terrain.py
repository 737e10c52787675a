"""Terrain factors of an area from its DEM, block by block."""

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS

from slipmap.config.factors import TerrainSettings
from slipmap.errors import InputError
from slipmap.factors import relief
from slipmap.factors.align import WIDE_BLOCK, grown, reader
from slipmap.factors.names import tpi_radius
from slipmap.factors.surface import ATTRIBUTES, attributes
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling
from slipmap.parallel import in_parallel

log = logging.getLogger(__name__)

DESCRIPTIONS = {
    "elevation": ("m", "elevation"),
    "slope": ("degrees", "slope"),
    "aspect": ("degrees", "downslope direction, clockwise from north"),
    "aspect_sin": ("1", "sine of aspect (east component of the downslope direction; 0 where level)"),
    "aspect_cos": ("1", "cosine of aspect (north component of the downslope direction; 0 where level)"),
    "plan_curvature": ("1/m", "plan (contour) curvature, positive where flow diverges"),
    "profile_curvature": ("1/m", "profile curvature, positive where convex upward"),
    "mean_curvature": ("1/m", "mean curvature, positive where convex upward"),
    "tangential_curvature": ("1/m", "tangential curvature, positive where flow diverges"),
    "hillshade": ("1", "illumination of the terrain"),
    "roughness": ("m", "largest difference of elevation in the window"),
    "tri": ("m", "terrain ruggedness index: root of the summed squared differences to the 8 neighbours"),
}
LOWEST, HIGHEST = -500.0, 9000.0  # m: the Dead Sea shore and Everest, with room


def run(
    dem: str | Path,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: TerrainSettings | None = None,
    *,
    key: str = "inputs.dem",
    threads: int | None = None,
) -> None:
    """Make terrain factors of one DEM in one pass.

    Parameters
    ----------
    dem : elevation in metres, any grid and CRS. It is put on the area's grid first (resampled once, see
        `TerrainSettings.resampling`) and every factor is taken from that one surface, so no derivative is resampled.
        A DEM in degrees is therefore fine; where its pixels coincide with the grid's nothing is resampled.
    outputs : factor name → file. Names: those of `slipmap.factors.surface.ATTRIBUTES`, roughness, tri,
        tpi_{metres}.
    key : the config key of `dem`, for messages.
    threads : threads that compute; None: NUMBA_NUM_THREADS or the machine's.

    Notes
    -----
    Held in memory: a few blocks of 1024 × 1024 pixels with a halo, whatever the size of the area.

    Raises
    ------
    InputError : the DEM does not cover the area, has values that are no elevations, or has voids beyond
        `settings.max_void`.
    """
    settings = settings or TerrainSettings()
    check_projected(grid)
    local = [name for name in outputs if name in ATTRIBUTES]
    wide = [name for name in outputs if name not in ATTRIBUTES]
    halo = max([1, *(relief.halo(name, grid.resolution, settings.roughness_window) for name in wide)])
    resampling = settings.resampling or choose_resampling(dem, grid, "surface")
    with rasterio.open(dem) as src:
        if src.crs.is_geographic:
            log.warning(
                "%s: %s is in degrees; it is warped (%s) to %s before slopes are taken", key, dem, resampling, grid.crs
            )
    tags = {"dem": Path(dem).name, "dem_resampling": resampling}
    void = 0
    if threads is None:
        threads = int(os.environ.get("NUMBA_NUM_THREADS", os.cpu_count() or 1))

    def compute(block: np.ndarray) -> list[np.ndarray]:
        core = block[halo - 1 : block.shape[0] - halo + 1, halo - 1 : block.shape[1] - halo + 1]
        sun = (settings.sun_azimuth, settings.sun_altitude)
        made = dict(
            zip(local, attributes(core, local, grid.resolution, settings.method, sun), strict=True) if local else ()
        )
        for name in wide:
            made[name] = relief.compute(name, block, halo, grid.resolution, settings.roughness_window)
        return [made[name] for name in outputs]

    with reader(dem, grid, resampling=resampling) as read, ExitStack() as stack:
        targets = [
            stack.enter_context(_create(path, name, grid, tags | _method(name, settings)))
            for name, path in outputs.items()
        ]

        def load(window):
            nonlocal void
            block = read(grown(window, halo))
            core = block[halo:-halo, halo:-halo]
            void += int(np.count_nonzero(np.isnan(core)))
            check_elevation(core, dem, key)
            return block

        for window, blocks in in_parallel(grid.blocks(WIDE_BLOCK), compute, threads, load=load, held=threads + 1):
            for target, block in zip(targets, blocks, strict=True):
                target.write(block, window)
        _check_voids(void / (grid.width * grid.height), settings.max_void, dem, key)


def check_projected(grid: Grid) -> None:
    """Raise `InputError` unless lengths on `grid` are metres."""
    crs = CRS.from_user_input(grid.crs)
    if crs.is_geographic or abs(crs.linear_units_factor[1] - 1) > 1e-9:
        raise InputError(
            f"grid.crs {grid.crs[:40]} is not in metres, so slopes cannot be computed on it; choose a projected CRS "
            f"such as the area's UTM zone."
        )


def check_elevation(block: np.ndarray, dem: str | Path, key: str) -> None:
    """Raise `InputError` if a block holds what cannot be metres above the sea."""
    with np.errstate(invalid="ignore"):
        odd = block[(block < LOWEST) | (block > HIGHEST)]
    if odd.size:
        raise InputError(
            f"{key}: {dem} has {odd.size} pixels or more like {odd[0]:g}, which is no elevation in metres; "
            f"declare its nodata value (gdal_edit.py -a_nodata {odd[0]:g}) or convert its unit."
        )


def _check_voids(share: float, limit: float, dem: str | Path, key: str) -> None:
    if share == 1:
        raise InputError(f"{key}: {dem} has no elevation inside the area; check grid.bounds and the file.")
    if share > limit:
        raise InputError(
            f"{key}: {dem} has no elevation in {share:.1%} of the area (factors.terrain.max_void allows {limit:.1%}); "
            f"fill its voids (gdal_fillnodata.py), cover the whole area, or raise the limit."
        )
    if share:
        log.warning("%s: %s has no elevation in %.2f %% of the area; factors are empty there", key, dem, 100 * share)


def _create(path: str | Path, name: str, grid: Grid, tags: dict[str, object]):
    units, long_name = DESCRIPTIONS.get(name) or (
        "m",
        f"topographic position index: elevation above the mean within {tpi_radius(name):g} m",
    )
    return raster.create(path, grid, bands=[name], units=units, long_name=long_name, tags=tags, compress="zstd")


def _method(name: str, settings: TerrainSettings) -> dict[str, object]:
    if name in ATTRIBUTES and name != "elevation":
        return {"method": settings.method}
    return {"window": f"{settings.roughness_window} pixels"} if name == "roughness" else {}
