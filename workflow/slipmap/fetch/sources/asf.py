"""Sentinel-1 from the Alaska Satellite Facility through asf_search: OPERA CSLC, SLC scenes, SLC bursts."""

import logging
import re
from collections import defaultdict
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from slipmap.config.acquire import AcquireSentinel1Settings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target, newest
from slipmap.fetch.web import TransferError, Web

if TYPE_CHECKING:
    from shapely import Polygon

log = logging.getLogger(__name__)
# asf_search: what each of our products is called there
_LEVELS = {"opera_cslc": "CSLC", "slc": "SLC", "burst": "BURST"}
_DATASETS = {"opera_cslc": "OPERA-S1", "slc": "SENTINEL-1", "burst": "SLC-BURST"}
# names of the files, in an archive
PATTERNS = {
    "opera_cslc": r"OPERA_L2_CSLC-S1_(?P<burst>T(?P<track>\d{3})-\d{6}-IW[123])_(?P<date>\d{8})T\w*_"
    r"(?P<made>\d{8}T\d{6})Z_S1[A-D]_(?P<polarisation>VV|HH)_v[\d.]+\.h5",
    "slc": r"S1[A-D]_IW_SLC__1S[SD][VH]_(?P<date>\d{8})T\d{6}_\w+\.(zip|SAFE)",
    "burst": r"S1_(?P<burst>\d{6}_IW[123])_(?P<date>\d{8})T\d{6}_(?P<polarisation>VV|HH|VH|HV)_\w{4}-BURST\.\w+",
}


def search(where: Target, settings: AcquireSentinel1Settings, web: Web) -> Found:
    """Products of one track (and, for OPERA CSLC, one burst) over the area, one for each date.

    Of several tracks or bursts the one that covers most of the area is taken, then the one with most dates; the notes
    name the others. Of a product that was processed several times the newest is taken.

    Raises
    ------
    InputError : nothing was found. TransferError : the service cannot be reached or refuses the question.
    """
    if settings.archive:
        return _from_archive(where, settings.archive, settings)
    products = [p for p in map(_product, _ask(where, settings, web)) if p is not None and _wanted(p, settings)]
    if not products:
        raise InputError(
            f"areas.{where.area}.acquire.sentinel1: the archive has no {settings.product} of the area from "
            f"{where.start} to "
            f"{where.end}{_as_asked(settings)}; widen the dates, or choose another product (OPERA CSLC covers "
            "North America)."
        )
    chosen, notes = choose(products, where, settings)
    return Found(settings.product, f"https://{settings.service}", {}, tuple(chosen), tuple(notes))


def choose(
    products: list[Product], where: Target, settings: AcquireSentinel1Settings
) -> tuple[list[Product], list[str]]:
    """Of the stacks that lie over an area the best one, and what to tell the user of the others."""
    from shapely.geometry import box

    stacks: dict[tuple[str, str], list[Product]] = defaultdict(list)
    for product in products:
        burst = str(product.properties.get("burst") or "") if settings.product == "opera_cslc" else ""
        stacks[str(product.properties.get("track") or ""), burst].append(product)
    area = box(*where.bbox)
    shares = {key: _share(found, area) for key, found in stacks.items()}
    best = max(sorted(stacks), key=lambda key: (round(shares[key], 2), len(stacks[key])))
    notes = [
        f"{_stack_name(key)}: {len({p.date for p in stacks[key]})} dates, {100 * shares[key]:.0f} % of the area"
        + (" (taken)" if key == best else "")
        for key in sorted(stacks, key=lambda key: -shares[key])
    ]
    if shares[best] < 0.99 and settings.product == "opera_cslc":
        notes.append(
            f"The burst taken covers {100 * shares[best]:.0f} % of the area; the rest gets no deformation rate."
        )
    if settings.product == "opera_cslc":
        return newest(stacks[best], lambda p: p.day, lambda p: p.properties.get("made", "")), notes
    return newest(stacks[best], lambda p: (p.day, p.name), lambda p: p.name), notes


def deliver(found: Found, paths: dict[str, Path], output: str | Path) -> None:
    """Link the products into the folder that the deformation stage reads (or, raw ones, that a processor does)."""
    local.place([(name, path) for name, path in sorted(paths.items())], output)


def _ask(where: Target, settings: AcquireSentinel1Settings, web: Web) -> list[Any]:
    import asf_search

    asf_search.REPORT_ERRORS = False  # would send the search to ASF after an error
    logging.getLogger("asf_search").setLevel(logging.ERROR)
    session = asf_search.ASFSession()
    session.auth = _no_credentials  # searching needs none, and netrc's must not go there
    options: dict[str, Any] = {
        "dataset": _DATASETS[settings.product],
        "processingLevel": _LEVELS[settings.product],
        "intersectsWith": where.wkt,
        "start": f"{where.start}T00:00:00Z",
        "end": f"{where.end}T23:59:59Z",
        "host": settings.service,
        "session": session,
    }
    if settings.product == "slc":
        options["beamMode"] = "IW"
    if settings.track is not None:
        options["relativeOrbit"] = settings.track
    if settings.direction is not None:
        options["flightDirection"] = settings.direction.upper()
    if settings.burst is not None:
        key = "operaBurstID" if settings.product == "opera_cslc" else "fullBurstID"
        options[key] = settings.burst.replace("-", "_")
    if settings.product == "burst":
        options["polarization"] = settings.polarisation
    try:
        found = asf_search.search(opts=asf_search.ASFSearchOptions(**options))
    except (asf_search.exceptions.ASFSearchError, requests.RequestException, ValueError, KeyError) as error:
        raise TransferError(
            f"areas.{where.area}.acquire.sentinel1: the search at {settings.service} failed "
            f"({type(error).__name__}); try again later, or give a local archive."
        ) from error
    if not found.searchComplete:
        raise TransferError(f"The search at {settings.service} ended before its last page; run again.")
    return list(found)


