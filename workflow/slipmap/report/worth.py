"""What a probability of a finished map is worth: how much of the test ground given it is landslide."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio

from slipmap.codes import LANDSLIDE, TEST
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report.sources import Experiment
from slipmap.report.tabular import percent
from slipmap.report.words import many

BINS = 10
HIGH = 0.5  # probabilities from here on are judged: below are most of the pixels, and nearly none is a landslide
MOST_OFF = 0.1  # that the mean probability of ground given `HIGH` or more may lie from its share of landslide
LEAST_PIXELS = 100  # of test ground, to judge a range of probabilities by
COLUMNS = ["from", "to", "pixels", "mean_probability", "landslide_share"]


def count(probability: str | Path, inventory: str | Path, split: str | Path) -> pd.DataFrame:
    """A row of `COLUMNS` for each of `BINS` ranges of a map's probability, on test ground. Block by block.

    Pixels that the map, or the inventory, does not know are not counted; the mean and the share of no pixel are NaN.
    """
    pixels, given, landslide = np.zeros((3, BINS))
    with rasterio.open(probability) as a, rasterio.open(inventory) as b, rasterio.open(split) as c:
        for window in Grid.from_raster(probability).blocks():
            p, truth = raster.read_open(a, window, 1), raster.read_open(b, window, 1)
            known = np.isfinite(p) & np.isfinite(truth) & (c.read(1, window=window) == TEST)
            p, truth = p[known].astype(float), truth[known] == LANDSLIDE
            number = np.minimum((p * BINS).astype(int), BINS - 1)
            for total, weights in ((pixels, None), (given, p), (landslide, truth)):
                total += np.bincount(number, weights, minlength=BINS)
    edges = np.linspace(0, 1, BINS + 1)
    with np.errstate(invalid="ignore"):
        columns = (edges[:-1], edges[1:], pixels.astype(int), given / pixels, landslide / pixels)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def said(counted: pd.DataFrame | None, experiment: str) -> dict[str, Any] | None:
    """What the Summary says of an experiment's probabilities: {"text", "alarm"}; None where too little is known.

    Parameters
    ----------
    counted : `count` of each experiment, with the column "experiment".
    """
    rows = counted[counted["experiment"] == experiment] if counted is not None else pd.DataFrame(columns=COLUMNS)
    high = rows[(rows["from"] >= HIGH - 1e-9) & (rows["pixels"] > 0)]
    if high["pixels"].sum() < LEAST_PIXELS:
        return None
    mean, share = (float(np.average(high[c], weights=high["pixels"])) for c in ("mean_probability", "landslide_share"))
    shown = [
        f"{one['from']:.1f} to {one['to']:.1f}, {percent(one['landslide_share'])}"
        for one in high[high["pixels"] >= LEAST_PIXELS].tail(2).to_dict("records")
    ] or [f"{HIGH:.1f} or more, {percent(share)}"]
    more = "".join(f"; where it says {one}" for one in shown[1:])
    text = f"Where the map says {shown[0]} of the test ground is landslide{more}."
    off = mean - share
    if abs(off) <= MOST_OFF:
        return {"text": text, "alarm": False}
    how = "too high" if off > 0 else "too low"
    return {
        "text": f"The probabilities are {how}. {text} Read them as a ranking: of the ground given {HIGH:.1f} or more, "
        f"they say {percent(mean)} and the inventory {percent(share)}.",
        "alarm": True,
    }


def members(experiment: Experiment) -> str:
    """Between what the uncertainty of a map is the spread: "3 networks and mirrored views"; "" where not known."""
    prediction, seeds = experiment.settings.prediction, len(experiment.seeds)
    draws = prediction.dropout_samples
    parts = [f"{seeds} networks"] * (seeds > 1) + ["mirrored views"] * bool(prediction.flips)
    return " and ".join(parts + [f"{draws} {many(draws, 'draw')} of dropout"] * bool(draws))
