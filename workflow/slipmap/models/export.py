"""Export of a model to ONNX, with batch size, height and width left free."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import torch

from slipmap.errors import InputError
from slipmap.models.base import SegmentationModel


def export_onnx(model: SegmentationModel, path: str | Path, opset: int = 18) -> None:
    """Write a model as ONNX file.

    The exporter that traces the model is used: it takes a tenth of a second where the one that captures the
    graph takes several. The padding to the model's stride is part of the graph, so the file takes images of any
    size, as the model does. The package ``onnx`` has to be installed.

    Parameters
    ----------
    model
        The model; it is exported in evaluation mode and left in the mode it was in.
    path
        The file to write; its input is ``image``, its output ``logits``.
    opset
        ONNX operator set.

    Raises
    ------
    InputError
        If ``onnx`` is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise InputError("The package onnx is not installed; install it (pip install onnx) to export a model.")
    size = 2 * model.stride + 1
    parameter = next(model.parameters())
    example = torch.zeros(2, model.in_channels, size, size + 2, dtype=parameter.dtype, device=parameter.device)
    free = {0: "batch", 2: "height", 3: "width"}
    training = model.training
    model.eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing warns of every Python number, and that it is the older exporter
            torch.onnx.export(
                model,
                (example,),
                str(path),
                input_names=["image"],
                output_names=["logits"],
                dynamic_axes={"image": free, "logits": free},
                opset_version=opset,
                dynamo=False,
            )
    finally:
        model.train(training)
