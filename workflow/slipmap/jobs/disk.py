"""Faults of the disk, told in one sentence: full, over quota, not to be written."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipmap.errors import InputError

FULL = 2**20  # bytes; a disk with less left is full
AGAIN = "then give the same command again: what was finished is kept, what was not is made again."
_FULL_DISK = "full_disk"  # attribute of an error: the place whose disk was full when it was raised


def note_full(error: BaseException | None, path: Path) -> None:
    """Note on `error`, if there is one, that the disk of `path` is full, before what is removed makes room there."""
    if error is not None and shutil.disk_usage(place := _existing(path)).free < FULL:
        setattr(error, _FULL_DISK, place)


def trouble(error: BaseException, paths: Iterable[str | Path]) -> str | None:
    """One sentence if `error` came from the disk that holds one of `paths`, else None.

    Libraries in C report a full disk in words of their own, so the disks are looked at as well as the error and those
    that it came from; a disk that was full when the error was raised may have room again (`note_full`).
    """
    chain = list(_chain(error))
    numbers = {one.errno for one in chain if isinstance(one, OSError)}
    places = [_existing(Path(path)) for path in paths]
    full = next((getattr(one, _FULL_DISK) for one in chain if hasattr(one, _FULL_DISK)), None)
    if full is None and (
        numbers & {errno.ENOSPC, errno.EDQUOT} or any(shutil.disk_usage(place).free < FULL for place in places)
    ):
        full = min(places, key=lambda place: shutil.disk_usage(place).free)
    if full is not None:
        return f"The disk that holds {full} is full, or your share of it: make room, {AGAIN}"
    for place in places:
        if errno.EROFS in numbers or not os.access(place, os.W_OK):
            return f"{place} cannot be written: make it writable, {AGAIN}"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def require_writable(folder: Path) -> None:
    """Raise `InputError` if `folder` cannot be written: a file, a link to what is not there, one without the right."""
    if folder.is_symlink() and not folder.exists():
        raise InputError(
            f"{folder} is a link to {os.readlink(folder)}, which is not there: mount that disk or make that folder, or "
            f"remove the link."
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and a run writes into a folder of that name: move the file away.")
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written: make it writable, {AGAIN}")


def _existing(path: Path) -> Path:
    """`path`'s nearest folder that is there."""
    path = path if path.is_dir() else path.parent
    while not path.exists():
        path = path.parent
    return path
