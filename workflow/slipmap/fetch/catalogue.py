"""NASA's Common Metadata Repository: granules of a collection, with sizes and checksums, page by page."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from slipmap.factors.scene import scene_date
from slipmap.fetch.credentials import shown
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Product, Target
from slipmap.fetch.web import TransferError, Web, documented

_PAGE = 200
_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
_KINDS = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}


def granules(where: Target, service: str, name: str, version: str, pattern: str, web: Web) -> list[Product]:
    """The granules of a collection from start to end, one product for each file whose name matches `pattern`."""
    found: dict[date, Product] = {}
    for item in _items(where, service, name, version, web):
        product = _product(item.get("umm", {}), pattern)
        if product and where.start <= product.day <= where.end:
            if product.day not in found or product.name > found[product.day].name:  # a later version of the day
                found[product.day] = product
    return [found[day] for day in sorted(found)]


def _items(where: Target, service: str, name: str, version: str, web: Web) -> Iterator[dict[str, Any]]:
    parameters = {
        "short_name": name,
        "version": version,
        "temporal": f"{where.start}T00:00:00Z,{where.end}T23:59:59Z",
        "bounding_box": ",".join(map(str, where.bbox)),
        "page_size": _PAGE,
        "sort_key": "start_date",
    }
    url, after, had, hits = f"{service}/search/granules.umm_json", None, 0, None
    while True:
        response = web.get(url, params=parameters, headers={"CMR-Search-After": after} if after else {})
        with documented(url):
            page = response.json()
            items, hits = page["items"], int(page["hits"])
        yield from items
        had += len(items)
        after = response.headers.get("CMR-Search-After")
        if not after or not items:
            break
    if had < hits:
        raise TransferError(f"{shown(url)} gave {had} of {hits} granules; run again.")


def _product(umm: dict[str, Any], pattern: str) -> Product | None:
    for link in umm.get("RelatedUrls", []):
        url = str(link.get("URL", ""))
        name = url.rpartition("/")[2]
        if link.get("Type") != "GET DATA" or not url.startswith("http") or not re.fullmatch(pattern, name):
            continue
        described = (umm.get("DataGranule") or {}).get("ArchiveAndDistributionInformation") or []
        own = [entry for entry in described if entry.get("Name") == name] or (described if len(described) == 1 else [])
        size, checksum = _size(own[0]) if own else None, _checksum(own[0]) if own else None
        when = scene_date(name)
        return Product(name, (RemoteFile(name, url, size, checksum),), when) if when else None
    return None


def _size(entry: dict[str, Any]) -> int | None:
    """Bytes; only an exact number is one (sizes in MB are rounded)."""
    if entry.get("SizeInBytes"):
        return int(entry["SizeInBytes"])
    size, unit = entry.get("Size"), _UNITS.get(entry.get("SizeUnit", ""))
    return int(size) if unit == 1 and size else None


def _checksum(entry: dict[str, Any]) -> str | None:
    given = entry.get("Checksum") or {}
    kind = _KINDS.get(str(given.get("Algorithm", "")).lower().replace("-", ""))
    return f"{kind}:{str(given['Value']).lower()}" if kind and given.get("Value") else None
