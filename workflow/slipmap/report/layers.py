"""Which layers the maps of a report have, in what order, and how each is coloured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyogrio
import rasterio
from rasterio.features import rasterize

from slipmap.colours import (
    AGREEMENT,
    GREEN,
    LANDSLIDE,
    PROBABILITY,
    SKY,
    SUSCEPTIBILITY,
    UNCERTAINTY,
    VELOCITY,
    class_ramp,
)
from slipmap.factors import catalogue
from slipmap.factors.record import Ramp
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.motion.describe import QUALITY_NAMES
from slipmap.report.context import Context
from slipmap.report.pictures import STRETCH, Picture, Style, composite, load, paint
from slipmap.report.scores import deformation_pair
from slipmap.report.sources import Sources
from slipmap.screening.applicability import INSIDE, OUTSIDE, UNSEEN

SPLIT_COLOURS = {0: "#bdbdbd", 1: SKY, 2: "#aa4499"}  # none of them one of `colours.MOTION`
INDEX = {  # it ranks places; nothing of what is exposed is in it, so the page does not call it a risk
    "lsi": "landslide susceptibility index (LSI)",
    "lsi_class": "classes of the landslide susceptibility index (LSI)",
}
UNLIKE = {OUTSIDE: "#332288", UNSEEN: "#882255"}


@dataclass(frozen=True)
class Layer:
    """A layer of the maps.

    Its picture, what it is called, the group under which it is listed, whether it is shown at first, how opaque, and
    how it is laid over what is below ("multiply": relief shows through). Its kind: the "ground" below all, a "theme"
    of which one is shown at a time, or laid "over" a theme.
    """

    id: str
    title: str
    group: str
    picture: Picture
    shown: bool = False
    opacity: float = 1.0
    blend: str = "source-over"
    kind: str = "theme"

    def data(self) -> Context:
        """What the viewer needs."""
        return {
            "id": self.id,
            "title": self.title,
            "group": self.group,
            "kind": self.kind,
            "shown": self.shown,
            "opacity": self.opacity,
            "blend": self.blend,
            "uri": self.picture.uri,
            "legend": self.picture.legend,
        }


def factor_style(name: str) -> Style:
    """The colours of a factor as its record has them; a plain ramp for one that was supplied under another name."""
    factor = catalogue.find(name)
    ramp = factor.style if factor else Ramp()
    return Style(colours=ramp.colours, limits=ramp.limits, centred=ramp.centred)


def make_layers(sources: Sources, shown: Grid) -> list[Layer]:
    """Every layer of an area, bottom first. Holds one raster of `shown`'s size at a time, and the pictures."""
    layers: list[Layer] = []
    layers += _ground(sources, shown)
    layers += _factors(sources, shown)
    layers += _deformation(sources, shown)
    layers += _active_areas(sources, shown)
    layers += _truth(sources, shown)
    layers += _labels(sources, shown)
    layers += _susceptibility(sources, shown)
    spread = _common_spread(sources, shown)
    for experiment in sources.experiments.values():
        layers += _maps(experiment.name, experiment.maps, sources, shown, spread)
    layers += _difference(sources, shown)
    return _first_view(layers, sources)


def rasters_of(sources: Sources) -> dict[str, Path]:
    """Layer → its raster, for the layers that show the first band of one raster as it is."""
    found = {f"factor.{name}": path for name, path in sources.factors.items()}
    found |= {name: path for name, path in sources.deformation.items() if path.suffix == ".tif"}
    found |= {"velocity_beside": sources.beside["velocity"]} if "velocity" in sources.beside else {}
    found |= {f"model.{name}": path for name, path in sources.susceptibility.items()}
    for name, experiment in sources.experiments.items():
        found |= {f"{name}.{kind}": path for kind, path in experiment.maps.items() if path.suffix == ".tif"}
    single = {"hillshade": sources.hillshade, "inventory": sources.inventory, "split": sources.split}
    single["event_significance"] = sources.found.get("event_significance")
    return found | {name: path for name, path in single.items() if path is not None}


def _first_view(layers: list[Layer], sources: Sources) -> list[Layer]:
    """Show the ground and, on it, the last experiment's probability, else the event, else the velocity."""
    ids = [layer.id for layer in layers]
    wanted = {"hillshade"}
    top = [f"{name}.probability" for name in sources.experiments if f"{name}.probability" in ids]
    wanted.add(top[-1] if top else "event_significance" if "event_significance" in ids else "velocity")
    if not wanted & set(ids):
        wanted = set(ids[:1])
    return [replace(layer, shown=layer.id in wanted) for layer in layers]


