"""What a network learnt from: some training pixels as raw values, kept beside its weights."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from slipmap.codes import BACKGROUND, LANDSLIDE
from slipmap.io.atomic import write_table
from slipmap.patches.dataset import StoredPatches

PIXELS = {LANDSLIDE: 4000, BACKGROUND: 6000}  # kept of each class: landslides are few, and must be there as well
PATCHES = 250  # read for each class


def write_ground(patches: StoredPatches, path: str | Path) -> None:
    """Write up to `PIXELS` of training patches: ``fold``, ``label`` and a column of raw values for each band.

    Pixels of one block of the split, or one image, have one fold; where there is one alone, pixels of one patch, or of
    one quarter of the columns of the only patch. Of each class patches are taken at even steps from those that have
    any; of each patch the same share of its pixels, drawn with a fixed seed.
    """
    rng = np.random.default_rng(0)
    keys = [patches.index[name] for name in ("store", "area", "block", "source") if name in patches.index]
    fold = patches.index.groupby(keys, sort=True).ngroup().to_numpy()
    if fold.max() == 0:
        fold = np.arange(len(patches))
    parts: list[pd.DataFrame] = []
    for label, name in ((BACKGROUND, "background_pixels"), (LANDSLIDE, "landslide_pixels")):
        count = patches.index[name].to_numpy()
        held = np.flatnonzero(count)
        numbers = held[np.unique(np.linspace(0, len(held) - 1, min(PATCHES, len(held))).astype(int))]
        share = min(1.0, PIXELS[label] / max(int(count[numbers].sum()), 1))
        for number in numbers:
            image, mask = patches.raw(int(number))
            at = np.flatnonzero(mask == label)
            at = rng.permutation(at)[: math.ceil(share * len(at))]
            part = pd.DataFrame(image.reshape(len(image), -1)[:, at].T, columns=patches.bands)
            width = image.shape[-1]
            part.insert(0, "fold", fold[number] if len(patches) > 1 else 4 * (at % width) // width)
            part.insert(1, "label", label)
            parts.append(part)
    write_table(Path(path), pd.concat(parts, ignore_index=True), index=False)
