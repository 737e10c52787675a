"""Factors: terrain against gdaldem and whitebox on one simulated DEM, both written to file; memory of a large area."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

from slipmap.factors import terrain
from slipmap.factors.align import WIDE_BLOCK
from slipmap.io.grid import Grid

_JOB = {"GDAL_NUM_THREADS": "ALL_CPUS", "GDAL_CACHEMAX": 256}  # what a job of the workflow that has the machine gets
_COG = ("-of", "COG", "-co", "COMPRESS=ZSTD", "-co", "LEVEL=1", "-co", "PREDICTOR=YES", "-co", "NUM_THREADS=ALL_CPUS")


def run(folder: str | Path | None = None, side: int = 4000, repeats: int = 3, large: int = 10_000) -> dict[str, Any]:
    """Measure all, in a temporary folder beside `folder` (default: the system's); see the functions below.

    Ratios are the peer's time over slipmap's: above 1 slipmap is faster.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        dem = simulated_dem(Path(scratch), side)
        found = {**slope_and_aspect(dem, repeats), **curvature(dem, repeats)}
        dem.unlink()
        return found | {"hydrology": hydrology_memory(Path(scratch))} | {"large": large_area(Path(scratch), large)}


def simulated_dem(folder: Path, side: int) -> Path:
    """A simulated DEM of side × side pixels of 10 m: waves of many lengths and some noise; written strip by strip."""
    path = folder / f"dem_{side}.tif"
    rng = np.random.default_rng(0)
    waves = [(2 * np.pi / length, rng.uniform(0, 6.3), rng.uniform(0, np.pi)) for length in (30, 90, 250, 700, 2000)]
    grid = Grid("EPSG:32632", from_origin(400000, 5200000, 10, 10), side, side)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=grid.crs,
        transform=grid.transform, tiled=True, blockxsize=512, blockysize=512, bigtiff="if_safer",
    ) as target:  # fmt: skip
        for window in grid.blocks(WIDE_BLOCK):
            (top, bottom), (left, right) = window.toranges()
            row, col = np.ogrid[top:bottom, left:right]
            z = 1000 + rng.normal(0, 0.1, (bottom - top, right - left))
            for k, phase, way in waves:
                z += 1.5 / k * np.sin(k * (col * np.cos(way) + row * np.sin(way)) + phase)
            target.write(z.astype(np.float32), 1, window=window)
    return path


def slope_and_aspect(dem: Path, repeats: int = 3) -> dict[str, Any]:
    """Slope and aspect (Horn) of slipmap, in one pass, against gdaldem's two runs: ratio of the best times.

    "slope_aspect_ratio" against gdaldem writing the same kind of file (compressed COG with overviews);
    "slope_aspect_plain_ratio" against its default, an uncompressed GeoTIFF without overviews, which is less work.
    """
    from slipmap.config.factors import TerrainSettings

    gdaldem = shutil.which("gdaldem")
    if gdaldem is None:
        return {"slope_aspect_ratio": "gdaldem is not installed (Debian: gdal-bin)"}
    grid = Grid.from_raster(dem)

    def theirs(*options: str) -> None:
        for name in ("slope", "aspect"):
            out = str(dem.with_name(f"gdal_{name}.tif"))
            subprocess.run([gdaldem, name, str(dem), out, "-alg", "Horn", "-q", *options], check=True)

    def ours() -> None:
        outputs = {name: dem.with_name(f"{name}.tif") for name in ("slope", "aspect")}
        with rasterio.Env(**_JOB):
            terrain.run(dem, grid, outputs, TerrainSettings(method="horn"))

    times = _best({"slipmap": ours, "cog": lambda: theirs(*_COG), "plain": theirs}, repeats)
    return {
        "slope_aspect_ratio": times["cog"] / times["slipmap"],
        "slope_aspect_plain_ratio": times["plain"] / times["slipmap"],
        "slope_aspect_s": times,
    }


def curvature(dem: Path, repeats: int = 3) -> dict[str, Any]:
    """Plan, profile and mean curvature of slipmap, in one pass, against whitebox's three tools: ratio of best times.

    whitebox writes deflated GeoTIFFs, as is its default; slipmap compressed COGs with overviews.
    """
    import whitebox_workflows

    grid = Grid.from_raster(dem)
    names = ("plan_curvature", "profile_curvature", "mean_curvature")

    def theirs() -> None:
        tools = whitebox_workflows.WbEnvironment()
        tools.verbose = False
        source = tools.read_raster(str(dem))
        for name in names:
            made = getattr(tools.terrain, name)(input=source)
            tools.write_raster(made, str(dem.with_name(f"whitebox_{name}.tif")), remove_after_write=True)
        tools.clear_raster_memory()

    def ours() -> None:
        with rasterio.Env(**_JOB):
            terrain.run(dem, grid, {name: dem.with_name(f"{name}.tif") for name in names})

    times = _best({"slipmap": ours, "whitebox": theirs}, repeats)
    return {"curvature_ratio": times["whitebox"] / times["slipmap"], "curvature_s": times}


