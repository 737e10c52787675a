"""slipmap: from raw Sentinel-1 and Sentinel-2, a DEM and lithology to region-wide landslide maps.

One subpackage for each stage of the workflow, in the order in which the data goes: ``inputs``, ``deformation``,
``factors``, ``screening``, ``patches``, ``training`` (with ``models``), ``prediction``, ``report``.
Everything is importable and testable without Snakemake.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("slipmap")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"
