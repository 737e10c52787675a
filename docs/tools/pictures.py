"""Draw the pictures of the site from finished runs: ``python docs/tools/pictures.py RESULTS [NAME …]``.

Each picture needs the results of one area under RESULTS; areas that were not run are left out.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import matplotlib
import numpy as np
from PIL import Image

from slipmap.colours import PROBABILITY, VELOCITY
from slipmap.io import raster
from slipmap.io.grid import Grid

matplotlib.use("Agg")
PICTURES = Path(__file__).parents[1] / "pictures"


def landslide_map(results: Path, path: Path, experiment: str = "unet") -> None:
    """Probability of landslide over the hillshade, with outlines."""
    maps = results / "maps" / experiment
    panel(
        results,
        path,
        raster.read(maps / "probability.tif", bands=1),
        PROBABILITY,
        (0, 1),
        "probability of landslide",
        outlines=maps / "landslides.gpkg",
    )


def velocity_map(results: Path, path: Path) -> None:
    """Line-of-sight velocity with active areas, where there are some."""
    with raster.warped(results / "deformation" / "velocity.tif", Grid.load(results / "grid.json")) as onto:
        values = onto.read(1, masked=True).filled(np.nan)
    limit = float(np.nanpercentile(np.abs(values), 99))
    areas = results / "deformation" / "active_areas.gpkg"
    panel(
        results,
        path,
        values,
        VELOCITY,
        (-limit, limit),
        "line-of-sight velocity, mm/yr, positive towards the satellite",
        outlines=areas,
    )


def susceptibility_map(results: Path, path: Path) -> None:
    """Susceptibility by the generalised additive model."""
    values = raster.read(results / "susceptibility" / "gam.tif", bands=1)
    panel(results, path, values, PROBABILITY, (0, 1), "susceptibility (GAM)")


def panel(
    results: Path,
    path: Path,
    values: np.ndarray,
    colours: str,
    limits: tuple[float, float],
    label: str,
    outlines: Path | None = None,
) -> None:
    """One map with its scale in kilometres, over the hillshade if there is one."""
    from matplotlib import pyplot

    grid = Grid.load(results / "grid.json")
    left, bottom, right, top = grid.bounds
    extent = (0, (right - left) / 1000, 0, (top - bottom) / 1000)
    figure, axis = pyplot.subplots(figsize=(6.4, 5.0), layout="constrained")
    shade = results / "hillshade.tif"
    if shade.is_file() and Grid.from_raster(shade).matches(grid):
        axis.imshow(raster.read(shade, bands=1), cmap="gray", extent=extent)
    drawn = axis.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], extent=extent, alpha=0.75)
    if outlines is not None and outlines.is_file():
        shapes = gpd.read_file(outlines, layer=outlines.stem)
        if len(shapes):
            shapes = shapes.to_crs(grid.crs).translate(-left, -bottom).scale(1e-3, 1e-3, origin=(0, 0))
            shapes.boundary.plot(ax=axis, color="black", linewidth=0.6)
    axis.set(xlabel="km", ylabel="km", xlim=extent[:2], ylim=extent[2:])
    figure.colorbar(drawn, ax=axis, label=label, shrink=0.8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with io.BytesIO() as drawing:
        figure.savefig(drawing, dpi=80, metadata={"Software": None})
        Image.open(drawing).convert("RGB").quantize(128).save(path, optimize=True)  # a third of the bytes
    pyplot.close(figure)


DRAWN: dict[str, Callable[[Path, Path], None]] = {
    "valley": landslide_map,
    "slope": velocity_map,
    "mexico_city": velocity_map,
    "romagna": landslide_map,
    "ecuador": susceptibility_map,
}


def main(results: Path, wanted: list[str]) -> None:
    """Draw what is there."""
    for name, draw in DRAWN.items():
        if (not wanted or name in wanted) and (results / name / "grid.json").is_file():
            draw(results / name, PICTURES / f"{name}.png")
            print(f"wrote {PICTURES / name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"), sys.argv[2:])
