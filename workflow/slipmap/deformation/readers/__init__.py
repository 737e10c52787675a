"""The index of readers: one module for each format of Sentinel-1 data, known by name without importing any.

A module here, or an entry point of the group ``slipmap.readers``, holds ``READER``; CONTRIBUTING says how to add one.
"""

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from slipmap.errors import InputError, nearest

if TYPE_CHECKING:
    from slipmap.deformation.reader import Reader

GROUP = "slipmap.readers"


def own_formats() -> list[str]:
    """Names of the formats that slipmap itself reads, sorted."""
    files = [path for folder in __path__ for path in Path(folder).glob("*.py")]
    return sorted(path.stem for path in files if not path.stem.startswith("_"))


def _plugins() -> dict[str, EntryPoint]:
    return _installed(tuple(sys.path))


@cache
def _installed(path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Entry points of the packages on the Python `path`, found once: every package has a file to be read."""
    return {point.name: point for point in entry_points(group=GROUP)}


def formats() -> list[str]:
    """Names of all formats, sorted: slipmap's own and those of installed packages."""
    return sorted({*own_formats(), *_plugins()})


def check_format(name: str) -> None:
    """Raise `InputError` unless there is a reader of that name; nothing is imported."""
    if name not in own_formats() and name not in _plugins():
        raise InputError(f"there is no reader of the format '{name}'{nearest(name, ['auto', *formats()])}")


def load(name: str) -> "Reader":
    """The reader of the format called `name`.

    Raises
    ------
    InputError : there is none of that name, or the package that brings it cannot be imported.
    """
    check_format(name)
    if name in own_formats():
        reader = import_module(f"{__name__}.{name}").READER
    else:
        try:
            module = _plugins()[name].load()
        except Exception as error:  # a package of somebody else: whatever may happen in it
            raise InputError(
                f"inputs.sentinel1.format: the reader of '{name}' ({_plugins()[name].value}) cannot be loaded "
                f"({type(error).__name__}: {error}); install its package again."
            ) from error
        reader = getattr(module, "READER", module)
    reader.name = name
    return reader
