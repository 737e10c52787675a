"""The contract of every architecture: any number of bands, any image size, logits of that size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slipmap.errors import InputError

Network = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


class SegmentationModel(nn.Module, ABC):
    """Base class of all segmentation models.

    A subclass calls ``super().__init__(in_channels, classes)``, sets ``stride`` and implements
    :meth:`_forward` for inputs whose height and width are multiples of ``stride``.

    Parameters
    ----------
    in_channels
        Number of input bands.
    classes
        Number of output channels. One channel is the logit of "landslide"; with more, one logit per class.

    Attributes
    ----------
    stride : int
        ``forward`` pads the input to a multiple of it at the bottom and on the right by mirror reflection
        (the border not repeated; reflected again where the image is smaller than the padding, replicated
        where it is one pixel wide), and crops the output back.
    readings : str
        The choices made where the paper leaves one, and why a published count is not met.
    untrained_by_design : tuple of str
        ``fnmatch`` patterns of parameter names that receive no gradient, by the design of the paper.
    config : dict
        Name, channels, classes and options with which :func:`~slipmap.models.create_model` built the model.

    Notes
    -----
    What is known of an architecture without building it (paper, options with their defaults, names) stands in the
    ``ARCHITECTURES`` of its module, see :mod:`slipmap.models.index`; the constructor gets every option from there.
    """

    stride: int = 1
    readings: ClassVar[str] = ""
    untrained_by_design: tuple[str, ...] = ()

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        for key, value in (("in_channels", in_channels), ("classes", classes)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"Model option {key} is {value!r}; give a whole number of at least 1.")
        self.in_channels = in_channels
        self.classes = classes
        self.config: dict[str, Any] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x
            Input of shape (batch, in_channels, height, width), any height and width of at least 1.

        Returns
        -------
        Tensor
            Logits of shape (batch, classes, height, width).
        """
        height, width = x.shape[-2:]
        return self._forward(pad_to_multiple(x, self.stride))[..., :height, :width]

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor:
        """The architecture itself, on an input padded to `stride`."""

    def objective(self, network: Network, x: Tensor, target: Tensor, loss: Loss) -> Tensor:
        """Return what training makes small: the loss of the logits; a model that supervises more adds it.

        Parameters
        ----------
        network
            What gives the logits: this model, or it compiled.
        x, target
            A batch: (batch, in_channels, height, width), and uint8 (batch, height, width).
        loss
            The recipe's loss of logits and target.
        """
        return loss(network(x), target)

    def object_stage(self, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what the method makes of the pixels of an image in which it found a landslide; they stay as they are.

        A method that goes on to objects after its network takes out those that are none.

        Parameters
        ----------
        found
            (rows, columns) bool.
        """
        return found

    def parameter_count(self) -> int:
        """Return the number of parameters, trained or not (buffers not counted)."""
        return sum(parameter.numel() for parameter in self.parameters())


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Pad the last two axes at their end to a multiple, by repeated mirror reflection.

    Reflection is done by indexing, which unlike ``F.pad`` allows padding wider than the image, and exports to
    ONNX with height and width left free.

    Parameters
    ----------
    x
        Tensor of shape (..., height, width).
    multiple
        The multiple, at least 1.

    Returns
    -------
    Tensor
        Tensor of shape (..., ceil(height / multiple) · multiple, ceil(width / multiple) · multiple).
    """
    for axis in (-2, -1):
        size = x.shape[axis]
        # When exporting, the padding has to be in the graph whatever the example's size is.
        if exporting() or size % multiple:
            x = x.index_select(axis, _reflected_indices(size, multiple, x.device))
    return x


def _reflected_indices(size: int, multiple: int, device: torch.device) -> Tensor:
    padded = (size + multiple - 1) // multiple * multiple
    index = torch.arange(padded, device=device)
    period = torch.clamp(2 * (torch.zeros_like(index) + size) - 2, min=1)
    index = torch.remainder(index, period)
    return torch.minimum(index, (period - index).clamp(max=size - 1))


def exporting() -> bool:
    """Return whether the model is being traced or captured, so that sizes may not be taken for constants."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return traced or torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export()


def scale_channels(channels: Sequence[int], width: float, divisor: int = 8) -> list[int]:
    """Scale published channel numbers by a width multiplier.

    Parameters
    ----------
    channels
        Channel numbers at width 1, each a multiple of ``divisor``.
    width
        Multiplier, greater than 0; 1 returns ``channels`` unchanged.
    divisor
        Results are multiples of it (at least one of it), so that groups and halves come out whole.

    Raises
    ------
    InputError
        If the width is not a positive number.
    """
    if isinstance(width, bool) or not isinstance(width, int | float) or not width > 0:
        raise InputError(f"Model option width is {width!r}; give a number greater than 0 (1 is the published size).")
    return [max(divisor, round(channel * width / divisor) * divisor) for channel in channels]


def check_choice(option: str, value: Any, allowed: Sequence[Any]) -> None:
    """Raise :class:`InputError` unless ``value`` is one of the allowed ones."""
    if value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise InputError(f"Model option {option} is {value!r}; choose one of: {choices}.")
