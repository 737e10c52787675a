"""Ready-made velocities: MintPy HDF5, EGMS CSV, GeoTIFF."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from affine import Affine

from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid, crs_name

EGMS_CRS = "EPSG:3035"
EGMS_PIXEL = {"points": 20.0, "ortho": 100.0}  # m; full-resolution points, and the gridded L3 products
_TO_MM = {"mm/yr": 1.0, "mm/year": 1.0, "cm/yr": 10.0, "cm/year": 10.0, "m/yr": 1000.0, "m/year": 1000.0}


def convert(settings: Sentinel1Settings, output: str | Path) -> None:
    """Write the supplied velocity as velocity.tif, mm/yr, on a grid of its own; the format is recognised.

    Raises
    ------
    InputError : not one of the formats, units that are not known, a file in radar coordinates.
    """
    path = Path(settings.path)
    if path.is_dir():
        path = _only_file(path)
    if not path.exists():
        raise InputError(f"inputs.sentinel1.path: {path} does not exist; correct the path or put the velocity there.")
    format_ = settings.format if settings.format != "auto" else _recognise(path)
    if format_ == "mintpy":
        _convert_mintpy(path, output)
    elif format_ == "egms":
        _convert_egms(path, output)
    elif format_ == "geotiff":
        _convert_geotiff(path, output)
    else:
        raise InputError(
            f"inputs.sentinel1.format: '{format_}' does not hold velocities; choose mintpy, egms, geotiff or auto."
        )


def _recognise(path: Path) -> str:
    formats = {".h5": "mintpy", ".he5": "mintpy", ".csv": "egms", ".tif": "geotiff", ".tiff": "geotiff"}
    if path.suffix.lower() not in formats:
        raise InputError(
            f"inputs.sentinel1.path: {path} is no velocity of a known format (MintPy .h5, EGMS .csv, GeoTIFF .tif); "
            f"give one of these."
        )
    return formats[path.suffix.lower()]


def _only_file(folder: Path) -> Path:
    found = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".h5", ".he5", ".csv", ".tif", ".tiff")]
    if len(found) != 1:
        raise InputError(
            f"inputs.sentinel1.path: {folder} holds {len(found)} velocity files (.h5, .csv, .tif); name one of them."
        )
    return found[0]


def _write(
    output: str | Path, grid: Grid, blocks: Iterator[tuple[object, np.ndarray]], source: Path, format_: str
) -> None:
    with raster.create(
        output,
        grid,
        bands=["velocity"],
        units="mm/yr",
        long_name="line-of-sight velocity, positive towards the satellite",
        tags={"SOURCE": source.name, "SOURCE_FORMAT": format_, "SIGN": "positive towards the satellite"},
    ) as out:
        for window, block in blocks:
            out.write(block.astype(np.float32), window)


def _factor(units: str, path: Path) -> float:
    if units.lower() not in _TO_MM:
        raise InputError(f"{path}: its units are '{units}', not one of {', '.join(_TO_MM)}; set the units tag right.")
    return _TO_MM[units.lower()]


def _convert_geotiff(path: Path, output: str | Path) -> None:
    import rasterio

    raster.check(path, "inputs.sentinel1.path")
    with rasterio.open(path) as src:
        units = src.units[0] or src.tags(1).get("units") or src.tags().get("units") or "mm/yr"
        factor = _factor(units, path)
        grid = Grid(crs_name(src.crs), src.transform, src.width, src.height)
        _write(output, grid, ((w, raster.read_open(src, w, 1) * factor) for w in grid.blocks()), path, "geotiff")


def _convert_mintpy(path: Path, output: str | Path) -> None:
    """MintPy's velocity.h5: data set `velocity` (m/year); zero is its nodata."""
    import h5py

    try:
        file = h5py.File(path)
    except OSError as error:
        raise InputError(f"{path}: not an HDF5 file that can be opened ({error}); export it again.") from error
    with file:
        if "velocity" not in file:
            raise InputError(f"{path}: there is no data set 'velocity' in it; give MintPy's velocity.h5.")
        attributes = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in file.attrs.items()}
        data = file["velocity"]
        if "X_FIRST" not in attributes:
            raise InputError(f"{path} is in radar coordinates; geocode it with MintPy's geocode.py first.")
        x, dx, y, dy = (float(attributes[k]) for k in ("X_FIRST", "X_STEP", "Y_FIRST", "Y_STEP"))
        crs = f"EPSG:{attributes['EPSG']}" if attributes.get("EPSG", "").isdigit() else "EPSG:4326"
        factor = _factor(attributes.get("UNIT", "m/year"), path)
        grid = Grid(crs, Affine(dx, 0, x, 0, dy, y), data.shape[1], data.shape[0])

        def blocks() -> Iterator[tuple[object, np.ndarray]]:
            for window in grid.blocks():
                block = data[window.toslices()].astype(np.float64) * factor
                block[block == 0] = np.nan
                yield window, block

        _write(output, grid, blocks(), path, "mintpy")


def _convert_egms(path: Path, output: str | Path) -> None:
    """EGMS CSV: easting, northing (EPSG:3035, m) and mean_velocity (mm/yr); a pixel is its points' mean.

    Holds the points' three columns in memory.
    """
    wanted = ("easting", "northing", "mean_velocity")
    with open(path, newline="", encoding="utf-8-sig") as source:
        head = next(csv.reader(source), [])
    missing = [name for name in wanted if name not in head]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; give an EGMS CSV.")
    import pandas

    try:
        table = pandas.read_csv(path, usecols=list(wanted), encoding="utf-8-sig").dropna()
    except ValueError as error:
        raise InputError(f"{path}: not a CSV table that can be read ({error}); fetch it again.") from error
    east, north, velocity = (table[name].to_numpy(np.float64) for name in wanted)
    if len(east) == 0:
        raise InputError(f"{path}: there is no point in it; fetch it again.")
    ortho = np.all(east % 100 == 50) and np.all(north % 100 == 50)
    size = EGMS_PIXEL["ortho" if ortho else "points"]
    grid = Grid.from_bounds(
        EGMS_CRS, size, (east.min() - size / 2, north.min() - size / 2, east.max() + size / 2, north.max() + size / 2)
    )
    cols, rows = ~grid.transform @ (east, north)
    cell = np.floor(rows).astype(np.int64) * grid.width + np.floor(cols).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    cell, velocity = cell[order], velocity[order]
    starts = np.flatnonzero(np.r_[True, np.diff(cell) > 0])
    means = np.add.reduceat(velocity, starts) / np.diff(np.r_[starts, len(cell)])
    cell = cell[starts]

    def blocks() -> Iterator[tuple[object, np.ndarray]]:
        for window in grid.blocks():
            (r0, r1), (c0, c1) = window.toranges()
            low, high = np.searchsorted(cell, [r0 * grid.width, r1 * grid.width])
            rows, cols = np.divmod(cell[low:high], grid.width)
            inside = (cols >= c0) & (cols < c1)
            block = np.full((r1 - r0, c1 - c0), np.nan)
            block[rows[inside] - r0, cols[inside] - c0] = means[low:high][inside]
            yield window, block

    _write(output, grid, blocks(), path, "egms")
