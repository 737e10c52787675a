"""Terrain factors of an area from its DEM, and factors of other packages, block by block."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.windows import Window

from slipmap.config.factors import TerrainSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.factors.align import WIDE_BLOCK, grown, reader
from slipmap.factors.block import DEM, Array, Block
from slipmap.factors.record import Factor
from slipmap.factors.surface import attributes
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import elevation
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.north import true_north
from slipmap.io.resampling import choose_resampling
from slipmap.parallel import in_parallel

log = logging.getLogger(__name__)


def run(
    dem: str | Path | None,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: TerrainSettings | None = None,
    *,
    others: Mapping[str, str | Path] | None = None,
    key: str = "inputs.dem",
    threads: int | None = None,
) -> None:
    """Make terrain factors of one DEM in one pass.

    Parameters
    ----------
    dem
        Elevation on any grid, in any CRS and unit that the file says (metres where it says none). It is put on the
        area's grid first (resampled once, see
        `TerrainSettings.resampling`) and every factor is taken from that one surface, so no derivative is resampled.
        A DEM in degrees is therefore fine; where its pixels coincide with the grid's nothing is resampled. None where
        no factor of `outputs` needs it.
    outputs
        Factor → file: factors of the family "terrain" of the catalogue, and the hillshade.
    others
        Factor → raster on `grid`, of the factors that those of `outputs` are computed from (`Factor.uses`).
    key
        The config key of `dem`, for messages.
    threads
        Threads that compute; None: NUMBA_NUM_THREADS or the machine's.

    Notes
    -----
    Held in memory: a few blocks of 1024 × 1024 pixels with a halo, whatever the size of the area.

    Raises
    ------
    InputError
        A name is no terrain factor; the DEM does not cover the area, has values that are no elevations, or has voids
        beyond `settings.max_void`.
    """
    settings = settings or TerrainSettings()
    factors = catalogue.made_by("terrain", outputs)
    check_projected(grid)
    halo = max([1, *(one.reach_of(name, grid.resolution, settings) for name, one in factors.items())])
    if threads is None:
        threads = int(os.environ.get("NUMBA_NUM_THREADS", os.cpu_count() or 1))
    surface = _Surface(dem, grid, settings, key) if dem is not None else None
    sources = dict(others or {}) | ({DEM: surface.source} if surface else {})
    tags: dict[str, object] = surface.tags if surface else {}
    resampling = {DEM: surface.resampling} if surface else {}

    def compute(loaded: tuple[float, Mapping[str, Array]]) -> list[Array]:
        north, blocks = loaded
        return _compute(factors, blocks, halo, grid.resolution, settings, north)

    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(reader(path, grid, resampling=resampling.get(name)))
            for name, path in sources.items()
        }
        targets = [
            stack.enter_context(create(path, name, grid, tags | factors[name].described(settings)))
            for name, path in outputs.items()
        ]

        def load(window: Window) -> tuple[float, dict[str, Array]]:
            blocks = {name: read(grown(window, halo)) for name, read in readers.items()}
            if surface:
                surface.look_at(blocks[DEM][halo:-halo, halo:-halo])
            return true_north(grid, window), blocks

        for window, made in in_parallel(grid.blocks(WIDE_BLOCK), compute, threads, load=load, held=threads + 1):
            for target, block in zip(targets, made, strict=True):
                target.write(block, window)
        if surface:
            surface.check_voids()


def _compute(
    factors: Mapping[str, Factor],
    sources: Mapping[str, Array],
    halo: int,
    resolution: tuple[float, float],
    settings: TerrainSettings,
    north: float,
) -> list[Array]:
    """Every factor of one block; those that the kernel of `surface` knows in one go. `north`: see `true_north`."""
    together = [name for name, factor in factors.items() if factor.function() is attributes]
    made: dict[str, Array] = {}
    if together:
        core = Block(sources, halo, resolution, settings).elevation(1)
        sun = (settings.sun_azimuth, settings.sun_altitude)
        made |= zip(together, attributes(core, together, resolution, settings.method, sun, north), strict=True)
    for name, factor in factors.items():
        if name not in made:
            made[name] = _of_block(name, factor, Block(sources, halo, resolution, settings, factor.number(name)))
    return [made[name] for name in factors]


def _of_block(name: str, factor: Factor, block: Block) -> Array:
    """One factor of one block; what goes wrong in another package is said to be its fault."""
    whole = next(iter(block.sources.values()))
    shape = tuple(size - 2 * block.halo for size in whole.shape)
    try:
        values: Array = factor.function()(block)
        if np.shape(values) != shape:
            raise ValueError(f"its function made an array of shape {np.shape(values)} from a block of {shape}")
    except Exception as error:
        if not factor.package:
            raise
        log.exception("the factor '%s' of the package '%s'", name, factor.package)
        raise InputError(
            f"The factor '{name}' cannot be made: the package '{factor.package}', which registers it, fails "
            f"({type(error).__name__}: {error}); tell its author, or leave the factor out."
        ) from error
    return values


class _Surface:
    """The DEM as a source of factors: how it comes onto the grid, and what is wrong with it."""

    def __init__(self, dem: str | Path, grid: Grid, settings: TerrainSettings, key: str) -> None:
        self.dem, self.key, self.limit = dem, key, settings.max_void
        self.source = elevation(dem, grid, key)
        self.resampling = settings.resampling or choose_resampling(self.source, grid, "surface")
        self.tags: dict[str, object] = {"dem": Path(dem).name, "dem_resampling": self.resampling}
        self.void, self.pixels = 0, grid.width * grid.height
        with rasterio.open(dem) as src:
            if src.crs.is_geographic:
                log.warning(
                    "%s: %s is in degrees; it is warped (%s) to %s before slopes are taken",
                    key, dem, self.resampling, grid.crs,
                )  # fmt: skip

    def look_at(self, block: Array) -> None:
        """Count the voids of a block; `InputError` if it holds what is no elevation."""
        self.void += int(np.count_nonzero(np.isnan(block)))
        ELEVATION.require(block, self.dem, self.key)

    def check_voids(self) -> None:
        """Raise `InputError` if the area has more voids than are allowed."""
        _check_voids(self.void / self.pixels, self.limit, self.dem, self.key)


def check_projected(grid: Grid) -> None:
    """Raise `InputError` unless lengths on `grid` are metres."""
    crs = CRS.from_user_input(grid.crs)
    if crs.is_geographic or abs(crs.linear_units_factor[1] - 1) > 1e-9:
        raise InputError(
            f"grid.crs {grid.crs[:40]} is not in metres, so slopes cannot be computed on it; choose a projected CRS "
            f"such as the area's UTM zone."
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


@contextmanager
def create(path: str | Path, name: str, grid: Grid, tags: Mapping[str, object]) -> Iterator[raster.RasterWriter]:
    """Yield the writer of the raster of a factor, described as the catalogue has it."""
    factor = catalogue.get(name) if name != catalogue.HILLSHADE.name else catalogue.HILLSHADE
    with raster.create(
        path, grid, bands=[name], units=factor.units, long_name=factor.title(name), tags=tags, compress="zstd"
    ) as target:
        yield target
