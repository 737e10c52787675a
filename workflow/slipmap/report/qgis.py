"""A QGIS project of an area's results: the report's layers and outlines in its colours, paths relative."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from rasterio.crs import CRS

from slipmap.colours import ramp
from slipmap.event.landslides import CONFIDENCE, LAYER
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid
from slipmap.motion.describe import QUALITY_NAMES
from slipmap.prediction.styles import class_outline_style, class_style, outline_style, ramp_style
from slipmap.report.layers import Layer, rasters_of
from slipmap.report.sources import Sources

VERSION = "3.22.0"  # QGIS reads projects of older versions
_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
GREY = {"kind": "ramp", "colours": ramp("gray", 21), "min": -0.45, "max": 1.0}  # the hillshade's
PREFIX = "slipmap_layer_"  # QGIS gives layers whose id has ten characters or fewer another one, which no tree knows


def write(path: str | Path, sources: Sources, layers: Sequence[Layer], motion: bool) -> None:
    """Write the project beside which the results lie.

    Parameters
    ----------
    layers : the report's, bottom first; those that show a raster as it is are in the project. motion : whether
        outlines have it.
    """
    path = Path(path)
    rasters = rasters_of(sources)
    root = Xml.Element("qgis", version=VERSION, projectname=sources.area)
    Xml.SubElement(root, "homePath", path="")
    Xml.SubElement(root, "title").text = sources.settings.description or sources.area
    root.append(_crs("projectCrs", sources.grid))
    tree = Xml.SubElement(root, "layer-tree-group")
    held = Xml.SubElement(root, "projectlayers")
    groups: dict[str, Xml.Element] = {}
    for number, (name, file, style) in enumerate(_outlines(sources, motion)):
        _add(tree, held, f"outlines_{number}", name, _beside(file, path), "ogr", style, number == 0, sources.grid)
    for layer in reversed(layers):
        if layer.id not in rasters:
            continue
        group = groups.get(layer.group)
        if group is None:
            groups[layer.group] = group = Xml.SubElement(tree, "layer-tree-group", name=layer.group, expanded="0")
        where = _beside(rasters[layer.id], path)
        _add(group, held, layer.id, layer.title, where, "gdal", _raster_style(layer), layer.shown, sources.grid)
    told = Xml.SubElement(root, "properties")
    Xml.SubElement(Xml.SubElement(told, "Paths"), "Absolute", type="bool").text = "false"
    Xml.SubElement(Xml.SubElement(told, "SpatialRefSys"), "ProjectionsEnabled", type="int").text = "1"
    Xml.indent(root)
    write_text(path, _HEAD + Xml.tostring(root, encoding="unicode") + "\n")


def _outlines(sources: Sources, motion: bool) -> list[tuple[str, str, str]]:
    """Title, file with its layer, and style of the outlines, those first that the report shows at first."""
    found = [
        (f"Landslides by {name}", f"{e.maps['landslides']}|layername=landslides", outline_style(motion))
        for name, e in reversed(sources.mapped.items())
        if "landslides" in e.maps
    ]
    if "event_landslides" in sources.found:
        style = class_outline_style("confidence", CONFIDENCE)
        found.append(("Landslides of the event", f"{sources.found['event_landslides']}|layername={LAYER}", style))
    if sources.active_areas:
        style = class_outline_style("quality", QUALITY_NAMES)
        found.append(("Active areas", f"{sources.active_areas}|layername=active_areas", style))
    return found


def _beside(file: str | Path, project: Path) -> str:
    name, bar, layer = str(file).partition("|")
    return "./" + Path(os.path.relpath(name, project.parent)).as_posix() + bar + layer


def _add(
    group: Xml.Element, held: Xml.Element, key: str, title: str, where: str, provider: str, style: str, shown: bool,
    grid: Grid,
) -> None:  # fmt: skip
    """A layer in the tree of layers and among the project's layers."""
    key = PREFIX + "".join(c if c.isalnum() else "_" for c in key)
    checked = "Qt::Checked" if shown else "Qt::Unchecked"
    about = {"id": key, "name": title, "source": where, "providerKey": provider, "checked": checked, "expanded": "0"}
    Xml.SubElement(group, "layer-tree-layer", about)
    kind = {"type": "raster"} if provider == "gdal" else {"type": "vector", "geometry": "Polygon"}
    layer = Xml.SubElement(held, "maplayer", kind)
    for tag, text in (("id", key), ("datasource", where), ("layername", title), ("provider", provider)):
        Xml.SubElement(layer, tag).text = text
    layer.append(_crs("srs", grid))
    layer.extend(list(Xml.fromstring(style.partition("\n")[2])))


def _crs(tag: str, grid: Grid) -> Xml.Element:
    element = Xml.Element(tag)
    crs = CRS.from_user_input(grid.crs)
    inside = Xml.SubElement(element, "spatialrefsys")
    Xml.SubElement(inside, "wkt").text = crs.to_wkt()
    Xml.SubElement(inside, "proj4").text = crs.to_proj4()
    if crs.to_epsg() is not None:
        Xml.SubElement(inside, "authid").text = f"EPSG:{crs.to_epsg()}"
    return element


def _raster_style(layer: Layer) -> str:
    """The style of a raster by the legend of its layer."""
    legend: dict[str, Any] = layer.picture.legend or GREY
    if legend["kind"] == "classes":
        return class_style({item["value"]: (item["name"], item["colour"]) for item in legend["items"]})
    head, _, body = ramp_style("gray", legend["min"], legend["max"]).partition("\n")
    style = Xml.fromstring(body)
    items, colours = list(style.iter("item")), legend["colours"]
    for number, item in enumerate(items):
        item.set("color", colours[round(number * (len(colours) - 1) / (len(items) - 1))])
    return f"{head}\n{Xml.tostring(style, encoding='unicode')}"
