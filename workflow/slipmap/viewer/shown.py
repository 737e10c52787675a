"""What the viewer shows of an area: the report's layers and outlines, each layer with its raster."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipmap.config.layout import Results
from slipmap.config.run import RunSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.planning.files import reported_files
from slipmap.report import active_areas, explore, landslides
from slipmap.report.layers import make_layers, rasters_of
from slipmap.report.pictures import display_grid
from slipmap.report.sources import Given, gather

PIXELS = 512  # on the long side of the pictures from which legends are made, and of layers that no raster holds
MOST = 5000  # outlines


@dataclass(frozen=True)
class Shown:
    """An area as the viewer has it.

    Parameters
    ----------
    title : of the page. data : what Explore shows. rasters : layer → raster. legends : layer → what colours mean.
    deformation : the deformation stage's products.
    """

    title: str
    grid: Grid
    data: dict[str, Any]
    rasters: Mapping[str, Path]
    legends: Mapping[str, dict[str, Any]]
    deformation: Mapping[str, Path]


def load(area: str, run: RunSettings, root: str | Path = "") -> Shown:
    """Read an area's finished results below `root`.

    Raises
    ------
    InputError : the area is not in the config, or nothing of it is there.
    """
    if area not in run.areas:
        raise InputError(f"area {area} is not in the config; it has {', '.join(run.areas)}.")
    there = [path for path in reported_files(run, area) if (Path(root) / path).exists()]
    if Results(area).grid not in there:
        raise InputError(
            f"nothing of {area} is finished here yet; 'slipmap run' makes it, 'slipmap status' tells how far it is."
        )
    sources = gather(area, run, Given(there, root))
    rasters = rasters_of(sources)
    layers = make_layers(sources, display_grid(sources.grid, PIXELS))
    drawn = landslides.drawn(sources.mapped)
    areas = active_areas.of(sources)
    outlines = explore.outlines(sources, drawn, areas, MOST)
    data = explore.frame(sources.grid, area, layers, shown=list(outlines["landslides"])) | outlines
    for layer in data["layers"]:
        if layer["id"] in rasters:
            layer["uri"] = ""
    return Shown(
        title=sources.settings.description or area,
        grid=sources.grid,
        data=data,
        rasters=rasters,
        legends={layer.id: layer.picture.legend or GREY for layer in layers},
        deformation=sources.deformation,
    )


# the hillshade has no legend: as `slipmap.report.layers` paints it
GREY = {
    "kind": "ramp",
    "colours": [f"#{v:02x}{v:02x}{v:02x}" for v in range(0, 256, 3)],
    "min": -0.45,
    "max": 1.0,
    "units": "",
}
