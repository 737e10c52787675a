"""Colours that every eye can tell apart, the same in the report, its maps and the QGIS styles."""

# Okabe & Ito (2008), Color Universal Design.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
)
CLASSES = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, "#666666", "#332288", "#999933", "#aa4499", "#ddcc77")
LANDSLIDE = VERMILION
# a map against the inventory: code → (what it is, colour), each at least 3 : 1 against white
AGREEMENT = {
    1: ("found (true positive)", GREEN),
    2: ("false alarm (false positive)", VERMILION),
    3: ("missed (false negative)", BLUE),
}
OUTLINE, CASING = SKY, "#1a1a1a"  # outlines of whose motion nothing is known; the dark edge of all outlines
MOTION = {
    "moving": VERMILION,
    "moves in part": YELLOW,
    "moves, not downslope": PINK,
    "moves slowly": ORANGE,
    "no movement detected": BLUE,
    "not observable": "#999999",
}
# matplotlib colour maps of the maps: light where there is little, so that relief shows through
PROBABILITY, UNCERTAINTY, VELOCITY, SUSCEPTIBILITY = "OrRd", "PuBu", "RdBu", "YlOrBr"


def ramp(name: str, count: int) -> list[str]:
    """`count` colours of a matplotlib colour map from end to end, "#rrggbb"."""
    import matplotlib
    import numpy as np

    colours = matplotlib.colormaps[name](np.linspace(0, 1, count))
    return ["#" + "".join(f"{round(255 * float(c)):02x}" for c in colour[:3]) for colour in colours]


def class_ramp(name: str, count: int) -> list[str]:
    """`count` colours for ordered classes: from a light one to a dark one, neither white nor black."""
    return [ramp(name, 101)[round(12 + 73 * i / max(count - 1, 1))] for i in range(count)]
