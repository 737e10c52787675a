"""The landslide inventory, whatever it is given as, on the area's grid: 1 landslide, 0 none, 255 unknown."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.features import shapes
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from shapely.geometry import box, shape

from slipmap.codes import LANDSLIDE, LANDSLIDE_CLASSES
from slipmap.config.inputs import PointSettings
from slipmap.errors import InputError
from slipmap.inputs.outlines import burner
from slipmap.inputs.points import burn, read_points
from slipmap.inputs.rasters import as_stored
from slipmap.inputs.vectors import SUFFIXES, find_layer, read_features
from slipmap.io import raster
from slipmap.io.description import Description
from slipmap.io.grid import Grid

_LOOK = 16  # blocks of 512 x 512 pixels of an inventory raster that `check` looks at, at most half a second
_INT8_UNKNOWN = -128
_COVER = 0.9  # share of the area from which landslides are no inventory, but the outline of what was mapped
_FINER = 1.5  # times as fine as the grid is a raster from which its landslides are outlined


def is_vector(path: str | Path) -> bool:
    """Whether `path` is read as a vector layer (by suffix)."""
    return Path(path).suffix.lower() in SUFFIXES


def read_landslides(
    path: str | Path, grid: Grid, key: str = "inputs.inventory", layer: str | None = None
) -> gpd.GeoDataFrame:
    """Landslide outlines or points of a vector file that lie in the area, in the grid's CRS.

    Raises
    ------
    InputError : as `slipmap.inputs.vectors.read_features`; lines; no landslide in the area; outlines that cover all of
        it, as the outline of what was mapped does.
    """
    find_layer(path, key, layer)
    try:
        landslides = read_features(path, grid, key, shapes=("polygon", "point"), layer=layer, columns=[])
    except InputError as error:
        if "has nothing in the area" in str(error):
            raise _none_found(path, key) from None
        raise
    area = box(*grid.bounds)
    inside = shapely.intersection(landslides.geometry.to_numpy(), area)
    if shapely.area(inside).sum() > _COVER * area.area and shapely.union_all(inside).area > _COVER * area.area:
        raise _covers(path, key)
    return landslides


def check(
    path: str | Path,
    grid: Grid,
    key: str = "inputs.inventory",
    points: PointSettings | None = None,
    layer: str | None = None,
) -> None:
    """Raise `InputError` unless the inventory can be read and has a landslide in the area.

    A raster is read block by block until a landslide is found and `_LOOK` blocks have only the values that they may
    have, so that a good one costs little; `run` looks at all.
    """
    if points is not None:
        read_points(path, grid, points, key, layer)
        return
    if is_vector(path):
        read_landslides(path, grid, key, layer)
        return
    _check_raster(path, grid, key)
    landslides = known = pixels = 0
    with raster.warped(path, _fine_grid(path, grid), "nearest", _unknown_value(path)) as source:
        fine = Grid(grid.crs, source.transform, source.width, source.height)
        for number, window in enumerate(fine.blocks()):
            if known > landslides > 0 and number >= _LOOK:
                break
            values = _read_labels(source, window, path, key)
            landslides += int((values == LANDSLIDE).sum())
            known += int(np.isfinite(values).sum())
            pixels += values.size
    _require_both(landslides, known, pixels, path, key)


class Count(NamedTuple):
    """Landslides of a vector file: in the area, in the file, of those in the area points; % of the area covered."""

    inside: int
    all: int
    points: int
    share: float


def count(path: str | Path, grid: Grid, key: str, layer: str | None = None) -> Count | None:
    """How many landslides of a vector file lie in the area, and how much of it is in them; None of rasters."""
    if not is_vector(path):
        return None
    features = int(find_layer(path, key, layer).info["features"])
    shapes = read_landslides(path, grid, key, layer).geometry.to_numpy()
    points = int((shapely.get_type_id(shapes) == shapely.GeometryType.POINT).sum())
    area = box(*grid.bounds)
    covered = shapely.union_all(shapely.intersection(shapes, area)).area / area.area
    return Count(len(shapes), max(features, len(shapes)), points, 100 * float(covered))


def _require_both(landslides: int, known: int, pixels: int, path: str | Path, key: str) -> None:
    """Raise `InputError` unless some pixels have a landslide, and some are known to have none."""
    if not landslides:
        raise _none_found(path, key)
    if landslides > _COVER * pixels:
        raise _covers(path, key)
    if landslides == known:
        raise InputError(
            f"{key}: {path} has only landslides and unknown ground, and nowhere the value 0; write 0 where the ground "
            f"was mapped and has no landslide (gdal_calc.py, or gdal_edit.py -unsetnodata), or give polygons."
        )


def _check_raster(path: str | Path, grid: Grid, key: str) -> None:
    try:
        rasterio.open(path).close()
    except RasterioError as error:
        raise InputError(
            f"{key}: {path} is neither a raster that GDAL can open nor a vector file ({', '.join(SUFFIXES)}); "
            f"export it as GeoPackage or GeoTIFF."
        ) from error
    raster.check(path, key, overlaps=grid)
    as_stored(path, key)
    with rasterio.open(path) as src:
        if src.nodata == LANDSLIDE:
            raise InputError(
                f"{key}: {path} declares 1, the value of its landslides, as nodata; take that out (gdal_edit.py "
                f"-unsetnodata)."
            )


def _fine_grid(path: str | Path, grid: Grid) -> Grid:
    """The area's grid, or one nested in it whose pixels are about as fine as those of the raster."""
    with rasterio.open(path) as src:
        left, bottom, right, top = raster.outer_bounds(src)
        bounds = transform_bounds(src.crs, CRS.from_user_input(grid.crs), left, bottom, right, top)
        size = min((bounds[2] - bounds[0]) / src.width, (bounds[3] - bounds[1]) / src.height)
    factor = min(grid.resolution) / size
    return grid.nested(round(factor), round(factor)) if factor >= _FINER else grid


