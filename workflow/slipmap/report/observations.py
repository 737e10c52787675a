"""What was observed when: the radar's dates and interferograms, the optical scenes."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import rasterio

from slipmap.prediction.dates import dates_in
from slipmap.report import pairs
from slipmap.report.sources import Sources
from slipmap.report.tabular import table


def radar(sources: Sources) -> tuple[list[str], int]:
    """Dates of the radar images in use, sorted, and the number of interferograms between them."""
    if sources.network is None:
        return [], 0
    kept = sources.network[pairs.used(sources.network, sources.reference)]
    return sorted({str(day)[:10] for day in [*kept["reference"], *kept["secondary"]]}), len(kept)


def optical(sources: Sources) -> list[date]:
    """Days of the Sentinel-2 scenes that the factors were made of, as their tags say."""
    found: set[date] = set()
    for path in sources.factors.values():
        found |= dates_in(_scenes(path))
    return sorted(found)


def _scenes(path: Path) -> Mapping[str, str]:
    with rasterio.open(path) as source:
        return {key: value for key, value in source.tags().items() if key.upper().startswith("SCENES")}


def in_a_line(sources: Sources) -> str:
    """Images that were used, for the line on when they were taken: " by 30 radar images (98 interferograms), …"."""
    days, count = radar(sources)
    scenes = optical(sources)
    parts = [f"{len(days)} radar images ({count} interferograms)"] if days else []
    parts += [f"{len(scenes)} optical scene{'s' if len(scenes) > 1 else ''}"] if scenes else []
    return f" by {', '.join(parts)}" if parts else ""


def dates(sources: Sources) -> dict[str, Any] | None:
    """Table for Methods: sensor, images, interferograms, dates."""
    days, count = radar(sources)
    scenes = optical(sources)
    rows = []
    if days:
        rows.append(["radar (Sentinel-1)", str(len(days)), str(count), ", ".join(days)])
    if scenes:
        rows.append(["optical (Sentinel-2)", str(len(scenes)), "–", ", ".join(map(str, scenes))])
    return table(["sensor", "images", "interferograms", "dates"], rows, numeric=(1, 2)) if rows else None
