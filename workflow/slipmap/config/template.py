"""Write settings as YAML in which every option stands with its meaning: what config/config.yaml is made with.

An option that was given stands as a setting; one left at its default stands as a comment with that default, so that
a reader sees everything there is to set.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from slipmap.checkout import CONFIG
from slipmap.config.load import validate
from slipmap.config.yaml_file import read_yaml
from slipmap.io.atomic import write_text

WIDTH = 116


def render(settings: BaseModel, header: str = "", *, only_given: bool = False) -> str:
    """YAML text of `settings` with a comment for every option, or for those that were given.

    Parameters
    ----------
    settings : a settings model; which of its options were given is known from it.
    header : text put above, as a comment.

    Notes
    -----
    A second section of the same kind (another experiment, say) shows only what was given: its options were
    explained in the first.
    """
    lines = [*_comment(header, ""), ""] if header else []
    lines += _section(settings, "", explained=set(), only_given=only_given)
    return "\n".join(lines).rstrip() + "\n"


def rewrite(path: str | Path) -> None:
    """Write the config at `path` with every option and its meaning; what it sets, and its first comment, stay.

    Where it has other comments, the file is copied first, beside itself: they have no place among the options.
    """
    path = Path(path)
    record = read_yaml(path)
    text = path.read_text(encoding="utf-8")
    made = render(validate(record, str(path)), header(text))
    own = path.resolve() == (CONFIG / "config.yaml").resolve()  # which this alone has written
    told = " ".join(_comments(made))
    if not own and any(comment not in told for comment in _comments(text)):
        copy = path.with_name(f"{path.stem}.commented{path.suffix}")
        number = 2
        while copy.exists():
            copy, number = path.with_name(f"{path.stem}.commented{number}{path.suffix}"), number + 1
        write_text(copy, text)
        print(f"{path} had comments of its own; it was copied to {copy} first, as it was.")
    write_text(path, made)


def _comments(text: str) -> list[str]:
    """The comments of a config, line by line; a # within quotes is none."""
    found = []
    for line in text.splitlines():
        bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", line)
        if match := re.search(r"(?:^|\s)#\s*(.*)", bare):
            found.append(match[1].strip())
    return found


def header(text: str) -> str:
    """The comment at the head of a config, as one line; "" if it has none."""
    lines = text.split("\n\n")[0].splitlines()
    return " ".join(line.removeprefix("# ") for line in lines) if all(line.startswith("#") for line in lines) else ""


def _section(settings: BaseModel, indent: str, explained: set[type], only_given: bool = False) -> Iterator[str]:
    known = type(settings) in explained
    explained.add(type(settings))
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        given = name in settings.model_fields_set
        if (known or only_given) and not given:
            continue
        if not known:
            yield from _comment(field.description or "", indent)
        if isinstance(value, BaseModel):
            inside = list(_section(value, indent + "  ", explained, only_given))
            # a section in which nothing is set must be a comment as a whole, or YAML reads it as null
            empty = " {}" if all(line.lstrip().startswith("#") for line in inside) else ""
            yield from [f"{indent}{name}:{empty}", *inside] if given else _commented([f"{name}:", *inside], indent)
        elif _holds_models(value):
            yield f"{indent}{name}:"
            for key, item in value.items():
                yield f"{indent}  {key}:"
                yield from _section(item, indent + "    ", explained, only_given)
        elif value is None and (model := _optional_model(field.annotation)) and model not in explained:
            yield from _commented([f"{indent}{name}:", *_blank(model, indent + "  ", explained)], indent)
        else:
            yield f"{indent}{'' if given else '# '}{name}: {scalar(value)}"


def _blank(model: type[BaseModel], indent: str, explained: set[type]) -> Iterator[str]:
    """The options of a section that was not given."""
    explained.add(model)
    for name, field in model.model_fields.items():
        yield from _comment(field.description or "", indent)
        inner = _optional_model(field.annotation)
        if inner and inner not in explained:
            yield f"{indent}{name}:"
            yield from _blank(inner, indent + "  ", explained)
        else:
            default = field.get_default(call_default_factory=True)
            yield f"{indent}{name}: {'...' if field.is_required() else scalar(default)}"


def _commented(lines: list[str], indent: str) -> Iterator[str]:
    for line in lines:
        bare = line.removeprefix(indent)
        yield f"{indent}{bare if bare.lstrip().startswith('#') else '# ' + bare}"


def _optional_model(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _holds_models(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(item, BaseModel) for item in value.values())


def _comment(text: str, indent: str) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - len(indent) - 2):
        yield f"{indent}# {line}"


def scalar(value: Any) -> str:
    """One value as YAML on one line."""
    plain = json.loads(json.dumps(value, default=str))
    text: str = yaml.safe_dump(plain, default_flow_style=True, width=10_000)
    return text.removesuffix("\n...\n").strip()
