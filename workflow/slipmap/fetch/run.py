"""The two steps of getting data, as the rules call them: search, then acquire."""

import hashlib
import json
import logging
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from slipmap.config.acquire import AcquireSettings
from slipmap.config.factors import FactorSettings
from slipmap.factors.indices import NEEDS
from slipmap.fetch import local
from slipmap.fetch.download import fetch_all
from slipmap.fetch.products import Found, Target, target
from slipmap.fetch.sources import asf, climate, dem, hyp3, landslides, lithology, orbits, sentinel2
from slipmap.fetch.web import TransferError, Web
from slipmap.io.grid import Grid

log = logging.getLogger(__name__)
STORE = Path("resources/downloads")
_ALL_THERE = 120  # days after which nothing more comes of a date: IMERG's final run takes three and a half months


def search(
    kind: str,
    area: str,
    settings: AcquireSettings,
    factors: FactorSettings,
    grid: Grid,
    output: str | Path,
    *,
    sentinel1: str | Path | None = None,
    web: Web | None = None,
    store: Path = STORE,
) -> Found:
    """Search one kind of data of an area and write the result to `output` (GeoJSON).

    A question that has been asked before is not asked again: its answer is kept in ``store/searches``, so that an area
    is made again without a network, and from the same data. Only an answer that may grow (dates too recent, orbits or
    jobs that were not there yet) is asked for again, and taken as it was where the service cannot be reached.

    Parameters
    ----------
    kind : a key of `AcquireSettings`. sentinel1 : the result of the Sentinel-1 search, for the orbits.
    """
    web = web or client(settings)
    where = span(kind, target(area, grid, settings.start, settings.end), settings, factors)
    chosen = getattr(settings, kind)
    asked: dict[str, Any] = {
        "kind": kind, "bbox": where.bbox, "start": str(where.start), "end": str(where.end),
        "settings": chosen.model_dump(mode="json"),
    }  # fmt: skip
    if kind == "sentinel2":
        asked["bands"] = wanted_bands(settings, factors)
    if kind == "orbits":
        if sentinel1 is None:
            raise ValueError(
                "orbits are searched for the dates that a search for Sentinel-1 has found; run that search first"
            )
        times = asf.acquisition_times(Found.load(sentinel1).products)
        asked["times"] = [f"{when.isoformat()} {satellite}" for when, satellite in times]
    asked = json.loads(json.dumps(asked))
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    kept = store / "searches" / f"{kind}_{digest}.geojson"
    known = Found.load(kept) if kept.is_file() and not chosen.archive else None
    if known and _is_final(known, kept, where):
        found = known
        log.info("the answer of an earlier search (%s)", kept)
    else:
        try:
            if kind == "orbits":
                found = orbits.search(where, chosen, times, web)
            else:
                found = _ask(kind, where, settings, factors, web)
            found = replace(found, asked=asked)
            found.save(kept)
        except TransferError as error:
            if known is None:
                raise
            found = known
            log.warning("%s The answer of an earlier search stands (%s).", error, kept)
    found.save(output)
    for note in found.notes:
        log.info("%s", note)
    log.info("%d products, %.2f GB as far as is known", len(found.products), found.size / 1e9)
    return found


def acquire(
    kind: str,
    area: str,
    settings: AcquireSettings,
    factors: FactorSettings,
    grid: Grid,
    found: Found,
    output: str | Path,
    *,
    web: Web | None = None,
    store: Path = STORE,
) -> None:
    """Fetch what a search found, as far as it is not there, and put it where the workflow looks for it."""
    web = web or client(settings)
    chosen = getattr(settings, kind)
    where = span(kind, target(area, grid, settings.start, settings.end), settings, factors)
    if kind == "sentinel2" and not chosen.archive and chosen.extent == "area":
        ground = hashlib.sha256(json.dumps([grid.crs, grid.bounds]).encode()).hexdigest()[:12]
        sentinel2.deliver_window(found, grid, store / "sentinel2" / ground, output)
        return
    paths = {file.name: local.local_path(file) for file in found.files if local.is_local(file)}
    files = [file for file in found.files if not local.is_local(file)]
    fetched = fetch_all(files, store / found.source, web, at_once=settings.at_once)
    paths |= {file.name: path for file, path in zip(files, fetched, strict=True)}
    match kind:
        case "sentinel1" if found.source == "hyp3":
            hyp3.deliver(paths, output)
        case "sentinel1":
            asf.deliver(found, paths, output)
        case "orbits":
            orbits.deliver(paths, output)
        case "sentinel2":
            sentinel2.deliver_whole(found, paths, output)
        case "dem":
            dem.deliver(grid, chosen.margin, paths, output)
        case "lithology":
            lithology.deliver(grid, paths, output)
        case "rainfall" | "soil_moisture":
            climate.deliver(found, grid, paths, output)
        case "inventory":
            landslides.deliver(where, grid, chosen, paths, output)


def client(settings: AcquireSettings) -> Web:
    """The web client that the settings describe."""
    return Web(tries=settings.tries, timeout=(20.0, settings.stall))


def span(kind: str, where: Target, settings: AcquireSettings, factors: FactorSettings) -> Target:
    """The search for one kind of data, with that kind's own dates."""
    chosen = getattr(settings, kind)
    start, end = getattr(chosen, "start", None), getattr(chosen, "end", None)
    if kind in ("rainfall", "soil_moisture"):
        end = end or factors.climate.cutoff or settings.end
        start = start or _window_start(end, factors)
    return Target(where.area, where.grid, where.bbox, start or settings.start, end or settings.end)


def wanted_bands(settings: AcquireSettings, factors: FactorSettings) -> list[str]:
    """Bands of Sentinel-2 to fetch: those given, else those of the factors; always the scene classification."""
    given = settings.sentinel2.bands if settings.sentinel2 else None
    bands = (
        given
        if given is not None
        else [*factors.optical.bands, *(b for i in factors.optical.indices for b in NEEDS[i])]
    )
    return sorted({*bands, "SCL"})


def _is_final(found: Found, kept: Path, where: Target) -> bool:
    """Whether the service would give the answer that it gave when `kept` was written."""
    asked_on = date.fromtimestamp(kept.stat().st_mtime)
    return found.settled and (asked_on - where.end).days >= _ALL_THERE


def _window_start(end: date, factors: FactorSettings) -> date:
    return end - timedelta(days=factors.climate.window - 1)


def _ask(kind: str, where: Target, settings: AcquireSettings, factors: FactorSettings, web: Web) -> Found:
    chosen = getattr(settings, kind)
    match kind:
        case "sentinel1" if chosen.product == "hyp3":
            return hyp3.search(where, chosen, web)
        case "sentinel1":
            return asf.search(where, chosen, web)
        case "sentinel2":
            return sentinel2.search(where, chosen, wanted_bands(settings, factors), web)
        case "dem":
            return dem.search(where, chosen, web)
        case "lithology":
            return lithology.search(where, chosen)
        case "rainfall":
            return climate.search_rain(where, chosen, web)
        case "soil_moisture":
            return climate.search_soil(where, chosen, web)
        case "inventory":
            return landslides.search(where, chosen)
        case _:
            raise ValueError(kind)
