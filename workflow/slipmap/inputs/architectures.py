"""Names and options of the architectures, read from their source: without importing torch, which takes seconds."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slipmap.errors import InputError, nearest

_MODELS = Path(__file__).parents[1] / "models"
_NOT_OPTIONS = ("self", "in_channels", "classes")


@dataclass(frozen=True)
class Architecture:
    """What a user may set of one architecture, and what its name fixes."""

    options: tuple[str, ...]
    fixed: tuple[str, ...]


@cache
def architectures() -> dict[str, Architecture]:
    """Name → architecture, of every class in ``slipmap/models`` that `slipmap.models.registry.register` decorates."""
    found: dict[str, Architecture] = {}
    for path in sorted(_MODELS.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        parameters = {node.name: _parameters(node) for node in classes}
        for node in classes:
            own = parameters[node.name]
            for base in node.bases if own is None else ():
                own = own or parameters.get(getattr(base, "id", ""))
            for name, fixed in _registered(node):
                options = tuple(key for key in own or () if key not in (*_NOT_OPTIONS, *fixed))
                found[name] = Architecture(options, fixed)
    return found


def check(name: str, options: dict[str, object], key: str) -> None:
    """Raise `InputError` unless an architecture has that name and those options; `key` is the config key."""
    known = architectures()
    if name not in known:
        raise InputError(f"{key}.name: there is no model '{name}'{nearest(name, known)}")
    for option in options:
        if option in known[name].fixed:
            raise InputError(f"{key}.options: the model {name} fixes the option '{option}'; leave that option out.")
        if option not in known[name].options:
            raise InputError(
                f"{key}.options: the model {name} has no option '{option}'{nearest(option, known[name].options)}"
            )


def _parameters(node: ast.ClassDef) -> list[str] | None:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return [argument.arg for argument in (*item.args.args, *item.args.kwonlyargs)]
    return None


def _registered(node: ast.ClassDef) -> Iterator[tuple[str, tuple[str, ...]]]:
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "register":
            yield ast.literal_eval(call.args[0]), tuple(item.arg for item in call.keywords if item.arg)
