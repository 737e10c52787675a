"""Size, time and memory of the report of an area of 4,000 × 4,000 pixels, and how soon it answers in a browser:
``slipmap bench report``.

The area's results are made up: fields of noise with detail at every scale, as terrain has, so that pictures compress no
better than real ones; 3,000 landslides, each with a displacement history; two experiments.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import h5netcdf
import numpy as np
import pandas as pd
from rasterio.crs import CRS
from scipy import ndimage
from shapely.affinity import rotate, scale
from shapely.geometry import Point

from benchmarks._peers import peak_memory
from slipmap.codes import LANDSLIDE_CLASSES, SPLIT_CLASSES
from slipmap.config import parse_config
from slipmap.config.run import RunSettings
from slipmap.factors.names import factor_names
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.io.vector import write_layers
from slipmap.planning.files import reported_files
from slipmap.report.build import build

PIXEL, DATES, COARSE = 12.5, 103, 4  # metres; acquisitions; pixels of the area in one of the time series
AREA, EXPERIMENTS = "wide", ("rs", "rs_dr")


def run(side: int = 4000, landslides: int = 3000) -> dict[str, Any]:
    """Megabytes of the report (10^6 bytes), seconds it took (of the clock, of the processor), peak memory (MiB) of its
    process, and `browsed`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings = made_up_settings(side)
        _make_up(folder / "results" / AREA, settings, landslides)
        (folder / "run.json").write_text(settings.model_dump_json())
        command = [sys.executable, "-m", __spec__.name, str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"GDAL_CACHEMAX": "256"})
        page = folder / "index.html"
        size = {"pixels": side**2, "landslides": landslides, "megabytes": page.stat().st_size / 1e6}
        return size | json.loads(done.stdout) | browsed(page)


def browsed(page: Path, times: int = 5) -> dict[str, float]:
    """Milliseconds until the first map is painted, of Summary and of Explore, and from a click to its answer."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from helpers.report_browser import CHROMIUM, Browser

    if CHROMIUM is None:
        return {}
    found: dict[str, list[float]] = {"summary_ms": [], "explore_ms": [], "landslide_ms": [], "place_ms": []}
    answer = (
        "(async () => { const start = performance.now(); await slipmap.%s;"
        "await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
        "return performance.now() - start; })()"
    )
    for _ in range(times):
        for name, at in (("summary_ms", "#summary"), ("explore_ms", "#explore")):
            with Browser(1440, 900) as browser:
                browser.open(page, at)
                found[name].append(float(browser.evaluate("performance.getEntriesByName('ready')[0].startTime")))
                if at == "#explore":
                    found["landslide_ms"].append(float(browser.evaluate(answer % "select(slipmap.listed()[7], true)")))
                    found["place_ms"].append(float(browser.evaluate(answer % "inspect(slipmap.at(1234, 2345))")))
    return {name: statistics.median(values) for name, values in found.items()}


def made_up_settings(side: int) -> RunSettings:
    """The config of the made-up area, `side` pixels across."""
    experiment = {"dataset": "p64", "train_areas": [AREA]}
    grid = {"crs": "EPSG:32632", "resolution": PIXEL, "bounds": [500000, 4900000, *_corner(side)]}
    return parse_config(
        {
            "areas": {AREA: {"description": "Made-up area", "grid": grid, "simulate": {"seed": 0}}},
            "datasets": {"p64": {"size": 64, "stride": 64}},
            "experiments": {"rs": experiment | {"exclude": ["velocity"]}, "rs_dr": experiment},
        },
        source="benchmark",
    )


def _corner(side: int) -> tuple[float, float]:
    return 500000 + PIXEL * side, 4900000 + PIXEL * side


def _make_up(folder: Path, settings: RunSettings, landslides: int) -> None:
    grid = Grid.from_bounds("EPSG:32632", PIXEL, settings.areas[AREA].grid.bounds)
    grid.save(folder / "grid.json")
    rng = np.random.default_rng(0)
    fields = [f"factors/{name}" for name in factor_names(settings.areas[AREA])] + ["hillshade"]
    fields += [f"deformation/{name}" for name in ("velocity", "velocity_std", "temporal_coherence")]
    fields += [f"maps/{name}/{kind}" for name in EXPERIMENTS for kind in ("probability", "uncertainty")]
    for name in fields:
        write_field(folder / f"{name}.tif", grid, 0.5 + 0.15 * fractal(rng, grid.shape))
    hits = (fractal(rng, grid.shape) > 1.9).astype(np.uint8)
    blocks = np.kron(rng.integers(0, 3, (grid.height // 100, grid.width // 100)), np.ones((100, 100)))
    write_field(folder / "inventory.tif", grid, hits, LANDSLIDE_CLASSES)
    write_field(folder / "patches" / "split.tif", grid, blocks.astype(np.uint8), SPLIT_CLASSES)
    for name in EXPERIMENTS:
        maps = folder / "maps" / name
        classes = np.digitize(raster.read(maps / "probability.tif", bands=1), (0.4, 0.6)) + 1
        write_field(maps / "class.tif", grid, ndimage.shift(hits, (1, 2), order=0), LANDSLIDE_CLASSES)
        write_field(maps / "probability_class.tif", grid, classes.astype(np.uint8), {1: "low", 2: "medium", 3: "high"})
        _outlines(maps / "landslides.gpkg", grid, landslides, rng)
    _series(folder / "deformation" / "timeseries.nc", grid.coarsened(COARSE, COARSE), rng)


def fractal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Noise of unit variance with amplitude in proportion to wavelength, from the whole area down to one pixel."""
    total, power, step = np.zeros(shape, np.float32), 0.0, 512
    while step >= 1:
        coarse = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3)).astype(np.float32)
        fine = ndimage.zoom(coarse, step, order=1)[: shape[0], : shape[1]]
        total += step**0.5 * fine
        power += step
        step //= 2
    return total / power**0.5


