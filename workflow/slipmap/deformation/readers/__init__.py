"""The index of readers: one module for each format of Sentinel-1 data, known by name without importing any.

A module here, or an entry point of the group ``slipmap.readers``, holds ``READER``; CONTRIBUTING says how to add one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slipmap.plugins import Formats

if TYPE_CHECKING:
    from slipmap.deformation.reader import Reader

_FORMATS = Formats(
    group="slipmap.readers",
    kind="reader",
    folders=lambda: __path__,
    own=lambda name: import_module(f"{__name__}.{name}"),
)


def own_formats() -> list[str]:
    """Names of the formats that slipmap itself reads, sorted."""
    return _FORMATS.own_names()


def formats() -> list[str]:
    """Names of all formats, sorted: slipmap's own and those of installed packages."""
    return _FORMATS.names()


def check_format(name: str) -> None:
    """Raise `InputError` unless there is a reader of that name; nothing is imported."""
    _FORMATS.check(name, more=("auto",))


def load(name: str) -> "Reader":
    """The reader of the format called `name`.

    Raises
    ------
    InputError : there is none of that name, or the package that brings it cannot be imported.
    """
    check_format(name)
    reader: Reader = _FORMATS.load(name)
    return reader
