"""The landslide inventory, whatever it is given as, on the area's grid: 1 landslide, 0 none, 255 unknown."""

from pathlib import Path

import geopandas as gpd
import numpy as np
from rasterio.features import rasterize
from shapely.geometry import box

from slipmap import raster
from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError
from slipmap.grid import Grid
from slipmap.inputs.points import burn, read_points

VECTOR_SUFFIXES = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".csv")


def is_vector(path: str | Path) -> bool:
    """Whether `path` is read as a vector layer (by suffix)."""
    return Path(path).suffix.lower() in VECTOR_SUFFIXES


def read_landslides(path: str | Path, grid: Grid, key: str = "inputs.inventory") -> gpd.GeoDataFrame:
    """Landslide outlines or points of a vector file that lie in the area, in the grid's CRS.

    Raises
    ------
    InputError : the file cannot be opened, has no CRS, or has no landslide in the area.
    """
    try:
        landslides = gpd.read_file(path)
    except Exception as error:  # pyogrio raises a family of errors of its own
        raise InputError(f"{key}: {path} is not a vector file that can be read; export it as GeoPackage.") from error
    if landslides.crs is None:
        raise InputError(f"{key}: {path} has no coordinate reference system; assign the right one (ogr2ogr -a_srs).")
    landslides = landslides.to_crs(grid.crs)
    landslides = landslides[landslides.intersects(box(*grid.bounds))]
    if landslides.empty:
        raise _none_found(path, key)
    return landslides


def check(
    path: str | Path, grid: Grid, key: str = "inputs.inventory", points: PointSettings | None = None
) -> None:
    """Raise `InputError` unless the inventory has a landslide in the area.

    A raster is read block by block until a landslide is found, so that a good one costs little.
    """
    if points is not None:
        read_points(path, grid, points, key)
        return
    if is_vector(path):
        read_landslides(path, grid, key)
        return
    with raster.warped(path, grid, "nearest") as source:
        if not any((raster.read_open(source, window, 1) == 1).any() for window in grid.blocks()):
            raise _none_found(path, key)


def _none_found(path: str | Path, key: str) -> InputError:
    return InputError(
        f"{key}: {path} has no landslide in the area; check grid.bounds, or leave inventory out to make a prediction area."
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
    lies in it. With `points` the file holds labelled points, and pixels without one are unknown.

    Raises
    ------
    InputError : as `read_landslides` and `points.read_points`; or a raster with other values than 0, 1
        and nodata, or without a 1.
    """
    description = dict(
        bands=["landslide"],
        units="1",
        long_name="landslide inventory",
        dtype="uint8",
        categories={0: "no landslide", 1: "landslide"},
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
        with raster.create(output, grid, **description) as writer:
            for window in grid.blocks():
                part = grid.window_grid(window)
                hits = landslides.geometry.iloc[index.query(box(*part.bounds), predicate="intersects")]
                if len(hits):
                    block = rasterize(hits, out_shape=part.shape, transform=part.transform, dtype="uint8")
                else:
                    block = np.zeros(part.shape, np.uint8)
                writer.write(block, window)
        return
    found = 0
    with raster.warped(path, grid, "nearest") as source, raster.create(output, grid, **description) as writer:
        for window in grid.blocks():
            values = raster.read_open(source, window, 1)
            known = np.isfinite(values)
            if not np.isin(values[known], (0, 1)).all():
                odd = sorted(set(np.unique(values[known])) - {0, 1})[:3]
                raise InputError(
                    f"{key}: {path} has values {odd} beside 0 and 1; reclassify it so that 1 is landslide."
                )
            found += int((values == 1).sum())
            writer.write(np.where(known, values, raster.CLASS_NODATA).astype(np.uint8), window)
        if not found:
            raise _none_found(path, key)
