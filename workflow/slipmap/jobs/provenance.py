"""What a result was made from: the digest of the code that a job runs, so that results follow a change of their code.

Snakemake reruns a job when its script changes but not when a module which that script imports does. Each rule carries
the digest of what its script imports as a parameter and is rerun then, and only then: a fresh checkout changes dates,
not contents.
"""

import ast
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from pathlib import Path

from slipmap import plugins

LIBRARY = Path(__file__).parents[1]
# Groups of entry points. A package's factors have a digest each (`slipmap.factors.code`), beside that of the script.
PLUGINS = ("slipmap.models", "slipmap.readers", "slipmap.importers")
_APART = {"factors/record.py"}  # so has what a factor's record names
# How a config file is read, a job is run and an error is worded is not how a result is made.
_PLAN = {"config/load.py", "config/run.py", "config/schema.py", "config/template.py"}
_PLAN |= {f"jobs/{name}.py" for name in ("digests", "disk", "job", "launch", "provenance", "rules", "runs")} | {
    "errors.py"
}
_IMPORT = re.compile(r"^[ \t]*((?:from|import)[ \t]+slipmap\b(?:[^\n(]*\([^)]*\)|[^\n]*))", re.MULTILINE)
_BY_NAME = ("import_module(", "iter_modules(", "walk_packages(")
_COMPILED = {".pyc", ".nbi", ".nbc", ".so"}


@cache
def code_digest(script: Path) -> str:
    """Short SHA-256 of all code of the library that `script` reaches (`code_files`), by path and content."""
    digest = hashlib.sha256()
    for path in sorted(code_files(script), key=attrgetter("parts")):
        digest.update(_place(path).encode() + b"\0" + _content(path))
    return digest.hexdigest()[:12]


def code_files(*roots: Path) -> set[Path]:
    """`roots`, Python files, and what of the library they import, directly or through others, wherever they import it.

    Beside what import statements name there are: every module beside one that imports by name
    (``importlib.import_module``: the models), every file of a package that is no Python (templates, style sheets), and
    the plug-ins of a group of entry points that a module names as a literal.
    """
    waiting = list(roots)
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found or _is_plan(path):
            continue
        found.add(path)
        waiting += [*_imported(path), *_beside(path)]
        for group in _asked(path):
            waiting += _plugin_files(group, tuple(sys.path))
    return found


def plugin_files() -> list[Path]:
    """Files of all packages that offer something to a group of entry points."""
    return sorted({path for group in PLUGINS for path in _plugin_files(group, tuple(sys.path))})


@cache
def _is_plan(path: Path) -> bool:
    return _place(path) in _PLAN


@cache
def _place(path: Path) -> str:
    """Path under the library, or of other files their name and folder."""
    return path.relative_to(LIBRARY if path.is_relative_to(LIBRARY) else path.parents[1]).as_posix()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


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
    for node in _imports(_text(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return tuple(sorted({file for name in names for file in _module_files(name)}))


@cache
def _module_files(name: str) -> tuple[Path, ...]:
    """The file of the library's module `name`, if it is one, and the package files that Python runs before it."""
    package, *parts = name.split(".")
    if package != "slipmap" or not parts:
        return ()
    place = LIBRARY.joinpath(*parts)
    files = tuple(file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
    return (*_module_files(name.rpartition(".")[0]), *files)


@cache
def _beside(path: Path) -> tuple[Path, ...]:
    """What the library's file at `path` reaches without an import statement."""
    if path.suffix != ".py" or not path.is_relative_to(LIBRARY):
        return ()
    found = set(_data_files(path.parent))
    text = _text(path)
    if any(name in text for name in _BY_NAME) and _place(path) not in _APART:
        found |= set(path.parent.rglob("*.py"))
    return tuple(sorted(found))


@cache
def _asked(path: Path) -> tuple[str, ...]:
    """Groups of entry points that the library's file at `path` names."""
    inside = path.suffix == ".py" and path.is_relative_to(LIBRARY)
    return tuple(group for group in PLUGINS if inside and f'"{group}"' in _text(path))


@cache
def _data_files(package: Path) -> tuple[Path, ...]:
    """Files of a package that are no Python; of the library's root none, which are its packages' own."""
    if package == LIBRARY:
        return ()
    inside = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return tuple(path for path in inside if path.suffix != ".py" and path.suffix not in _COMPILED)


@cache
def _plugin_files(group: str, path: tuple[str, ...]) -> tuple[Path, ...]:
    """Files of the packages on the Python `path` that offer something to `group`."""
    found: set[Path] = set()
    for point in plugins.points(group):
        top = point.module.partition(".")[0]
        spec = importlib.util.find_spec(top) if top != "slipmap" else None
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found |= {file for file in Path(folder).rglob("*.py")} | set(_data_files(Path(folder)))
        if spec and spec.origin and not spec.submodule_search_locations:
            found.add(Path(spec.origin))
    return tuple(sorted(found))
