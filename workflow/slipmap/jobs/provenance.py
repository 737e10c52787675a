"""What a result was made from: the digest of the code, so that results are remade when their stage's code changes."""

import ast
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
# How a config file is read, a job is run and an error is worded is not how a result is made.
_PLAN = {"config/load.py", "config/run.py", "config/schema.py", "config/template.py"}
_PLAN |= {"jobs/disk.py", "errors.py", "jobs/job.py", "jobs/runs.py"}
_IMPORT = re.compile(r"^[ \t]*((?:from|import)[ \t]+slipmap\b(?:[^\n(]*\([^)]*\)|[^\n]*))", re.MULTILINE)


@cache
def code_digest(*parts: str) -> str:
    """Short SHA-256 of the library's `parts` (modules or folders, "deformation/network.py") and all that they import.

    Of a folder every file counts, templates and style sheets too.

    Snakemake reruns a job when its script changes but not when a module which that script imports does; a rule that
    carries this digest as a parameter is rerun then, and only then (a fresh checkout changes dates, not contents).
    """
    digest = hashlib.sha256()
    for path in sorted(code_files(*parts)):
        digest.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def code_files(*parts: str) -> set[Path]:
    """Files of the library that `parts` are made of or import, directly or through others."""
    waiting = [file for part in parts for file in _files(LIBRARY / part)]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.relative_to(LIBRARY).as_posix() not in _PLAN:
            found.add(path)
            waiting += _imported(path)
    return found


def _files(root: Path) -> list[Path]:
    if not root.is_dir():
        return [root]
    return sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _imports(text: str) -> Iterable[ast.AST]:
    """Statements of a module that import from the library, and maybe others.

    They are cut out and parsed alone: every job of a cluster starts Snakemake twice, and each start would pay for the
    parsing of all modules.
    """
    try:
        return [ast.parse(found).body[0] for found in _IMPORT.findall(text)]
    except SyntaxError:  # a bracket in a comment, a sentence that begins like an import
        return ast.walk(ast.parse(text))


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    """Files of the library that the file at `path` imports, at its head or inside a function."""
    if path.suffix != ".py":
        return ()
    names: set[str] = set()
    for node in _imports(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    found = set()
    for name in names:
        package, _, rest = name.partition(".")
        if package != "slipmap" or not rest:
            continue
        place = LIBRARY / rest.replace(".", "/")
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                found.add(file)
    return tuple(sorted(found))
