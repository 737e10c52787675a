"""The index of importers: one module for each format of patch data sets, known by name without importing any.

A module here, or an entry point of the group ``slipmap.importers``, holds ``IMPORTER``; CONTRIBUTING says how to add
one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slipmap.plugins import Formats

if TYPE_CHECKING:
    from slipmap.patches.importing.importer import Importer

_FORMATS: Formats["Importer"] = Formats(
    group="slipmap.importers",
    kind="importer",
    folders=lambda: __path__,
    own=lambda name: import_module(f"{__name__}.{name}"),
)
own_formats, formats, load = _FORMATS.own_names, _FORMATS.names, _FORMATS.load
