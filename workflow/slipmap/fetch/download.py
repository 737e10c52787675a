"""The one download engine: resumed, verified, retried with backoff, written aside and renamed."""

import errno
import fcntl
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import requests

from slipmap.errors import InputError
from slipmap.fetch import verify
from slipmap.fetch.credentials import host_of, shown
from slipmap.fetch.web import Interrupted, TransferError, Web
from slipmap.jobs import runs

log = logging.getLogger(__name__)
_CHUNK = 1 << 18
_SLOWEST = 1024  # bytes/s, over the time that a server may be silent: less is a stall
_LONGEST_MAKING = 600.0  # s for which a server may be making a file
_RESERVE = 1 << 28  # bytes of disk left free


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Parameters
    ----------
    name : file name in the end; no folders. size : bytes; checksum : "md5:..."; None where nobody announced them.
    """

    name: str
    url: str
    size: int | None = None
    checksum: str | None = None

    def __post_init__(self) -> None:
        if not self.name or Path(self.name).name != self.name or self.name.startswith(".") or "\\" in self.name:
            raise InputError(
                f"{shown(self.url)} is announced as '{self.name[:80]}', which is no file name; search again."
            )


class _Begun(NamedTuple):
    """What there is of a file: so many bytes of the version that the server knows by `mark` ("": by nothing)."""

    bytes: int
    mark: str


def fetch_all(files: Iterable[RemoteFile], folder: str | Path, web: Web, *, at_once: int = 4) -> list[Path]:
    """Fetch files into `folder`, several at once; those that are there, whole, are left. See `fetch`.

    Raises
    ------
    InputError : the disk has no room for what is missing; the first error, after the files under way have ended.
    """
    files, folder = list(files), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    missing = sum((file.size or 0) - _begun(folder / file.name) for file in files if not _is_there(file, folder))
    free = shutil.disk_usage(folder).free
    if missing + _RESERVE > free:
        raise InputError(
            f"{folder} has {free / 1e9:.1f} GB free and {missing / 1e9:.1f} GB are still to be downloaded; free "
            "some, or "
            f"link resources/downloads to a larger disk."
        )
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        waiting = {pool.submit(fetch, file, folder, web): file for file in files}
        try:
            for done in as_completed(waiting):
                done.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [folder / file.name for file in files]


def fetch(file: RemoteFile, folder: str | Path, web: Web) -> Path:
    """Fetch one file into `folder` and return its path; at once if it is there.

    What has come of a file stands in ``NAME.part``, with its origin in ``NAME.part.json``; the next attempt, in this
    process or a later one, asks the server for the rest. A file gets its name when its size, its checksum (or, without
    one, its format) have been found right: under that name it is whole. Two processes that want the same file take
    turns. One chunk is in memory.

    Raises
    ------
    TransferError : the server refuses, or fails `web.tries` times without progress, or sends what is not the file.
    InputError : the disk is full.
    """
    folder = Path(folder)
    path = folder / file.name
    if _is_there(file, folder):  # without a lock: a finished store may be read-only
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        if _is_there(file, folder):
            return path
        try:
            _transfer(file, path, web)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise InputError(
                f"{folder} is full; free some disk and run again: the part of {file.name} that was received is kept."
            ) from error
    return path


def _is_there(file: RemoteFile, folder: Path) -> bool:
    path = folder / file.name
    return path.is_file() and (file.size is None or path.stat().st_size == file.size)


def _begun(path: Path) -> int:
    part = _part(path)
    return part.stat().st_size if part.is_file() else 0


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of `path`: one process, and one thread of it, at a time."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if os.stat(lock).st_ino == os.fstat(handle).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # its last holder removed it meanwhile
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _transfer(file: RemoteFile, path: Path, web: Web) -> None:
    part = _part(path)
    idle, spoilt, waited, most = 0, 0, 0.0, _begun(path)
    while True:
        try:
            _attempt(file, part, web)
            verify.check(part, size=file.size, checksum=file.checksum, name=file.name)
            break
        except Interrupted as error:
            patient = error.being_made and waited < _LONGEST_MAKING
            waited += (error.wait or 0.0) if patient else 0.0
            idle = 0 if patient or _begun(path) > most else idle + 1
            most = max(most, _begun(path))  # a server without ranges may break off now here, now there
            log.warning("%s; %d bytes of %s have come", error, _begun(path), file.name)
            if idle >= web.tries:
                raise TransferError(
                    f"{file.name}: {error}, {idle} times in a row; the part that was received is kept: run again "
                    f"later, or put the file into a local archive."
                ) from None
            web.wait(max(idle, 1), error.wait)
        except verify.Unsound as error:
            _discard(part)
            spoilt += 1
            log.warning("%s %s", file.name, error)
            if spoilt > 1:
                raise TransferError(
                    f"{shown(file.url)}: {file.name} {error}, twice; it was thrown away: "
                    f"{_what_next(error, file, web)}."
                ) from None
            web.wait(1)
    runs.require_current()
    os.replace(part, path)
    _origin(part).unlink(missing_ok=True)


def _what_next(error: Exception, file: RemoteFile, web: Web) -> str:
    realm = next((realm for realm in web.realms if realm.takes_token(file.url)), None)
    if "web page" in str(error) and realm is not None and not (realm.token() or realm.password()):
        return realm.advice()
    if "web page" in str(error):
        return f"open {host_of(file.url)} in a browser, where it may ask for a login or terms of use, or be down"
    return "try again later, or search again"


def _attempt(file: RemoteFile, part: Path, web: Web) -> None:
    """Ask for what is missing of `part` and append it."""
    begun = _resumable(file, part)
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun.bytes}-"} | ({"If-Range": begun.mark} if begun.mark else {})
    with web.open(file.url, headers=headers) as response:
        if response.status_code == 416:  # nothing is missing, or the file is another now
            whole = re.search(r"\*/(\d+)$", response.headers.get("Content-Range", ""))
            if begun and begun.bytes in (file.size, int(whole[1]) if whole else None):
                return
            _discard(part)
            raise Interrupted(f"{shown(file.url)} has no such part of the file")
        resumed = begun if response.status_code == 206 and begun and _continues(response, begun) else None
        if response.status_code == 206 and not resumed:
            _discard(part)
            raise Interrupted(f"{shown(file.url)} sent another part, or another version, than was asked for")
        total = _total(response, resumed.bytes if resumed else 0)
        if file.size is not None and total is not None and total != file.size:
            start = next(response.raw.stream(1024, decode_content=False), b"")
            if verify.is_page(start, file.name):
                raise verify.Unsound("is a web page, not data")
            raise verify.Unsound(f"has {total:,} bytes where {file.size:,} were announced")
        _write_origin(file, part, response)
        _append(response, part, "ab" if resumed else "wb", web)
        have = part.stat().st_size
        if total is not None and have < total:
            raise Interrupted(f"{shown(file.url)} closed the connection early")


def _append(response: requests.Response, part: Path, mode: str, web: Web) -> None:
    window, since = 0, time.monotonic()
    with open(part, mode) as target:
        # what is there, rather than full chunks: a broken connection must not lose what had come
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            target.write(chunk)
            window += len(chunk)
            passed = time.monotonic() - since
            if passed > web.timeout[1]:
                if window < _SLOWEST * passed:
                    target.flush()
                    raise Interrupted(f"{shown(response.url)} sends less than 1 kB/s")
                window, since = 0, time.monotonic()


def _continues(response: requests.Response, begun: _Begun) -> bool:
    """Whether a part begins where ours ends and is of the same version (a server may not know If-Range)."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    same = not begun.mark or _mark(response) in ("", begun.mark)
    return found is not None and int(found[1]) == begun.bytes and same


