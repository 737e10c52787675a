"""A STAC item of an area's map, so that machines find what a folder holds (STAC 1.0.0, projection extension 2.0)."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform_bounds, transform_geom
from shapely.geometry import box, mapping

from slipmap import __version__
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.prediction.dates import dates_in

_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
UNDATED = (date(1970, 1, 1), date(9999, 12, 31))
_TITLES = {
    "probability": "Probability of landslide",
    "uncertainty": "Standard deviation of the probability over the ensemble",
    "class": "Landslides at the validation threshold",
    "probability_class": "Class of the probability (low, medium, high); not a risk",
    "landslides": "Landslide outlines with attributes and displacement",
}


def item(
    name: str, assets: Mapping[str, str | Path], *, description: str = "", simulated: bool = False
) -> dict[str, Any]:
    """The item as a dictionary.

    Its interval is that of the observations behind the map, in the tags of the probability. STAC wants one: where no
    factor says when it was observed the interval is `UNDATED`, and ``slipmap:dates_known`` is false.

    Parameters
    ----------
    name : identifier. assets : key → file; all lie in the folder of the item.
    """
    grid = Grid.from_raster(assets["probability"])
    crs = CRS.from_user_input(grid.crs)
    with rasterio.open(assets["probability"]) as source:
        made = source.tags()
    days = sorted(dates_in(made))
    first, last = (f"{day.isoformat()}T00:00:00Z" for day in ((days[0], days[-1]) if days else UNDATED))
    outline = transform_geom(crs, "EPSG:4326", mapping(box(*grid.bounds).segmentize(max(grid.resolution) * 200)))
    properties = {
        "title": name,
        "description": description or name,
        "datetime": None,
        "start_datetime": first,
        "end_datetime": last,
        "proj:code": grid.crs if crs.to_authority() else None,
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform[:6]),
        "gsd": grid.resolution[0],
        "slipmap:simulated": simulated,
        "slipmap:dates_known": bool(days),
        "slipmap:software": f"slipmap {__version__}",
        **{f"slipmap:{k}": made[k] for k in ("model", "weights", "members", "threshold", "calibration") if k in made},
    }
    if not crs.to_authority():
        properties["proj:wkt2"] = crs.to_wkt()
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"],
        "id": name,
        "geometry": {"type": outline["type"], "coordinates": _rounded(outline["coordinates"])},
        "bbox": _rounded(list(transform_bounds(crs, "EPSG:4326", *grid.bounds, densify_pts=51))),
        "properties": properties,
        "links": [],
        "assets": {key: _asset(key, Path(path)) for key, path in assets.items()},
    }


def run(
    name: str,
    assets: Mapping[str, str | Path],
    output: str | Path,
    *,
    description: str = "",
    simulated: bool = False,
) -> None:
    """Write the item of a map; see `item`."""
    found = item(name, assets, description=description, simulated=simulated)
    write_text(output, json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _asset(key: str, path: Path) -> dict[str, Any]:
    vector = path.suffix == ".gpkg"
    return {
        "href": f"./{path.name}",
        "title": _TITLES.get(key, key),
        "type": "application/geopackage+sqlite3" if vector else _COG,
        "roles": ["data"],
    }


def _rounded(values: float | Iterable[Any]) -> Any:
    if isinstance(values, int | float):
        return round(values, 7)
    return [_rounded(value) for value in values]
