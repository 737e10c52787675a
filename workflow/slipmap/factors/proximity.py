"""Distance to roads or faults, from their vectors."""

from pathlib import Path

import numpy as np
from rasterio.features import rasterize
from rasterio.windows import Window

from slipmap.factors import catalogue, distances
from slipmap.factors.align import expanded
from slipmap.factors.lithology import read_vector
from slipmap.io.grid import Grid


def run(
    path: str | Path, grid: Grid, out: str | Path, *, name: str, margin: float = 5000.0, key: str = "inputs.roads"
) -> None:
    """Write the distance in metres from each pixel to the nearest feature of a vector file.

    Parameters
    ----------
    path : lines, polygons or points in any CRS.
    margin : metres beyond the area within which features count: what is nearest may lie outside.

    Notes
    -----
    Every pixel that a feature touches is on it; distance is from centre to centre, so right to about a pixel. Features
    are held in memory, pixels in strips of 512 rows.
    """
    from shapely import STRtree, box

    factor = catalogue.made_by("proximity", [name])[name]
    shapes = read_vector(path, None, grid, key, margin).geometry.to_numpy()
    pad = int(np.ceil(margin / min(grid.resolution)))
    wide = expanded(grid, pad)
    tree = STRtree(shapes)

    def touched(window: Window) -> np.ndarray:
        part = wide.window_grid(window)
        here = np.sort(tree.query(box(*part.bounds)))
        if not here.size:
            return np.zeros(part.shape, bool)
        burnt = rasterize(
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