def _product(result: Any) -> Product | None:
    """Our record of one of asf_search's products; None for what holds no data (metadata of another kind)."""
    given = result.properties
    url, name = given.get("url"), given.get("fileName")
    if not url or not name:
        return None
    size, checksum = _size(given, name), given.get("md5sum")
    start = given.get("startTime") or given.get("stopTime")
    burst = given.get("operaBurstID") or (given.get("burst") or {}).get("fullBurstID")
    files = [RemoteFile(name, url, size, f"md5:{checksum.lower()}" if checksum else None)]
    if given.get("burst"):  # a burst is a TIFF and its annotation
        files += [RemoteFile(f"{Path(name).stem}.xml", extra) for extra in given.get("additionalUrls", [])[:1]]
    made = re.fullmatch(PATTERNS["opera_cslc"], name)
    polarisation = given.get("polarization")
    return Product(
        given.get("sceneName") or Path(name).stem,
        tuple(files),
        datetime.fromisoformat(start.replace("Z", "+00:00")).date() if start else None,
        result.geometry if (result.geometry or {}).get("coordinates") else None,
        {
            "track": given.get("pathNumber"),
            "direction": (given.get("flightDirection") or "").lower() or None,
            "burst": burst,
            "polarisation": polarisation if isinstance(polarisation, str) else "+".join(polarisation or []) or None,
            "time": start,
            "satellite": _satellite(name, given.get("platform")),
            "made": made["made"] if made else given.get("processingDate"),
        },
    )


def _size(given: dict[str, Any], name: str) -> int | None:
    size = given.get("bytes")
    if isinstance(size, dict):  # of each file of a product, by name
        size = (size.get(name) or {}).get("bytes")
    return int(size) if size and float(size) == int(float(size)) else None


def _satellite(name: str, platform: str | None) -> str | None:
    """S1A, ...: from the name of a scene, or "Sentinel-1A" (a burst's name does not say)."""
    found = re.search(r"S1[A-D](?=_)", name) or re.search(r"(?<=Sentinel-)1[A-D]$", platform or "", re.IGNORECASE)
    return f"S{found[0].upper().removeprefix('S')}" if found else None


def _wanted(product: Product, settings: AcquireSentinel1Settings) -> bool:
    if product.date is None:
        return False
    if settings.product == "opera_cslc":
        name = product.files[0].name
        return re.fullmatch(PATTERNS["opera_cslc"], name) is not None and f"_{settings.polarisation}_" in name
    return True


def _share(products: list[Product], area: "Polygon") -> float:
    """Share of the area that a stack's products of one date cover together, on its best date."""
    from shapely.geometry import shape
    from shapely.ops import unary_union

    ground: dict[date | None, list[Any]] = defaultdict(list)
    for product in products:
        if product.geometry is not None:
            footprint = shape(product.geometry)
            ground[product.date].append(footprint if footprint.is_valid else footprint.buffer(0))
    covered = (unary_union(parts).intersection(area).area for parts in ground.values())
    return float(max(covered, default=0.0) / area.area)


def _stack_name(key: tuple[str, str]) -> str:
    return f"track {key[0] or 'unknown'}" + (f", burst {key[1]}" if key[1] else "")


def _as_asked(settings: AcquireSentinel1Settings) -> str:
    asked = [
        f"{name} {value}"
        for name in ("track", "burst", "direction", "polarisation")
        if (value := getattr(settings, name)) is not None
    ]
    return f" ({', '.join(asked)})" if asked else ""


def _from_archive(where: Target, archive: str, settings: AcquireSentinel1Settings) -> Found:
    found = local.search(
        settings.product,
        archive,
        PATTERNS[settings.product],
        where,
        lambda match: {
            "track": _number(match, "track"),
            **{k: v for k, v in match.groupdict().items() if k != "track"},
        },
        key=f"areas.{where.area}.acquire.sentinel1.archive",
    )
    products = [p for p in found.products if _matches(p, settings)]
    if not products:
        raise InputError(
            f"areas.{where.area}.acquire.sentinel1.archive: {archive} has {len(found.products)} products "
            "in the dates, "
            f"but none{_as_asked(settings)}."
        )
    chosen, notes = choose(products, where, settings)
    return Found(found.source, found.service, {}, tuple(chosen), tuple(notes))


def _matches(product: Product, settings: AcquireSentinel1Settings) -> bool:
    given = product.properties
    if settings.burst is not None and given.get("burst") is not None:
        if given["burst"].replace("-", "_") != settings.burst.replace("-", "_"):
            return False
    if settings.track is not None and given.get("track") not in (None, settings.track):
        return False
    return given.get("polarisation") in (None, settings.polarisation)


def _number(match: re.Match[str], group: str) -> int | None:
    text = match.groupdict().get(group)
    return int(text) if text else None


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def acquisition_times(products: tuple[Product, ...]) -> list[tuple[datetime, str]]:
    """(time, satellite) of each product, for the choice of orbits."""
    found = []
    for product in products:
        name = product.files[0].name
        satellite = product.properties.get("satellite") or _satellite(name, None)
        stamp = product.properties.get("time")
        if stamp:
            when = datetime.fromisoformat(stamp.replace("Z", "+00:00")).replace(tzinfo=None)
        else:
            text = re.search(r"(\d{8}T\d{6})", name)
            when = datetime.strptime(text[1], "%Y%m%dT%H%M%S") if text else _noon(product.day)
        if satellite:
            found.append((when, satellite))
    return sorted(set(found))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))
