"""slipmap: from raw Sentinel-1 and Sentinel-2, a DEM and lithology to region-wide landslide maps.

One subpackage for each stage of the workflow, in the order in which the data goes: ``inputs``, ``deformation``,
``factors``, ``screening``, ``patches``, ``training`` (with ``models``), ``prediction``, ``report``.
Everything is importable and testable without Snakemake.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # which takes a tenth of a short job's start

    try:
        found = version("slipmap")
    except PackageNotFoundError:  # a source tree that was not installed
        found = "0+unknown"
    globals()[name] = found
    return found
