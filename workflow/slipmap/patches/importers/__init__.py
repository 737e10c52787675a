"""The index of importers: one module for each format of patch data sets, known by name without importing any.

A module here, or an entry point of the group ``slipmap.importers``, holds ``IMPORTER``; CONTRIBUTING says how to add
one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slipmap.plugins import Formats

if TYPE_CHECKING:
    from slipmap.patches.importing.importer import Importer

_FORMATS = Formats(
    group="slipmap.importers",
    kind="importer",
    folders=lambda: __path__,
    own=lambda name: import_module(f"{__name__}.{name}"),
)


def own_formats() -> list[str]:
    """Names of the formats that slipmap itself imports, sorted."""
    return _FORMATS.own_names()


def formats() -> list[str]:
    """Names of all formats, sorted: slipmap's own and those of installed packages."""
    return _FORMATS.names()


def load(name: str) -> "Importer":
    """The importer of the format called `name`.

    Raises
    ------
    InputError : there is none of that name, or the package that brings it cannot be imported.
    """
    importer: Importer = _FORMATS.load(name)
    return importer