def hydrology_memory(folder: Path, side: int = 3000) -> dict[str, Any]:
    """Memory of the hydrology, bytes for each pixel (it holds the whole DEM): its peak less that of a tiny run."""
    small, wide = (_peak("_hydrology", simulated_dem(folder, n)) for n in (256, side))
    return {"bytes_per_pixel": (wide["peak"] - small["peak"]) / (side**2 - 256**2), "seconds": wide["seconds"]}


def large_area(folder: Path, side: int = 10_000) -> dict[str, Any]:
    """Peak memory (GiB) and time of terrain, optical and lithology factors of side × side pixels, one process each."""
    dem = simulated_dem(folder, side)
    found = {}
    for part in ("_terrain", "_lithology", "_optical"):
        measured = _peak(part, dem)
        found[part[1:]] = {"peak_gib": measured["peak"] / 2**30, "seconds": measured["seconds"]}
    return found


def _best(jobs: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Best time of each job, seconds; the jobs take turns, and each has run once before it counts."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: min(values) for name, values in times.items()}


def _peak(part: str, dem: Path) -> dict[str, float]:
    """Peak resident memory (bytes) and time of one part, in a process of its own, with a job's cache and threads."""
    code = f"from pathlib import Path; from benchmarks import factors; factors._measure({part!r}, Path({str(dem)!r}))"
    environment = os.environ | {"GDAL_CACHEMAX": "256", "NUMBA_NUM_THREADS": "2", "GDAL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    peak, seconds = done.stdout.split()[-2:]
    return {"peak": float(peak), "seconds": float(seconds)}


def _measure(part: str, dem: Path) -> None:
    start = time.perf_counter()
    globals()[part](dem, Grid.from_raster(dem))
    # not getrusage: its peak includes that of the process which started this one
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    print(peak * 1024, time.perf_counter() - start)


def _hydrology(dem: Path, grid: Grid) -> None:
    from slipmap.factors import catalogue, hydrology

    names = [factor.name for factor in catalogue.of_family("hydrology")]
    hydrology.run(dem, grid, {name: dem.with_name(f"{name}.tif") for name in names}, threads=2)


def _terrain(dem: Path, grid: Grid) -> None:
    from slipmap.factors import catalogue

    names = [factor.name for factor in catalogue.of_family("terrain", default=True)]
    terrain.run(dem, grid, {name: dem.with_name("out") / f"{name}.tif" for name in names}, threads=2)
    shutil.rmtree(dem.with_name("out"))


def _lithology(dem: Path, grid: Grid) -> None:
    import geopandas as gpd
    from shapely.geometry import box

    from slipmap.config.inputs import VectorSettings
    from slipmap.factors import lithology

    rng = np.random.default_rng(0)
    left, bottom, right, top = grid.bounds
    x, y = rng.uniform(left, right, 5000), rng.uniform(bottom, top, 5000)
    size = rng.uniform(100, 4000, 5000)
    shapes = [box(left, bottom, right, top), *(box(a, b, a + s, b + s) for a, b, s in zip(x, y, size, strict=True))]
    path = dem.with_name("rock.gpkg")
    gpd.GeoDataFrame({"rock": [f"r{n % 20}" for n in range(5001)]}, geometry=shapes, crs=grid.crs).to_file(path)
    lithology.run(VectorSettings(path=str(path), attribute="rock"), grid, dem.with_name("lithology.tif"))


def _optical(dem: Path, grid: Grid) -> None:
    """Three scenes of one tile, 10,980 × 10,980 pixels, six bands and classes in one file each, made of the DEM."""
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors import optical

    names = ("B2", "B3", "B4", "B8", "B11", "SCL")
    folder = dem.with_name("scenes")
    folder.mkdir()
    wide = Grid(grid.crs, grid.transform, grid.width, grid.height)
    with rasterio.open(dem) as src:
        for n in range(3):
            with rasterio.open(
                folder / f"2021010{n + 1}.tif", "w", driver="GTiff", width=wide.width, height=wide.height,
                count=len(names), dtype="int16", crs=wide.crs, transform=wide.transform, nodata=-9999, tiled=True,
                blockxsize=512, blockysize=512, compress="deflate", bigtiff="if_safer",
            ) as target:  # fmt: skip
                target.descriptions = names
                for window in wide.blocks(WIDE_BLOCK):
                    z = src.read(1, window=window)
                    bands = [np.abs(z * (k + 1) + 40 * n) % 4000 + 100 for k in range(5)]
                    bands.append(np.where(z.astype(int) % 11 == n, 9, 4))
                    target.write(np.stack(bands).astype(np.int16), window=window)
    outputs = {name: folder / f"{name}.tif" for name in ("B2", "B3", "B4", "B8", "ndvi", "ndwi", "ndbi")}
    # outputs lie beside the scenes only after those are listed
    optical.run(Sentinel2Settings(path=str(folder)), grid, outputs, threads=2)
    shutil.rmtree(folder)
