"""Landslide polygons from the class map, each with what an analyst asks of it, and its displacement over time."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd

from slipmap.config.prediction import OutlineSettings
from slipmap.errors import SlipmapError
from slipmap.io.grid import Grid
from slipmap.io.vector import write_layers
from slipmap.prediction import moving_parts
from slipmap.prediction.attributes import describe, kept_by_rules, match_inventory
from slipmap.prediction.motion import describe_motion, displacement
from slipmap.prediction.outlines import outlines, smoothed

LANDSLIDES, DISPLACEMENT = "landslides", "displacement"


def run(
    classes: str | Path,
    layers: Mapping[str, str | Path],
    inventory: str | Path | None,
    settings: OutlineSettings,
    output: str | Path,
    deformation: Mapping[str, str | Path] | None = None,
) -> None:
    """Write ``landslides.gpkg``: layer "landslides", and the table "displacement" where there is a time series.

    Attributes are those of the pixels; the outline that is written has its corners cut (``smooth``) and so may be up
    to half a pixel smaller in area for each ring.

    Parameters
    ----------
    layers : probability, uncertainty and factors by name, on the map's grid.
    inventory : the inventory raster of the area, or None.
    deformation : velocity, velocity_std, mask, stack and timeseries of the area's own radar data, and active_areas
        where they decide too (`slipmap.prediction.moving_parts`).
    """
    if Path(output).suffix != ".gpkg":
        raise SlipmapError(f"{output}: landslides are written as GeoPackage; name the file .gpkg.")
    grid = Grid.from_raster(classes)
    frame = kept_by_rules(describe(outlines(classes, grid, settings.min_area), layers, grid), settings.rules)
    frame = frame.reset_index(drop=True)
    tables = {}
    if deformation:
        frame = describe_motion(frame, layers, deformation, grid, settings)
        if "active_areas" in deformation:
            areas = moving_parts.read(deformation["active_areas"])
            frame = moving_parts.with_active_areas(frame, areas, settings.moving_velocity)
        tables[DISPLACEMENT] = displacement(frame, deformation["timeseries"])
    if inventory is not None:
        frame["inventory"] = match_inventory(frame, inventory)
    if settings.smooth:
        frame = frame.set_geometry(
            gpd.GeoSeries([smoothed(g, grid.resolution[0]) for g in frame.geometry], index=frame.index, crs=frame.crs)
        )
    write_layers(output, {LANDSLIDES: frame, **tables}, geometry_type="Polygon")
