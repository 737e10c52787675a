"""Where the water goes: wetness, stream power, flow accumulation and distance to streams (whitebox-workflows).

Flow needs the whole DEM at once, so this alone of all factors holds it in memory: about 35 bytes for each pixel of the
area and its margin (3.5 GB for 10,000 × 10,000 pixels), as `benchmarks.factors` measures it.
"""

import logging
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from slipmap.config.factors import HydrologySettings
from slipmap.errors import InputError
from slipmap.factors import catalogue, distances
from slipmap.factors.align import WIDE_BLOCK, BlockReader, grown, reader, with_margin
from slipmap.factors.block import Array
from slipmap.factors.surface import attributes
from slipmap.factors.terrain import check_projected, create
from slipmap.inputs.contract import ELEVATION
from slipmap.inputs.rasters import elevation
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling

log = logging.getLogger(__name__)
_NODATA = -32768.0  # whitebox's own


@dataclass(frozen=True)
class Flow:
    """What the factors of a block are made from.

    Parameters
    ----------
    area
        Specific catchment area, m2/m, (rows, cols).
    slope
        Of the unfilled DEM, degrees, (rows, cols).
    width
        Of a pixel, metres.
    settings
        ``factors.hydrology`` of the area.
    """

    area: Array
    slope: Array
    width: float
    settings: HydrologySettings


def wetness(area: Array, slope: Array, min_slope: float) -> Array:
    """Topographic wetness index ln(a / tan β) (Beven & Kirkby 1979).

    Parameters
    ----------
    area : specific catchment area a, m2/m. slope : β, degrees; less than `min_slope` counts as `min_slope`.
    """
    index: Array = np.log(area / np.tan(np.radians(np.maximum(slope, min_slope))))
    return index


def stream_power(area: Array, slope: Array, min_slope: float) -> Array:
    """Stream power index a tan β (Moore et al. 1991), as ln(1 + a tan β): its range spans six decades.

    Parameters
    ----------
    area : specific catchment area a, m2/m. slope : β, degrees; less than `min_slope` counts as `min_slope`.
    """
    power: Array = np.log1p(area * np.tan(np.radians(np.maximum(slope, min_slope))))
    return power


def wetness_of(flow: Flow) -> Array:
    """Return the topographic wetness index of a block."""
    return wetness(flow.area, flow.slope, flow.settings.min_slope)


def power_of(flow: Flow) -> Array:
    """Return the stream power index of a block."""
    return stream_power(flow.area, flow.slope, flow.settings.min_slope)


def accumulation_of(flow: Flow) -> Array:
    """Return log10 of the catchment area, m2, of a block."""
    accumulation: Array = np.log10(flow.area * flow.width)
    return accumulation


def run(
    dem: str | Path,
    grid: Grid,
    outputs: Mapping[str, str | Path],
    settings: HydrologySettings | None = None,
    *,
    resampling: str | None = None,
    key: str = "inputs.dem",
    threads: int = 1,
) -> None:
    """Make hydrological factors.

    Parameters
    ----------
    dem : elevation in metres; the part within `settings.margin` of the area takes part. It is put on the area's grid,
        extended, as `slipmap.factors.terrain.run` does it.
    outputs : factor name (twi, spi, flow_accumulation, distance_to_streams) → file.
    resampling : see `TerrainSettings.resampling`.

    Notes
    -----
    Depressions are breached along the least-cost path (Lindsay & Dhun 2015) and what remains is filled. Slope, for twi
    and spi, is that of the unfilled DEM (Zevenbergen–Thorne). Flow that enters across the edge of the DEM is unknown:
    the larger the margin, the better the valleys. Voids take no part.
    """
    settings = settings or HydrologySettings()
    factors = catalogue.made_by("hydrology", outputs)
    streams = [name for name, factor in factors.items() if factor.function() is stream_distance]
    rest = {name: path for name, path in outputs.items() if name not in streams}
    check_projected(grid)
    surface = elevation(dem, grid, key)
    wide, row, col = with_margin(grid, settings.margin, dem)
    resampling = resampling or choose_resampling(surface, wide, "surface")
    tags: dict[str, object] = {"dem": Path(dem).name, "dem_resampling": resampling, "margin": f"{settings.margin:g} m"}
    with tempfile.TemporaryDirectory(prefix="slipmap-flow-") as folder:
        with reader(surface, wide, resampling=resampling) as read:
            _write_dem(Path(folder) / "dem.tif", wide, read, dem, key)
            kinds = ({"area"} if rest else set()) | ({"d8"} if streams else set())
            flow = accumulate(Path(folder), kinds, settings, threads)
            for name in streams:
                stream_distance(flow["d8"], wide, grid, (row, col), outputs[name], settings, tags)
            if rest:
                _from_area(flow["area"], read, wide, grid, (row, col), rest, settings, tags)


