"""Weights in and out: safetensors beside a JSON record of all that is needed to use them. Nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from slipmap.errors import InputError
from slipmap.io.atomic import write_aside, write_text
from slipmap.models import create_model
from slipmap.models.base import SegmentationModel

WEIGHTS = "weights.safetensors"
RECORD = "model.json"
VERSION = 1


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, whole or not at all.

    Tensors that share memory are written as one copy each.
    """
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    with write_aside(path) as aside:
        aside.write_bytes(save(tensors))


def save_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``model.json``: what :func:`load_weights` returns beside the model."""
    write_text(
        folder / RECORD,
        json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n",
    )


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises
    ------
    InputError
        If the file does not exist, or is anything but safetensors (a pickled checkpoint, say: it could run code).
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give a folder of trained weights, or train first.")
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is not a .safetensors file; pickled checkpoints can run code and are never read: convert it with "
            f"safetensors.torch.save_file on a machine where you trust it."
        )
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} is not a whole safetensors file ({error}); make or copy it again.") from error


def read_record(folder: Path) -> dict[str, Any]:
    """Read ``model.json`` of a folder of weights.

    Raises
    ------
    InputError
        If it is missing, damaged, or lacks what prediction needs.
    """
    path = Path(folder) / RECORD
    if not path.is_file():
        raise InputError(f"{path} does not exist; give a folder of trained weights (one seed of an experiment).")
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}); copy it again from where it was trained.") from error
    for key in ("model", "bands", "statistics", "threshold"):
        if not isinstance(record, dict) or key not in record:
            raise InputError(
                f"{path} has no '{key}', without which the weights cannot be used; train them with slipmap, or copy "
                f"the whole folder."
            )
    return record


def load_weights(folder: str | Path, device: str | torch.device = "cpu") -> tuple[SegmentationModel, dict[str, Any]]:
    """Load a trained model and its record.

    Parameters
    ----------
    folder
        ``experiments/{experiment}/seed_{seed}``, which holds ``weights.safetensors`` and ``model.json``.
    device
        Where the model is wanted.

    Returns
    -------
    tuple
        The model in evaluation mode, and the record: ``model`` (name, in_channels, classes, options), ``bands``
        (names in order), ``channels``, ``statistics``, ``threshold``, ``temperature``, ``pixel_size`` and
        ``provenance``.

    Raises
    ------
    InputError
        If a file is missing, damaged or pickled, or the tensors are not those of the architecture.
    """
    folder = Path(folder)
    record = read_record(folder)
    made = record["model"]
    model = create_model(made["name"], made["in_channels"], made["classes"], **made.get("options", {}))
    load_state(model, read_tensors(folder / WEIGHTS), folder / WEIGHTS)
    return model.to(device).eval(), record


def load_state(model: SegmentationModel, tensors: Mapping[str, Tensor], source: Path | str) -> None:
    """Load tensors into a model, all of them, or say in one sentence what does not fit.

    Raises
    ------
    InputError
        If a tensor is missing, unknown or of another shape.
    """
    own = model.state_dict()
    name = model.config.get("name", type(model).__name__)
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or unknown:
        example = f"lacks '{missing[0]}'" if missing else f"has '{unknown[0]}', which the model has not"
        raise InputError(
            f"{source} holds weights of another architecture than {name}: it {example} ({len(missing)} tensors "
            f"missing, {len(unknown)} unknown); use the model.json that was saved with them."
        )
    for key, tensor in tensors.items():
        if tensor.shape != own[key].shape:
            raise InputError(
                f"{source} holds weights of another {name}: '{key}' is {tuple(tensor.shape)}, the model needs "
                f"{tuple(own[key].shape)}; set the options and bands with which they were trained."
            )
    model.load_state_dict(tensors)