def _ramp(path: Path, shown: Grid, style: Style, band: int = 1) -> Picture:
    with rasterio.open(path) as source:
        units = source.tags(band).get("units", source.tags().get("units", ""))
    return paint(load(path, shown, band=band), style, units=units)


def _says_something(picture: Picture) -> bool:
    """Whether a field has a value anywhere: one without (a product that was not asked for) is no layer."""
    return bool(picture.legend["known"])


def _ground(sources: Sources, shown: Grid) -> list[Layer]:
    layers = []
    if sources.hillshade:
        picture = paint(
            load(sources.hillshade, shown), Style(colours="gray", limits=(-0.45, 1.0))
        )  # light: others lie on it
        layers.append(
            Layer(
                "hillshade", "Hillshade", "Ground", Picture(picture.uri, picture.width, picture.height), kind="ground"
            )
        )
    for suffix, title in (("", ""), ("_after", " after the event")):
        names = [f"{band}{suffix}" for band in ("B4", "B3", "B2")]
        if all(name in sources.factors for name in names):
            picture = composite([load(sources.factors[name], shown) for name in names])
            layers.append(Layer(f"optical{suffix}", f"Sentinel-2 true colour{title}", "Ground", picture))
    return layers


def _factors(sources: Sources, shown: Grid) -> list[Layer]:
    layers = []
    for name, path in sources.factors.items():
        is_classes, title = _described(path, name)
        if is_classes:
            picture = paint(load(path, shown, classes=True), Style("classes"), names=raster.read_classes(path))
        else:
            picture = _ramp(path, shown, factor_style(name))
        layers.append(Layer(f"factor.{name}", in_words(title), "Factors", picture, False, 1.0, "multiply"))
    return layers


def in_words(title: str) -> str:
    """A title as it begins a line."""
    return title[:1].upper() + title[1:]


def _described(path: Path, name: str) -> tuple[bool, str]:
    """Whether a raster holds classes, and its title: `name` where it has none of its own."""
    with rasterio.open(path) as source:
        return source.dtypes[0] == "uint8", source.tags(1).get("long_name", source.tags().get("long_name", name))


def _ordered_classes(path: Path, shown: Grid, names: Mapping[int, str]) -> Picture:
    """Classes from low to high, light to dark."""
    colours = dict(zip(sorted(names), class_ramp(SUSCEPTIBILITY, len(names)), strict=True))
    return paint(load(path, shown, classes=True), Style("classes", colours), names=names)


def _deformation(sources: Sources, shown: Grid) -> list[Layer]:
    """The velocity, its quality and its changes over time."""
    found = sources.deformation
    velocity = factor_style("velocity")
    two_signs, plain = Style(colours="PuOr", centred=True), Style(colours="cividis")
    wanted = (
        ("kinematics", 7, "Largest step of the displacement", two_signs),
        ("kinematics", 3, "Amplitude of the annual cycle", plain),
        ("kinematics", 0, "Acceleration in the line of sight", two_signs),
        ("fading", 0, "Velocity that the fading signal of short pairs adds", two_signs),
        ("significance", 0, "Motion, times the noise of the ground around", two_signs),
        ("averaging_std", 0, "Standard deviation that averaging hides at the edges of slides", plain),
        ("temporal_coherence", 0, "Temporal coherence", replace(plain, limits=(0, 1))),
        ("velocity_std", 0, "Standard deviation of the velocity", plain),
        ("downslope", 0, "Velocity downslope, downhill positive", velocity),
        ("velocity", 0, "Velocity in the line of sight", velocity),
    )
    layers = []
    for product, title in (
        ("reliability", "Why a velocity is reliable or not"),
        ("trend", "Trend of the displacement"),
    ):
        if product in found:
            names = raster.read_classes(found[product])
            picture = paint(load(found[product], shown, classes=True), Style("classes"), names=names)
            layers.append(Layer(product, title, "Deformation", picture, False, 1.0, "multiply"))
    for product, band, title, style in wanted:
        if product in found:
            name = product if product != "kinematics" else f"kinematics.{band + 1}"
            picture = _ramp(found[product], shown, style, band + 1)
            if _says_something(picture):
                layers.append(Layer(name, title, "Deformation", picture, False, 1.0, "multiply"))
    for product, band, title in (
        ("velocity_change", 3, "Change of velocity since the earlier run"),
        ("event_significance", 1, "Event: landslide, in standard deviations"),
    ):
        if product in sources.found:
            style = two_signs if product == "velocity_change" else Style(colours=PROBABILITY)
            picture = _ramp(sources.found[product], shown, style, band)
            if _says_something(picture):
                layers.append(Layer(product, title, "Event and changes", picture, False, 1.0, "multiply"))
    return layers


