"""Which SAFE products make up the dates of a stack."""

import json
from collections import Counter
from pathlib import Path

from slipmap.config.geocoding import AcquisitionSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.errors import InputError
from slipmap.io.atomic import write_text
from slipmap.sentinel1.products import by_date, find_products
from slipmap.sentinel1.scene import read_scene


def run(sentinel1: Sentinel1Settings, settings: AcquisitionSettings, output: str | Path) -> dict[str, list[str]]:
    """Find the SAFE products, check them by their annotation, and write {date: [products]} as JSON.

    Raises
    ------
    InputError : no product; a polarisation, an orbit or a measurement is missing; products of several tracks.
    """
    dates = by_date(find_products(sentinel1.path, settings.polarisation))
    tracks = {}
    for day, products in dates.items():
        scene = read_scene(products, settings, sentinel1.orbits)
        tracks[day] = scene.bursts[0].swath.track
        for burst in scene.bursts:
            with burst.product.measurement(burst.swath):
                pass
        names = ", ".join(p.path.name for p in products)
        print(f"{day}: {names}; {len(scene.bursts)} bursts; {scene.orbit.source}")
    usual = Counter(tracks.values()).most_common(1)[0][0]
    for day, track in tracks.items():
        if track != usual:
            raise InputError(
                f"{dates[day][0].path}: it is of track {track}, the other products of {usual}; a stack has one track, "
                f"remove it."
            )
    found = {f"{day:%Y%m%d}": [str(p.path) for p in products] for day, products in dates.items()}
    write_text(output, json.dumps(found, indent=2) + "\n")
    return found


def load(path: str | Path) -> dict[str, list[str]]:
    """Read what `run` wrote: {date: [products]}, in order of date."""
    return json.loads(Path(path).read_text())
