"""Where in a config a key of a given name may stand."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from slipmap.config.run import RunSettings

_MOST = 3  # places that help; a name such as `path` stands in more


def places_of(key: str) -> list[str]:
    """The sections that have the key, as dotted paths ("experiments.NAME.prediction"); none where they are many."""
    found = [place for place, section in _sections(RunSettings, ()) if key in section.model_fields]
    return found if len(found) <= _MOST else []


def _sections(annotation: Any, path: tuple[str, ...]) -> Iterator[tuple[str, type[BaseModel]]]:
    """(path, model) of every section below an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if path:
            yield ".".join(path), annotation
        for name, field in annotation.model_fields.items():
            yield from _sections(field.annotation, (*path, name))
        return
    options = get_args(annotation)
    if get_origin(annotation) is dict:
        yield from _sections(options[-1], (*path, "NAME"))
        return
    for option in options:
        yield from _sections(option, path)
