"""Where the water goes: wetness, stream power, flow accumulation and distance to streams (whitebox-workflows).

Flow needs the whole DEM at once, so this alone of all factors holds it in memory: about 35 bytes for each pixel of the
area and its margin (3.5 GB for 10,000 × 10,000 pixels), as `benchmarks.factors` measures it.
"""

import logging
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS

from slipmap.config.factors import HydrologySettings
from slipmap.errors import InputError
from slipmap.factors import distances
from slipmap.factors.align import WIDE_BLOCK, grown, reader, with_margin
from slipmap.factors.surface import attributes
from slipmap.factors.terrain import check_elevation, check_projected
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.resampling import choose_resampling

log = logging.getLogger(__name__)
_NODATA = -32768.0  # whitebox's own
DESCRIPTIONS = {
    "twi": ("1", "topographic wetness index, ln(specific catchment area / tan slope)"),
    "spi": ("1", "stream power index, ln(1 + specific catchment area × tan slope)"),
    "flow_accumulation": ("1", "log10 of the upslope contributing area in m2"),
    "distance_to_streams": ("m", "horizontal distance to the nearest stream"),
}


def wetness(area: np.ndarray, slope: np.ndarray, min_slope: float) -> np.ndarray:
    """Topographic wetness index ln(a / tan β) (Beven & Kirkby 1979).

    Parameters
    ----------
    area : specific catchment area a, m2/m. slope : β, degrees; less than `min_slope` counts as `min_slope`.
    """
    return np.log(area / np.tan(np.radians(np.maximum(slope, min_slope))))


def stream_power(area: np.ndarray, slope: np.ndarray, min_slope: float) -> np.ndarray:
    """Stream power index a tan β (Moore et al. 1991), as ln(1 + a tan β): its range spans six decades.

    Parameters
    ----------
    area : specific catchment area a, m2/m. slope : β, degrees; less than `min_slope` counts as `min_slope`.
    """
    return np.log1p(area * np.tan(np.radians(np.maximum(slope, min_slope))))


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
    check_projected(grid)
    wide, row, col = with_margin(grid, settings.margin, dem)
    resampling = resampling or choose_resampling(dem, wide, "surface")
    tags = {"dem": Path(dem).name, "dem_resampling": resampling, "margin": f"{settings.margin:g} m"}
    with tempfile.TemporaryDirectory(prefix="slipmap-flow-") as folder:
        with reader(dem, wide, resampling=resampling) as read:
            _write_dem(Path(folder) / "dem.tif", wide, read, dem, key)
            kinds = {"area"} if set(outputs) - {"distance_to_streams"} else set()
            if "distance_to_streams" in outputs:
                kinds.add("d8")
            flow = accumulate(Path(folder), kinds, settings, threads)
            if "distance_to_streams" in outputs:
                _streams(flow["d8"], wide, grid, (row, col), outputs["distance_to_streams"], settings, tags)
            rest = {name: path for name, path in outputs.items() if name != "distance_to_streams"}
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


def _write_dem(path: Path, grid: Grid, read, dem: str | Path, key: str) -> None:
    known = 0
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.width, height=grid.height, count=1, dtype="float32",
        crs=CRS.from_user_input(grid.crs), transform=grid.transform, nodata=_NODATA, tiled=True, bigtiff="if_safer",
    ) as target:  # fmt: skip
        for window in grid.blocks(WIDE_BLOCK):
            block = read(window)
            check_elevation(block, dem, key)
            known += int(np.isfinite(block).sum())
            target.write(np.where(np.isnan(block), np.float32(_NODATA), block), 1, window=window)
    if not known:
        raise InputError(f"{key}: {dem} has no elevation inside the area; check grid.bounds and the file.")


def _streams(
    catchment: Path, wide: Grid, grid: Grid, offset: tuple[int, int], path: str | Path,
    settings: HydrologySettings, tags: dict[str, object],
) -> None:  # fmt: skip
    long_name = DESCRIPTIONS["distance_to_streams"][1]
    with rasterio.open(catchment) as src:

        def is_stream(window):
            return np.nan_to_num(raster.read_open(src, window, 1)) >= settings.stream_area

        distances.write(
            is_stream, wide, grid, offset, path, name="distance_to_streams", long_name=long_name,
            nothing=f"no stream drains {settings.stream_area:g} m2 (factors.hydrology.stream_area) in the area",
            tags=tags | {"stream_area": f"{settings.stream_area:g} m2", "method": "D8"},
        )  # fmt: skip


def _from_area(
    area: Path, read, wide: Grid, grid: Grid, offset: tuple[int, int], outputs: Mapping[str, str | Path],
    settings: HydrologySettings, tags: dict[str, object],
) -> None:  # fmt: skip
    row, col = offset
    width = min(grid.resolution)
    with rasterio.open(area) as src, ExitStack() as stack:
        targets = {
            name: stack.enter_context(
                raster.create(
                    path, grid, bands=[name], units=DESCRIPTIONS[name][0], long_name=DESCRIPTIONS[name][1],
                    tags=tags | {"method": settings.algorithm}, compress="zstd",
                )
            )
            for name, path in outputs.items()
        }  # fmt: skip
        for window in grid.blocks(WIDE_BLOCK):
            there = rasterio.windows.Window(window.col_off + col, window.row_off + row, window.width, window.height)
            sca = raster.read_open(src, there, 1)
            elevation = read(grown(there, 1))
            sca[np.isnan(elevation[1:-1, 1:-1])] = np.nan
            slope = attributes(elevation, ["slope"], grid.resolution)[0]
            for name, target in targets.items():
                if name == "twi":
                    target.write(wetness(sca, slope, settings.min_slope), window)
                elif name == "spi":
                    target.write(stream_power(sca, slope, settings.min_slope), window)
                else:
                    target.write(np.log10(sca * width), window)
