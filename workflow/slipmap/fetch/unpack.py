"""Unpacking archives so that nothing can be written outside their folder."""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from slipmap.errors import InputError
from slipmap.io.atomic import write_aside

_MOST_EXPANSION = 200  # times the archive's size; beyond lies a bomb rather than data
_LONGEST_NAME = 255  # bytes, in the file systems of Linux
_ROOM = 1 << 30  # bytes that any archive may hold
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # zipfile: a method of compression, or a version, that it does not know
)
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def unpack(archive: str | Path, folder: str | Path) -> Path:
    """Unpack a zip or tar file into `folder`, whole or not at all; files only.

    Returns
    -------
    Path : `folder`.

    Raises
    ------
    InputError : the archive would write outside its folder (absolute names, "..", links, devices), holds a name
        twice, is far larger unpacked than any data set, or is damaged.
    """
    archive, folder = Path(archive), Path(folder)
    with write_aside(folder) as aside:
        aside.mkdir(parents=True)
        try:
            if zipfile.is_zipfile(archive):
                _unzip(archive, aside)
            elif tarfile.is_tarfile(archive):
                _untar(archive, aside)
            else:
                raise InputError(f"{archive} is neither a zip nor a tar file; fetch it again.")
        except _DAMAGE as error:
            raise InputError(f"{archive} is damaged ({error}); remove it, so that it is fetched again.") from error
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise InputError(
                f"{archive} holds a file and a folder of one name ({Path(str(error.filename)).name[:80]}); fetch it "
                "from its publisher again."
            ) from error
    return folder


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive that `unpack` takes."""
    return name.lower().endswith(SUFFIXES)


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        entries = source.infolist()
        _check_size(archive, sum(entry.file_size for entry in entries))
        taken: set[Path] = set()
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, entry.filename, "a link or device")
            if entry.flag_bits & 0x1:
                raise _refused(archive, entry.filename, "an encrypted file")
            place = _place(archive, entry.filename, folder)
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            with source.open(entry) as content:
                _write(archive, entry.filename, content, place, taken)


def _untar(archive: Path, folder: Path) -> None:
    taken: set[Path] = set()
    total = 0
    with tarfile.open(archive) as source:
        for entry in source:
            total += entry.size
            _check_size(archive, total)
            place = _place(archive, entry.name, folder)
            if entry.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif entry.isreg() and (content := source.extractfile(entry)) is not None:
                _write(archive, entry.name, content, place, taken)
            else:
                raise _refused(archive, entry.name, "a link or device")


def _place(archive: Path, name: str, folder: Path) -> Path:
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or (plain.parts and ":" in plain.parts[0]) or "\0" in name:
        raise _refused(archive, name, "a path outside its folder")
    if any(len(part.encode()) > _LONGEST_NAME for part in plain.parts):
        raise _refused(archive, name, "a name that is too long for a file")
    return folder.joinpath(*plain.parts)


def _write(archive: Path, name: str, content: IO[bytes], place: Path, taken: set[Path]) -> None:
    if place in taken:
        raise _refused(archive, name, "a name that it holds twice")
    taken.add(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "xb") as target:
        shutil.copyfileobj(content, target, 1 << 20)


def _check_size(archive: Path, size: int) -> None:
    if size > max(_ROOM, _MOST_EXPANSION * archive.stat().st_size):
        raise InputError(f"{archive} would unpack to {size / 2**30:.0f} GiB, as no data set does; it was not unpacked.")


def _refused(archive: Path, name: str, what: str) -> InputError:
    return InputError(
        f"{archive} holds {what} ('{name[:80]}'); it was not unpacked: fetch it from its publisher again."
    )
