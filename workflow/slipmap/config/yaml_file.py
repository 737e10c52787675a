"""A config file as text: strict YAML, in which no key stands twice and no name turns into something else."""

import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from slipmap.errors import InputError

_TEXTS = ("description", "note")  # keys whose text is no path
_MOST = 100_000  # sections of a config, aliases counted as often as they stand
SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, ten times as fast, where PyYAML was built with it


class _Loader(SAFE):  # type: ignore[misc, valid-type]  # PyYAML has no types
    """Refuses what YAML takes without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                text = key_node.value if isinstance(key_node, yaml.ScalarNode) else "? …"
                raise _Refused(
                    f"line {line}: YAML takes the key '{text}' for {said(key)}, not for a name; put it in quotes "
                    f'("{text}").'
                )
            if key in seen:
                raise _Refused(
                    f"line {line}: the key '{key}' stands twice in one section (line {seen[key]} too); keep one."
                )
            seen[key] = line
        made: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return made


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A number as everybody reads it: to YAML 1.1 010 is eight, and 1:30 is ninety."""
    text = node.value.lstrip("+-")
    if ":" in text or re.fullmatch(r"0[0-9_]+", text):
        made = yaml.SafeLoader.yaml_constructors[node.tag](loader, node)
        plain = text.lstrip("0_") or "0"
        raise _Refused(
            f"line {node.start_mark.line + 1}: YAML takes {node.value} for {made}; write {plain} without the zero, or "
            f"put it in quotes if it is text."
            if ":" not in text
            else f"line {node.start_mark.line + 1}: YAML takes {node.value} for {made:g}; write the number itself, or "
            f"put it in quotes if it is text."
        )
    return yaml.SafeLoader.yaml_constructors[node.tag](loader, node)


def _day(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A date that there is in a calendar."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as error:
        raise _Refused(
            f"line {node.start_mark.line + 1}: there is no date {node.value} ({error}); correct it."
        ) from None


for _tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
    _Loader.add_constructor(_tag, _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)


class _Refused(Exception):
    """A sentence about a line."""


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, or raise one sentence."""
    path = Path(path)
    if not path.is_file():
        fault = "is a folder, not a config file" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {fault}; correct the path of the config file.")
    try:
        record = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
        _require_tree(record)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8, or correct the path of the config.") from error
    except _Refused as error:
        raise InputError(f"{path} {error}") from None
    except yaml.YAMLError as error:
        mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if begun and "simple key" in str(getattr(error, "context", "")):  # seen a line later than it stands
            raise InputError(
                f"{path} line {begun.line + 1} is no 'key: value': {lines[begun.line].strip()[:60]!r}; a space is "
                f"missing behind the colon, or the colon."
            ) from error
        if mark and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
            raise InputError(f"{path} line {mark.line + 1} has a tab, which YAML does not take; use spaces.") from error
        where = f" line {mark.line + 1}" if mark else ""
        raise InputError(
            f"{path}{where} is not valid YAML ({' '.join(str(getattr(error, 'problem', error)).split())}); correct it."
        ) from error
    if not isinstance(record, dict):
        raise InputError(f"{path} is empty or not a mapping; a config has the keys areas, datasets and experiments.")
    return record


def _require_tree(record: Any) -> None:
    """Raise `_Refused` where an anchor stands inside of itself, or aliases of aliases grow without end."""
    waiting: list[tuple[Any, tuple[int, ...]]] = [(record, ())]
    seen = 0
    while waiting:
        value, above = waiting.pop()
        if not isinstance(value, Mapping | list):
            continue
        seen += 1
        if id(value) in above or seen > _MOST:
            raise _Refused(
                "uses an anchor (&) inside the section that it names, or too many anchors; write those sections out."
            )
        inner = value.values() if isinstance(value, Mapping) else value
        waiting += [(item, (*above, id(value))) for item in inner]


def said(value: Any) -> str:
    """A value in the words and signs of YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping (key: value)"
    if isinstance(value, list | tuple | set):
        return f"[{', '.join(said(item) for item in value)}]" if len(value) < 8 else f"a list of {len(value)}"
    return repr(value) if isinstance(value, str) else str(value)


def expanded(value: Any, source: str, key: str = "") -> Any:
    """`value` with ``~`` and ``$VARIABLES`` of its texts put in, down to the last.

    Raises
    ------
    InputError : a variable that is not set, a home that is not there.
    """
    if isinstance(value, Mapping):
        return {
            name: item if name in _TEXTS else expanded(item, source, f"{key}.{name}" if key else str(name))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [expanded(item, source, key) for item in value]
    if not isinstance(value, str) or not (value.startswith("~") or "$" in value):
        return value
    text = os.path.expanduser(os.path.expandvars(value))
    if text.startswith("~"):
        home = text.partition("/")[0]
        raise InputError(f"{source}: {key} is '{value}', and there is no home folder {home}; write the whole path.")
    if missing := re.search(r"\$\w+|\$\{[^}]*\}?", text):
        raise InputError(
            f"{source}: {key} is '{value}', and the environment variable {missing[0]} is not set; set it, or write the "
            f"whole path."
        )
    return text
