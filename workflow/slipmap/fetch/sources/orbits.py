"""Precise orbits of Sentinel-1: listed in ASF's public bucket, chosen by sentineleof's rule."""

import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta
from pathlib import Path

from eof._select_orbit import T_ORBIT, ValidityError, last_valid_orbit
from eof.products import SentinelOrbit

from slipmap.config.acquire import AcquireOrbitSettings
from slipmap.errors import InputError
from slipmap.fetch import local
from slipmap.fetch.credentials import shown
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.fetch.verify import s3_checksum
from slipmap.fetch.web import TransferError, Web

_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_KINDS = ("AUX_POEORB", "AUX_RESORB")  # precise, about 20 days later; restituted, some hours later
PATTERN = r"S1[A-D]_OPER_AUX_(POEORB|RESORB)_OPOD_\d{8}T\d{6}_V\d{8}T\d{6}_\d{8}T\d{6}\.EOF"
_BEFORE = timedelta(seconds=T_ORBIT + 60)  # one orbit before the scene: what s1-reader and OPERA ask for
_AFTER = timedelta(seconds=60)


def search(where: Target, settings: AcquireOrbitSettings, times: list[tuple[datetime, str]], web: Web) -> Found:
    """The newest orbit file that covers each acquisition: precise where there is one, else restituted.

    Parameters
    ----------
    times : (time, satellite) of the acquisitions.

    Raises
    ------
    InputError : no acquisition has an orbit. TransferError : the bucket cannot be listed.
    """
    key = f"areas.{where.area}.acquire.orbits"
    if settings.archive:
        known = local.search("orbits", settings.archive, PATTERN, where, dated=False, key=f"{key}.archive").files
    else:
        known = []
    chosen: dict[str, Product] = {}
    without: list[tuple[datetime, str]] = list(times)
    for kind in _KINDS:
        if not without:
            break
        if not settings.archive:
            known = _listed(settings.service, kind, sorted({satellite for _, satellite in without}), web)
        by_name = {file.name: file for file in known if kind in file.name}
        orbits = [SentinelOrbit(name) for name in by_name]
        remaining = []
        for when, satellite in without:
            try:
                name = last_valid_orbit(
                    when, when, [o for o in orbits if o.mission == satellite], margin0=_BEFORE, margin1=_AFTER
                )
            except ValidityError:
                remaining.append((when, satellite))
                continue
            chosen[name] = Product(name, (by_name[name],), when.date(), None, {"kind": kind[4:].lower()})
        without = remaining
    if times and not chosen:
        raise InputError(f"{key}: no orbit covers any of the {len(times)} acquisitions; check the dates.")
    notes = [f"{satellite} {when:%Y-%m-%d %H:%M}: no orbit yet" for when, satellite in without]
    precise = all(product.properties["kind"] == "poeorb" for product in chosen.values())
    settled = precise and not without
    return Found("orbits", settings.archive or settings.service, {}, tuple(chosen.values()), tuple(notes), settled)


def deliver(paths: dict[str, Path], output: str | Path) -> None:
    """Link the orbits into one folder."""
    local.place(sorted(paths.items()), output)


def _listed(service: str, kind: str, satellites: list[str], web: Web) -> list[RemoteFile]:
    """Objects of the bucket, page by page (S3's ListObjects, version 1)."""
    files: list[RemoteFile] = []
    for satellite in satellites:
        prefix, marker = f"{kind}/{satellite}_OPER_{kind}", ""
        while True:
            response = web.get(service, params={"prefix": prefix} | ({"marker": marker} if marker else {}))
            try:
                root = ElementTree.fromstring(response.content)
            except ElementTree.ParseError as error:
                raise TransferError(f"{shown(service)} does not answer as a bucket does; try again later.") from error
            keys = []
            for entry in root.iter(f"{_S3}Contents"):
                key = entry.findtext(f"{_S3}Key", "")
                keys.append(key)
                name = key.rpartition("/")[2]
                if name.endswith(".EOF"):
                    size = entry.findtext(f"{_S3}Size", "")
                    files.append(
                        RemoteFile(
                            name,
                            f"{service}/{key}",
                            int(size) if size else None,
                            s3_checksum(entry.findtext(f"{_S3}ETag", "")),
                        )
                    )
            if root.findtext(f"{_S3}IsTruncated", "false").lower() != "true" or not keys:
                break
            marker = root.findtext(f"{_S3}NextMarker") or keys[-1]
    return files
