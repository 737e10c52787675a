"""What a model costs: parameters, operations, images a second, memory.

Operations are counted by ``torch.utils.flop_counter.FlopCounterMode``: convolutions and matrix products, two for each
multiply-accumulate; normalisation, activation and interpolation are not counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from slipmap.models import create_model


def parameters(name: str, channels: int, classes: int, options: Mapping[str, Any]) -> int:
    """Return the number of parameters of a registered model."""
    with torch.device("meta"):
        return create_model(name, channels, classes, **options).parameter_count()


def flops(name: str, shape: tuple[int, int, int], classes: int, options: Mapping[str, Any]) -> int:
    """Return the operations of one forward pass over one image, two for each multiply-accumulate.

    Nothing is computed: shapes alone run through the model.

    Parameters
    ----------
    name, options
        The model.
    shape
        Channels, height and width of the image.
    classes
        Output channels.
    """
    with torch.device("meta"), torch.no_grad():
        model = create_model(name, shape[0], classes, **options).eval()
        with FlopCounterMode(display=False) as counter:
            model(torch.empty((1, *shape)))
    total: int = counter.get_total_flops()
    return total


@torch.inference_mode()
def images_per_second(
    name: str,
    shape: tuple[int, int, int],
    classes: int,
    options: Mapping[str, Any],
    batch: int = 1,
    seconds: float = 1.0,
    device: torch.device | str | None = None,
) -> float:
    """Return how many images a second a model takes, forward only, after one batch of warm-up.

    Parameters
    ----------
    name, shape, classes, options
        As for :func:`flops`.
    batch
        Images at a time.
    seconds
        How long to measure at least (two batches at least).
    device
        Where; None: the GPU when there is one.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model = create_model(name, shape[0], classes, **options).eval().to(device)
    image = torch.zeros((batch, *shape), device=device)
    model(image)
    done, begun = 0, _now(device)
    while done < 2 or _now(device) - begun < seconds:
        model(image)
        done += 1
    return done * batch / (_now(device) - begun)


def training_cost(
    name: str,
    shape: tuple[int, int, int],
    classes: int,
    options: Mapping[str, Any],
    batch: int,
    steps: int,
    device: torch.device | str,
) -> dict[str, float | None]:
    """Return patches a second of forward, backward and step, and the peak memory.

    Parameters
    ----------
    name, shape, classes, options
        As for :func:`flops`.
    batch, steps
        Patches in a batch; batches measured after one of warm-up (two on a GPU).
    device
        Where.

    Returns
    -------
    dict
        ``patches_per_second`` and ``peak_memory_gib``: on a GPU what tensors took at most, on the CPU by how much this
        process grew at most (None where the system does not tell; right in a process that did nothing before).
    """
    device = torch.device(device)
    warm = 2 if device.type == "cuda" else 1
    before = _resident("VmRSS")
    model = create_model(name, shape[0], classes, **options).to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    image = torch.randn((batch, *shape), device=device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    for step in range(steps + warm):
        if step == warm:
            begun = _now(device)
        optimiser.zero_grad(set_to_none=True)
        model(image).float().square().mean().backward()
        optimiser.step()
    rate = steps * batch / (_now(device) - begun)
    if device.type == "cuda":
        return {"patches_per_second": rate, "peak_memory_gib": torch.cuda.max_memory_allocated(device) / 2**30}
    most = _resident("VmHWM")
    grown = None if before is None or most is None else (most - before) / 2**30
    return {"patches_per_second": rate, "peak_memory_gib": grown}


def _resident(field: str) -> int | None:
    """Bytes of this process now (VmRSS) or at most (VmHWM); None without Linux's /proc."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return 1024 * int(status.partition(f"{field}:")[2].split()[0])


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
