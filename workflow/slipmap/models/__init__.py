"""Segmentation architectures, each by its published name.

>>> from slipmap.models import create_model, list_models
>>> model = create_model("unet", in_channels=14, classes=2)

Importing this package imports every architecture module beside it, which registers the models.
"""

from __future__ import annotations

import importlib
import pkgutil

from slipmap.models.base import SegmentationModel
from slipmap.models.registry import create_model, list_models, model_entry, register

for _module in pkgutil.iter_modules(__path__):
    if not _module.ispkg:
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["SegmentationModel", "create_model", "list_models", "model_entry", "register"]
