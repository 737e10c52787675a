"""The registry of architectures: from a name in a config file to a model.

Every architecture is a subclass of :class:`~slipmap.models.base.SegmentationModel` decorated with
:func:`register`. A name that is one setting of a larger class fixes some of its options
(``@register("sru_unet", unit="sru")``); the options that remain are the ones a user may give.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from slipmap.errors import InputError, nearest
from slipmap.models.base import SegmentationModel

ModelClass = TypeVar("ModelClass", bound=type[SegmentationModel])


@dataclass(frozen=True)
class Entry:
    """One registered name: its class and the options that the name fixes."""

    name: str
    model: type[SegmentationModel]
    fixed: Mapping[str, Any]

    @property
    def options(self) -> dict[str, Any]:
        """Options a user may set, with their defaults."""
        parameters = inspect.signature(self.model.__init__).parameters
        known = {key: value.default for key, value in parameters.items() if key != "self"}
        return {
            key: default
            for key, default in known.items()
            if key not in ("in_channels", "classes") and key not in self.fixed
        }


_ENTRIES: dict[str, Entry] = {}


def register(name: str, **fixed: Any) -> Callable[[ModelClass], ModelClass]:
    """Register a model class under a name.

    Parameters
    ----------
    name
        Name used in configs and by :func:`create_model`; lower case, digits and underscores. A name that is
        ambiguous in the literature carries the backbone (``unet_vgg16``).
    fixed
        Constructor options that this name sets and the user cannot change.

    Returns
    -------
    Callable
        A class decorator that returns the class unchanged, so that decorators can be stacked.
    """

    def decorate(model: ModelClass) -> ModelClass:
        entry = Entry(name, model, dict(fixed))
        known = _ENTRIES.get(name)
        if known is not None and known.model.__qualname__ != model.__qualname__:
            raise ValueError(f"model name {name!r} is registered twice: {known.model} and {model}")
        _ENTRIES[name] = entry
        return model

    return decorate


def list_models() -> list[str]:
    """Return the names of all registered architectures, sorted."""
    return sorted(_ENTRIES)


def model_entry(name: str) -> Entry:
    """Return the registry entry of a name.

    Raises
    ------
    InputError
        If the name is unknown; the message proposes the nearest known one.
    """
    if name not in _ENTRIES:
        raise InputError(f"Model {name!r} is unknown{nearest(name, _ENTRIES)}")
    return _ENTRIES[name]


def create_model(name: str, in_channels: int, classes: int, **options: Any) -> SegmentationModel:
    """Build a model from its registered name.

    Parameters
    ----------
    name
        A name from :func:`list_models`.
    in_channels
        Number of input bands, at least 1.
    classes
        Number of output channels (logits), at least 1.
    options
        Options of the architecture; every architecture has ``width``. See the class docstring.

    Returns
    -------
    SegmentationModel
        The model, randomly initialised, with ``model.config`` holding everything needed to build it again.

    Raises
    ------
    InputError
        If the name or an option is unknown (the nearest known one is proposed), or a value is not allowed.
    """
    entry = model_entry(name)
    known = entry.options
    for option in options:
        if option in entry.fixed:
            raise InputError(
                f"Model {name!r} fixes option {option!r} to {entry.fixed[option]!r}; leave that option out."
            )
        if option not in known:
            raise InputError(f"Model {name!r} has no option {option!r}{nearest(option, known)}")
    try:
        model = entry.model(in_channels, classes, **entry.fixed, **options)
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        raise InputError(f"Model {name!r} cannot be built with the options {options}: {error}; change them.") from error
    model.config = {"name": name, "in_channels": in_channels, "classes": classes, **options}
    return model
