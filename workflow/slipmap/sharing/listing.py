"""Weights that are at hand: published ones that were fetched, and experiments of finished runs, nearest first."""

import math
from collections.abc import Sequence
from pathlib import Path

from slipmap.errors import InputError
from slipmap.sharing.card import CARD, Card, describe, read_card

EARTH = 6371.0  # km, mean radius


def find(root: str | Path = ".") -> dict[str, Card]:
    """Folder → card, of ``weights/*`` and ``results/*/experiments/*`` under `root`."""
    root, found = Path(root), {}
    for path in sorted(root.glob(f"weights/*/{CARD}")):
        found[path.parent.relative_to(root).as_posix()] = read_card(path.parent)
    for path in sorted(root.glob("results/*/experiments/*/seed_0/model.json")):
        folder = path.parents[1]
        area = folder.parents[1].name
        simulated = (root / "resources" / area / "SIMULATED.txt").is_file()
        found[folder.relative_to(root).as_posix()] = describe(folder, simulated=simulated)
    return found


def distance(card: Card, place: tuple[float, float]) -> float:
    """Kilometres from `place` (longitude, latitude) to the nearest training area; 0 inside, infinite without areas."""
    return min((_to_box(place, one["bounds"]) for one in card.areas), default=math.inf)


def _to_box(place: tuple[float, float], box: Sequence[float]) -> float:
    lon, lat = (math.radians(x) for x in place)
    west, south, east, north = (math.radians(x) for x in box)
    other_lat = min(max(lat, south), north)
    shift = [abs(math.remainder(lon - edge, math.tau)) for edge in (west, east)]
    other = 0.0 if (lon - west) % math.tau <= (east - west) % math.tau else min(shift)
    half = (
        math.sin((other_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(other / 2) ** 2
    )  # haversine
    return 2 * EARTH * math.asin(math.sqrt(half))


def place_of(near: Sequence[str]) -> tuple[float, float]:
    """Longitude and latitude of ``LON LAT``, or of the middle of the first area of a config.

    Raises
    ------
    InputError : neither of these; an area without a grid.
    """
    if len(near) == 1:
        return _middle(near[0])
    try:
        lon, lat = (float(word) for word in near)
    except ValueError:
        raise InputError(f"--near {' '.join(near)} is no place; give LON LAT in degrees, or a config.") from None
    if not (-180 <= lon <= 360 and -90 <= lat <= 90):
        raise InputError(f"--near {lon:g} {lat:g} is no place on Earth; longitude comes first.")
    return lon, lat


def _middle(config: str) -> tuple[float, float]:
    from rasterio.warp import transform

    from slipmap.config import read_config
    from slipmap.inputs.area_grid import decide

    areas = read_config(config).areas
    if not areas:
        raise InputError(f"{config} has no area; give LON LAT in degrees, or the config of an area.")
    name, area = next(iter(areas.items()))
    grid = decide(area.grid, f"areas.{name}.grid")
    left, bottom, right, top = grid.bounds
    lon, lat = transform(grid.crs, "EPSG:4326", [(left + right) / 2], [(bottom + top) / 2])
    return float(lon[0]), float(lat[0])


def table(cards: dict[str, Card], place: tuple[float, float] | None = None) -> str:
    """One line for each of `cards`, the nearest to `place` first."""
    if not cards:
        return (
            "no weights here: 'slipmap weights fetch' gets published ones into weights/, and a finished run with an "
            "inventory leaves its own under results/."
        )
    order = sorted(cards, key=lambda folder: (distance(cards[folder], place) if place else 0, folder))
    lines = []
    for folder in order:
        card = cards[folder]
        f1 = f"network F1 {card.scores['f1']:.2f}" if "f1" in card.scores else "no score"
        far = "" if place is None else f"{distance(card, place):.0f} km  " if card.areas else "no place  "
        pixel = f"{card.pixel_size[0]:g} m" if card.pixel_size else "?"
        simulated = "  simulated data" if card.simulated else ""
        lines.append(f"{far}{folder}  {card.model}  {len(card.bands)} bands  {pixel}  {f1}{simulated}")
        lines.append(f"    bands: {', '.join(card.bands)}")
    lines.append(
        "network F1: of single networks on test patches, before calibration; a report judges the finished map."
    )
    return "\n".join(lines)
