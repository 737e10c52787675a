"""Classes of the mapped ground (rocks, say) that no training pixel showed to the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import Statistics


def unseen_classes(record: Mapping[str, Any], factors: Mapping[str, str | Path]) -> list[dict[str, Any]]:
    """Classes of an area that training did not see: ``factor``, ``class`` (its name), ``share`` of the known ground.

    Parameters
    ----------
    record : model.json of the weights.
    factors : name → raster of the mapped area.

    Notes
    -----
    A class is known by its name. Of weights that do not say how many training pixels had each class, those count as
    seen that the training areas name. Holds one block.
    """
    found = []
    for band in Statistics.from_dict(record["statistics"]).select(record["bands"]).bands:
        if band.kind != "categorical" or band.name not in factors:
            continue
        seen = {name for value, name in band.classes.items() if not band.class_pixels or band.class_pixels.get(value)}
        names, counts = raster.read_classes(factors[band.name]), np.zeros(256, np.int64)
        with rasterio.open(factors[band.name]) as src:
            for window in Grid.from_raster(factors[band.name]).blocks():
                values = raster.read_open(src, window, 1)
                counts += np.bincount(values[np.isfinite(values)].astype(np.uint8), minlength=256)
        for value in np.flatnonzero(counts):
            name = names.get(int(value), f"class {value}")
            if name not in seen:
                found.append({"factor": band.name, "class": name, "share": float(counts[value] / counts.sum())})
    return sorted(found, key=lambda row: -row["share"])


def said(found: list[dict[str, Any]]) -> str:
    """The classes as one sentence; "" without any."""
    if not found:
        return ""
    listed = ", ".join(f"{row['class']} ({row['share']:.1%})" for row in found[:6])
    more = f" and {len(found) - 6} more" if len(found) > 6 else ""
    total = {row["factor"]: 0.0 for row in found}
    for row in found:
        total[row["factor"]] += row["share"]
    ground = ", ".join(f"{share:.1%} of the ground ({factor})" for factor, share in total.items())
    return f"Training saw nothing of {ground}: {listed}{more}. What the map says there is a guess."
