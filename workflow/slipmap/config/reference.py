"""Every option of a config as a page: key, kind, default and meaning, from the settings models themselves."""

import types
import typing
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from slipmap.config.run import RunSettings
from slipmap.config.template import scalar

_PLAIN = {float: "number", int: "whole number", str: "text", bool: "true or false", date: "date", type(None): "null"}
_LIMITS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "at least", "max_length": "at most"}


def page() -> str:
    """Markdown: one table for each section of the config, in the order in which a config has them."""
    return "\n".join(_sections(RunSettings, "", set()))


def _sections(model: type[BaseModel], path: str, told: set[type]) -> Iterator[str]:
    """The table of one section, then those inside it; a kind of section that stands twice is told once."""
    if model in told:
        return
    told.add(model)
    if path:
        yield from (f"## `{path}`" if path.count(".") < 3 else f"### `{path}`", "")
        yield from (_first_sentence(model), "")
    yield from ("| key | kind | default | meaning |", "| --- | --- | --- | --- |")
    yield from (_row(name, field) for name, field in model.model_fields.items())
    yield ""
    for name, field in model.model_fields.items():
        for inner, many in _models(field.annotation):
            yield from _sections(inner, ".".join(filter(None, (path, name, "NAME" if many else ""))), told)


def _first_sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
    kind = ", ".join(dict.fromkeys([_kind(field.annotation), *_limits(field)]))
    return f"| `{name}` | {_cell(kind)} | {_cell(default)} | {_cell(field.description or '')} |"


def _default(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "its own defaults"
    return f"`{scalar(value)}`"


def _kind(annotation: Any) -> str:
    """An annotation in words: "number or null", "one of `a`, `b`", "list of texts"."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _kind(inner[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_kind, inner)))
    if origin is Literal:
        return "one of " + ", ".join(f"`{scalar(value)}`" for value in inner)
    if origin in (list, tuple):
        kinds = dict.fromkeys(_kind(item) for item in inner if item is not Ellipsis)
        return f"list of {' and '.join(kinds)}" if kinds else "list"
    if origin is dict:
        return f"name: {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return _PLAIN.get(annotation, "value")


def _limits(field: FieldInfo) -> Iterator[str]:
    for limit in field.metadata:
        for name, sign in _LIMITS.items():
            if (value := getattr(limit, name, None)) is not None:
                yield f"{sign} {value}"


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], bool]]:
    """The settings models inside an annotation, and whether they stand under names that the user gives."""
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            yield annotation, False
        return
    for inner in get_args(annotation):
        for model, many in _models(inner):
            yield model, many or get_origin(annotation) is dict


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
