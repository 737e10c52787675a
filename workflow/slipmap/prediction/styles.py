"""QGIS styles (.qml) beside rasters and polygons: QGIS takes up the style of a layer's own name by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import rasterio

from slipmap.colours import LANDSLIDE, MOTION, PROBABILITY, SUSCEPTIBILITY, UNCERTAINTY, class_ramp, ramp
from slipmap.io import raster
from slipmap.io.atomic import write_text

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_STOPS = 11


def ramp_style(name: str, low: float, high: float) -> str:
    """Style of a one-band raster of a field, coloured by the colour map `name` from `low` to `high`."""
    stops = [low + (high - low) * i / (_STOPS - 1) for i in range(_STOPS)]
    items = "".join(
        f'<item value="{value:.9g}" label="{value:.3g}" color="{colour}" alpha="255"/>'
        for value, colour in zip(stops, ramp(name, _STOPS), strict=True)
    )
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology"><pipe>'
        f'<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" nodataColor="" '
        f'classificationMin="{low:.9g}" classificationMax="{high:.9g}"><rastershader>'
        f'<colorrampshader colorRampType="INTERPOLATED" classificationMode="2" clip="0" minimumValue="{low:.9g}" '
        f'maximumValue="{high:.9g}">{items}</colorrampshader></rastershader></rasterrenderer></pipe>'
        f"<blendMode>6</blendMode></qgis>\n"
    )


def class_style(classes: Mapping[int, tuple[str, str]], hidden: Sequence[int] = ()) -> str:
    """Style of a raster of classes: code → (name, colour); `hidden` codes are transparent."""
    entries = "".join(
        f'<paletteEntry value="{code}" label={quoteattr(name)} color="{colour}" '
        f'alpha="{0 if code in hidden else 255}"/>'
        for code, (name, colour) in sorted(classes.items())
    )
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology"><pipe>'
        f'<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">'
        f"<colorPalette>{entries}</colorPalette></rasterrenderer></pipe><blendMode>0</blendMode></qgis>\n"
    )


def outline_style(with_motion: bool) -> str:
    """Style of the landslide polygons: outlined by motion where that is known, else in one colour."""
    return (
        _categories("motion", {name: (name, colour) for name, colour in MOTION.items()}) if with_motion else _single()
    )


def class_outline_style(attribute: str, names: Mapping[int, str]) -> str:
    """Style of polygons outlined by the classes of an attribute, from the strongest colour to the lightest."""
    colours = reversed(class_ramp(SUSCEPTIBILITY, len(names)))
    return _categories(attribute, {str(code): (names[code], c) for code, c in zip(sorted(names), colours, strict=True)})


def _single() -> str:
    symbols = _outline(0, LANDSLIDE)
    return _polygons(f'<renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0"><symbols>{symbols}</symbols>')


def _categories(attribute: str, classes: Mapping[str, tuple[str, str]]) -> str:
    """Polygons by the values of an attribute: value → (label, colour)."""
    symbols = "".join(_outline(number, colour) for number, (_, colour) in enumerate(classes.values()))
    categories = "".join(
        f'<category value={quoteattr(value)} label={quoteattr(label)} symbol="{number}" render="true"/>'
        for number, (value, (label, _)) in enumerate(classes.items())
    )
    return _polygons(
        f'<renderer-v2 type="categorizedSymbol" attr="{attribute}" enableorderby="0" forceraster="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols>"
    )


def _polygons(renderer: str) -> str:
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology">{renderer}</renderer-v2><blendMode>0</blendMode>'
        f"<layerGeometryType>2</layerGeometryType></qgis>\n"
    )


def _outline(number: int, colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    options = {
        "color": f"{red},{green},{blue},60",
        "style": "solid",
        "outline_color": f"{red},{green},{blue},255",
        "outline_style": "solid",
        "outline_width": "0.5",
        "outline_width_unit": "MM",
    }
    listed = "".join(f'<Option name="{key}" value="{value}" type="QString"/>' for key, value in options.items())
    return (
        f'<symbol type="fill" name="{number}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="SimpleFill" enabled="1" pass="0" locked="0"><Option type="Map">{listed}</Option></layer>'
        f"</symbol>"
    )


def write_styles(
    uncertainty: str | Path, probability_class: str | Path, with_motion: bool, outputs: Mapping[str, str | Path]
) -> None:
    """Write the styles of a map.

    Parameters
    ----------
    uncertainty, probability_class : rasters, for the range and the classes of their styles.
    outputs : probability, uncertainty, class, probability_class, landslides → .qml.
    """
    names = raster.read_classes(probability_class)
    colours = class_ramp(SUSCEPTIBILITY, len(names))
    classes = {code: (names[code], colour) for code, colour in zip(sorted(names), colours, strict=True)}
    write_text(outputs["probability"], ramp_style(PROBABILITY, 0.0, 1.0))
    write_text(outputs["uncertainty"], ramp_style(UNCERTAINTY, 0.0, _largest(uncertainty)))
    write_text(
        outputs["class"],
        class_style({0: ("no landslide", "#ffffff"), 1: ("landslide", LANDSLIDE)}, hidden=(0,)),
    )
    write_text(outputs["probability_class"], class_style(classes))
    write_text(outputs["landslides"], outline_style(with_motion))


def _largest(path: str | Path) -> float:
    """Largest value of a raster, rounded up to two digits; read from its coarsest overview."""
    with rasterio.open(path) as source:
        factor = max(source.overviews(1) or [1])
        shape = max(1, source.height // factor), max(1, source.width // factor)
        values = source.read(1, out_shape=shape, masked=True).compressed()
    largest = float(values.max()) if values.size else 0.0
    return float(f"{largest * 1.05:.1g}") if largest > 0 else 1.0
