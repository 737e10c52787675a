"""Close-ups of test ground, the same places for every experiment, as the papers compare models."""

from collections.abc import Collection

from scipy import ndimage

from slipmap.codes import LANDSLIDE, TEST
from slipmap.io.grid import Grid
from slipmap.report.context import Context
from slipmap.report.pictures import load
from slipmap.report.sections import figure
from slipmap.report.sources import Sources

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
        found.append((col, row, max(LEAST, 3 * max(rows.stop - rows.start, cols.stop - cols.start))))
        if len(found) == COUNT:
            break
    return found


def section(sources: Sources, shown: Grid, ids: Collection[str]) -> list[Context]:
    """A row of figures for each place: the image with the inventory, then where each experiment is right and wrong."""
    made = []
    for number, place in enumerate(places(sources, shown) if sources.mapped else [], start=1):
        ground = next((name for name in ("optical_after", "optical", "hillshade") if name in ids), None)
        figures = [figure(f"{ground} inventory@0.35", "What is there, with the inventory.", ids)] if ground else []
        figures += [figure(f"hillshade {name}.agreement", f"{name}.", ids) for name in sources.mapped]
        figures = [f | {"at": " ".join(f"{v:g}" for v in place)} for f in figures if f]
        made.append({"title": f"Place {number}", "figures": figures})
    return made
