"""Lithological units from Macrostrat's compiled geological map, classed by its own dictionary of rocks."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from slipmap.config.acquire import AcquireLithologySettings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.io.grid import Grid

PATTERN = r"macrostrat_(units|rocks)_.*\.(geo)?json"


def search(where: Target, settings: AcquireLithologySettings) -> Found:
    """The two questions that Macrostrat is asked: map units of the area, and the dictionary of rocks."""
    if settings.archive:
        key = f"areas.{where.area}.acquire.lithology.archive"
        return local.search("macrostrat", settings.archive, PATTERN, where, dated=False, key=key)
    place = "_".join(f"{value:.3f}" for value in where.bbox)
    units = urlencode({"shape": where.wkt, "format": "geojson_bare"})
    files = (
        RemoteFile(f"macrostrat_units_{place}.geojson", f"{settings.service}/carto/small?{units}"),
        RemoteFile("macrostrat_rocks_all.json", f"{settings.service}/defs/lithologies?all&format=json"),
    )
    return Found("macrostrat", settings.service, {}, tuple(Product(file.name, (file,)) for file in files))


def deliver(grid: Grid, paths: dict[str, Path], output: str | Path) -> None:
    """Write the map units of the area with the attribute ``lithology``: the type of the rock that is named first.

    A unit whose description names no rock of the dictionary (water, ice, "unknown") has no class.

    Raises
    ------
    InputError : the answers are not what Macrostrat gives, or no unit of the area has a class.
    """
    import geopandas as gpd

    from slipmap.io.vector import write_vector

    units = next((path for name, path in paths.items() if "_units_" in name), None)
    rocks = next((path for name, path in paths.items() if "_rocks_" in name), None)
    if units is None or rocks is None:
        raise InputError(
            "The Macrostrat archive needs macrostrat_units_*.geojson and macrostrat_rocks_*.json; add both."
        )
    try:
        types = rock_types(json.loads(rocks.read_text(encoding="utf-8"))["success"]["data"])
        features = json.loads(units.read_text(encoding="utf-8"))["features"]
        rows = [
            {
                "lithology": classify(feature["properties"].get("lith") or "", types),
                "name": feature["properties"].get("name"),
                "described": feature["properties"].get("lith"),
                "age": feature["properties"].get("age"),
                "source_id": feature["properties"].get("source_id"),
                "map_id": feature["properties"].get("map_id"),
            }
            for feature in features
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{units} is not an answer of Macrostrat; remove it, so that it is asked again.") from error
    if not any(row["lithology"] for row in rows):
        raise InputError(
            f"Macrostrat has no unit with a known rock in the area ({len(rows)} units); give a file of your own."
        )
    frame = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326")[["geometry"]].join(gpd.pd.DataFrame(rows))
    frame = frame[frame.geometry.notna() & frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    write_vector(output, frame.to_crs(grid.crs), "lithology", geometry_type="MultiPolygon", promote_to_multi=True)


def rock_types(dictionary: list[dict[str, Any]]) -> dict[str, str]:
    """Rock name → its type ("siliciclastic", "volcanic", ...), or its class where it has no type."""
    return {
        rock["name"].lower(): str(rock.get("type") or rock.get("class") or "").lower()
        for rock in dictionary
        if rock.get("name") and (rock.get("type") or rock.get("class"))
    }


def classify(text: str, types: dict[str, str]) -> str | None:
    """Type of the rock that a description names first ("Major:{sandstone,shale}, Minor:{chert}" → siliciclastic)."""
    text = text.lower()
    major = re.search(r"major:\s*\{([^}]*)\}", text)
    best: tuple[int, int, str] | None = None
    for rock, kind in types.items():
        found = re.search(rf"(?<![a-z]){re.escape(rock)}(?:s|es)?(?![a-z])", major[1] if major else text)
        if found and (best is None or (found.start(), -len(rock)) < best[:2]):
            best = (found.start(), -len(rock), kind)
    return best[2] if best else None
