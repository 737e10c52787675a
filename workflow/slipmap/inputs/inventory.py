"""The landslide inventory, whatever it is given as, on the area's grid: 1 landslide, 0 none, 255 unknown."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from shapely.geometry import box

from slipmap.codes import LANDSLIDE, LANDSLIDE_CLASSES
from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError
from slipmap.inputs.points import burn, read_points, read_vector
from slipmap.io import raster
from slipmap.io.grid import Grid

VECTOR_SUFFIXES = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".csv")
_LOOK = 16  # blocks of 512 x 512 pixels of an inventory raster that `check` looks at, at most half a second
_INT8_UNKNOWN = -128
_POLYGON, _MULTIPOLYGON = 3, 6  # shapely's type ids


def is_vector(path: str | Path) -> bool:
    """Whether `path` is read as a vector layer (by suffix)."""
    return Path(path).suffix.lower() in VECTOR_SUFFIXES


def read_landslides(path: str | Path, grid: Grid, key: str = "inputs.inventory") -> gpd.GeoDataFrame:
    """Landslide outlines or points of a vector file that lie in the area, in the grid's CRS.

    Raises
    ------
    InputError : the file cannot be opened, has no geometries or no CRS, or has no landslide in the area.
    """
    landslides = read_vector(path, key)
    landslides = landslides.to_crs(grid.crs)
    landslides = landslides[landslides.intersects(box(*grid.bounds))]
    if landslides.empty:
        raise _none_found(path, key)
    return landslides


def check(path: str | Path, grid: Grid, key: str = "inputs.inventory", points: PointSettings | None = None) -> None:
    """Raise `InputError` unless the inventory can be read and has a landslide in the area.

    A raster is read block by block until a landslide is found and `_LOOK` blocks have only the values that they may
    have, so that a good one costs little; `run` looks at all.
    """
    if points is not None:
        read_points(path, grid, points, key)
        return
    if is_vector(path):
        read_landslides(path, grid, key)
        return
    _check_raster(path, grid, key)
    found = False
    with raster.warped(path, grid, "nearest", _unknown_value(path)) as source:
        for number, window in enumerate(grid.blocks()):
            if found and number >= _LOOK:
                break
            values = _read_labels(source, window, path, key)
            found = found or bool((values == LANDSLIDE).any())
    if not found:
        raise _none_found(path, key)


def _check_raster(path: str | Path, grid: Grid, key: str) -> None:
    try:
        rasterio.open(path).close()
    except RasterioError as error:
        raise InputError(
            f"{key}: {path} is neither a raster that GDAL can open nor a vector file ({', '.join(VECTOR_SUFFIXES)}); "
            f"export it as GeoPackage or GeoTIFF."
        ) from error
    raster.check(path, key, overlaps=grid)


def _unknown_value(path: str | Path) -> float | None:
    """What to read as unknown; None: as the file says.

    A mask of landslides often declares 0 as nodata, so that a map shows only its ones. Ground mapped as free of
    landslides is not unknown: there, and only there, the declared value does not count.
    """
    with rasterio.open(path) as source:
        if source.nodata != 0:
            return None
        return _INT8_UNKNOWN if source.dtypes[0] == "int8" else raster.CLASS_NODATA


def _read_labels(source: WarpedVRT, window: Window, path: str | Path, key: str) -> np.ndarray:
    """(rows, cols) float32: 1 landslide, 0 none, NaN unknown."""
    values = raster.read_open(source, window, 1)
    odd = np.setdiff1d(values[np.isfinite(values)], (0, 1))
    if odd.size:
        listed = ", ".join(f"{value:g}" for value in odd[:3])
        raise InputError(
            f"{key}: {path} has the value{'s' * (odd.size > 1)} {listed} beside 0 and 1; reclassify it so that 1 is "
            f"landslide, 0 none, and unknown ground nodata."
        )
    return values


def _none_found(path: str | Path, key: str) -> InputError:
    return InputError(
        f"{key}: {path} has no landslide in the area; check grid.bounds, or leave inventory out to make a prediction "
        f"area."
    )


def run(
    path: str | Path,
    grid: Grid,
    output: str | Path,
    key: str = "inputs.inventory",
    points: PointSettings | None = None,
) -> None:
    """Write the inventory at `path` (polygons, points, or a raster with 1 = landslide) to `output` on `grid`.

    Holds the outlines, and one block of pixels. A pixel is landslide when its centre lies in a polygon, or a point
    lies in it; a polygon too small or slim to hold a centre gets the pixels that it touches. With `points` the file
    holds labelled points, and pixels without one are unknown. A raster's 0 is "none" even where it is declared nodata.

    Raises
    ------
    InputError : as `read_landslides` and `points.read_points`; or what is neither vector nor raster, a raster with
        other values than 0, 1 and nodata, or without a 1.
    """
    description = dict(
        bands=["landslide"],
        units="1",
        long_name="landslide inventory",
        dtype="uint8",
        categories=LANDSLIDE_CLASSES,
        tags={"source": Path(path).name},
    )
    if points is not None:
        found_points, labels = read_points(path, grid, points, key)
        with raster.create(output, grid, **description) as writer:
            for window in grid.blocks():
                part = grid.window_grid(window)
                writer.write(burn(found_points, labels, part.transform, part.shape), window)
        return
    if is_vector(path):
        landslides = read_landslides(path, grid, key)
        index = landslides.sindex
        missed = _without_centre(landslides.geometry.to_numpy(), grid)
        with raster.create(output, grid, **description) as writer:
            for window in grid.blocks():
                part = grid.window_grid(window)
                here = index.query(box(*part.bounds), predicate="intersects")
                block = np.zeros(part.shape, np.uint8)
                for chosen, touched in ((here[~missed[here]], False), (here[missed[here]], True)):
                    if len(chosen):
                        shapes = landslides.geometry.iloc[chosen]
                        rasterize(shapes, out=block, transform=part.transform, all_touched=touched)
                writer.write(block, window)
        return
    _check_raster(path, grid, key)
    found = 0
    unknown = _unknown_value(path)
    with raster.warped(path, grid, "nearest", unknown) as source, raster.create(output, grid, **description) as writer:
        for window in grid.blocks():
            values = _read_labels(source, window, path, key)
            found += int((values == LANDSLIDE).sum())
            writer.write(np.where(np.isfinite(values), values, raster.CLASS_NODATA).astype(np.uint8), window)
        if not found:
            raise _none_found(path, key)


def _without_centre(shapes: np.ndarray, grid: Grid) -> np.ndarray:
    """(shapes,) bool: polygons in which no pixel's centre lies.

    A convex polygon holds a circle whose radius is its area over its perimeter; with a radius of a pixel that
    circle holds a centre. Only polygons below that are drawn, each in the pixels around it.
    """
    polygons = np.isin(shapely.get_type_id(shapes), (_POLYGON, _MULTIPOLYGON))
    size = max(grid.resolution)
    slim = polygons & (shapely.area(shapes) < size * shapely.length(shapes))
    for number in np.flatnonzero(slim):
        left, bottom, right, top = shapely.bounds(shapes[number])
        col, row = np.floor(~grid.transform @ (left, top)).astype(int)
        last_col, last_row = np.ceil(~grid.transform @ (right, bottom)).astype(int)
        around = grid.window_grid(Window(col, row, max(last_col - col, 1), max(last_row - row, 1)))
        drawn = rasterize([shapes[number]], out_shape=around.shape, transform=around.transform, dtype="uint8")
        slim[number] = not drawn.any()
    return slim
