"""The code that makes a factor, so that the factor is made again when it changes."""

import hashlib
import importlib.util
from pathlib import Path

from slipmap.factors.record import Factor
from slipmap.jobs import provenance


def code_of(factor: Factor) -> str:
    """Short SHA-256 of the code that makes a factor: the modules that its record names, or its whole package."""
    digest = hashlib.sha256()
    for path in sorted(code_files(factor)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def code_files(factor: Factor) -> set[Path]:
    """Python files that make a factor: the modules that its record names and their imports, or its whole package."""
    if factor.package:
        return set(_files(factor.package))
    modules = {given.partition(":")[0] for given in (factor.compute, factor.reach) if isinstance(given, str)}
    return provenance.code_files(*(file for name in modules for file in _files(name)))


def _files(name: str) -> list[Path]:
    """Files of a module, or of a package with all that lies in it, found without running it."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [path for folder in spec.submodule_search_locations for path in sorted(Path(folder).rglob("*.py"))]
    return [Path(spec.origin)] if spec.origin else []