def _active_areas(sources: Sources, shown: Grid) -> list[Layer]:
    """The active areas by the quality of their series; no layer where there is no area."""
    if not sources.active_areas:
        return []
    frame = pyogrio.read_dataframe(sources.active_areas, layer="active_areas")
    if not len(frame):
        return []
    burnt = zip(frame.geometry, frame["quality"].astype(int), strict=True)
    codes = rasterize(burnt, shown.shape, transform=shown.transform, all_touched=True, dtype="uint8")
    colours = dict(zip(QUALITY_NAMES, reversed(class_ramp(SUSCEPTIBILITY, len(QUALITY_NAMES))), strict=True))
    names = {code: f"active area, {name}" for code, name in QUALITY_NAMES.items()}
    picture = paint(np.where(codes, codes, np.nan).astype(np.float32), Style("classes", colours), names=names)
    title = "Active areas by the quality of their series"
    return [Layer("active_areas", title, "Deformation", picture, False, 0.85, kind="over")]


def _truth(sources: Sources, shown: Grid) -> list[Layer]:
    """The simulated velocity, and the one beside the area's own, in the colours of that."""
    style = factor_style("velocity")
    velocity = sources.deformation.get("velocity")
    if velocity:  # so that they can be compared
        values = load(velocity, shown)
        extent = float(np.nanpercentile(np.abs(values), 98)) if np.isfinite(values).any() else 1.0
        style = Style(colours=VELOCITY, limits=(-extent, extent))
    wanted = (
        ("velocity_beside", f"Velocity by {sources.settings.deformation.compare_with}", sources.beside.get("velocity")),
        ("truth", "Simulated truth: velocity", sources.truth.get("velocity_los")),
    )
    return [
        Layer(name, title, "Deformation", _ramp(path, shown, style), False, 1.0, "multiply")
        for name, title, path in wanted
        if path
    ]


def _labels(sources: Sources, shown: Grid) -> list[Layer]:
    layers = []
    if sources.split:
        picture = paint(
            load(sources.split, shown, classes=True),
            Style("classes", SPLIT_COLOURS),
            names=raster.read_classes(sources.split),
        )
        layers.append(
            Layer("split", "Training, validation and test ground", "Inventory", picture, False, 0.7, "multiply")
        )
    if sources.inventory:
        picture = paint(
            load(sources.inventory, shown, classes=True),
            Style("classes", {1: GREEN}, hidden=(0,)),
            names={1: "landslide in the inventory"},
        )
        layers.append(Layer("inventory", "Landslide inventory", "Inventory", picture, False, 0.8, kind="over"))
    return layers


def _susceptibility(sources: Sources, shown: Grid) -> list[Layer]:
    layers = []
    for name, path in sources.susceptibility.items():
        is_classes, title = _described(path, name)
        title = INDEX.get(name, title)
        if name.endswith("_applicability"):
            model = name.removesuffix("_applicability").replace("_", " ")
            layers.append(_applicability(f"model.{name}", path, f"the map of {model}", "Susceptibility models", shown))
            continue
        if is_classes:
            picture = _ordered_classes(path, shown, raster.read_classes(path))
        else:
            picture = _ramp(path, shown, Style(colours=PROBABILITY))
        group = "Susceptibility models"
        layers.append(Layer(f"model.{name}", in_words(title), group, picture, False, 1.0, "multiply"))
    return layers


def _applicability(layer: str, path: Path, of: str, group: str, shown: Grid) -> Layer:
    """Ground unlike what the model learnt from; the rest shows through."""
    names = {OUTSIDE: "outside the ground it learnt from", UNSEEN: "a class that training never saw"}
    colours = UNLIKE
    picture = paint(load(path, shown, classes=True), Style("classes", colours, hidden=(INSIDE,)), names=names)
    return Layer(layer, f"Where not to trust {of}", group, picture, False, 0.8, kind="over")


