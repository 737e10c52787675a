"""Faults of the disk, told in one sentence: full, over quota, not to be written."""

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from slipmap.errors import InputError

FULL = 2**20  # bytes; a disk with less left is full
AGAIN = "then give the same command again: what was finished is kept, what was not is made anew."


def trouble(error: BaseException, paths: Iterable[str | Path]) -> str | None:
    """One sentence if `error` came from the disk that holds one of `paths`, else None.

    Libraries in C report a full disk in words of their own, so the disks are looked at as well as the error.
    """
    number = error.errno if isinstance(error, OSError) else None
    places = [_existing(Path(path)) for path in paths]
    for place in places:
        if number in (errno.ENOSPC, errno.EDQUOT) or shutil.disk_usage(place).free < FULL:
            full = min(places, key=lambda where: shutil.disk_usage(where).free)
            return f"The disk that holds {full} is full, or your share of it: make room, {AGAIN}"
        if number == errno.EROFS or not os.access(place, os.W_OK):
            return f"{place} cannot be written: make it writable, {AGAIN}"
    return None


def require_writable(folder: Path) -> None:
    """Raise `InputError` if `folder` is there and cannot be written."""
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written: make it writable, {AGAIN}")


def _existing(path: Path) -> Path:
    """`path`'s nearest folder that is there."""
    path = path if path.is_dir() else path.parent
    while not path.exists():
        path = path.parent
    return path
