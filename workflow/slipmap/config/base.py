"""What every settings model shares: closed, described, immutable, and strict about types."""

import re
import types
import typing
from datetime import date
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Settings(BaseModel):
    """A closed section of the config: a key that it does not have is an error, and so is a value of another type.

    YAML has no tuples, and a settings model that went through JSON has no dates: lists are taken for tuples, ISO
    strings for dates. Nothing else is converted: "12.5", true and "yes" are no numbers and no switches.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        use_attribute_docstrings=False,
        defer_build=True,  # most models are only used within another, which builds them with it
        allow_inf_nan=False,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _from_yaml(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)]
        if isinstance(value, str) and not value.strip() and field.default != "":
            raise ValueError("it is empty; give a value or leave the key out")
        return _converted(value, field.annotation)


def _converted(value: Any, annotation: Any) -> Any:
    """`value` with lists made tuples and ISO strings made dates wherever `annotation` asks for them."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        for option in inner:
            value = _converted(value, option)
    elif origin is tuple and isinstance(value, list):
        return tuple(value)
    elif origin is list and isinstance(value, list | tuple):
        return [_converted(item, inner[0]) for item in value]
    elif origin is dict and isinstance(value, dict):
        return {key: _converted(item, inner[1]) for key, item in value.items()}
    elif annotation is float and isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", value):
        return float(value)  # 1e-3 is a number in YAML 1.2, and text to PyYAML, which reads YAML 1.1
    elif annotation is date and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value  # the type check says what is wrong
    return value
