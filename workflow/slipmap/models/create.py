"""From a name in a config file to a model. Importing this does not import torch; making a model does."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from slipmap.errors import InputError
from slipmap.models import index

if TYPE_CHECKING:
    from slipmap.models.base import SegmentationModel


def create_model(name: str, in_channels: int, classes: int, **options: Any) -> SegmentationModel:
    """Build a model from its name.

    Parameters
    ----------
    name
        A name of `slipmap.models.list_models`.
    in_channels
        Number of input bands, at least 1.
    classes
        Number of output channels (logits), at least 1.
    options
        Options of the architecture (``slipmap models NAME`` lists them); every one has ``width``.

    Returns
    -------
    SegmentationModel
        The model, randomly initialised, with ``model.config`` holding everything needed to build it again.

    Raises
    ------
    InputError
        If the name or an option is unknown (the nearest known one is proposed), or a value is not allowed.
    """
    record = index.find(name)
    record.check(options, "options")
    make = _class_of(record)
    defaults = {key: option.default for key, option in record.options.items()}
    try:
        model = make(in_channels, classes, **(defaults | dict(record.fixed) | options))
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        raise InputError(
            f"The model {name} cannot be built with the options {options}: {error}; change them."
        ) from error
    model.config = {"name": name, "in_channels": in_channels, "classes": classes, **options}
    return model


def _class_of(record: index.Record) -> type[SegmentationModel]:
    try:
        made: type[SegmentationModel] = getattr(importlib.import_module(record.module), record.class_name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise InputError(
            f"{record.file}: the class {record.class_name} of the model {record.name} cannot be imported: {error}."
        ) from error
    return made