def _unknown_value(path: str | Path) -> float | None:
    """What to read as unknown; None: as the file says.

    A mask of landslides often declares 0 as nodata, so that a map shows only its ones. Ground mapped as free of
    landslides is not unknown: there, and only there, the declared value does not count.
    """
    with rasterio.open(path) as source:
        if source.nodata != 0:
            return None
        return _INT8_UNKNOWN if source.dtypes[0] == "int8" else raster.CLASS_NODATA


def labels(path: str | Path, grid: Grid, key: str) -> NDArray[np.float32]:
    """A raster's landslides at the centres of the pixels of `grid`, (rows, cols): 1 landslide, 0 none, NaN unknown."""
    with raster.warped(path, grid, "nearest", _unknown_value(path)) as source:
        found: NDArray[np.float32] = _read_labels(source, Window(0, 0, grid.width, grid.height), path, key)
    return found


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


def _only_255(path: str | Path) -> bool:
    """Whether a raster declares 0 as nodata and marks with 255, which is read as unknown."""
    if is_vector(path):
        return False
    with rasterio.open(path) as src:
        if src.nodata != 0:
            return False
        return any((src.read(1, window=window) == raster.CLASS_NODATA).any() for _, window in src.block_windows(1))


def _none_found(path: str | Path, key: str) -> InputError:
    if _only_255(path):
        return InputError(
            f"{key}: {path} marks landslides with 255 and declares 0, the ground without, as nodata; write 1 for "
            f"255 and take the nodata value out (gdal_calc.py --calc='A==255' --NoDataValue=none)."
        )
    marks = "" if is_vector(path) else ", that 1 is landslide (not 255)"
    return InputError(
        f"{key}: {path} has no landslide in the area; check grid.bounds{marks}, or leave inventory out to make a "
        f"prediction area."
    )


