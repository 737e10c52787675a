"""Segmentation architectures, each by its published name.

>>> from slipmap.models import create_model, list_models
>>> model = create_model("unet", in_channels=14, classes=2)

Importing this package does not import torch; `create_model` does, and of the architectures only the one it makes.
"""

from slipmap.models.create import create_model
from slipmap.models.index import list_models

__all__ = ["create_model", "list_models"]
