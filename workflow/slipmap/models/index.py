"""The index of architectures: what is known of each without importing torch, which takes seconds.

A module of a model says all that is known of it in one literal, ``ARCHITECTURES``: class → paper, options with their
defaults, and the names under which the class is built. It is data: the index reads it and does not run the module,
whose classes take their defaults from it (`slipmap.models.create`). Modules are those beside this one, and those that
installed packages name under the entry points ``slipmap.models`` (``name = package.module``).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from slipmap import plugins
from slipmap.errors import InputError, nearest
from slipmap.models.options import WIDTH, Option

GROUP = "slipmap.models"
_LITERAL = re.compile(r"^ARCHITECTURES(?:: *[^=\n]+)? = (\{.*?^\})", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Record:
    """One name of the index.

    Attributes
    ----------
    name : what configs and `create_model` call it.
    module, class_name : where the class is.
    options : what a user may set.
    fixed : options that the name sets and the user may not.
    title : what the paper calls it.
    paper : citation, with DOI or arXiv number.
    parameters : number of parameters with 3 bands, 1 class and the defaults (width 1 is the published size).
    advice : when to take it, in a line.
    file : the module's source.
    """

    name: str
    module: str
    class_name: str
    options: Mapping[str, Option]
    fixed: Mapping[str, Any]
    title: str
    paper: str
    parameters: int
    advice: str
    file: Path

    @property
    def in_words(self) -> str:
        """The title, with the options that the name sets: "DeepLabV3+ (backbone resnet50)"."""
        fixed = ", ".join(f"{option} {value}" for option, value in self.fixed.items())
        return f"{self.title} ({fixed})" if fixed else self.title

    def check(self, options: Mapping[str, object], key: str) -> None:
        """Raise `InputError` unless a user may set these options to these values; `key` names them in the message."""
        for option, value in options.items():
            if option in self.fixed:
                raise InputError(
                    f"{key}: the model {self.name} fixes the option '{option}' to {self.fixed[option]!r}; leave that "
                    f"option out."
                )
            if option not in self.options:
                raise InputError(
                    f"{key}: the model {self.name} has no option '{option}'{nearest(option, self.options)}"
                )
            wrong = self.options[option].wrong(value)
            if wrong:
                raise InputError(f"{key}: the option '{option}' of the model {self.name} is {value!r}; {wrong}.")


def list_models() -> list[str]:
    """Return the names of all architectures, sorted."""
    return sorted(records())


def records() -> Mapping[str, Record]:
    """Name → record, of every architecture."""
    return _records(tuple(sys.path))


def find(name: str, key: str = "name") -> Record:
    """Return the record of a name; `InputError`, which proposes the nearest one and calls the name `key`, if none."""
    known = records()
    if name not in known:
        raise InputError(f"{key}: there is no model '{name}'{nearest(name, known)}")
    return known[name]


def check(name: str, options: Mapping[str, object], key: str) -> None:
    """Raise `InputError` unless an architecture has that name and may have those options; `key` is the config key."""
    find(name, f"{key}.name").check(options, f"{key}.options")


@lru_cache(maxsize=4)
def _records(path: tuple[str, ...]) -> dict[str, Record]:
    """As `records`, for one search path (other packages may stand on another)."""
    raw: dict[str, dict[str, Any]] = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        raw |= _named(f"slipmap.models.{file.stem}", file)
    for name, module in sorted({(point.name, point.module) for point in plugins.points(GROUP)}):
        about = _of_extension(name, module)
        if name in raw:
            raise InputError(
                f"{about['file']} brings a model '{name}', a name that {raw[name]['file']} has already; rename one or "
                f"remove the package."
            )
        raw[name] = about
    return {name: _record(name, raw) for name in raw}


def _of_extension(name: str, module: str) -> dict[str, Any]:
    """What a module says of the name that an entry point announces."""
    file = _source(name, module)
    if not _NAME.fullmatch(name):
        raise InputError(f"{file}: the model '{name}' needs a name of small letters, digits and underscores.")
    found = _named(module, file)
    if name not in found:
        raise InputError(
            f"{file}: the entry point {GROUP} '{name}' points here, but ARCHITECTURES names no such model; add it."
        )
    return found[name]


def _source(name: str, module: str) -> Path:
    """The file of a module that an entry point names, found without importing it or the package that it is in."""
    spec, where = None, None
    parts = module.split(".")
    for depth in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: depth + 1]), where)
        if spec is None:
            break
        where = list(spec.submodule_search_locations or ())
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise InputError(
            f"the entry point {GROUP} '{name}' points to the module {module}, whose source is not there; install its "
            f"package again or remove it."
        )
    return Path(spec.origin)


def _named(module: str, file: Path) -> dict[str, dict[str, Any]]:
    """Name → what the ``ARCHITECTURES`` of a module say of it, unchecked; empty if it has none."""
    found = _LITERAL.search(file.read_text(encoding="utf-8"))
    try:
        literal = ast.literal_eval(found[1]) if found else {}
        return {
            name: {**about, **own, "module": module, "class_name": class_name, "file": file}
            for class_name, about in literal.items()
            for name, own in about["names"].items()
        }
    except (ValueError, KeyError, AttributeError, TypeError, SyntaxError) as error:
        raise _unreadable(file, error) from None


def _record(name: str, raw: Mapping[str, dict[str, Any]]) -> Record:
    about = raw[name]
    try:
        return Record(
            name=name,
            options={key: option for key, option in _options(name, raw).items() if key not in about.get("fixed", {})},
            fixed=about.get("fixed", {}),
            title=about.get("title", about["class_name"]),
            **{key: about[key] for key in ("module", "class_name", "paper", "parameters", "advice", "file")},
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise _unreadable(about["file"], error) from None


def _options(name: str, raw: Mapping[str, dict[str, Any]]) -> dict[str, Option]:
    """Options of a name, those that it takes over from another name included."""
    about = raw[name]
    taken = _options(about["options_of"], raw) if "options_of" in about else {"width": WIDTH}
    return taken | {key: Option.of(given) for key, given in about.get("options", {}).items()}


def _unreadable(file: Path, error: Exception) -> InputError:
    return InputError(
        f"{file}: ARCHITECTURES is not a literal of classes, each with paper, options and names that have parameters "
        f"and advice ({error!r}); write it as in CONTRIBUTING.md."
    )