def _common_spread(sources: Sources, shown: Grid) -> tuple[float, float]:
    """Limits of the uncertainty's colours: the same for every experiment, so that maps can be compared."""
    most = 0.0
    for experiment in sources.experiments.values():
        if "uncertainty" in experiment.maps:
            values = load(experiment.maps["uncertainty"], shown)
            known = values[np.isfinite(values)]
            most = max(most, float(np.percentile(known, STRETCH[1])) if known.size else 0.0)
    return 0.0, most or 1.0


def _maps(
    name: str, maps: Mapping[str, Path], sources: Sources, shown: Grid, spread: tuple[float, float]
) -> list[Layer]:
    group = sources.experiments[name].called
    layers = []
    if "probability" in maps:
        style = Style(colours=PROBABILITY, limits=(0, 1))
        picture = _ramp(maps["probability"], shown, style)
        layers.append(Layer(f"{name}.probability", "Probability of landslide", group, picture, False, 1.0, "multiply"))
    if "uncertainty" in maps:
        picture = _ramp(maps["uncertainty"], shown, Style(colours=UNCERTAINTY, limits=spread))
        layers.append(
            Layer(
                f"{name}.uncertainty",
                "Spread of the probability (standard deviation)",
                group,
                picture,
                False,
                1.0,
                "multiply",
            )
        )
    if "sets" in maps:
        with rasterio.open(maps["sets"]) as source:
            title = f"Prediction sets, coverage {source.tags().get('coverage', '?')} on exchangeable ground"
        picture = _ordered_classes(maps["sets"], shown, raster.read_classes(maps["sets"]))
        layers.append(Layer(f"{name}.sets", title, group, picture, False, 1.0, "multiply"))
    if "applicability" in maps:
        layers.append(
            _applicability(f"{name}.applicability", maps["applicability"], f"the map of {name}", group, shown)
        )
    if "probability_class" in maps:
        path = maps["probability_class"]
        picture = _ordered_classes(path, shown, _with_ranges(path))
        layers.append(Layer(f"{name}.probability_class", "Probability class", group, picture, False, 1.0, "multiply"))
    if "class" in maps:
        found = load(maps["class"], shown, classes=True)
        picture = paint(found, Style("classes", {1: LANDSLIDE}, hidden=(0,)), names={1: "landslide"})
        layers.append(Layer(f"{name}.class", "Landslides at the threshold", group, picture, False, 0.9))
        if sources.inventory:
            truth = load(sources.inventory, shown, classes=True)
            layers.append(
                Layer(f"{name}.agreement", "Agreement with the inventory", group, agreement(found, truth), False, 0.9)
            )
    return layers


def _with_ranges(path: Path) -> dict[int, str]:
    """Names of the classes of probability, each with its range: "medium, 0.33 to 0.67"."""
    names = raster.read_classes(path)
    with rasterio.open(path) as source:
        breaks = [float(text) for text in source.tags().get("breaks", "").split()]
    if len(breaks) + 1 != len(names):
        return names
    edges = [0.0, *breaks, 1.0]
    ranges = zip(sorted(names), edges[:-1], edges[1:], strict=True)
    return {code: f"{names[code]}, {low:.2g} to {high:.2g}" for code, low, high in ranges}


def _difference(sources: Sources, shown: Grid) -> list[Layer]:
    """What the deformation rate adds to the probability, where two experiments differ in it alone."""
    pair = deformation_pair(sources.tested)
    if not pair or not set(pair) <= sources.mapped.keys():
        return []
    without, with_it = (load(sources.experiments[name].maps["probability"], shown) for name in pair)
    picture = paint(with_it - without, Style(colours="PuOr_r", limits=(-1, 1)))
    title = f"Probability by {pair[1]} minus by {pair[0]}"
    return [Layer("difference", title, "Comparison", picture, False, 1.0, "multiply")]


def agreement(found: np.ndarray, truth: np.ndarray) -> Picture:
    """Where a class map and the inventory agree on landslide, and where only one of them has one (NaN: unknown)."""
    code = np.zeros(found.shape, np.float32)
    for value, (drawn, real) in {1: (1, 1), 2: (1, 0), 3: (0, 1)}.items():
        code[(found == drawn) & (truth == real)] = value
    colours = {value: colour for value, (_, colour) in AGREEMENT.items()}
    return paint(code, Style("classes", colours, hidden=(0,)), names={v: name for v, (name, _) in AGREEMENT.items()})
