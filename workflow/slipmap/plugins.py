"""What other packages bring, by the entry points that they register (groups ``slipmap.*``).

A module that asks for a group names it as a literal: the digests of code (`slipmap.jobs.provenance`) look for that.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from slipmap.errors import InputError, nearest

Format = TypeVar("Format")


def points(group: str) -> tuple[EntryPoint, ...]:
    """Entry points of a group in the order of the packages' names; nothing is imported."""
    return _points(group, tuple(sys.path))


@cache
def _points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """As `points`, on one search path, found once: every installed package has a file to be read."""
    return tuple(sorted(set(entry_points(group=group)), key=lambda one: (package(one), one.name, one.value)))


def package(point: EntryPoint) -> str:
    """Name of the package that registers an entry point."""
    return point.dist.name if point.dist else point.module


def load(point: EntryPoint, what: str) -> Any:
    """What an entry point names.

    Parameters
    ----------
    point : one of `points`.
    what : what the package registers, for the message ("factors", "the reader 'example'").

    Raises
    ------
    InputError : the package cannot be imported.
    """
    try:
        return point.load()
    except Exception as error:  # a package of somebody else: whatever may happen in it
        raise InputError(
            f"The package '{package(point)}' registers {what} ({point.value}) but cannot be imported "
            f"({type(error).__name__}: {error}); repair or uninstall it."
        ) from error


@dataclass(frozen=True)
class Formats(Generic[Format]):
    """Formats by name: one module each beside the index, and those that other packages register.

    Attributes
    ----------
    group : of entry points (``slipmap.readers``).
    kind : what knows a format, "reader"; a module holds it under that name in capitals.
    folders : where slipmap's own modules are (those that begin with an underscore are none).
    own : imports the module of one of slipmap's own formats.
    more : other words that a config may have in place of a format.
    """

    group: str
    kind: str
    folders: Callable[[], Iterable[str]]
    own: Callable[[str], Any]
    more: tuple[str, ...] = ()

    def own_names(self) -> list[str]:
        """Names of the formats that slipmap knows itself, sorted."""
        files = [path for folder in self.folders() for path in Path(folder).glob("*.py")]
        return sorted(path.stem for path in files if not path.stem.startswith("_"))

    def names(self) -> list[str]:
        """Names of all formats, sorted."""
        return sorted({*self.own_names(), *self._others()})

    def load(self, name: str) -> Format:
        """What knows the format called `name`, with that name.

        Raises
        ------
        InputError : the format is unknown, or the package that brings it cannot be imported.
        """
        if name not in self.names():
            known = [*self.more, *self.names()]
            raise InputError(f"there is no {self.kind} of the format '{name}'{nearest(name, known)}")
        attribute = self.kind.upper()
        if name in self.own_names():
            found: Format = getattr(self.own(name), attribute)
        else:
            given = load(self._others()[name], f"the {self.kind} of '{name}'")
            found = getattr(given, attribute, given)
        found.name = name  # type: ignore[attr-defined]
        return found

    def _others(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        own = self.own_names()
        for point in points(self.group):
            if point.name in own or point.name in found:
                other = f"the package '{package(found[point.name])}'" if point.name in found else "slipmap"
                raise InputError(
                    f"The package '{package(point)}' registers the {self.kind} of '{point.name}', a name that {other} "
                    f"has taken; rename it or uninstall the package."
                )
            found[point.name] = point
        return found