def _covers(path: str | Path, key: str) -> InputError:
    return InputError(
        f"{key}: the landslides of {path} cover the whole area, as the outline of a mapped area would; give the "
        f"landslides themselves (another layer, or a raster with 1 on landslides alone)."
    )


def run(
    path: str | Path,
    grid: Grid,
    output: str | Path,
    key: str = "inputs.inventory",
    points: PointSettings | None = None,
    layer: str | None = None,
) -> None:
    """Write the inventory at `path` (polygons, points, or a raster with 1 = landslide) to `output` on `grid`.

    Holds the outlines, and one block of pixels; how they become pixels is told in `slipmap.inputs.outlines`. Of a
    raster finer than the grid each patch of ones is outlined first, so that small landslides are kept. With `points`
    the file holds labelled points, and pixels without one are unknown. A raster's 0 is "none" even where it is
    declared nodata.

    Raises
    ------
    InputError : as `read_landslides` and `points.read_points`; or what is neither vector nor raster, a raster with
        other values than 0, 1 and nodata, without a 1, or of ones alone.
    """
    description = Description(
        bands=["landslide"],
        units="1",
        long_name="landslide inventory",
        dtype="uint8",
        categories=LANDSLIDE_CLASSES,
        tags={"source": Path(path).name},
    )
    draw: Callable[[Window], NDArray[np.uint8]]
    if points is not None:
        found_points, labels = read_points(path, grid, points, key, layer)

        def at_points(window: Window) -> NDArray[np.uint8]:
            part = grid.window_grid(window)
            return burn(found_points, labels, part.transform, part.shape)

        draw = at_points
    elif is_vector(path):
        draw = burner(read_landslides(path, grid, key, layer).geometry.to_numpy(), grid)
    else:
        _check_raster(path, grid, key)
        _from_raster(path, grid, output, key, description)
        return
    with raster.create(output, grid, **description) as writer:
        for window in grid.blocks():
            writer.write(draw(window), window)


def _from_raster(path: str | Path, grid: Grid, output: str | Path, key: str, description: Description) -> None:
    """Write a raster's landslides to `output`; unknown is what is unknown at the centre of a pixel."""
    fine = _fine_grid(path, grid)
    draw = None if fine == grid else burner(_outlined(path, fine, key), grid)
    found = known = 0
    with (
        raster.warped(path, grid, "nearest", _unknown_value(path)) as source,
        raster.create(output, grid, **description) as writer,
    ):
        for window in grid.blocks():
            values = _read_labels(source, window, path, key)
            if draw is not None:
                values = np.where(draw(window) == LANDSLIDE, LANDSLIDE, np.where(np.isnan(values), np.nan, 0))
            found += int((values == LANDSLIDE).sum())
            known += int(np.isfinite(values).sum())
            writer.write(np.where(np.isfinite(values), values, raster.CLASS_NODATA).astype(np.uint8), window)
        _require_both(found, known, grid.width * grid.height, path, key)


def _outlined(path: str | Path, fine: Grid, key: str) -> np.ndarray:
    """Outlines of the patches of ones in a raster, seen on the grid `fine`; GDAL reads it row by row."""
    unknown = _unknown_value(path)
    with raster.warped(path, fine, "nearest", unknown) as source:
        for window in fine.blocks():
            _read_labels(source, window, path, key)
    with rasterio.open(path) as src:
        view = WarpedVRT(
            src, crs=CRS.from_user_input(fine.crs), transform=fine.transform, width=fine.width, height=fine.height,
            src_nodata=src.nodata if unknown is None else unknown, nodata=raster.CLASS_NODATA, dtype="uint8",
        )  # fmt: skip
        with view:
            band = rasterio.band(view, 1)
            return np.array(
                [shape(outline) for outline, value in shapes(band, mask=band, connectivity=8) if value == LANDSLIDE],
                object,
            )
