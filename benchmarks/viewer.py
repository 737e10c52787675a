"""How soon ``slipmap view`` answers for an area of 4,000 × 4,000 pixels with 103 dates: ``slipmap bench viewer``.

The results are made up (`benchmarks.report`). Of the displacement only the blocks that are asked for are written: HDF5
leaves the rest out of the file, and finds a block in the index of all.
"""

import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
from rasterio.crs import CRS

from benchmarks.report import AREA, DATES, PIXEL, fractal, made_up_settings, write_field
from slipmap.io.grid import Grid
from slipmap.viewer.server import Viewer
from slipmap.viewer.shown import load

BLOCK = 64  # pixels across a chunk of ``timeseries.nc``
PLACES = 12


def run(side: int = 4000) -> dict[str, Any]:
    """Milliseconds (median and longest of `PLACES`, after one to warm up) of a pixel's series and of a tile."""
    with tempfile.TemporaryDirectory() as scratch:
        root, settings = Path(scratch), made_up_settings(side)
        grid = Grid.from_bounds("EPSG:32632", PIXEL, settings.areas[AREA].grid.bounds)
        rng = np.random.default_rng(0)
        places = rng.integers(0, side, (PLACES + 1, 2))
        folder = root / "results" / AREA
        grid.save(folder / "grid.json")
        for name in ("velocity", "velocity_std", "temporal_coherence"):
            write_field(folder / "deformation" / f"{name}.tif", grid, 0.5 + 0.15 * fractal(rng, grid.shape))
        _series(folder / "deformation" / "timeseries.nc", grid, places, rng)
        server = Viewer(load(AREA, settings, root), port=0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        series = [f"series?column={column}.5&row={row}.5" for column, row in places]
        tiles = {f"tile_{2**-z}": [_tile(z, c, r) for c, r in places] for z in (0, -2, -4)}
        found: dict[str, Any] = {"pixels": side**2, "dates": DATES}
        found |= {"pixel_ms": _asked(server.url, series)}
        found |= {f"{name}_ms": _asked(server.url, asked) for name, asked in tiles.items()}
        server.shutdown()
        server.server_close()
    return found


def _tile(zoom: int, column: int, row: int) -> str:
    """The tile that holds a pixel of the area; at zoom z one pixel of it covers 2^-z of the area's."""
    span = 256 * 2**-zoom
    return f"tile/velocity/{zoom}/{column // span}/{row // span}.png"


def _asked(url: str, paths: Sequence[str]) -> dict[str, float]:
    """Median and longest of the answers, the first left out."""
    taken = []
    for path in paths:
        start = time.perf_counter()
        with urllib.request.urlopen(url + path) as answer:
            answer.read()
        taken.append(1000 * (time.perf_counter() - start))
    return {"median": statistics.median(taken[1:]), "longest": max(taken[1:])}


def _series(path: Path, grid: Grid, places: np.ndarray, rng: np.random.Generator) -> None:
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"time": DATES, "y": grid.height, "x": grid.width}
        days = file.create_variable("time", ("time",), float, data=12.0 * np.arange(DATES))
        days.attrs["units"] = "days since 2021-01-09 00:00:00"
        chunks = (DATES, BLOCK, BLOCK)
        moved = file.create_variable(
            "displacement", ("time", "y", "x"), np.float32, chunks=chunks, fillvalue=np.float32(np.nan)
        )
        for column, row in places // BLOCK * BLOCK:
            rows, columns = min(BLOCK, grid.height - row), min(BLOCK, grid.width - column)
            values = rng.normal(0, 20, (DATES, rows, columns)).astype(np.float32)
            moved[:, row : row + rows, column : column + columns] = values
        coherence = np.full(grid.shape, 0.9, np.float32)
        file.create_variable("temporal_coherence", ("y", "x"), np.float32, chunks=(BLOCK, BLOCK), data=coherence)
        where = file.create_variable("spatial_ref", (), np.int32, data=0)
        where.attrs["crs_wkt"] = CRS.from_user_input(grid.crs).to_wkt()
        where.attrs["GeoTransform"] = " ".join(str(v) for v in grid.transform.to_gdal())
