"""Which SAFE products make up the dates of a stack."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from slipmap.config.geocoding import AcquisitionSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.sentinel1 import listing
from slipmap.sentinel1.orbit_numbers import following
from slipmap.sentinel1.products import by_date, find_products
from slipmap.sentinel1.safe import Product
from slipmap.sentinel1.scene import Scene, read_scene

NODE = 1.5e6  # m from the equator's plane within which a pass may be of two tracks


def run(sentinel1: Sentinel1Settings, settings: AcquisitionSettings, output: str | Path) -> dict[str, list[str]]:
    """Find the SAFE products, check them by their annotation, and write {date: [products]} as JSON.

    Raises
    ------
    InputError : see `find_dates`.
    """
    dates = find_dates(sentinel1, settings)
    for day, (products, scene) in dates.items():
        names = ", ".join(p.path.name for p in products)
        print(f"{day}: {names}; {len(scene.bursts)} bursts; {scene.orbit.source}")
    found = {f"{day:%Y%m%d}": [str(p.path) for p in products] for day, (products, _) in dates.items()}
    listing.save(found, output)
    return found


def find_dates(sentinel1: Sentinel1Settings, settings: AcquisitionSettings) -> dict[date, tuple[list[Product], Scene]]:
    """The products of each date and what their annotation says; no pixel is decoded.

    Raises
    ------
    InputError : no product; a polarisation, an orbit or a measurement is missing; products of several tracks.
    """
    dates = {}
    for day, products in by_date(find_products(sentinel1.path, settings.polarisation)).items():
        scene = read_scene(products, settings, sentinel1.orbits)
        for product, swath in {(b.product.path, b.swath.swath): (b.product, b.swath) for b in scene.bursts}.values():
            with product.measurement(swath):
                pass
        dates[day] = products, scene
    _require_one_track(dates)
    return dates


def _require_one_track(dates: Mapping[date, tuple[list[Product], Scene]]) -> None:
    """Raise `InputError` unless all dates are of one track, or of the two that meet at an ascending node."""
    tracks = {day: {burst.burst.track for burst in scene.bursts} for day, (_, scene) in dates.items()}
    usual = Counter(track for found in tracks.values() for track in found).most_common(1)[0][0]
    for day, found in tracks.items():
        products, scene = dates[day]
        meet = any(following(track) == usual or following(usual) == track for track in found)
        if usual not in found and not (meet and _near_node(scene)):
            raise InputError(
                f"{products[0].path}: it is of track {min(found)}, the other products of {usual}; a stack has one "
                f"track, remove it."
            )


def _near_node(scene: Scene) -> bool:
    ascending = all(burst.swath.pass_direction == "ASCENDING" for burst in scene.bursts)
    return ascending and any(abs(burst.satellite(scene.orbit)[2]) < NODE for burst in scene.bursts)
