"""Doors for other packages: what they announce as entry points, found without running their code."""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from pathlib import Path

from slipmap.errors import InputError


def named(group: str) -> list[tuple[str, str]]:
    """Name and module of every entry point of a group (``name = package.module`` in the package's metadata), sorted."""
    return sorted({(point.name, point.module) for point in entry_points(group=group)})


def source(module: str, group: str, name: str) -> Path:
    """The source file of a module that an entry point names; nothing is imported, not even its package.

    Raises
    ------
    InputError
        If there is no such file.
    """
    where: list[str] | None = None
    parts = module.split(".")
    for index in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: index + 1]), where)
        if spec is None:
            break
        where = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise InputError(
            f"the entry point {group} '{name}' points to the module {module}, whose source is not there; install its "
            f"package again or remove it."
        )
    return Path(spec.origin)


def package_folder(module: str) -> Path:
    """The folder of the outermost package that a module is in, or the module's own file if it is in none."""
    spec = PathFinder.find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None:
        raise InputError(f"the package of {module} is not there; install it again.")
    path = Path(spec.origin)
    return path.parent if path.name == "__init__.py" else path
