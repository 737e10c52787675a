"""How the models of a place compare: pictures of test images and of all maps, losses, ROC curves, landslide sizes.

The tables and pictures are those of `slipmap.training.comparison`.
"""

import base64
import io
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from slipmap.colours import BLUE, GREEN, ORANGE, PINK, SKY, VERMILION
from slipmap.report.charts import Line, chart
from slipmap.report.sources import Experiment

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY)
DASHES = ("", "7 3", "2 3")  # told apart by these too, from the seventh model on


def picture(path: Path) -> str:
    """A picture that another rule drew, as the page holds it."""
    out = io.BytesIO()
    with Image.open(path) as drawn:
        drawn.convert("RGB").save(out, "WEBP", quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


def examples(found: Mapping[str, Path]) -> list[dict[str, str]]:
    """Images of test ground, with what each experiment got right, called falsely, and missed."""
    text = (
        "Images of test ground: the image, the inventory, and what each experiment got right, called falsely, and "
        "missed."
    )
    return _pictures(found, "predictions.png", text)


def all_maps(found: Mapping[str, Path]) -> list[dict[str, str]]:
    """The maps of all models, on one scale."""
    return _pictures(found, "maps.png", "The maps of all models, on one scale.")


def _pictures(found: Mapping[str, Path], name: str, caption: str) -> list[dict[str, str]]:
    return [{"uri": picture(found[name]), "caption": caption}] if name in found else []


def losses(found: Mapping[str, Path]) -> list[dict[str, str]]:
    """Validation loss by epoch, one line a seed, experiments by colour; none where there is one experiment alone."""
    table = _table(found, "losses.csv")
    if table is None or table["experiment"].nunique() < 2:
        return []
    look, lines = _look(table["experiment"]), []
    for (name, seed), part in table.groupby(["experiment", "seed"], sort=False):
        first = seed == table.loc[table["experiment"] == name, "seed"].iloc[0]
        label = str(name) if first else ""
        lines.append(Line(label, list(part["epoch"]), list(part["validation_loss"]), *look[str(name)]))
    title = "Validation loss of all experiments"
    caption = f"{title}, one line for each seed. Losses compare only between experiments of one loss function."
    return [{"svg": chart(lines, title=title, x_label="epoch", y_label="validation loss"), "caption": caption}]


def roc(found: Mapping[str, Path], experiments: Collection[str] = ()) -> list[dict[str, str]]:
    """ROC curves of networks and classical models on the same test ground, each with the area under it."""
    table = _table(found, "roc.csv")
    if table is None:
        return []
    look = _look(table["model"])
    lines = [
        Line(
            f"{str(name).replace('_', ' ')}: {part['auc'].iloc[0]:.3f}",
            list(part["false_positive_rate"]),
            list(part["true_positive_rate"]),
            *look[str(name)],
        )
        for name, part in table.groupby("model", sort=False)
    ]
    title, best = "ROC curves on test ground", table.loc[table["auc"].idxmax()]
    first = (
        ""
        if not experiments or best["model"] in experiments
        else (
            f" The largest is that of {str(best['model']).replace('_', ' ')}, which sees single pixels: "
            "here a network ranks pixels no better."
        )
    )
    caption = (
        f"{title}: share of landslide pixels found against share of other pixels called landslide, over all "
        f"thresholds. Areas under the curves: {'; '.join(line.name for line in lines)}.{first} The diagonal is "
        "guessing."
    )
    picture_ = chart(
        lines, title=title, x_label="false positive rate", y_label="true positive rate", x_range=(0.0, 1.0),
        y_range=(0.0, 1.0), diagonal=True,
    )  # fmt: skip
    return [{"svg": picture_, "caption": caption}]


def sizes(found: Mapping[str, Path], experiments: Mapping[str, Experiment]) -> list[dict[str, str]]:
    """How many landslides of test ground are as large as a size or larger, of the inventory and of each experiment.

    Areas are in hectares where the weights of `experiments` know the size of a pixel, else in pixels.
    """
    table = _table(found, "sizes.csv")
    table = table[table["area"] > 0] if table is not None else None
    if table is None or not len(table):
        return []
    records = [seed["record"] for experiment in experiments.values() for seed in experiment.seeds.values()]
    scale, unit = (1e4, "ha") if any(record.get("pixel_size") for record in records) else (1, "pixels")
    table = table.assign(area=table["area"] / scale)
    look, lines = _look(table["source"]), []
    for name, part in table.groupby("source", sort=False):
        areas = np.sort(part["area"].to_numpy(float))[::-1]
        counts = np.arange(1, len(areas) + 1)
        x, y = np.log10(np.repeat(areas, 2)), np.repeat(np.concatenate([[0], counts]), 2)[1:-1]
        lines.append(Line(f"{name}: {len(areas)}", list(x), list(y), *look[str(name)]))
    low, high = np.log10(table["area"].min()), np.log10(table["area"].max())
    powers = [k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1) if low - 0.2 <= k <= high + 0.2]
    named = {float(k): f"{10.0**k:,.10g}".replace(",", "\u202f") for k in powers}
    title = "Sizes of the landslides of test ground"
    caption = f"{title}: how many are as large as a size or larger, mapped in the inventory and found."
    picture_ = chart(lines, title=title, x_label=f"area ({unit})", y_label="landslides", x_ticks=named)
    return [{"svg": picture_, "caption": caption}]


def _table(found: Mapping[str, Path], name: str) -> pd.DataFrame | None:
    table = pd.read_csv(found[name]) if name in found else None
    return table if table is not None and len(table) else None


def _look(names: pd.Series) -> dict[str, tuple[str, str]]:
    """Colour and dash of each name."""
    each = list(dict.fromkeys(names.astype(str)))
    return {name: (COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]) for i, name in enumerate(each)}
