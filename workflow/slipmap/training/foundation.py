"""Published weights of a foundation encoder: every tensor accounted for, bands by name, the scale of pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from slipmap.config.training import EncoderWeightsSettings
from slipmap.errors import InputError, nearest
from slipmap.models.backbones.prithvi import BANDS, MEAN, STD, PrithviEncoder
from slipmap.patches.normalisation import Statistics, linear_terms

PREFIX = "encoder."
KERNEL, BIAS = "patch_embed.proj.weight", "patch_embed.proj.bias"
#: What a published file has besides the encoder: positions that follow from a formula, the scales of the embeddings of
#: date and place, which are not given, and the decoder of pretraining.
LEFT_OUT = ("pos_embed", "temporal_embed_enc.scale", "location_embed_enc.scale")
DECODER = "decoder."
REFLECTANCE = 10_000.0  # what pretraining's numbers are of reflectance


def published_tensors(
    encoder: PrithviEncoder,
    source: Mapping[str, Tensor],
    given: EncoderWeightsSettings,
    channels: Sequence[str],
    statistics: Statistics | None,
    path: Path | str,
) -> dict[str, Tensor]:
    """Return the tensors of a published file for our encoder, named as in it.

    Kernels go to bands by name: those of pretraining (B2, B3, B4, B8A, B11, B12) unless `given.bands` says which of
    ours takes which channel of the file. Other bands of ours get kernels of 0: the features begin as those of
    pretraining. Where `given.reflectance` holds, kernels and bias are brought from our normalisation to that of
    pretraining.

    Parameters
    ----------
    encoder
        Ours.
    source
        Tensors of the file; with ``encoder.`` before the names or without.
    given
        Bands, and whether they are reflectance.
    channels
        Names of the model's input channels.
    statistics
        By which the channels are normalised; None: they are as in pretraining.
    path
        The file, for messages.

    Raises
    ------
    InputError
        A tensor is missing, unknown or of another shape; no band is one of pretraining; a band is no reflectance.
    """
    found = {name.removeprefix(PREFIX): tensor for name, tensor in source.items() if not name.startswith(DECODER)}
    found = {name: tensor for name, tensor in found.items() if name not in LEFT_OUT}
    own = encoder.state_dict()
    if KERNEL in found and found[KERNEL].ndim == 5 and found[KERNEL].shape[2] == 1:
        found[KERNEL] = found[KERNEL][:, :, 0]  # one date long
    missing, unknown = sorted(own.keys() - found.keys()), sorted(found.keys() - own.keys())
    if missing or unknown:
        example = f"lacks '{PREFIX}{missing[0]}'" if missing else f"has '{unknown[0]}', which the encoder has not"
        raise InputError(
            f"{path} holds no weights of this encoder: it {example} ({len(missing)} tensors missing, {len(unknown)} "
            f"unknown); take the file that was published for the model, whole, as .safetensors."
        )
    for name, tensor in found.items():
        theirs, ours = tuple(tensor.shape), tuple(own[name].shape)
        if name == KERNEL:
            theirs, ours = (theirs[0], *theirs[2:]), (ours[0], *ours[2:])
        if theirs != ours:
            raise InputError(
                f"{path}: '{PREFIX}{name}' is {tuple(tensor.shape)}, the model needs {tuple(own[name].shape)}; the "
                f"file is of another size, or the model of another width: choose the model that it was published for."
            )
    bands = _bands(given, channels, found[KERNEL].shape[1], path)
    kernel, bias = _first(found[KERNEL], found[BIAS], bands, channels, _terms(given, bands, statistics))
    return found | {KERNEL: kernel, BIAS: bias}


def _bands(given: EncoderWeightsSettings, channels: Sequence[str], known: int, path: Path | str) -> dict[str, int]:
    """Our band → channel of the file."""
    key = "training.encoder_weights.bands"
    bands = dict(given.bands) or {band: number for number, band in enumerate(BANDS) if band in channels}
    if not bands:
        raise InputError(
            f"{key}: none of the channels ({', '.join(channels)}) has the name of a band of pretraining "
            f"({', '.join(BANDS)}); say which channel of {path} each of yours is, B8: 3 for example."
        )
    for band, number in bands.items():
        if band not in channels:
            raise InputError(f"{key} names '{band}', which the model does not get{nearest(band, channels)}")
        if not 0 <= number < known:
            raise InputError(f"{key}.{band} is {number}, but {path} has {known} input channels, counted from 0.")
    return bands


def _terms(
    given: EncoderWeightsSettings, bands: Mapping[str, int], statistics: Statistics | None
) -> dict[str, tuple[float, float]]:
    """Band → (factor, offset) from our normalised values to those of pretraining; empty: they are the same."""
    if statistics is None or not given.reflectance:
        return {}
    terms = {}
    for band in statistics.select(list(bands)).bands:
        if not (0 <= band.mean <= 1):
            raise InputError(
                f"training.encoder_weights.bands: the mean of {band.name} is {band.mean:g}, so it is no reflectance "
                f"from 0 to 1; correct the band, or set training.encoder_weights.reflectance to false."
            )
        offset, scale, _ = linear_terms(band, statistics.method)
        mean, std = MEAN[bands[band.name]], STD[bands[band.name]]
        terms[band.name] = (REFLECTANCE / (scale * std) if scale else 0.0, (REFLECTANCE * offset - mean) / std)
    return terms


def _first(
    kernel: Tensor,
    bias: Tensor,
    bands: Mapping[str, int],
    channels: Sequence[str],
    terms: Mapping[str, tuple[float, float]],
) -> tuple[Tensor, Tensor]:
    """The first convolution for our channels."""
    spread = torch.zeros(kernel.shape[0], len(channels), *kernel.shape[2:])
    bias = bias.clone()
    for number, name in enumerate(channels):
        if name in bands:
            factor, offset = terms.get(name, (1.0, 0.0))
            own = kernel[:, bands[name]]
            spread[:, number] = factor * own
            bias += offset * own.flatten(1).sum(1)
    return spread, bias
