"""Close-ups of test ground, the same places for every experiment, as the papers compare models."""

from collections.abc import Collection, Mapping

import geopandas as gpd
from scipy import ndimage
from shapely.geometry import box

from slipmap.codes import LANDSLIDE, TEST
from slipmap.io.grid import Grid
from slipmap.report.context import Context
from slipmap.report.pictures import load
from slipmap.report.sections import figure
from slipmap.report.sources import Sources
from slipmap.report.tabular import degrees

COUNT = 3
LEAST = 48  # pixels of the pictures that a close-up spans at least


def places(sources: Sources, shown: Grid) -> list[tuple[float, float, float]]:
    """(column, row, span) on `shown` of the largest landslides of the inventory on test ground, `COUNT` at most."""
    if not sources.inventory or not sources.split:
        return []
    truth = load(sources.inventory, shown, classes=True) == LANDSLIDE
    labels, _ = ndimage.label(truth & (load(sources.split, shown, classes=True) == TEST))
    boxes = ndimage.find_objects(labels)
    sizes = ndimage.sum_labels(labels > 0, labels, range(1, len(boxes) + 1))
    largest = sorted(zip(sizes, boxes, strict=True), key=lambda item: (-item[0], item[1][0].start, item[1][1].start))
    found: list[tuple[float, float, float]] = []
    for _, (rows, cols) in largest:
        col, row = (cols.start + cols.stop) / 2, (rows.start + rows.stop) / 2
        if any(max(abs(col - c), abs(row - r)) < span / 2 for c, r, span in found):
            continue  # seen in an earlier close-up
        span = max(LEAST, 3 * max(rows.stop - rows.start, cols.stop - cols.start))
        found.append((col, row, span))
        if len(found) == COUNT:
            break
    return found


def within(place: tuple[float, float, float], shown: Grid) -> tuple[float, float, float]:
    """The same close-up, moved so that nothing beyond the area's edges is in it, where the area is wide enough."""
    col, row, span = place
    ends = ((col, shown.width), (row, shown.height))
    col, row = (min(max(at, span / 2), size - span / 2) if span <= size else at for at, size in ends)
    return col, row, span


def title(place: tuple[float, float, float], shown: Grid, drawn: Mapping[str, gpd.GeoDataFrame]) -> str:
    """Which landslide a close-up is of: where it lies, and its number on each map that outlines it."""
    x, y = shown.transform @ place[:2]
    half = place[2] / 6 * max(shown.resolution)  # of the landslide: a close-up spans three times its size
    point = gpd.GeoSeries.from_xy([x], [y], crs=shown.crs).to_crs("EPSG:4326")[0]
    named = []
    for name, frame in drawn.items():
        near = frame[frame.intersects(box(x - half, y - half, x + half, y + half))]
        found = ", ".join(f"{number}" for number in sorted(near["landslide"]))
        named.append(f"landslide {found} of {name}" if found else f"nothing outlined by {name}")
    return f"{degrees(point.y, point.x, 5)}{': ' if named else ''}{'; '.join(named)}"


def section(
    sources: Sources, shown: Grid, ids: Collection[str], drawn: Mapping[str, gpd.GeoDataFrame]
) -> list[Context]:
    """A row of figures for each place: the image with the inventory, then where each experiment is right and wrong."""
    made = []
    for place in places(sources, shown) if sources.mapped else []:
        ground = next((name for name in ("optical_after", "optical", "hillshade") if name in ids), None)
        figures = [figure(f"{ground} inventory@0.35", "What is there, with the inventory.", ids)] if ground else []
        figures += [figure(f"hillshade {name}.agreement", f"{name}.", ids) for name in sources.mapped]
        figures = [f | {"at": " ".join(f"{v:g}" for v in within(place, shown))} for f in figures if f]
        made.append({"title": title(place, shown, drawn), "figures": figures})
    return made
