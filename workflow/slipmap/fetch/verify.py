"""Is a downloaded file what it should be: size, checksum, and that it is data rather than a web page or half a file."""

import gzip
import hashlib
import json
import re
import zipfile
import zlib
from pathlib import Path

_CHUNK = 1 << 20
_PAGES = (".html", ".htm", ".xhtml")
# codes of the multihash table (https://github.com/multiformats/multicodec) that STAC's file:checksum uses
_MULTIHASH = {"1114": "sha1", "1220": "sha256", "1340": "sha512", "d50110": "md5"}


class Unsound(Exception):
    """The file is not what it should be; the message is the end of a sentence that begins with its name."""


def multihash(text: str | None) -> str | None:
    """STAC's ``file:checksum`` (a multihash in hexadecimal) as "sha256:..."; None for kinds that are not checked."""
    for code, name in _MULTIHASH.items():
        if text and text.lower().startswith(code) and len(text) == len(code) + 2 * hashlib.new(name).digest_size:
            return f"{name}:{text[len(code) :].lower()}"
    return None


def s3_checksum(tag: str) -> str | None:
    """The MD5 in the ETag of an S3 object: one that was not uploaded in parts has its MD5 as its tag."""
    tag = tag.strip('"').lower()
    return f"md5:{tag}" if re.fullmatch(r"[0-9a-f]{32}", tag) else None


def digest(path: str | Path, name: str) -> str:
    """Checksum of a file, hexadecimal; one chunk of it is in memory."""
    found = hashlib.new(name)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def is_page(start: bytes, name: str) -> bool:
    """Whether `start`, the first bytes of a file called `name`, are those of a web page where data should be."""
    if Path(name).suffix.lower() in _PAGES:
        return False
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    return text.startswith((b"<!doctype html", b"<html", b"<head")) or (text.startswith(b"<?xml") and b"<html" in text)


def check(path: str | Path, *, size: int | None = None, checksum: str | None = None, name: str = "") -> None:
    """Raise `Unsound` unless the file is whole.

    Parameters
    ----------
    size : bytes that it must have. checksum : "md5:..." and the like, in hexadecimal.
    name : its name in the end, by which its format is known (default: that of `path`).

    Notes
    -----
    Without a checksum the format itself is asked: zip and gzip carry sums of their contents; of HDF5, NetCDF and TIFF
    the structure is read and, of a TIFF, whether its last block lies within the file.
    """
    path = Path(path)
    name = name or path.name
    found = path.stat().st_size
    if size is not None and found != size:
        raise Unsound(f"has {found:,} bytes where {size:,} were announced")
    if found == 0:
        raise Unsound("is empty")
    with open(path, "rb") as file:
        if is_page(file.read(1024), name):
            raise Unsound("is a web page, not data")
    if checksum:
        kind, _, wanted = checksum.partition(":")
        if digest(path, kind) != wanted.lower():
            raise Unsound(f"has another {kind} than announced")
    else:
        _check_format(path, name)


def _check_format(path: Path, name: str) -> None:
    suffix = Path(name).suffix.lower()
    try:
        if suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                if any(entry.flag_bits & 0x1 for entry in archive.infolist()):
                    raise Unsound("is encrypted")
                broken = archive.testzip()
            if broken:
                raise Unsound(f"is damaged (at {broken})")
        elif suffix == ".gz":
            with gzip.open(path) as file:
                while file.read(_CHUNK):
                    pass
        elif suffix in (".h5", ".hdf5", ".he5", ".nc", ".nc4"):
            import h5py

            h5py.File(path).close()
        elif suffix in (".tif", ".tiff", ".cog"):
            _check_tiff(path)
        elif suffix in (".json", ".geojson"):
            _check_json(path)
    # NotImplementedError: a method of compression that zipfile does not know, as in a header of damaged bytes
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise Unsound(f"is truncated or damaged ({error})") from error


def _check_json(path: Path) -> None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OSError(str(error)) from error
    if isinstance(record, dict) and "error" in record:
        raise OSError(f"the service says: {str(record['error'])[:120]}")


def _check_tiff(path: Path) -> None:
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path) as src:
            for band in src.indexes:
                *_, last = (window for _, window in src.block_windows(band))
                src.read(band, window=last)
                src.read(band, window=next(iter(src.block_windows(band)))[1])
    except RasterioError as error:
        raise OSError(str(error)) from error