def write_field(path: Path, grid: Grid, values: np.ndarray, classes: dict[int, str] | None = None) -> None:
    """One raster of the made-up area."""
    kind = {"dtype": "uint8", "categories": classes} if classes else {}
    raster.write(path, grid, values, bands=[path.stem], units="1", long_name=path.stem, **kind)


def _outlines(path: Path, grid: Grid, count: int, rng: np.random.Generator) -> None:
    left, bottom, right, top = grid.bounds
    centres = zip(rng.uniform(left, right, count), rng.uniform(bottom, top, count), strict=True)
    shapes = [
        rotate(scale(Point(at).buffer(radius), 1.0, 2.5), angle)
        for at, radius, angle in zip(centres, rng.uniform(30, 150, count), rng.uniform(0, 180, count), strict=True)
    ]
    frame = gpd.GeoDataFrame({"landslide": np.arange(1, count + 1)}, geometry=shapes, crs=grid.crs)
    frame["area_m2"] = frame.area
    for name in ("probability_mean", "probability_max", "uncertainty_mean", "sensitivity", "coherent_share"):
        frame[name] = rng.uniform(0, 1, count)
    for name in ("slope_mean", "aspect_mean", "elevation_min", "elevation_max", "aliasing_velocity"):
        frame[name] = rng.uniform(0, 90, count)
    for name in ("velocity_mean", "velocity_downslope"):
        frame[name] = rng.uniform(-20, 60, count)
    for name in ("velocity_std", "velocity_downslope_std", "detectable_velocity"):
        frame[name] = rng.uniform(1, 9, count)
    frame["motion"] = rng.choice(["moving", "moves slowly", "no movement detected", "not observable"], count)
    frame["inventory"] = rng.choice(["matched", "new"], count)
    days = [str(date(2021, 1, 9) + timedelta(days=12 * i)) for i in range(DATES)]
    series = pd.DataFrame({"landslide": np.repeat(frame["landslide"], DATES), "date": days * count})
    series["displacement_mm"] = rng.normal(0, 20, len(series))
    write_layers(path, {"landslides": frame, "displacement": series}, geometry_type="Polygon")


def _series(path: Path, grid: Grid, rng: np.random.Generator) -> None:
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"time": DATES, "y": grid.height, "x": grid.width}
        time_ = file.create_variable("time", ("time",), float, data=12.0 * np.arange(DATES))
        time_.attrs["units"] = "days since 2021-01-09 00:00:00"
        chunks = (DATES, 32, 32)
        moved = file.create_variable("displacement", ("time", "y", "x"), np.float32, chunks=chunks)
        for row in range(0, grid.height, 32):
            rows = min(32, grid.height - row)
            moved[:, row : row + rows, :] = rng.normal(0, 20, (DATES, rows, grid.width)).astype(np.float32)
        file.create_variable("temporal_coherence", ("y", "x"), np.float32, data=np.full(grid.shape, 0.9, np.float32))
        where = file.create_variable("spatial_ref", (), np.int32, data=0)
        where.attrs["crs_wkt"] = CRS.from_user_input(grid.crs).to_wkt()
        where.attrs["GeoTransform"] = " ".join(str(v) for v in grid.transform.to_gdal())


def _measure(folder: Path) -> dict[str, float]:
    settings = RunSettings.model_validate_json((folder / "run.json").read_text())
    start, busy = time.perf_counter(), time.process_time()
    build(
        area=AREA,
        run=settings,
        files=[path for path in reported_files(settings, AREA) if (folder / path).exists()],
        page=folder / "index.html",
        tables=folder / "tables",
        root=folder,
    )
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "cpu_seconds": time.process_time() - busy, "peak_mib": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