def accumulate(folder: Path, kinds: set[str], settings: HydrologySettings, threads: int = 1) -> dict[str, Path]:
    """Flow accumulation of ``folder/dem.tif``.

    Returns
    -------
    {"area": specific catchment area, m2/m, by `settings.algorithm`; "d8": catchment area, m2, by D8} as far as asked
    for in `kinds`, as rasters in `folder`.
    """
    import whitebox_workflows

    tools = whitebox_workflows.WbEnvironment()
    tools.working_directory = str(folder)
    tools.max_procs = threads
    tools.verbose = False
    surface = tools.hydrology.breach_depressions_least_cost(
        dem=tools.read_raster(str(folder / "dem.tif")), max_dist=settings.breach_distance, fill_deps=True
    )
    found = {}
    for kind in sorted(kinds):
        algorithm = "d8" if kind == "d8" else settings.algorithm
        argument = {"dem" if algorithm == "fd8" else "input": surface}
        tool = getattr(tools.hydrology, f"{algorithm}_flow_accum")
        flow = tool(**argument, out_type="ca" if kind == "d8" else "sca")
        found[kind] = folder / f"{kind}.tif"
        tools.write_raster(flow, str(found[kind]), remove_after_write=True)
    tools.clear_raster_memory()
    return found


def _write_dem(path: Path, grid: Grid, read: BlockReader, dem: str | Path, key: str) -> None:
    known = 0
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.width, height=grid.height, count=1, dtype="float32",
        crs=CRS.from_user_input(grid.crs), transform=grid.transform, nodata=_NODATA, tiled=True, bigtiff="if_safer",
    ) as target:  # fmt: skip
        for window in grid.blocks(WIDE_BLOCK):
            block = read(window)
            ELEVATION.require(block, dem, key)
            known += int(np.isfinite(block).sum())
            target.write(np.where(np.isnan(block), np.float32(_NODATA), block), 1, window=window)
    if not known:
        raise InputError(f"{key}: {dem} has no elevation inside the area; check grid.bounds and the file.")


def stream_distance(
    catchment: Path, wide: Grid, grid: Grid, offset: tuple[int, int], path: str | Path,
    settings: HydrologySettings, tags: dict[str, object],
) -> None:  # fmt: skip
    """Write the distance from each pixel of `grid` to the nearest stream, from the catchment area on `wide`, m2."""
    factor = catalogue.get("distance_to_streams")
    with rasterio.open(catchment) as src:

        def is_stream(window: Window) -> NDArray[np.bool_]:
            enough: NDArray[np.bool_] = np.nan_to_num(raster.read_open(src, window, 1)) >= settings.stream_area
            return enough

        distances.write(
            is_stream, wide, grid, offset, path, name=factor.name, long_name=factor.long_name,
            nothing=f"no stream drains {settings.stream_area:g} m2 (factors.hydrology.stream_area) in the area",
            tags=tags | factor.described(settings),
        )  # fmt: skip


def _from_area(
    area: Path, read: BlockReader, wide: Grid, grid: Grid, offset: tuple[int, int], outputs: Mapping[str, str | Path],
    settings: HydrologySettings, tags: dict[str, object],
) -> None:  # fmt: skip
    row, col = offset
    with rasterio.open(area) as src, ExitStack() as stack:
        factors = catalogue.made_by("hydrology", outputs)
        targets = {
            name: stack.enter_context(create(path, name, grid, tags | factors[name].described(settings)))
            for name, path in outputs.items()
        }
        for window in grid.blocks(WIDE_BLOCK):
            there = Window(window.col_off + col, window.row_off + row, window.width, window.height)
            sca = raster.read_open(src, there, 1)
            elevation = read(grown(there, 1))
            sca[np.isnan(elevation[1:-1, 1:-1])] = np.nan
            slope = attributes(elevation, ["slope"], grid.resolution)[0]
            flow = Flow(sca, slope, min(grid.resolution), settings)
            for name, target in targets.items():
                target.write(factors[name].function()(flow), window)
