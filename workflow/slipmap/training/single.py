"""Whether a model can be trained on one patch at a time."""

from collections.abc import Mapping
from typing import Any

import torch

from slipmap.errors import InputError
from slipmap.models import create_model


def check_single_patch(
    name: str, channels: int, classes: int, options: Mapping[str, Any], shape: tuple[int, int], key: str
) -> None:
    """Raise `InputError` if the model normalises single pixels of a patch, whose variance is not defined.

    Parameters
    ----------
    name, channels, classes, options
        Of the model; see `slipmap.models.create_model`.
    shape
        Height and width of the patch, pixels.
    key
        Of the batch size, for the message.

    Notes
    -----
    Runs the model on shapes alone (torch's meta device): no memory, no arithmetic.
    """
    with torch.device("meta"):
        model = create_model(name, channels, classes, **options).train()
        try:
            model(torch.empty(1, channels, *shape))
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise InputError(
                f"{key} leaves one patch to each device, but {name} shrinks patches of {shape[0]} x {shape[1]} pixels "
                f"to one pixel, and batch normalisation needs two values; raise batch_size, or the patches' size."
            ) from None
