"""Digests of the code of jobs (`provenance`), kept beside Snakemake's own records while no file of the code changes.

To work them out takes a tenth of a dry run, and every job of a cluster starts Snakemake twice.
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from slipmap.jobs import provenance

STATE = Path(".snakemake")
KEPT = "slipmap/code.json"


def digest_of(script: Path) -> str:
    """As `provenance.code_digest`, of a script that lies in a folder with others."""
    return _digests(script.parent, Path.cwd()).get(script.name) or provenance.code_digest(script)


@cache
def _digests(folder: Path, place: Path) -> dict[str, str]:
    """Digests of all scripts in `folder`, by name; none where `place` is no working directory of Snakemake."""
    if not (place / STATE).is_dir():
        return {}
    path, state = place / STATE / KEPT, _state(folder)
    kept = {}
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(kept, dict) or kept.get("state") != state:
        found = {script.name: provenance.code_digest(script) for script in sorted(folder.glob("*.py"))}
        kept = {"state": state, "digests": found}
        aside = path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):  # it only saves time
            path.parent.mkdir(exist_ok=True)
            aside.write_text(json.dumps(kept), encoding="utf-8")
            os.replace(aside, path)
    return dict(kept["digests"])


def _state(folder: Path) -> str:
    """Changes with every change of a file that may count: their times of change cannot be set by hand."""
    digest = hashlib.sha256(repr(sys.version_info).encode())
    for file in (*_files(provenance.LIBRARY), *_files(folder), *map(str, provenance.plugin_files())):
        stat = os.stat(file)
        digest.update(f"{file}\0{stat.st_ctime_ns}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    """All files of a folder but those that Python and its compilers leave there."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (os.path.join(place, name) for name in sorted(names))
