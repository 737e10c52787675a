"""Distance to roads or faults, from their vectors."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window

from slipmap.errors import InputError
from slipmap.factors import catalogue, distances
from slipmap.factors.align import expanded
from slipmap.inputs.vectors import Shape, read_features
from slipmap.io.grid import Grid

_COVER = 0.5  # share of the area from which polygons are no roads or faults any more


NEAR = 5000.0  # metres beyond the area within which features count


def run(
    path: str | Path,
    grid: Grid,
    out: str | Path,
    *,
    name: str,
    layer: str | None = None,
    margin: float = NEAR,
    key: str = "inputs.roads",
) -> None:
    """Write the distance in metres from each pixel to the nearest feature of a vector file.

    Parameters
    ----------
    path : lines, polygons or points in any CRS.
    layer : of a file that holds several.
    margin : metres beyond the area within which features count: what is nearest may lie outside.

    Notes
    -----
    Every pixel that a feature touches is on it; distance is from centre to centre, so right to about a pixel. Features
    are held in memory, pixels in strips of 512 rows.
    """
    from shapely import STRtree, box

    factor = catalogue.made_by("proximity", [name])[name]
    shapes = features(path, grid, key, layer, margin)
    pad = int(np.ceil(margin / min(grid.resolution)))
    wide = expanded(grid, pad)
    tree = STRtree(shapes)

    def touched(window: Window) -> np.ndarray:
        part = wide.window_grid(window)
        here = np.sort(tree.query(box(*part.bounds)))
        if not here.size:
            return np.zeros(part.shape, bool)
        burnt: np.ndarray = rasterize(
            [(shapes[n], 1) for n in here],
            out_shape=part.shape,
            transform=part.transform,
            all_touched=True,
            dtype="uint8",
        )
        return burnt.astype(bool)

    distances.write(
        touched, wide, grid, (pad, pad), out, name=name,
        long_name=factor.long_name,
        nothing=f"{key}: {path} has nothing within {margin:g} m of the area",
        tags={"source": Path(path).name, "margin": f"{margin:g} m"},
    )  # fmt: skip


def features(
    path: str | Path, grid: Grid, key: str, layer: str | None = None, margin: float = NEAR
) -> NDArray[np.object_]:
    """Geometries near the area to which the distance is taken, in the grid's CRS.

    Raises
    ------
    InputError : as `slipmap.inputs.vectors.read_features`; polygons that cover the ground rather than cross it.
    """
    import shapely

    kinds: tuple[Shape, ...] = ("line", "polygon", "point")
    frame = read_features(path, grid, key, shapes=kinds, layer=layer, columns=[], margin=margin)
    shapes: NDArray[np.object_] = frame.geometry.to_numpy()
    area = shapely.box(*grid.bounds)
    polygons = shapes[shapely.get_dimensions(shapes) == 2]
    share = shapely.area(shapely.intersection(polygons, area)).sum() / area.area
    if share > _COVER:
        raise InputError(
            f"{key}: the polygons of {path} cover {min(share, 1):.0%} of the area, as no roads or faults do; give the "
            f"lines themselves."
        )
    return shapes
