"""Maps of the dissimilarity index and of the area of applicability of networks, on their input factors."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches.normalisation import Statistics
from slipmap.prediction.reader import class_codes
from slipmap.screening.applicability import Outputs, fit, separability, write

FOLD, LABEL = "fold", "label"  # columns of the training ground beside its bands


def run(
    factors: Mapping[str, str | Path],
    weights: str | Path,
    probability_tif: str | Path,
    outputs: Outputs,
) -> dict[str, Any]:
    """Map where a network's probabilities rest on ground like what it learnt from.

    Parameters
    ----------
    factors : name → raster of the mapped area.
    weights : folder of a seed, with ``model.json`` and ``training_ground.csv`` (`slipmap.training.ground`).
    probability_tif : the map; where it has no value there is none here.

    Returns
    -------
    Shares of the mapped ground by code, and the threshold.

    Raises
    ------
    InputError : the weights came without their training ground.

    Notes
    -----
    Holds one block of every factor. All that is measured comes with the weights, so one model has one threshold
    wherever it is applied. Factors are weighted by `slipmap.screening.applicability.separability` of the training
    pixels; all count the same where those came without labels (weights trained before 0.2.0).
    """
    record = json.loads((Path(weights) / "model.json").read_text(encoding="utf-8"))
    table_path = Path(weights) / "training_ground.csv"
    if not table_path.is_file():
        raise InputError(
            f"{table_path} does not exist, and applicability is judged by it; copy the whole folder of the weights."
        )
    table = pd.read_csv(table_path)
    names = list(record["bands"])
    bands = Statistics.from_dict(record["statistics"]).select(names).bands
    seen = {
        band.name: [code for code in band.classes if not band.class_pixels or band.class_pixels.get(code)]
        for band in bands
        if band.kind == "categorical"
    }
    values = table[names].to_numpy(float)
    weights_of = separability(values, table[LABEL].to_numpy(), names, seen) if LABEL in table else None
    area = fit(values, names, table[FOLD].to_numpy(), weights=weights_of, classes=seen)
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(factors[name])) for name in names]
        codes = [class_codes(factors[b.name], b) if b.kind == "categorical" else None for b in bands]
        probability = stack.enter_context(rasterio.open(probability_tif))

        def read(window: rasterio.windows.Window) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
            block = np.stack([raster.read_open(source, window, 1) for source in sources])
            for values, code in zip(block, codes, strict=True):
                if code is not None:
                    known = np.isfinite(values)
                    values[known] = code[values[known].astype(np.uint8)]
            return block, np.isfinite(raster.read_open(probability, window, 1))

        return write(area, read, Grid.from_raster(probability_tif), outputs)
