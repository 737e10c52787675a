"""What a run starts from: another experiment's weights, or a pretrained encoder, with bands matched by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from slipmap.config.training import EncoderWeightsSettings, TrainingSettings
from slipmap.errors import InputError, nearest
from slipmap.models.backbones.prithvi import PrithviEncoder
from slipmap.models.base import SegmentationModel
from slipmap.patches.normalisation import Statistics
from slipmap.training.foundation import published_tensors
from slipmap.training.weights import WEIGHTS, load_state, read_record, read_tensors


def start_from(
    model: SegmentationModel,
    settings: TrainingSettings,
    channels: Sequence[str],
    statistics: Statistics | None = None,
) -> set[str]:
    """Load the weights that the settings start from into `model`.

    Parameters
    ----------
    model
        The model, randomly initialised; changed in place.
    settings
        ``initial_weights`` (fine-tuning) or ``encoder_weights``.
    channels
        Names of the model's input channels.
    statistics
        By which they are normalised; a foundation encoder is brought to them.

    Returns
    -------
    set
        Names of the parameters whose values came from a file.

    Raises
    ------
    InputError
        If the file is of another architecture, or its channels are others than ours.
    """
    if settings.initial_weights:
        folder = Path(settings.initial_weights)
        record = read_record(folder)
        if list(record["channels"]) != list(channels):
            raise InputError(
                f"{folder} was trained on the channels {', '.join(record['channels'])}, this experiment has "
                f"{', '.join(channels)}; choose the same factors in the experiment."
            )
        tensors = read_tensors(folder / WEIGHTS)
        load_state(model, tensors, folder / WEIGHTS)
        return set(tensors)
    if settings.encoder_weights:
        return load_encoder(model, settings.encoder_weights, channels, statistics)
    return set()


def seen_before(settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return the ground that the initial weights saw, and those that they began with; [] without initial weights.

    Weights that do not say so have one entry without bounds: their folder.
    """
    if not settings.initial_weights:
        return []
    record = read_record(Path(settings.initial_weights))
    unknown = [{"area": settings.initial_weights, "split": "", "crs": "", "bounds": []}]
    return [*record.get("ground", unknown), *record.get("ground_before", [])]


def load_encoder(
    model: SegmentationModel,
    given: EncoderWeightsSettings,
    channels: Sequence[str],
    statistics: Statistics | None = None,
) -> set[str]:
    """Load pretrained encoder weights; the first convolution's kernels go to bands by name.

    A foundation encoder takes the whole of its published file (`slipmap.training.foundation`). Of other models
    a band without a partner in the file gets the mean of the file's kernels, and all kernels of the first convolution
    are then scaled by (channels in the file) / (channels of ours), so that its output keeps its size.

    Returns
    -------
    set
        Names of the parameters and buffers that were loaded.
    """
    path = Path(given.path)
    source = {
        name.removeprefix(given.source_prefix): tensor
        for name, tensor in read_tensors(path).items()
        if name.startswith(given.source_prefix)
    }
    encoder = getattr(model, "encoder", None)
    if isinstance(encoder, PrithviEncoder):
        tensors = published_tensors(encoder, source, given, channels, statistics, path)
        encoder.load_state_dict(tensors)
        return {f"encoder.{name}" for name in tensors}
    own = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith(given.prefix) and name.removeprefix(given.prefix) in source
    }
    if not own:
        example = next((name for name in model.state_dict() if name.startswith(given.prefix)), None)
        hint = f" (ours begin like '{example}')" if example else nearest(given.prefix, model.state_dict())
        raise InputError(
            f"{path} holds no tensor that fits a parameter of {model.config.get('name')}{hint}; set prefix and "
            f"source_prefix under training.encoder_weights."
        )
    for band, channel in given.bands.items():
        if band not in channels:
            raise InputError(
                f"training.encoder_weights.bands names '{band}', which the model does not get{nearest(band, channels)}"
            )
        if channel < 0:
            raise InputError(f"training.encoder_weights.bands.{band} is {channel}; channels count from 0.")
    first = _first_convolution(model)
    loaded: dict[str, Tensor] = {}
    for name, tensor in own.items():
        value = source[name.removeprefix(given.prefix)]
        if name == first:
            value = spread_kernels(value, given.bands, channels, path)
        if value.shape != tensor.shape:
            raise InputError(
                f"{path}: '{name}' is {tuple(value.shape)}, the model needs {tuple(tensor.shape)}; the encoder "
                f"is another or of another width."
            )
        loaded[name] = value
    model.load_state_dict(loaded, strict=False)
    return set(loaded)


def spread_kernels(kernel: Tensor, bands: Mapping[str, int], channels: Sequence[str], path: Path | str) -> Tensor:
    """Return the first convolution's kernel (out, in, k, k) for our channels; see :func:`load_encoder`."""
    for band, channel in bands.items():
        if channel >= kernel.shape[1]:
            raise InputError(
                f"training.encoder_weights.bands.{band} is {channel}, but {path} has {kernel.shape[1]} input channels."
            )
    mean = kernel.mean(dim=1)
    spread = torch.stack([kernel[:, bands[name]] if name in bands else mean for name in channels], dim=1)
    return spread * (kernel.shape[1] / len(channels))


def set_prior(model: SegmentationModel, background_per_landslide: float) -> None:
    """Set the bias of the last convolution so that the model begins with the share of landslide pixels.

    Lin et al., ICCV 2017, §4.1: bias = -log((1 - π)/π), π the share. With two output channels half of it goes to
    either. A model whose last convolution has no bias is left as it is.

    Parameters
    ----------
    model
        The model, randomly initialised; changed in place.
    background_per_landslide
        Background pixels for each landslide pixel of the training patches.
    """
    biases = [
        part.bias
        for part in model.modules()
        if isinstance(part, torch.nn.Conv2d) and part.out_channels == model.classes and part.bias is not None
    ]
    if not biases or not background_per_landslide > 0:
        return
    bias = -math.log(background_per_landslide)
    with torch.no_grad():
        biases[-1].copy_(torch.tensor([bias] if model.classes == 1 else [-bias / 2, bias / 2]))


def _first_convolution(model: SegmentationModel) -> str | None:
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d) and module.in_channels == model.in_channels:
            return f"{name}.weight"
    return None
