"""From the config to the reader that knows the files: a stack, or a ready velocity."""

from collections.abc import Sequence
from pathlib import Path

from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import readers
from slipmap.deformation.reader import Listing, Reader, Velocity
from slipmap.deformation.stack import Stack
from slipmap.errors import InputError

KEY = "inputs.sentinel1"


def read_stack(settings: Sentinel1Settings, files: Sequence[str | Path] | None = None) -> Stack:
    """Find out what lies in `settings.path` and describe it; headers and a few pixels are read.

    `files` are the SLCs that count, where not all in the folder do.

    Raises
    ------
    InputError : nothing is there, the format is not known or not the one that the config insists on, dates that
        cannot be read or occur twice, wavelengths or tracks that differ.
    """
    reader, listing = find_reader(settings, files)
    return reader.stack(listing, settings)


def read_velocity(settings: Sentinel1Settings) -> Velocity:
    """Describe the ready velocity at `settings.path`; no pixel is read."""
    reader, listing = find_reader(settings)
    return reader.velocity(listing, settings)


def find_reader(settings: Sentinel1Settings, files: Sequence[str | Path] | None = None) -> tuple[Reader, Listing]:
    """The reader of what lies at `settings.path`, and its files.

    Raises
    ------
    InputError : nothing is there, no reader or several know it, or the one of the config does not read that level.
    """
    source = Path(settings.path)
    if not source.exists():
        raise InputError(f"{KEY}.path: {source} does not exist; correct the path or put the Sentinel-1 data there.")
    listing = Listing.of(source, files)
    if not listing.paths:
        raise InputError(f"{KEY}.path: the folder {source} is empty; put the data there.")
    if settings.format != "auto":
        reader = readers.load(settings.format)
        if settings.level not in reader.levels:
            raise InputError(
                f"{KEY}.format: '{settings.format}' does not hold data of level {settings.level}; choose one of "
                f"{', '.join(r.name for r in _of_level(settings.level))} or auto."
            )
        return reader, listing
    known = [reader for reader in _of_level(settings.level) if reader.recognises(listing, settings.level)]
    known = [reader for reader in known if not reader.generic] or known
    if len(known) > 1:
        raise InputError(
            f"{KEY}.path: {source} holds files of {' and of '.join(r.name for r in known)}; keep those of one format, "
            f"or set {KEY}.format."
        )
    if not known:
        raise _unknown(listing, settings)
    return known[0], listing


def _of_level(level: str) -> list[Reader]:
    return [reader for name in readers.formats() if level in (reader := readers.load(name)).levels]


def _unknown(listing: Listing, settings: Sentinel1Settings) -> InputError:
    known = _of_level(settings.level)
    what = {"slc": "SLC", "velocity": "velocity"}.get(settings.level, f"{settings.level} interferograms")
    for reader in known:
        found = listing.named(*reader.radar_coded)
        if found:
            return InputError(
                f"{KEY}.path: {found[0]} is in radar coordinates, as {reader.name} writes it: {reader.geocode}, and "
                f"give the geocoded files."
            )
    if zips := listing.named("*.zip"):
        return InputError(
            f"{KEY}.path: {zips[0]} is a zip, and no other file there is of a known format; unpack the zips first."
        )
    names = "; ".join(
        f"{reader.name}: {', '.join(reader.files.get(reader.wanted.get(settings.level, ''), ())[:2])}"
        for reader in known
    )
    return InputError(
        f"{KEY}.path: no {what} of a known format under {listing.source} ({names}); correct the path or the level."
    )
