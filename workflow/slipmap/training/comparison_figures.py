"""Pictures of the comparison of experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from slipmap.codes import IGNORE, LANDSLIDE
from slipmap.colours import AGREEMENT, CLASSES
from slipmap.io.atomic import write_aside

COLOURS = (("B4", "B3", "B2"), ("B4_after", "B3_after", "B2_after"), ("red", "green", "blue"))
Shown = Sequence[tuple[NDArray[np.bool_], NDArray[np.uint8]]]


def colours(names: Sequence[str]) -> list[str]:
    """Bands for red, green and blue; the first band alone where there are none."""
    return next((list(bands) for bands in COLOURS if set(bands) <= set(names)), [names[0]])


def stretched(values: NDArray[np.float32], truth: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values from the 2nd to the 98th percentile of known pixels as 0 to 1; white where nothing is known."""
    known = truth != IGNORE
    low, high = np.percentile(values[known], (2, 98)) if known.any() else (0.0, 1.0)
    out = np.clip((values - low) / max(high - low, 1e-9), 0, 1).astype(np.float32)
    return np.where(known, out, 1).astype(np.float32)


def agreement(found: NDArray[np.bool_], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(height, width, 4): found and there, found and not there, there and not found, in colours; clear elsewhere."""
    out = np.zeros((*truth.shape, 4))
    landslide, known = truth == LANDSLIDE, truth != IGNORE
    for where, colour in (
        (found & landslide, AGREEMENT[1][1]),
        (found & known & ~landslide, AGREEMENT[2][1]),
        (~found & landslide, AGREEMENT[3][1]),
    ):
        out[where] = matplotlib.colors.to_rgba(colour)
    return out


def predictions(pictures: Sequence[NDArray[np.float32]], shown: Mapping[str, Shown], path: Path) -> None:
    """A row for each test image: the image, the truth, and where each experiment is right and wrong."""
    titles = ["image", "inventory", *shown]
    rows = max(len(pictures), 1)
    figure = Figure(figsize=(2.2 * len(titles), 2.3 * rows + 0.4), layout="constrained")
    axes = np.atleast_2d(figure.subplots(rows, len(titles), squeeze=False))
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    for number, picture in enumerate(pictures):
        truth = next(iter(shown.values()))[number][1]
        layers = [None, agreement(truth == LANDSLIDE, truth), *(agreement(*one[number]) for one in shown.values())]
        for axis, layer in zip(axes[number], layers, strict=True):
            axis.imshow(picture, interpolation="nearest")
            if layer is not None:
                axis.imshow(layer, interpolation="nearest")
    for axis in axes.ravel():
        axis.set_axis_off()
    handles = [matplotlib.patches.Patch(color=colour, label=label) for label, colour in AGREEMENT.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    _save(figure, path)


def losses(table: pd.DataFrame, path: Path) -> None:
    """Validation loss by epoch: a colour for each experiment, a line for each seed."""
    figure, axis = _one()
    for colour, (name, part) in zip(_many(), table.groupby("experiment", sort=False), strict=False):
        for number, (_, one) in enumerate(part.groupby("seed")):
            label = str(name) if number == 0 else None
            axis.plot(one["epoch"], one["validation_loss"], color=colour, linewidth=1.2, label=label)
    axis.set(xlabel="Epoch", ylabel="Validation loss")
    axis.legend(fontsize=8)
    _save(figure, path)


def roc(table: pd.DataFrame, path: Path) -> None:
    """ROC curves on test ground: networks as full lines, classical models dashed, the AUC in the legend."""
    figure, axis = _one()
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    for colour, ((name, kind), part) in zip(_many(), table.groupby(["model", "kind"], sort=False), strict=False):
        style = "-" if kind == "network" else "--"
        label = f"{name} {part['auc'].iloc[0]:.3f}"
        axis.plot(
            part["false_positive_rate"], part["true_positive_rate"], style, color=colour, linewidth=1.2, label=label
        )
    axis.set(xlabel="False positive rate", ylabel="True positive rate", aspect="equal")
    axis.legend(title="AUC on test ground", loc="lower right", fontsize=7, title_fontsize=7)
    _save(figure, path)


def sizes(table: pd.DataFrame, path: Path, unit: str) -> None:
    """How many landslides are at least so large: those mapped and those found, on logarithmic axes."""
    figure, axis = _one()
    for colour, (name, part) in zip(("black", *CLASSES), table.groupby("source", sort=False), strict=False):
        area = np.sort(part["area"].to_numpy())[::-1]
        axis.step(area, np.arange(1, len(area) + 1), where="post", color=colour, linewidth=1.2, label=str(name))
    axis.set(xscale="log", yscale="log", xlabel=f"Area, {unit}", ylabel="Landslides of at least that area")
    axis.legend(fontsize=8)
    _save(figure, path)


def _one() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.0, 4.6), layout="constrained")
    return figure, figure.subplots()


def _many() -> list[ColorType]:
    twenty = matplotlib.colormaps["tab20"]
    return [*CLASSES, *(twenty(number) for number in range(twenty.N))]


def _save(figure: Figure, path: Path) -> None:
    with write_aside(path) as aside:
        figure.savefig(aside, dpi=110, metadata={"Software": None})
