"""Published data sets of images and masks: their files as Zenodo and Hugging Face list them, with checksums."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from slipmap.errors import InputError, nearest
from slipmap.fetch import local, unpack
from slipmap.fetch.download import RemoteFile, fetch_all
from slipmap.fetch.products import Found, Product
from slipmap.fetch.web import Web, documented
from slipmap.patches import importers

ZENODO, HUGGING_FACE = "https://zenodo.org", "https://huggingface.co"


def search(name: str, web: Web, *, zenodo: str = ZENODO, hugging_face: str = HUGGING_FACE) -> Found:
    """The files of a published data set.

    Raises
    ------
    InputError : it is not known, or cannot be fetched without you. TransferError : its host cannot be reached.
    """
    known = {format_: importers.load(format_) for format_ in importers.formats()}
    known = {format_: importer for format_, importer in known.items() if importer.published or importer.by_hand}
    if name not in known:
        raise InputError(f"there is no published data set '{name}'{nearest(name, known)}")
    published = known[name].published
    if published is None:
        raise InputError(
            f"{name} cannot be fetched: {known[name].by_hand}, and name its folder in datasets.NAME.source.path."
        )
    listed: Callable[[str, str, Web], Iterable[tuple[str, RemoteFile]]] = (
        _zenodo if published.host == "zenodo" else _hugging_face
    )
    service = zenodo if published.host == "zenodo" else hugging_face
    with documented(service):
        products = [
            Product(path, (file,), None, None, {"path": path})
            for path, file in listed(published.identifier, service, web)
            if re.search(published.wanted, path)
        ]
    if not products:
        raise InputError(f"{service} lists no file of {name} any more; download it by hand from {published.citation}.")
    return Found(name, service, {}, tuple(products), (published.citation,))


def fetch(name: str, store: Path, folder: str | Path) -> None:
    """Fetch the data set called `name` into `folder`; what has come is kept in `store`."""
    web = Web()
    deliver(search(name, web), store, web, folder)


def deliver(found: Found, store: Path, web: Web, output: str | Path, *, at_once: int = 4) -> None:
    """Fetch the files into `store`, unpack archives there, and link everything into `output`."""
    paths = dict(zip((f.name for f in found.files), fetch_all(found.files, store, web, at_once=at_once), strict=True))
    places = []
    for product in found.products:
        path = paths[product.files[0].name]
        if not unpack.is_archive(path.name):
            places.append((product.properties["path"], path))
            continue
        folder = store / "unpacked" / path.name
        if not folder.is_dir():
            unpack.unpack(path, folder)
        places += [(str(entry.relative_to(folder)), entry) for entry in sorted(folder.rglob("*")) if entry.is_file()]
    local.place(places, output)


def _zenodo(record: str, service: str, web: Web) -> list[tuple[str, RemoteFile]]:
    answer = web.json(f"{service}/api/records/{record}")
    return [
        (entry["key"], RemoteFile(entry["key"], entry["links"]["self"], entry.get("size"), entry.get("checksum")))
        for entry in answer.get("files", [])
    ]


def _hugging_face(identifier: str, service: str, web: Web) -> list[tuple[str, RemoteFile]]:
    owner, _, revision = identifier.partition("@")
    url: str | None = f"{service}/api/datasets/{owner}/tree/{revision}?recursive=true"
    found = []
    while url:
        response = web.get(url)
        for entry in response.json():
            if entry.get("type") != "file":
                continue
            large = entry.get("lfs") or {}
            checksum = f"sha256:{large['oid']}" if large.get("oid") else None
            name = entry["path"].replace("/", "__")  # one store for all folders of the data set
            address = f"{service}/datasets/{owner}/resolve/{revision}/{entry['path']}"
            found.append((entry["path"], RemoteFile(name, address, large.get("size", entry.get("size")), checksum)))
        url = response.links.get("next", {}).get("url")
    return found
