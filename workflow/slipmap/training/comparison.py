"""All experiments of a place side by side, as the papers show their models: pictures, losses, ROC, landslide sizes.

The data are tables (CSV) that a report can draw again; each has a picture beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import ndimage

from slipmap.codes import IGNORE, LANDSLIDE
from slipmap.io.atomic import write_table
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import Statistics
from slipmap.training import comparison_figures as figures
from slipmap.training.evaluate import images
from slipmap.training.metrics import ScoreHistogram
from slipmap.training.weights import load_weights

SHOWN = 4  # test images in the picture
POINTS = 200  # of an ROC curve at most
CLASSICAL = "test"  # the scheme of the classical models that is beside the networks: the same test ground


@dataclass
class Compared:
    """What one experiment makes of the test images.

    Attributes
    ----------
    histogram : test pixels by logit and truth.
    areas : pixels of each landslide that it found.
    shown : the images of the picture, (found, truth): bool and uint8.
    """

    histogram: ScoreHistogram = field(default_factory=ScoreHistogram)
    areas: list[int] = field(default_factory=list)
    shown: list[tuple[NDArray[np.bool_], NDArray[np.uint8]]] = field(default_factory=list)


def run(
    store: str | Path,
    weights: Mapping[str, str | Path],
    histories: Mapping[str, Sequence[str | Path]],
    folder: str | Path,
    classical: str | Path | None = None,
) -> None:
    """Write the comparison of a place's experiments.

    Written to `folder`: ``predictions.png`` (the same test images: image, truth, and where each experiment is right and
    wrong), ``losses.csv`` and ``losses.png`` (validation loss by epoch, of every seed), ``roc.csv`` and ``roc.png``
    (networks, and the classical models on the same test ground), ``sizes.csv`` and ``sizes.png`` (areas of the
    landslides mapped and found).

    Parameters
    ----------
    store
        Patch store of the place.
    weights
        Experiment → folder of its first seed.
    histories
        Experiment → ``history.csv`` of each seed.
    folder
        Where the comparison goes.
    classical
        ``susceptibility/roc.csv`` of the area, where it has one.
    """
    folder = Path(folder)
    chosen: list[int] | None = None
    found: dict[str, Compared] = {}
    truths: list[int] = []
    pixel_area = 1.0
    for name, place in weights.items():
        model, record = load_weights(place)
        patches = StoredPatches([store], "test", record["bands"], Statistics.from_dict(record["statistics"]))
        if chosen is None:
            chosen, truths = _richest(patches)
            pixel_area = abs(float(np.prod(record["pixel_size"]))) if record.get("pixel_size") else 1.0
        found[name] = _compare(model, patches, float(record["threshold"]), chosen)
    write_table(folder / "losses.csv", losses(histories), index=False)
    write_table(folder / "roc.csv", roc(found, classical), index=False)
    write_table(folder / "sizes.csv", sizes(found, truths, pixel_area), index=False)
    figures.losses(losses(histories), folder / "losses.png")
    figures.roc(roc(found, classical), folder / "roc.png")
    figures.sizes(sizes(found, truths, pixel_area), folder / "sizes.png", "m2" if pixel_area != 1.0 else "pixels")
    figures.predictions(
        _pictures(store, chosen or []), {name: one.shown for name, one in found.items()}, folder / "predictions.png"
    )


def losses(histories: Mapping[str, Sequence[str | Path]]) -> pd.DataFrame:
    """``experiment``, ``seed`` (number of the file), ``epoch``, ``training_loss``, ``validation_loss``."""
    parts = [
        pd.read_csv(path)[["epoch", "training_loss", "validation_loss"]].assign(experiment=name, seed=seed)
        for name, paths in histories.items()
        for seed, path in enumerate(paths)
    ]
    columns = ["experiment", "seed", "epoch", "training_loss", "validation_loss"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def roc(found: Mapping[str, Compared], classical: str | Path | None = None) -> pd.DataFrame:
    """``model``, ``kind`` (network, classical), ``false_positive_rate``, ``true_positive_rate``, ``auc``."""
    parts = [curve(one.histogram).assign(model=name, kind="network") for name, one in found.items()]
    if classical is not None:
        table = pd.read_csv(classical)
        parts.append(table[table["scheme"] == CLASSICAL].assign(kind="classical"))
    columns = ["model", "kind", "false_positive_rate", "true_positive_rate", "auc"]
    return pd.concat(parts, ignore_index=True)[columns]


def curve(histogram: ScoreHistogram) -> pd.DataFrame:
    """The ROC curve of test pixels, at most `POINTS` of its points, the ends among them."""
    hit, false, missed, right = histogram.counts().T.astype(float)
    rates = np.column_stack([false / np.maximum(false + right, 1), hit / np.maximum(hit + missed, 1)])[::-1]
    rates = np.unique(np.vstack([[0.0, 0.0], rates]), axis=0)
    along = np.concatenate([[0.0], np.abs(np.diff(rates, axis=0)).sum(axis=1).cumsum()])
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], POINTS)).clip(0, len(rates) - 1))
    table = pd.DataFrame(rates[kept], columns=["false_positive_rate", "true_positive_rate"])
    return table.assign(auc=histogram.auc())


def sizes(found: Mapping[str, Compared], truths: Sequence[int], pixel_area: float) -> pd.DataFrame:
    """``source`` ("inventory" or an experiment) and ``area`` of every landslide on the test images, largest first."""
    rows = [("inventory", area * pixel_area) for area in sorted(truths, reverse=True)]
    for name, one in found.items():
        rows += [(name, area * pixel_area) for area in sorted(one.areas, reverse=True)]
    return pd.DataFrame(rows, columns=["source", "area"])


def _richest(patches: StoredPatches) -> tuple[list[int], list[int]]:
    """Which test images hold most landslide pixels, in their order; and the pixels of every landslide of the truth."""
    counts, areas = [], []

    class Blank(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :1]

    for _, truth in images(Blank(), patches, torch.device("cpu")):  # type: ignore[arg-type]  # stands for a model
        landslide = truth == LANDSLIDE
        counts.append(int(landslide.sum()))
        areas += _areas(landslide)
    order = np.argsort(counts, kind="stable")[::-1][:SHOWN]
    return sorted(int(number) for number in order), areas


def _compare(model: Any, patches: StoredPatches, threshold: float, chosen: Sequence[int]) -> Compared:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    one = Compared()
    for number, (logit, truth) in enumerate(images(model.to(device), patches, device)):
        one.histogram.add(logit, truth)
        known = truth != IGNORE
        hit = model.object_stage((1 / (1 + np.exp(-logit.astype(np.float64))) >= threshold) & known)
        one.areas += _areas(hit)
        if number in chosen:
            one.shown.append((hit, truth))
    return one


def _areas(shape: NDArray[np.bool_]) -> list[int]:
    """Pixels of each landslide: what touches, at a corner too, is one."""
    labels, count = ndimage.label(shape, np.ones((3, 3)))
    return [int(area) for area in np.bincount(labels.ravel(), minlength=count + 1)[1:]]


def _pictures(store: str | Path, chosen: Sequence[int]) -> list[NDArray[np.float32]]:
    """The test images of the picture in the colours that the store has, (height, width, 3) from 0 to 1."""
    from slipmap.patches.store import load_statistics

    statistics = load_statistics(store)
    bands = figures.colours(statistics.names)
    patches = StoredPatches([store], "test", bands, statistics)
    made: list[list[NDArray[np.float32]]] = []
    for channel in range(len(bands)):

        class One(torch.nn.Module):
            def forward(self, x: torch.Tensor, channel: int = channel) -> torch.Tensor:
                return x[:, channel : channel + 1]

        found = images(One(), patches, torch.device("cpu"))  # type: ignore[arg-type]  # stands for a model
        made.append([figures.stretched(value, truth) for n, (value, truth) in enumerate(found) if n in chosen])
    return [np.stack([layers[i] for layers in (made * 3)[:3]], axis=-1) for i in range(len(chosen))]
