"""Fetch published weights, from an address or a file; nothing is kept whose checksum is not the published one."""

import re
import tempfile
from pathlib import Path

from slipmap.errors import InputError
from slipmap.fetch import unpack
from slipmap.fetch.verify import digest
from slipmap.io.atomic import write_aside
from slipmap.sharing.card import CARD, Card, read_card
from slipmap.sharing.publish import SUM, SUMS, sums

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def run(source: str, folder: str | Path, checksum: str | None = None) -> tuple[Card, Path]:
    """Fetch the zip at `source` (an address or a file) and unpack it to ``folder/NAME``; return card and folder.

    Parameters
    ----------
    checksum : SHA-256 of the zip, hexadecimal; None: what ``source.sha256`` says.

    Raises
    ------
    InputError : the zip or its checksum is not there; it is another file; it holds no weights; NAME is there already.
    """
    folder = Path(folder)
    if checksum is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", checksum):
        raise InputError(f"--sha256 {checksum} is no SHA-256; it has 64 digits from 0 to f.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as name:
        archive, published = _archive(source, Path(name), checksum is None)
        expected = (checksum or published).lower()
        if (found := digest(archive, "sha256")) != expected:
            raise InputError(
                f"{source} has the SHA-256 {found}, and {expected} was published; it was thrown away: fetch it again."
            )
        return _place(unpack.unpack(archive, Path(name) / "unpacked"), folder, source)


def _archive(source: str, aside: Path, wanted: bool) -> tuple[Path, str]:
    """The zip, and the sum that stands beside it if that is `wanted`."""
    if _ADDRESS.match(source):
        from slipmap.fetch.download import RemoteFile, fetch
        from slipmap.fetch.web import Web

        web, name = Web(), source.split("?")[0].rsplit("/", 1)[-1]
        told = web.get(source + SUM).text if wanted else ""
        return fetch(RemoteFile(name, source), aside, web), _sum(told, source + SUM) if wanted else ""
    archive = Path(source)
    if not archive.is_file():
        raise InputError(f"{archive} does not exist; give the zip of published weights, or its address.")
    if not wanted:
        return archive, ""
    beside = archive.with_name(archive.name + SUM)
    if not beside.is_file():
        raise InputError(f"{beside} is missing, so slipmap cannot tell whether {archive} is whole; give --sha256.")
    return archive, _sum(beside.read_text(encoding="utf-8", errors="replace"), str(beside))


def _sum(text: str, where: str) -> str:
    found = re.match(r"\s*([0-9a-fA-F]{64})\b", text)
    if not found:
        raise InputError(f"{where} does not begin with a SHA-256; give the publisher's with --sha256.")
    return found[1]


def _place(unpacked: Path, folder: Path, source: str) -> tuple[Card, Path]:
    cards = list(unpacked.glob(f"*/{CARD}"))
    if len(cards) != 1:
        raise InputError(f"{source} holds no published weights (one folder with {CARD}); give another file.")
    inside = cards[0].parent
    card = read_card(inside)
    listed = inside / SUMS
    if not listed.is_file() or listed.read_text(encoding="utf-8") != sums(inside):
        raise InputError(f"{source}: its files are not those of its {SUMS}; ask the publisher for another.")
    place = folder / inside.name
    if place.exists():
        raise InputError(f"{place} is there already; remove it, or give another --to.")
    with write_aside(place) as aside:
        inside.rename(aside)
    return card, place
