"""A picture of what augmentation does to training patches, for the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from slipmap.codes import LANDSLIDE
from slipmap.config.patches import AugmentSettings
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside
from slipmap.patches.augmentation import augment, optical_bands
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.store import load_statistics

_COLOURS = (("B4", "B3", "B2"), ("B4_after", "B3_after", "B2_after"), ("red", "green", "blue"))
_OUTLINE = "#d7191c"


def run(
    store: str | Path,
    settings: AugmentSettings | Mapping[str, Any],
    path: str | Path,
    patches: int = 4,
    draws: int = 3,
    seed: int = 0,
) -> None:
    """Write a PNG: the training patches richest in landslides, before and after augmentation, landslides outlined.

    Parameters
    ----------
    store : a patch store.
    settings : as training uses it. Without CenterRep its effect is shown all the same, in a column of its own.
    path : the picture.
    patches : rows.
    draws : columns of augmentation beside those of the original and of CenterRep.
    seed : of the draws.

    Raises
    ------
    InputError : no training patch has a landslide.
    """
    settings = AugmentSettings.model_validate(settings)
    statistics = load_statistics(store)
    data = StoredPatches([store], "training", statistics.names, statistics)
    originals = data.index[(data.index["parent"] < 0) & (data.index["landslide_pixels"] > 0)]
    if originals.empty:
        raise InputError(f"{Path(store).name} has no training patch with a landslide to draw.")
    originals = originals.sample(frac=1, random_state=seed)
    lone = originals["block"] < 0
    originals = originals[lone | ~originals["block"].duplicated()]  # windows of one block overlap
    share = originals["landslide_pixels"] / (originals["background_pixels"] + originals["landslide_pixels"])
    chosen = (share - 0.25).abs().sort_values(kind="stable").index[:patches]  # whole landslides with ground around
    figure = draw(data, [int(i) for i in chosen], settings, draws, seed)
    with write_aside(path) as aside:
        figure.savefig(aside, dpi=110, metadata={"Software": None})
    plt.close(figure)


def draw(data: StoredPatches, chosen: list[int], settings: AugmentSettings, draws: int, seed: int) -> Figure:
    """The figure of `run`, for the patches numbered `chosen`."""
    only = AugmentSettings(
        flips=False,
        rotations=False,
        centerrep=1.0,
        centerrep_size=settings.centerrep_size,
        centerrep_by=settings.centerrep_by,
    )
    figure, axes = plt.subplots(
        len(chosen), 2 + draws, figsize=(2.1 * (2 + draws), 2.25 * len(chosen)), squeeze=False, layout="constrained"
    )
    for row, number in zip(axes, chosen, strict=True):
        image, mask = data.raw(number)
        shown = [(image, mask, [f"patch {data.index['patch'][number]}"])]
        variants = [only] + [settings] * draws
        for i, variant in enumerate(variants):
            shown.append(augment(image, mask, data.bands, variant, np.random.default_rng([seed, number, i])))
        stretch = _stretch(_channels(image, data.bands))
        for axis, (pixels, labels, done) in zip(row, shown, strict=True):
            axis.imshow(_picture(_channels(pixels, data.bands), stretch), interpolation="nearest")
            if (labels == LANDSLIDE).any() and not (labels == LANDSLIDE).all():
                axis.contour(labels == LANDSLIDE, levels=[0.5], colors=_OUTLINE, linewidths=1)
            axis.set_title(", ".join(map(_readable, done)) or "unchanged", fontsize=7)
            axis.set_axis_off()
    return figure


def _readable(name: str) -> str:
    """ "turn90" → "90°", "brightness1.130" → "× 1.13", "centerrep" → "CenterRep"."""
    if name.startswith("turn"):
        return f"{name[4:]}°"
    if name.startswith("brightness"):
        return f"× {float(name[10:]):.2f}"
    return {"centerrep": "CenterRep", "mirror": "mirrored"}.get(name, name)


def _channels(image: np.ndarray, bands: list[str]) -> np.ndarray:
    """Three bands as a colour image where there are such, else the first optical one, else the first, in grey."""
    for names in _COLOURS:
        if set(names) <= set(bands):
            return image[[bands.index(name) for name in names]]
    return np.repeat(image[[(optical_bands(bands) or [0])[0]]], 3, axis=0)


def _stretch(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2nd, 98th percentile) of each channel."""
    values = [band[np.isfinite(band)] for band in channels]
    limits = [np.percentile(v, (2, 98)) if v.size else (0.0, 1.0) for v in values]
    low, high = np.array(limits).T
    return low, np.maximum(high, low + 1e-9)


def _picture(channels: np.ndarray, stretch: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    low, high = (limit[:, None, None] for limit in stretch)
    return np.moveaxis(np.clip(np.nan_to_num((channels - low) / (high - low), nan=0.5), 0, 1), 0, -1)
