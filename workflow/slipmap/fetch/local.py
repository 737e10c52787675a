"""A local archive in a service's place, and files placed where the workflow looks for them."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from slipmap.errors import InputError
from slipmap.factors.scene import scene_date
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.io.atomic import write_aside

_HERE = "file://"


def search(
    source: str,
    folder: str | Path,
    pattern: str,
    where: Target,
    describe: Callable[[re.Match[str]], dict[str, Any]] = lambda match: {},
    *,
    dated: bool = True,
    key: str = "acquire.archive",
) -> Found:
    """The files of a local archive in a service's place: those under `folder` whose name matches `pattern`.

    Parameters
    ----------
    pattern : regular expression of the whole name; its group "date" (YYYYMMDD), or the first date in the name, is the
        date.
    describe : properties of the product from the match.
    dated : leave out what is not from `where.start` to `where.end`.

    Raises
    ------
    InputError : the folder is not there, or nothing in it is wanted.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{key}: {folder} is not a folder; correct the path of your archive.")
    products = []
    for path in sorted(folder.rglob("*")):
        match = re.fullmatch(pattern, path.name)
        if not match or not path.is_file():
            continue
        when = scene_date(match.groupdict().get("date") or path.name)
        if dated and (when is None or not where.start <= when <= where.end):
            continue
        file = RemoteFile(path.name, f"{_HERE}{path.resolve()}", path.stat().st_size)
        products.append(Product(path.name, (file,), when, None, describe(match)))
    if not products:
        span = f" from {where.start} to {where.end}" if dated else ""
        raise InputError(f"{key}: {folder} holds no file for {source}{span} (names are to match {pattern}).")
    return Found(source, str(folder), {}, tuple(products))


def is_local(file: RemoteFile) -> bool:
    """Whether a file lies in a local archive."""
    return file.url.startswith(_HERE)


def local_path(file: RemoteFile) -> Path:
    """Where a file of a local archive lies.

    Raises
    ------
    InputError : it is there no more.
    """
    path = Path(file.url.removeprefix(_HERE))
    if not path.is_file():
        raise InputError(f"{path} is no longer in the archive; put it back, or search again.")
    return path


def place(files: Iterable[tuple[str, Path]], folder: str | Path) -> None:
    """Make `folder` hold exactly these files, as links: (name within the folder, path of the file).

    Links cost no disk, and one that is made again keeps its file's time, so that what was made from it stays valid.
    Where the file system has no links the files are copied.
    """
    with write_aside(folder) as aside:
        aside.mkdir(parents=True)
        for name, path in files:
            link = aside / name
            link.parent.mkdir(parents=True, exist_ok=True)
            try:
                link.symlink_to(path.resolve())
                stamp = path.stat()
                os.utime(link, ns=(stamp.st_atime_ns, stamp.st_mtime_ns), follow_symlinks=False)
            # a file system without links, or a system that cannot set the time of a link (os.utime raises the second)
            except (OSError, NotImplementedError):
                link.unlink(missing_ok=True)
                shutil.copy2(path, link)
