"""The history of a run as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from slipmap.io.atomic import write_aside


def write_history(history: Sequence[dict[str, float]], path: Path) -> pd.DataFrame:
    """Write one row for each epoch as CSV; return it as a table."""
    table = pd.DataFrame(history)
    with write_aside(path) as aside:
        table.to_csv(aside, index=False, float_format="%.8g")
    return table


def draw_curves(table: pd.DataFrame, best_epoch: float | None, title: str, path: Path) -> None:
    """Draw losses, validation scores and learning rate over epochs, the best epoch marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for column, label in (("training_loss", "training"), ("validation_loss", "validation")):
        if column in table:
            left.plot(table["epoch"], table[column], label=label)
    left.set_ylabel("loss")
    for column, label in (
        ("validation_f1", "F1 at its best threshold"),
        ("validation_average_precision", "average precision"),
    ):
        if column in table:
            middle.plot(table["epoch"], table[column], label=label)
    middle.set_ylabel("validation score")
    middle.set_ylim(0, 1)
    right.plot(table["epoch"], table["learning_rate"], color="0.4")
    right.set_ylabel("learning rate")
    for axes in (left, middle, right):
        axes.set_xlabel("epoch")
        if best_epoch is not None:
            axes.axvline(best_epoch, color="0.7", linewidth=1, linestyle="--", zorder=0)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    figure.suptitle(title, fontsize="medium")
    with write_aside(path) as aside:
        figure.savefig(aside, dpi=100, metadata={"Software": None})