def _total(response: requests.Response, have: int) -> int | None:
    """Bytes of the whole file, as the response announces it; a part may be shorter than what was asked for."""
    if response.status_code == 206 and (found := re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))):
        return int(found[1])
    text = response.headers.get("Content-Length", "")
    return have + int(text) if text.isdigit() else None


def _origin(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _mark(response: requests.Response) -> str:
    """By what the server knows this version of the file; "": by nothing."""
    tag, changed = (str(response.headers.get(name, "")) for name in ("ETag", "Last-Modified"))
    # a weak tag says that two files are alike, not that their bytes are the same
    return tag if tag and not tag.startswith("W/") else changed


def _write_origin(file: RemoteFile, part: Path, response: requests.Response) -> None:
    record = {"url": shown(file.url), "mark": _mark(response), "size": file.size, "checksum": file.checksum}
    _origin(part).write_text(json.dumps(record), encoding="utf-8")


def _resumable(file: RemoteFile, part: Path) -> _Begun | None:
    """How many bytes of this very file there are, and by which mark the server knows its version; else None."""
    have = part.stat().st_size if part.is_file() else 0
    if not have:
        return None
    try:
        record = json.loads(_origin(part).read_text(encoding="utf-8"))
        same = (record["url"], record["size"], record["checksum"]) == (shown(file.url), file.size, file.checksum)
        known = bool(record["mark"]) or bool(file.checksum)
    except (OSError, ValueError, KeyError):
        same = known = False
    if same and known and (file.size is None or have <= file.size):
        return _Begun(have, record["mark"])
    _discard(part)  # of another version or origin, or with nothing to know it by
    return None


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _origin(part).unlink(missing_ok=True)
