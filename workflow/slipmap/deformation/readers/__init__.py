"""The index of readers: one module for each format of Sentinel-1 data, known by name without importing any.

A module here, or an entry point of the group ``slipmap.readers``, holds ``READER``; CONTRIBUTING says how to add one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slipmap.plugins import Formats

if TYPE_CHECKING:
    from slipmap.deformation.reader import Reader

_FORMATS: Formats["Reader"] = Formats(
    group="slipmap.readers",
    kind="reader",
    folders=lambda: __path__,
    own=lambda name: import_module(f"{__name__}.{name}"),
    more=("auto",),
)
own_formats, formats, load = _FORMATS.own_names, _FORMATS.names, _FORMATS.load
