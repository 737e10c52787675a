"""Readers: each recognises its format from the files and returns a `Stack`."""

from collections.abc import Sequence
from pathlib import Path

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation.stack import Stack
from slipmap.errors import InputError


def read_stack(settings: Sentinel1Settings, files: Sequence[str | Path] | None = None) -> Stack:
    """Find out what lies in `settings.path` and describe it; no pixel is read.

    `files` are the OPERA products that count, where not all in the folder do.

    Raises
    ------
    InputError : nothing is there, the format is not known or not the one that the config insists on, dates that
        cannot be read or occur twice, wavelengths or tracks that differ.
    """
    folder = Path(settings.path)
    if not folder.exists():
        raise InputError(
            f"inputs.sentinel1.path: {folder} does not exist; correct the path or put the Sentinel-1 data there."
        )
    if settings.level == "slc":
        from slipmap.deformation.readers.opera import opera_files, read_opera

        if settings.format == "opera" or (settings.format == "auto" and folder.is_dir() and opera_files(folder)):
            return read_opera(folder, files)
        if settings.format not in ("auto", "geotiff"):
            raise InputError(
                f"inputs.sentinel1.format: '{settings.format}' does not hold SLCs; choose opera, geotiff or auto."
            )
        from slipmap.deformation.readers.slc import read_slcs

        return read_slcs(folder, settings)
    from slipmap.deformation.readers.interferograms import read_interferograms

    return read_interferograms(folder, settings)
