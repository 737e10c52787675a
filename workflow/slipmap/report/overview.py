"""One picture of an area's map, for a README or a slide: hillshade, probability of landslide, outlines, velocity."""

from pathlib import Path

import geopandas as gpd
import matplotlib
import numpy as np

from slipmap.colours import PROBABILITY, VELOCITY
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.report.pictures import display_grid, load

matplotlib.use("Agg")


def run(area: str, experiment: str, output: str | Path, results: Path = Path("results"), pixels: int = 640) -> None:
    """Draw ``results/{area}/maps/{experiment}`` beside the area's velocity (if it has one) and write a PNG.

    Reads each raster through its overviews: memory follows `pixels`, not the area.

    Raises
    ------
    InputError : the map is not there.
    """
    from matplotlib import pyplot

    folder = results / area
    maps = folder / "maps" / experiment
    if not (maps / "probability.tif").is_file():
        raise InputError(f"{maps}/probability.tif does not exist; run the workflow for that area and experiment first.")
    shown = display_grid(Grid.load(folder / "grid.json"), pixels)
    left, bottom, right, top = shown.bounds
    extent = (0, (right - left) / 1000, 0, (top - bottom) / 1000)
    shade = load(folder / "hillshade.tif", shown) if (folder / "hillshade.tif").is_file() else None
    panels = [("probability of landslide", maps / "probability.tif", PROBABILITY, (0.0, 1.0))]
    if (folder / "factors" / "velocity.tif").is_file():
        panels.append(("line-of-sight velocity, mm/yr", folder / "factors" / "velocity.tif", VELOCITY, None))
    landslides = gpd.read_file(maps / "landslides.gpkg", layer="landslides")
    landslides = landslides.translate(-left, -bottom).scale(1e-3, 1e-3, origin=(0, 0))
    size = (6.2 * len(panels), 5.2)
    figure, axes = pyplot.subplots(1, len(panels), figsize=size, squeeze=False, layout="constrained")
    for axis, (name, path, colours, limits) in zip(axes[0], panels, strict=True):
        values = load(path, shown)
        low, high = limits or _symmetric(values)
        if shade is not None:
            axis.imshow(shade, cmap="gray", extent=extent)
        drawn = axis.imshow(
            values, cmap=colours, vmin=low, vmax=high, extent=extent, alpha=0.72 if shade is not None else 1.0
        )
        if len(landslides):
            landslides.boundary.plot(ax=axis, color="black", linewidth=0.5)
        axis.set(xlabel="km", ylabel="km")
        figure.colorbar(drawn, ax=axis, label=name, shrink=0.8)
    with write_aside(output) as aside:
        figure.savefig(aside, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def _symmetric(values: np.ndarray) -> tuple[float, float]:
    limit = float(np.nanpercentile(np.abs(values), 99))
    return -limit, limit
